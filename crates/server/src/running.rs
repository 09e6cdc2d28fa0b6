//! A server at work, and stopping it.

use std::{net::SocketAddr, time::Duration};

/// A server at work. Dropping it stops it without waiting for anything; [`Running::stop`] is the orderly way.
#[derive(Debug)]
pub struct Running {
    /// Where it listens: the port is the real one, also when port 0 was asked for.
    pub addr: SocketAddr,
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// How long it took.
    pub took: Duration,
    /// How many connections still had a request going when the patience ended, and were cut.
    pub cut: usize,
}

#[allow(clippy::todo, clippy::unused_async)] // being written
impl Running {
    /// `http://ADDRESS:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Stops: no new connections, long polls end, requests finish (for at most eight seconds), everything is flushed.
    /// A temporary data directory is removed.
    pub async fn stop(self) -> Stopped {
        todo!()
    }
}
