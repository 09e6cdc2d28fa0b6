//! Serving until the process is told to stop.

use crate::{Config, Running, Server, StartError, Stopped};

/// Starts a server, calls `ready` with it once it listens, and stops it on SIGTERM or SIGINT (elsewhere than on Unix:
/// Ctrl-C). A second signal while it is stopping ends the process at once.
///
/// # Errors
/// See [`StartError`].
#[allow(clippy::todo)] // being written
pub async fn serve_until_signal(config: Config, ready: impl FnOnce(&Running)) -> Result<Stopped, StartError> {
    let running = Server::start(config).await?;
    ready(&running);
    todo!()
}
