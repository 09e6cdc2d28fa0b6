//! What the worker's own last receives may still take.
//!
//! A stop drops the receives that are under way, and that does not end them at the queue: a server may see the closed
//! connection late, and Amazon does not look for it at all. Until its wait is over, such a receive takes what becomes
//! visible, and nobody gets it: the message is out of sight for a whole lease. So what a stopping worker gives back stays
//! out of sight until then. The same goes for a paused worker, whose receives bring what they then give back again.
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
    /// Nothing more is received.
    closed: bool,
    /// How many receives are under way, or were when they were dropped.
    under_way: usize,
    /// When the last of those is over, whatever became of its connection.
    over: Option<Instant>,
    /// When the last of those that broke off is over.
    broken_over: Option<Instant>,
}

impl Reach {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A receive begins, which waits up to `wait` at the queue.
    pub(super) fn begin(&self, wait: Duration) {
        let mut inner = self.inner();
        inner.under_way += 1;
        inner.over = Some(Instant::now() + wait + ON_ITS_WAY);
    }

    /// A receive has answered: it takes nothing any more. One that broke off may go on at the source, and is not told here.
    pub(super) fn end(&self) {
        let mut inner = self.inner();
        inner.under_way = inner.under_way.saturating_sub(1);
        if inner.under_way == 0 {
            inner.over = None;
        }
    }

    /// A receive broke off, which may go on at the source until its time is over.
    pub(super) fn break_off(&self) {
        let mut inner = self.inner();
        inner.under_way = inner.under_way.saturating_sub(1);
        inner.broken_over = inner.broken_over.max(inner.over);
    }

    /// From now on, nobody begins a receive, and those under way may be dropped.
    pub(super) fn close(&self) {
        self.inner().closed = true;
    }

    /// Receives are begun again.
    pub(super) fn open(&self) {
        self.inner().closed = false;
    }

    /// How long a message has to stay out of sight so that no receive of ours takes it unseen. Nothing while receives are
    /// begun: what they take then is handled.
    pub(super) fn remaining(&self) -> Duration {
        let inner = self.inner();
        let over = inner.over.max(inner.broken_over).filter(|_| inner.closed);
        over.map_or(Duration::ZERO, |over| over.saturating_duration_since(Instant::now()))
    }
}
