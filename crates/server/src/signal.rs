//! Serving until the process is told to stop.

use crate::{Config, Running, Server, StartError, Stopped};
use std::io;

/// Starts a server, calls `ready` with it once it listens, and stops it on SIGTERM or SIGINT (elsewhere than on Unix:
/// Ctrl-C). A second signal while it is stopping ends the process at once, with status 130.
///
/// # Errors
/// See [`StartError`].
pub async fn serve_until_signal(config: Config, ready: impl FnOnce(&Running)) -> Result<Stopped, StartError> {
    let mut signals = Signals::new().map_err(StartError::Signals)?;
    // A start that takes long, because there is much to replay, can be ended too: nothing of it is written.
    let running = tokio::select! {
        running = Server::start(config) => running?,
        () = signals.next() => std::process::exit(130),
    };
    ready(&running);
    signals.next().await;
    tracing::info!("stopping");
    tokio::select! {
        stopped = running.stop() => Ok(stopped),
        () = signals.next() => std::process::exit(130),
    }
}

/// The signals by which a process is told to stop: SIGTERM and SIGINT (elsewhere than on Unix: Ctrl-C). From the moment
/// that this is made, they no longer end the process by themselves.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen for them.
    ///
    /// # Errors
    /// The system lets nobody listen.
    pub fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns when one comes.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The signals by which a process is told to stop: Ctrl-C.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Begins to listen for them.
    ///
    /// # Errors
    /// None here.
    pub fn new() -> io::Result<Signals> {
        Ok(Signals)
    }

    /// Returns when one comes.
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Nobody can tell us to stop then but by ending the process.
            std::future::pending::<()>().await;
        }
    }
}
