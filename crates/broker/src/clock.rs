//! Where the time comes from.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Called when a clock's time has moved otherwise than by passing; answers whether it wants to be called again.
pub type OnJump = Box<dyn Fn() -> bool + Send + Sync>;

/// A source of time: all that the broker takes from outside, random bits aside.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970. May jump; the broker never lets the state's time run back.
    fn now_ms(&self) -> u64;

    /// How long it is until `at_ms`, or `None` when that time does not come by itself but with [`Self::on_jump`].
    fn until(&self, at_ms: u64) -> Option<Duration> {
        Some(Duration::from_millis(at_ms.saturating_sub(self.now_ms())))
    }

    /// Registers `wake`, for clocks that are moved by hand. The default does nothing: real time needs no telling.
    fn on_jump(&self, wake: OnJump) {
        drop(wake);
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
    }
}

/// A clock that stands still until it is moved: timers fire when the hand moves past them, so that a test of a delay
/// of fifteen minutes takes no time and depends on none.
#[derive(Default)]
pub struct ManualClock {
    now_ms: AtomicU64,
    wakes: Mutex<Vec<OnJump>>,
}

impl ManualClock {
    /// A clock that stands at `now_ms`.
    pub fn at(now_ms: u64) -> ManualClock {
        ManualClock { now_ms: AtomicU64::new(now_ms), wakes: Mutex::default() }
    }

    /// Moves the hand to `now_ms`, forwards or back, and wakes whoever waits for a time.
    pub fn set_ms(&self, now_ms: u64) {
        self.now_ms.store(now_ms, Ordering::SeqCst);
        self.wakes.lock().unwrap_or_else(PoisonError::into_inner).retain(|wake| wake());
    }

    /// Moves the hand forwards.
    pub fn advance(&self, by: Duration) {
        self.set_ms(self.now_ms() + by.as_millis() as u64);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    fn until(&self, at_ms: u64) -> Option<Duration> {
        (at_ms <= self.now_ms()).then_some(Duration::ZERO)
    }

    fn on_jump(&self, wake: OnJump) {
        self.wakes.lock().unwrap_or_else(PoisonError::into_inner).push(wake);
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock").field("now_ms", &self.now_ms()).finish_non_exhaustive()
    }
}
