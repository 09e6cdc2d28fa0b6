//! The connections that are open, and what becomes of those that take too long.

use super::pulse::{Patience, Pulse};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{sync::Notify, task::AbortHandle};

/// All open connections.
#[derive(Default)]
pub(super) struct Connections {
    open: Mutex<Open>,
    /// Told whenever one has closed.
    closed: Notify,
}

#[derive(Default)]
struct Open {
    next: u64,
    connections: HashMap<u64, (Arc<Pulse>, AbortHandle)>,
}

/// An open connection; dropping it says that it has closed.
pub(super) struct Entry {
    connections: Arc<Connections>,
    number: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.connections.open().connections.remove(&self.number);
        self.connections.closed.notify_waiters();
    }
}

impl Connections {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) -> usize {
        self.open().connections.len()
    }

    /// Starts a connection's task by `spawn`, which gets the entry to hold while the connection is open. The lock is
    /// held meanwhile, so a connection that closes at once is still there to be removed.
    pub(super) fn add(self: &Arc<Self>, pulse: Arc<Pulse>, spawn: impl FnOnce(Entry) -> AbortHandle) {
        let mut open = self.open();
        let number = open.next;
        open.next += 1;
        let abort = spawn(Entry { connections: Arc::clone(self), number });
        open.connections.insert(number, (pulse, abort));
    }

    /// Cuts the connections whose phase has lasted too long, for ever.
    pub(super) async fn cut_overdue(&self, patience: Patience) {
        let mut ticks = tokio::time::interval(patience.interval());
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.cut(|pulse| pulse.is_overdue(&patience));
        }
    }

    /// Cuts the connections that `which` picks, and says how many those were.
    pub(super) fn cut(&self, which: impl Fn(&Pulse) -> bool) -> usize {
        let open = self.open();
        let picked = open.connections.values().filter(|(pulse, _)| which(pulse));
        picked.map(|(_, task)| task.abort()).count()
    }

    /// Returns when no connection is open.
    pub(super) async fn none_left(&self) {
        loop {
            let mut closed = std::pin::pin!(self.closed.notified());
            // From here on no closing is missed.
            closed.as_mut().enable();
            if self.count() == 0 {
                return;
            }
            closed.await;
        }
    }
}
