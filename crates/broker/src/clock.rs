//! Where the time comes from.

use std::time::{SystemTime, UNIX_EPOCH};

/// A source of time and of random bits: all that the broker takes from outside.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970. May jump; the broker never lets the state's time run back.
    fn now_ms(&self) -> u64;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
    }
}
