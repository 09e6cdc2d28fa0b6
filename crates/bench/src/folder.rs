//! A folder for one server's data. It goes with its owner; one whose owner was killed goes when the next run begins.

use crate::trouble::Trouble;
use std::{fs, path::Path};

/// Removed when this is dropped. Its name says whose it is: `data-PROCESS-…`.
#[derive(Debug)]
pub struct DataFolder(tempfile::TempDir);

impl DataFolder {
    /// A new one in `work`, which is created if it isn't there.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn new(work: &Path) -> Result<DataFolder, Trouble> {
        let told = || format!("no folder for data can be made in {}", work.display());
        fs::create_dir_all(work).map_err(Trouble::because(told()))?;
        let folder = tempfile::Builder::new().prefix(&format!("data-{}-", std::process::id())).tempdir_in(work);
        folder.map(DataFolder).map_err(Trouble::because(told()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// What its files take of the disk, in bytes.
    pub fn allocated_bytes(&self) -> u64 {
        allocated(self.path())
    }
}

/// Removes the folders in `work` whose owners live no more. What can't be removed stays: nothing is measured in it.
pub fn sweep(work: &Path) {
    for entry in fs::read_dir(work).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix("data-")?.split_once('-')?.0.parse::<i32>().ok());
        if owner.is_some_and(|owner| !lives(owner)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(unix)]
fn lives(process: i32) -> bool {
    use rustix::{
        io::Errno,
        process::{Pid, test_kill_process},
    };
    // Somebody else's process may not be asked, but is there.
    Pid::from_raw(process).is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

#[cfg(not(unix))]
fn lives(_: i32) -> bool {
    true
}

#[cfg(unix)]
fn allocated(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => allocated(&entry.path()),
        Ok(metadata) => metadata.blocks() * 512,
        // Deleted while we looked.
        Err(_) => 0,
    };
    entries.map(of).sum()
}

#[cfg(not(unix))]
fn allocated(_: &Path) -> u64 {
    0
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn what_a_killed_run_left_goes_and_the_rest_stays() {
        let work = tempfile::tempdir().unwrap();
        let mine = DataFolder::new(work.path()).unwrap();
        let mut dead = Command::new("true").spawn().unwrap();
        let pid = dead.id();
        dead.wait().unwrap();
        for name in [&format!("data-{pid}-abc/log"), "data-abc", "peers"] {
            fs::create_dir_all(work.path().join(name)).unwrap();
        }
        sweep(work.path());
        let mut left: Vec<_> = fs::read_dir(work.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [mine.path().file_name().unwrap(), "data-abc".as_ref(), "peers".as_ref()]);
    }
}
