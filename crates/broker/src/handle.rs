//! Who holds the partition's thread, and ends it.

use crate::{
    Receipts,
    shared::{Ending, Shared},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

/// Ends the thread when nobody is left.
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) receipts: Receipts,
    pub(crate) thread: Mutex<Option<JoinHandle<()>>>,
}

impl Handle {
    /// Has the thread end; the stricter way wins.
    pub(crate) fn end(&self, ending: Ending) {
        {
            let mut inner = self.shared.lock();
            inner.ending.get_or_insert(ending);
            if ending == Ending::AtOnce {
                inner.ending = Some(ending);
            }
        }
        self.shared.nudge();
    }

    /// Waits until it has.
    pub(crate) fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The thread itself may drop the last handle, when waking a task ends it.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id()) {
            // A panic in it was told to everybody by its farewell.
            let _panicked = thread.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.end(Ending::AtOnce);
        self.join();
    }
}
