//! `afterward doctor`: a look at a data directory that changes nothing.

use crate::{failure::Failure, output};
use afterward_log::segment::inspect;
use clap::Args;
use std::path::{Path, PathBuf};

/// Check a data directory.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  afterward doctor ~/.local/share/afterward

It changes nothing. Exit code 0: what is there is as it was written. 1: it is damaged, a server \
will not start on it, and where and why is printed.")]
pub(crate) struct Doctor {
    /// The data directory, or one partition's directory in it
    directory: PathBuf,
}

pub(crate) fn run(doctor: &Doctor) -> Result<(), Failure> {
    let mut damaged = 0;
    for (number, directory) in partitions(&doctor.directory)? {
        let found = inspect(&directory, number).map_err(|error| Failure::new(error.to_string()))?;
        output::say(found.to_string().trim_end())?;
        damaged += u32::from(found.trouble.is_some());
    }
    match damaged {
        0 => Ok(()),
        _ => Err(Failure::new(
            "the data is damaged: no server will start on it, and none will change it. \
             Restore the directory from a copy, or keep it for analysis and start with another --data directory.",
        )),
    }
}

/// The partitions' directories in a data directory, with their numbers.
fn partitions(directory: &Path) -> Result<Vec<(u32, PathBuf)>, Failure> {
    let entries = std::fs::read_dir(directory)
        .map_err(|error| Failure::new(format!("{} can't be read: {error}", directory.display())))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str()).and_then(partition_number);
        found.extend(number.filter(|_| path.is_dir()).map(|number| (number, path)));
    }
    found.sort();
    if found.is_empty() {
        let number = directory.file_name().and_then(|name| name.to_str()).and_then(partition_number);
        let number = number.ok_or_else(|| {
            Failure::new(format!("{} holds no partition: it is not a data directory of afterward", directory.display()))
        })?;
        found.push((number, directory.to_owned()));
    }
    Ok(found)
}

/// `partition-0` → 0.
fn partition_number(name: &str) -> Option<u32> {
    name.strip_prefix("partition-")?.parse().ok()
}
