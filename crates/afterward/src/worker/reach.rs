//! What the worker's own last receive may still take.
//!
//! A stop drops the receive that is under way, and that does not end it at the queue: a server may see the closed
//! connection late, and Amazon does not look for it at all. Until its wait is over, such a receive takes what becomes
//! visible, and nobody gets it: the message is out of sight for a whole lease. So what a stopping worker gives back stays
//! out of sight until then.
//!
//! This knows no message and no source; it only keeps the time.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long a receive may be on its way to the queue before its wait begins there.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// Until when a receive of the worker's own can take what the worker gives back.
#[derive(Default)]
pub(super) struct Reach(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    stopping: bool,
    /// When the receive that was begun last is over, whatever became of its connection; `None` once it has answered.
    over: Option<Instant>,
}

impl Reach {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A receive begins, which waits up to `wait` at the queue.
    pub(super) fn begin(&self, wait: Duration) {
        self.inner().over = Some(Instant::now() + wait + ON_ITS_WAY);
    }

    /// The receive has answered: it takes nothing any more.
    pub(super) fn end(&self) {
        self.inner().over = None;
    }

    /// From now on, nobody begins a receive, and the one under way may be dropped.
    pub(super) fn stop(&self) {
        self.inner().stopping = true;
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.inner().stopping
    }

    /// How long a message has to stay out of sight so that no receive of ours takes it unseen. Nothing before a stop: what a
    /// receive takes then is handled.
    pub(super) fn remaining(&self) -> Duration {
        let inner = self.inner();
        let over = inner.over.filter(|_| inner.stopping);
        over.map_or(Duration::ZERO, |over| over.saturating_duration_since(Instant::now()))
    }
}
