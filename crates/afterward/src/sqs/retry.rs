//! When to try again, and how long to wait before.

use std::time::Duration;

/// Waits that double from `first` to `longest`, each somewhere between half of it and all of it, so that many clients
/// that failed together don't come back together.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Backoff {
        Backoff { next: first, longest }
    }

    /// How long to wait now.
    pub(crate) fn wait(&mut self) -> Duration {
        let full = self.next.min(self.longest);
        self.next = full.saturating_mul(2);
        full.div_f64(2.0) + full.div_f64(2.0).mul_f64(chance())
    }
}

/// A number in `0.0..1.0`. Where the system has no randomness to give, the middle: only the spreading suffers.
pub(crate) fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |bits| f64::from(bits) / (f64::from(u32::MAX) + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_keep_within_half_and_all_of_it() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(500));
        for full_ms in [100, 200, 400, 500, 500] {
            let wait = backoff.wait();
            assert!(wait >= Duration::from_millis(full_ms / 2) && wait <= Duration::from_millis(full_ms), "{wait:?}");
        }
    }
}
