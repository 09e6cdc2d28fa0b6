//! How a server is set up.
//!
//! [`Config`] is plain data that an embedder may fill in directly. [`Config::load`] merges a TOML file, environment
//! variables and flags, the later ones winning, and remembers where each value came from until it is parsed, so that
//! an error names the line, the variable or the flag to change.

mod error;
mod file;
mod keys;
mod layers;
mod place;
mod values;

pub use error::{ConfigError, Source};
pub use keys::{KEYS, Key, Kind};
pub use layers::Sources;
pub use place::default_data_directory;

pub use afterward_gateway::{Credential, Limits};
pub use afterward_scheduler::HttpTargets;

use afterward_names::{AccountId, QueueName, Region};
use std::{net::SocketAddr, path::PathBuf};

/// How a server is set up.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where to listen; port 0 picks a free port.
    pub listen: SocketAddr,
    /// Where the data is.
    pub data: Data,
    /// When a write is acknowledged.
    pub durability: Durability,
    /// What time it is.
    pub clock: Clock,
    /// What to log, as directives of `tracing`. The program that sets up the logging applies it.
    pub log_level: String,
    /// SQS.
    pub sqs: Sqs,
    /// The front door.
    pub jobs: Jobs,
    /// What the HTTP targets of schedules may reach; `None`: see [`Config::http_targets`].
    pub http_targets: Option<HttpTargets>,
    /// Who may call. Empty: everybody.
    pub credentials: Vec<Credential>,
    /// What a client may ask of the server.
    pub limits: Limits,
}

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// In this directory, which is created if it isn't there.
    Directory(PathBuf),
    /// In a temporary directory that is removed at the end.
    Ephemeral,
}

/// When a write is acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// When it is on the disk: it survives a power cut.
    #[default]
    Flush,
    /// When the operating system has it: it survives the process's end, not the machine's.
    Os,
}

/// What time it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Clock {
    /// The machine's time.
    #[default]
    System,
    /// Time stands still until it is moved by `/_afterward/clock`: for tests. All that is time-driven follows, but long
    /// polls, which wait by the machine's time.
    Manual {
        /// When time begins, in milliseconds since 1970; `None`: now. It goes on where it was where the data is later.
        from_ms: Option<u64>,
    },
}

/// Settings of SQS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sqs {
    /// Whether a purged queue can't be purged, and a deleted one not created, again for 60 seconds.
    pub cooldowns: bool,
}

/// Settings of the front door, `/jobs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jobs {
    /// The queue that takes the jobs, a standard one.
    pub queue: QueueName,
    /// Its account: consumers that sign need a credential of this account.
    pub account: AccountId,
    /// Its region.
    pub region: Region,
    /// Whether the queue and its dead-letter queue `QUEUE-dlq` are created at the start.
    pub create: bool,
    /// How long a job waits at first, unless its request says; `None`: the queue's own delay.
    pub delay_s: Option<u64>,
    /// The origins whose pages may call; `*` is all.
    pub cors_origins: Vec<String>,
    /// Whether jobs are taken without a signature although credentials are configured.
    pub public: bool,
}

impl Default for Jobs {
    fn default() -> Self {
        Jobs {
            queue: jobs_queue(),
            account: AccountId::DEFAULT,
            region: Region::default(),
            create: true,
            delay_s: None,
            cors_origins: Vec::new(),
            public: false,
        }
    }
}

#[allow(clippy::expect_used)] // a constant of this program
fn jobs_queue() -> QueueName {
    "jobs".parse().expect("`jobs` is a queue name")
}

impl Config {
    /// Where a server listens unless told otherwise.
    pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4566);

    /// What the HTTP targets of schedules may reach. Where nothing is said, everything, unless credentials are configured: then
    /// nothing internal, for who may make schedules is perhaps somebody else than who has the machine.
    pub fn http_targets(&self) -> HttpTargets {
        let unsaid = if self.credentials.is_empty() { HttpTargets::Any } else { HttpTargets::Public };
        self.http_targets.unwrap_or(unsaid)
    }

    /// The defaults, with the data in `directory`.
    pub fn at(directory: impl Into<PathBuf>) -> Config {
        Config::new(Data::Directory(directory.into()))
    }

    /// A temporary data directory and a free loopback port: for demos, tests and embedding.
    pub fn ephemeral() -> Config {
        Config { listen: SocketAddr::new(Config::DEFAULT_LISTEN.ip(), 0), ..Config::new(Data::Ephemeral) }
    }

    fn new(data: Data) -> Config {
        Config {
            listen: Config::DEFAULT_LISTEN,
            data,
            durability: Durability::Flush,
            clock: Clock::System,
            log_level: "info".into(),
            sqs: Sqs::default(),
            jobs: Jobs::default(),
            http_targets: None,
            credentials: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// Merges the sources: defaults, then the file, then the environment, then the flags.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(sources: &Sources) -> Result<Config, ConfigError> {
        let config = layers::merge(sources)?;
        config.check()?;
        Ok(config)
    }

    /// Refuses what would lay the data open: listening beyond loopback without credentials.
    ///
    /// # Errors
    /// [`ConfigError::OpenToOthers`].
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.credentials.is_empty() && !self.listen.ip().to_canonical().is_loopback() {
            return Err(ConfigError::OpenToOthers { listen: self.listen });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
