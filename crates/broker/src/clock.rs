//! Where the time comes from.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Called when a clock's time has moved otherwise than by passing; answers whether it wants to be called again.
pub type OnJump = Box<dyn Fn() -> bool + Send + Sync>;

/// A source of time: all that the broker takes from outside, random bits aside.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970. May jump; the broker never lets the state's time run back, nor stand still.
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

/// A clock's time made steady: it never runs back, and never stands still. Where the clock has been set back, or the log
/// says that it was later already, time passes on from there as fast as the clock's does; and a little slower, until the
/// clock has caught up. Were it to stand still until then, delays, leases and waits would last as much longer.
pub(crate) struct SteadyClock {
    clock: Arc<dyn Clock>,
    steady: Mutex<Steady>,
}

#[derive(Debug, Default)]
struct Steady {
    /// What the clock last said.
    clock_ms: u64,
    /// How far the steady time is ahead of that.
    ahead_ms: u64,
    /// What has passed since a millisecond of the lead was last given up.
    passed_ms: u64,
}

/// While it is ahead, every so many milliseconds are one less.
const CATCH_UP_EVERY_MS: u64 = 10;

impl SteadyClock {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> SteadyClock {
        SteadyClock { clock, steady: Mutex::default() }
    }

    /// Milliseconds since 1970, never less than before.
    pub(crate) fn now_ms(&self) -> u64 {
        self.not_before(0)
    }

    /// The same, for a partition whose state says that it is `floor_ms` already.
    pub(crate) fn not_before(&self, floor_ms: u64) -> u64 {
        let mut steady = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        // Not before the lock: what another caller read later would look as if the clock had run back since.
        let clock_ms = self.clock.now_ms();
        steady.go_to(clock_ms);
        steady.ahead_ms = steady.ahead_ms.max(floor_ms.saturating_sub(clock_ms));
        clock_ms.saturating_add(steady.ahead_ms)
    }

    /// See [`Clock::until`].
    pub(crate) fn until(&self, at_ms: u64) -> Option<Duration> {
        let ahead_ms = self.steady.lock().unwrap_or_else(PoisonError::into_inner).ahead_ms;
        self.clock.until(at_ms.saturating_sub(ahead_ms))
    }

    /// See [`Clock::on_jump`].
    pub(crate) fn on_jump(&self, wake: OnJump) {
        self.clock.on_jump(wake);
    }
}

impl Steady {
    fn go_to(&mut self, clock_ms: u64) {
        let before_ms = std::mem::replace(&mut self.clock_ms, clock_ms);
        self.passed_ms += clock_ms.saturating_sub(before_ms);
        let given_up_ms = self.passed_ms / CATCH_UP_EVERY_MS;
        self.passed_ms %= CATCH_UP_EVERY_MS;
        self.ahead_ms = self.ahead_ms.saturating_sub(given_up_ms).saturating_add(before_ms.saturating_sub(clock_ms));
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
        self.wake_all();
    }

    /// Moves the hand forwards.
    pub fn advance(&self, by: Duration) {
        self.now_ms.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
        self.wake_all();
    }

    /// Moves the hand to `now_ms` unless it is there or further already.
    pub fn not_before_ms(&self, now_ms: u64) {
        self.now_ms.fetch_max(now_ms, Ordering::SeqCst);
        self.wake_all();
    }

    fn wake_all(&self) {
        self.wakes.lock().unwrap_or_else(PoisonError::into_inner).retain(|wake| wake());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steady_time_goes_on_whatever_the_clock_does() {
        let hand = Arc::new(ManualClock::at(100_000));
        let clock = SteadyClock::new(hand.clone());
        assert_eq!(clock.now_ms(), 100_000);
        for (hand_ms, expected_ms, what) in [
            (100_007, 100_007, "time passes"),
            (40_007, 100_007, "the clock is set back by a minute"),
            (40_008, 100_008, "time passes all the same"),
            (40_009, 100_009, "however small the steps"),
            (41_009, 100_909, "and gives up a tenth of it as long as it is ahead"),
            (31_009, 100_909, "the clock is set back again"),
            (100_500, 163_450, "a leap ahead can't be told from time that passes"),
            (730_010, 730_010, "the clock has caught up"),
        ] {
            hand.set_ms(hand_ms);
            assert_eq!(clock.now_ms(), expected_ms, "{what}");
        }
        assert_eq!(clock.not_before(800_000), 800_000);
        hand.set_ms(731_010);
        assert_eq!(clock.now_ms(), 800_900);
        assert_eq!(clock.until(800_901), None);
        assert_eq!(clock.until(800_900), Some(Duration::ZERO));
    }
}
