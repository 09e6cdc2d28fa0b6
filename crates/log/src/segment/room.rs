//! Whether the next segment could be made ahead.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

/// What the workshop's thread tells everybody.
#[derive(Default)]
pub(crate) struct Room {
    is_short: AtomicBool,
    ready_bytes: AtomicU64,
    why: Mutex<String>,
}

impl Room {
    /// Segments that are ready have room for so many bytes.
    pub(crate) fn set_ready(&self, bytes: u64) {
        self.ready_bytes.store(bytes, Relaxed);
    }

    pub(crate) fn ready_bytes(&self) -> u64 {
        self.ready_bytes.load(Relaxed)
    }

    /// How making the next segment went.
    pub(crate) fn tell(&self, trouble: Option<String>) {
        let is_short = trouble.is_some();
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = trouble.unwrap_or_default();
        self.is_short.store(is_short, Relaxed);
    }

    pub(crate) fn is_short(&self) -> bool {
        self.is_short.load(Relaxed)
    }

    /// Why there is no next segment, if none could be made.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.is_short().then(|| self.why.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
