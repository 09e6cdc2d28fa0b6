//! When a message whose handler failed is tried again.

use crate::sqs::retry::chance;
use std::{error::Error as StdError, fmt, ops::RangeInclusive, sync::Arc, time::Duration};

type Custom = dyn Fn(u32, &(dyn StdError + 'static)) -> Duration + Send + Sync;

/// How long a message waits between a failed attempt and the next, for [`Handling::retry`](crate::Handling::retry) and
/// [`Worker::retry`](crate::Worker::retry).
///
/// ```
/// use afterward::Backoff;
/// use std::time::Duration;
///
/// let fixed = Backoff::fixed(Duration::from_secs(30));
/// let growing = Backoff::exponential(Duration::from_secs(1)..=Duration::from_secs(300)).jitter();
/// let custom = Backoff::custom(|attempt, error| match error.to_string().contains("throttled") {
///     true => Duration::from_secs(60),
///     false => Duration::from_secs(u64::from(attempt) * 5),
/// });
/// ```
///
/// The waits are kept by the queue, as the message's visibility timeout: in whole seconds, rounded up, and for twelve hours
/// since the receive at most. So they hold when the worker is gone, and on Amazon as on an Afterward server.
#[derive(Clone)]
pub struct Backoff {
    waits: Waits,
    jitter: bool,
}

#[derive(Clone)]
enum Waits {
    Fixed(Duration),
    Exponential { first: Duration, longest: Duration },
    Custom(Arc<Custom>),
}

impl Backoff {
    /// The same wait each time.
    pub fn fixed(wait: Duration) -> Backoff {
        Backoff { waits: Waits::Fixed(wait), jitter: false }
    }

    /// The range's first wait after the first attempt, twice as long after each further one, up to the range's last.
    pub fn exponential(waits: RangeInclusive<Duration>) -> Backoff {
        let (first, longest) = waits.into_inner();
        Backoff { waits: Waits::Exponential { first, longest }, jitter: false }
    }

    /// What `wait` says, given the number of the attempt that failed (from 1) and its error. The error is the handler's own,
    /// to be downcast, or one of the worker's: a panic, a timeout, a payload that can't be read.
    pub fn custom(wait: impl Fn(u32, &(dyn StdError + 'static)) -> Duration + Send + Sync + 'static) -> Backoff {
        Backoff { waits: Waits::Custom(Arc::new(wait)), jitter: false }
    }

    /// Each wait is somewhere between half of what it would be and all of it, so that messages that failed together don't
    /// come back together.
    #[must_use]
    pub fn jitter(mut self) -> Backoff {
        self.jitter = true;
        self
    }

    /// The wait after this attempt, from 1.
    pub(super) fn wait(&self, attempt: u32, error: &(dyn StdError + 'static)) -> Duration {
        let full = match &self.waits {
            Waits::Fixed(wait) => *wait,
            Waits::Exponential { first, longest } => {
                // Beyond 2^31 times the first wait, the longest was reached long ago.
                let doublings = attempt.saturating_sub(1).min(31);
                first.saturating_mul(1 << doublings).min(*longest)
            }
            Waits::Custom(wait) => wait(attempt, error),
        };
        if self.jitter { full.div_f64(2.0) + full.div_f64(2.0).mul_f64(chance()) } else { full }
    }
}

impl From<Duration> for Backoff {
    fn from(wait: Duration) -> Backoff {
        Backoff::fixed(wait)
    }
}

impl fmt::Debug for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.waits {
            Waits::Fixed(wait) => write!(f, "Backoff::fixed({wait:?})")?,
            Waits::Exponential { first, longest } => write!(f, "Backoff::exponential({first:?}..={longest:?})")?,
            Waits::Custom(_) => f.write_str("Backoff::custom(…)")?,
        }
        if self.jitter { f.write_str(".jitter()") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn seconds(backoff: &Backoff, attempts: std::ops::RangeInclusive<u32>) -> Vec<u64> {
        let error = io::Error::other("no paper");
        attempts.map(|attempt| backoff.wait(attempt, &error).as_secs()).collect()
    }

    #[test]
    fn waits_are_what_was_asked_for() {
        let s = Duration::from_secs;
        assert_eq!(seconds(&Backoff::fixed(s(7)), 1..=3), [7, 7, 7]);
        assert_eq!(seconds(&Backoff::exponential(s(2)..=s(15)), 1..=5), [2, 4, 8, 15, 15]);
        assert_eq!(seconds(&Backoff::exponential(s(2)..=s(15)), u32::MAX..=u32::MAX), [15]);
        let by_error = Backoff::custom(|attempt, error| {
            let known = error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::Other);
            Duration::from_secs(if known { u64::from(attempt) * 10 } else { 0 })
        });
        assert_eq!(seconds(&by_error, 1..=3), [10, 20, 30]);
    }

    #[test]
    fn jitter_keeps_within_half_and_all_and_spreads() {
        let backoff = Backoff::exponential(Duration::from_secs(1000)..=Duration::from_secs(8000)).jitter();
        let third: Vec<u64> = (0..64).flat_map(|_| seconds(&backoff, 3..=3)).collect();
        assert!(third.iter().all(|wait| (2000..=4000).contains(wait)), "{third:?}");
        assert!(third.iter().max() > third.iter().min(), "{third:?}");
    }
}
