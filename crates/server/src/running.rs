//! A server at work, and stopping it.

use afterward_broker::{Broker, ManualClock};
use afterward_gateway::Listening;
use afterward_log::segment::OpenReport;
use afterward_scheduler::Runner;
use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long requests may take to finish once the server is to stop.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long the last flush may take. A disk that hangs longer does not keep the process from ending: what is not on it
/// by then was acknowledged to nobody.
const LAST_FLUSH: Duration = Duration::from_millis(1500);

/// A server at work. Dropping it is as if the process had been killed: connections are cut, and what was not
/// acknowledged may be lost. [`Running::stop`] is the orderly way.
pub struct Running {
    /// Where it listens: the port is the real one, also when port 0 was asked for.
    pub addr: SocketAddr,
    /// What was found in the data directory; its `torn` tells of an incomplete batch that was cut off.
    pub opened: OpenReport,
    pub(crate) listening: Listening,
    pub(crate) broker: Broker,
    pub(crate) runner: Runner,
    pub(crate) clock: Option<Arc<ManualClock>>,
    pub(crate) data: DataDirectory,
}

/// Where the data is.
pub(crate) enum DataDirectory {
    /// The user's.
    Kept(PathBuf),
    /// Ours, removed at the end.
    Temporary(TempDir),
}

impl DataDirectory {
    pub(crate) fn path(&self) -> &Path {
        match self {
            DataDirectory::Kept(path) => path,
            DataDirectory::Temporary(directory) => directory.path(),
        }
    }
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// How long it took.
    pub took: Duration,
    /// How many connections still had a request going when the patience ended, and were cut.
    pub cut: usize,
}

impl Running {
    /// `http://ADDRESS:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        self.data.path()
    }

    /// The broker behind the server, for programs that embed it.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// The clock that the broker goes by, if it is a manual one.
    pub fn clock(&self) -> Option<&ManualClock> {
        self.clock.as_deref()
    }

    /// Stops: no new connections, no new runs of schedules, long polls end, requests and what schedules call finish (for at
    /// most eight seconds), everything is flushed.
    /// A temporary data directory is removed.
    pub async fn stop(self) -> Stopped {
        let began = Instant::now();
        let Running { listening, broker, runner, data, .. } = self;
        let draining = async {
            // A receive that comes in from now on doesn't wait either.
            broker.end_waits();
            listening.drain(PATIENCE).await
        };
        // The runner first: that its wait for what is due ends would look like trouble to it.
        let ((), cut) = tokio::join!(biased; runner.stop(PATIENCE), draining);
        if tokio::time::timeout(LAST_FLUSH, broker.stop()).await.is_err() {
            tracing::warn!("the disk did not finish within {LAST_FLUSH:?}; stopping without it");
        }
        if let DataDirectory::Temporary(directory) = data
            && let Err(error) = directory.close()
        {
            tracing::warn!(%error, "the temporary data directory could not be removed");
        }
        Stopped { took: began.elapsed(), cut }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("addr", &self.addr).finish_non_exhaustive()
    }
}
