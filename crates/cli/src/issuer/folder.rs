//! The folder of keys: a file `KID.pem` for each issuer, readable by its owner alone.

use crate::{failure::Failure, output};
use afterward::token::Issuer;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

const EXTENSION: &str = "pem";

pub(super) struct Folder(PathBuf);

/// An issuer that is kept here.
pub(super) struct Kept {
    pub(super) issuer: Issuer,
    pub(super) file: PathBuf,
    /// Where the file system says.
    pub(super) created: Option<SystemTime>,
}

impl Folder {
    /// The folder that was named, else the user's.
    pub(super) fn at(named: Option<PathBuf>) -> Result<Folder, Failure> {
        let variable = |name: &str| std::env::var(name).ok();
        named.or_else(|| default_folder(variable)).map(Folder).ok_or_else(|| {
            Failure::new("the environment does not say where your configuration is: name a folder with --folder")
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Keeps a new issuer's key.
    pub(super) fn keep(&self, issuer: &Issuer, pem: &str) -> Result<PathBuf, Failure> {
        private_folder(&self.0).map_err(|error| self.failed("can't be made", &error))?;
        let file = self.0.join(format!("{}.{EXTENSION}", issuer.kid()));
        let written = private_file(&file).and_then(|mut open| {
            open.write_all(pem.as_bytes())?;
            open.sync_all()
        });
        match written {
            Ok(()) => Ok(file),
            Err(error) => Err(Failure::new(format!("{} can't be written: {error}", file.display()))),
        }
    }

    /// All issuers, by their ids. Files that hold no key are told of, and so are keys that others can read.
    pub(super) fn all(&self) -> Result<Vec<Kept>, Failure> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failed("can't be read", &error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let file = entry.map_err(|error| self.failed("can't be read", &error))?.path();
            if file.extension().is_some_and(|extension| extension == EXTENSION) {
                found.extend(read(&file));
            }
        }
        found.sort_by(|a, b| a.issuer.kid().cmp(b.issuer.kid()));
        Ok(found)
    }

    /// These issuers, by id or by name; all of them where none is named.
    pub(super) fn named(&self, names: &[String]) -> Result<Vec<Kept>, Failure> {
        let mut all = self.all()?;
        let is = |kept: &Kept, name: &str| kept.issuer.kid() == name || kept.issuer.name() == name;
        if let Some(unknown) = names.iter().find(|name| !all.iter().any(|kept| is(kept, name))) {
            let folder = self.0.display();
            return Err(Failure::new(format!("no issuer `{unknown}` in {folder}: `afterward issuer ls` shows them")));
        }
        if !names.is_empty() {
            all.retain(|kept| names.iter().any(|name| is(kept, name)));
        }
        Ok(all)
    }

    fn failed(&self, what: &str, error: &io::Error) -> Failure {
        Failure::new(format!("the folder {} {what}: {error}", self.0.display()))
    }
}

/// The issuer in a file, if there is one.
fn read(file: &Path) -> Option<Kept> {
    let shown = file.display();
    let issuer = match fs::read_to_string(file) {
        Ok(pem) => Issuer::from_pem(&pem).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match issuer {
        Ok(issuer) => {
            if is_open_to_others(file) {
                output::complain(&format!(
                    "warning: others can read the key in {shown}: `chmod 600` it, or make another"
                ));
            }
            let created = fs::metadata(file).and_then(|metadata| metadata.modified()).ok();
            Some(Kept { issuer, file: file.to_owned(), created })
        }
        Err(why) => {
            output::complain(&format!("warning: {shown} is passed over: {why}"));
            None
        }
    }
}

/// Where a user's configuration is, by the platform's convention. Beside the server's data would be wrong: whoever deletes
/// that to start anew means the queues.
fn default_folder(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // The XDG specification has relative paths ignored.
    if let Some(configuration) = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute()) {
        return Some(configuration.join("afterward").join("issuers"));
    }
    if cfg!(windows) {
        return set("APPDATA").map(|roaming| roaming.join("Afterward").join("issuers"));
    }
    let home = set("HOME")?;
    if cfg!(target_os = "macos") {
        return Some(home.join("Library").join("Application Support").join("Afterward").join("issuers"));
    }
    Some(home.join(".config").join("afterward").join("issuers"))
}

fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn keys_are_with_the_users_configuration() {
        for (configuration, home, found) in [
            (Some("/etc/ada"), Some("/home/ada"), Some("/etc/ada/afterward/issuers")),
            (None, Some("/home/ada"), Some("/home/ada/.config/afterward/issuers")),
            (Some("relative"), Some("/home/ada"), Some("/home/ada/.config/afterward/issuers")),
            (None, None, None),
        ] {
            let variable = |name: &str| match name {
                "XDG_CONFIG_HOME" => configuration.map(String::from),
                "HOME" => home.map(String::from),
                _ => None,
            };
            assert_eq!(default_folder(variable), found.map(PathBuf::from), "{configuration:?} {home:?}");
        }
    }
}
