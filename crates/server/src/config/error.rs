//! What can be wrong with the settings, said so that it can be put right.

use std::{fmt, io, net::SocketAddr, path::PathBuf};
use thiserror::Error;

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In the configuration file, at that line.
    File {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// By an environment variable.
    Variable(String),
    /// By a flag of the command line.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Source::Variable(name) => write!(f, "environment variable {name}"),
            Source::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// Why the settings can't be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the configuration file {} can't be read: {error}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is not TOML.
    #[error("the configuration file {} is not valid TOML: {reason}", path.display())]
    NotToml {
        /// Which.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// There is no setting of this name.
    #[error("{source_}: there is no setting `{name}`{}", suggestion(nearest.as_deref()))]
    UnknownKey {
        /// Where.
        source_: Source,
        /// As it was written.
        name: String,
        /// What was perhaps meant.
        nearest: Option<String>,
    },
    /// A value is not one that the setting can have.
    #[error("{source_}: `{name}` can't be {value:?}: {reason}")]
    BadValue {
        /// Where.
        source_: Source,
        /// The setting.
        name: String,
        /// Its value.
        value: String,
        /// What it may be.
        reason: String,
    },
    /// Two settings contradict each other.
    #[error("{0} and {1} contradict each other: give one of them")]
    Contradiction(Source, Source),
    /// An entry of `[[credentials]]` is incomplete or wrong.
    #[error("{source_}: {reason}")]
    BadCredential {
        /// Where.
        source_: Source,
        /// What is wrong.
        reason: String,
    },
    /// Others could reach the server, and it would ask nobody who they are.
    #[error(
        "{listen} can be reached by other machines, and no credentials are configured: anybody could read and delete \
         every message. Listen on 127.0.0.1, or put credentials into the configuration file:\n\n    \
         [[credentials]]\n    access_key_id = \"…\"\n    secret_access_key = \"…\"\n\n\
         or into AFTERWARD_ACCESS_KEY_ID and AFTERWARD_SECRET_ACCESS_KEY; clients then sign with them"
    )]
    OpenToOthers {
        /// Where it would listen.
        listen: SocketAddr,
    },
    /// No data directory was given, and the user's can't be found.
    #[error("no place for the data: HOME is not set. Name a directory with --data DIR, or use --ephemeral")]
    NoDataDirectory,
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"))
}
