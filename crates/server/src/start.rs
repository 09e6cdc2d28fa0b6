//! Starting.

use crate::{Config, ConfigError, Running};
use std::{io, net::SocketAddr, path::PathBuf};
use thiserror::Error;

/// A server, not yet started.
#[derive(Debug)]
pub struct Server;

/// Why a server did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The settings can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory can't be made.
    #[error("the data directory {} can't be created: {error}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The log can't be opened: another process has it, it is damaged, …
    #[error("the data in {} can't be opened: {reason}", path.display())]
    Log {
        /// Where.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The address can't be listened on.
    #[error("can't listen on {listen}: {error}")]
    Listen {
        /// Which.
        listen: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The queue of the front door can't be created.
    #[error("the queue of the front door can't be created: {reason}")]
    JobsQueue {
        /// Why.
        reason: String,
    },
}

impl Server {
    /// Opens the data directory, replays the log, creates the front door's queues, and listens. Needs a tokio runtime
    /// with IO and time.
    ///
    /// # Errors
    /// See [`StartError`].
    #[allow(clippy::todo, clippy::unused_async)] // being written
    pub async fn start(config: Config) -> Result<Running, StartError> {
        config.check()?;
        todo!()
    }
}
