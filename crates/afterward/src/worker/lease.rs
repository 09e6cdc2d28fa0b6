//! The claim on a message: when it ends, and when to extend it. Times only; who talks to the source is
//! [`keeper`](super::keeper)'s.

use crate::sqs::retry::Backoff;
use std::time::Duration;
use tokio::time::Instant;

/// The waits between tries to extend a lease while the source is away.
const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_LONGEST: Duration = Duration::from_secs(5);

/// A lease: ours until a time, extended each time half of it has passed.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) timeout: Duration,
    pub(super) expires: Instant,
    /// When the message was received: a queue counts the longest time that a message can be held from there.
    received: Instant,
    /// When to extend next; `None` for never.
    pub(super) next_beat: Option<Instant>,
    backoff: Backoff,
    pub(super) lost: bool,
}

impl Lease {
    /// A lease that began at `start`.
    pub(super) fn new(start: Instant, timeout: Duration) -> Lease {
        Lease {
            timeout,
            expires: start + timeout,
            received: start,
            next_beat: Some(start + timeout / 2),
            backoff: Backoff::new(RETRY_FIRST, RETRY_LONGEST),
            lost: false,
        }
    }

    /// The source extended it by its full length from `start`.
    pub(super) fn extended(&mut self, start: Instant) {
        *self = Lease { received: self.received, ..Lease::new(start, self.timeout) };
    }

    /// The source did not answer; it is asked again soon, and before the lease runs out.
    pub(super) fn postponed(&mut self) {
        self.next_beat = Some((Instant::now() + self.backoff.wait()).min(self.expires));
    }

    /// The message may be somebody else's now.
    pub(super) fn lose(&mut self) {
        self.lost = true;
        self.next_beat = None;
    }

    /// Lets it run out.
    pub(super) fn give_up(&mut self) {
        self.next_beat = None;
    }

    /// How much of the lease is left, as far as we know.
    pub(super) fn remaining(&self) -> Duration {
        self.expires.saturating_duration_since(Instant::now())
    }

    /// How long the message has been held.
    pub(super) fn age(&self) -> Duration {
        self.received.elapsed()
    }
}
