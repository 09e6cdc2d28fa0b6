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

/// What is in a folder.
pub(super) struct Contents {
    /// By their ids.
    pub(super) issuers: Vec<Kept>,
    /// Files that should hold a key, and don't or can't be read. They have been told of.
    pub(super) passed_over: Vec<PathBuf>,
}

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
        let folder = named.or_else(|| default_folder(variable)).ok_or_else(|| {
            Failure::new("the environment does not say where your configuration is: name a folder with --folder")
        })?;
        // What is told of it is used elsewhere: in the environment of a worker, say.
        let folder = std::path::absolute(&folder)
            .map_err(|error| Failure::new(format!("the folder {} can't be found: {error}", folder.display())))?;
        Ok(Folder(folder))
    }

    /// The command line that does `what` in this folder, to be told.
    pub(super) fn command(&self, what: &str) -> String {
        match default_folder(|name| std::env::var(name).ok()).is_some_and(|default| default == self.0) {
            true => format!("afterward issuer {what}"),
            false => format!("afterward issuer {what} --folder {}", shell_word(&self.0)),
        }
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

    /// All issuers. Files that hold no key are told of, and so are keys that others can read.
    pub(super) fn all(&self) -> Result<Contents, Failure> {
        let mut found = Contents { issuers: Vec::new(), passed_over: Vec::new() };
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            Err(error) => return Err(self.failed("can't be read", &error)),
        };
        for entry in entries {
            let file = entry.map_err(|error| self.failed("can't be read", &error))?.path();
            if file.extension().is_some_and(|extension| extension == EXTENSION) {
                match read(&file) {
                    Some(kept) => found.issuers.push(kept),
                    None => found.passed_over.push(file),
                }
            }
        }
        found.issuers.sort_by(|a, b| a.issuer.kid().cmp(b.issuer.kid()));
        Ok(found)
    }

    /// These issuers, by id or by name.
    pub(super) fn named(&self, names: &[String]) -> Result<Vec<Kept>, Failure> {
        let mut all = self.all()?.issuers;
        let is = |kept: &Kept, name: &str| kept.issuer.kid() == name || kept.issuer.name() == name;
        if let Some(unknown) = names.iter().find(|name| !all.iter().any(|kept| is(kept, name))) {
            let (folder, ls) = (self.0.display(), self.command("ls"));
            return Err(Failure::new(format!("no issuer `{unknown}` in {folder}: `{ls}` shows them")));
        }
        all.retain(|kept| names.iter().any(|name| is(kept, name)));
        Ok(all)
    }

    fn failed(&self, what: &str, error: &io::Error) -> Failure {
        Failure::new(format!("the folder {} {what}: {error}", self.0.display()))
    }
}

/// A path as a word of a command line of a shell.
pub(super) fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    match text.chars().all(|c| c.is_alphanumeric() || "/\\:._-+,@%=".contains(c)) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
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
    fn paths_are_told_as_a_shell_takes_them() {
        for (path, word) in
            [("/a/b-1.pem", "/a/b-1.pem"), ("/a b", "'/a b'"), ("/ada's", r"'/ada'\''s'"), ("/ä$", "'/ä$'")]
        {
            assert_eq!(shell_word(Path::new(path)), word);
        }
    }

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
