//! The claim on a message: when it ends, and when to extend it. Times only; who talks to the source is
//! [`keeper`](super::keeper)'s.

use crate::sqs::retry::Backoff;
use std::time::Duration;
use tokio::time::Instant;

/// The waits between tries to extend a lease while the source is away.
const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_LONGEST: Duration = Duration::from_secs(5);
/// How long a lease is extended by at most, of a message that waits to be begun.
const LONGEST_WAITING: Duration = Duration::from_secs(5 * 60);

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

    /// By how much to extend it. A message that waits to be begun may do so for long, and with many others: it is held for twice
    /// as long as it has waited, so that few extensions do.
    pub(super) fn extension(&self, begun: bool) -> Duration {
        // Queues count in seconds.
        let twice = Duration::from_secs(self.age().as_secs().saturating_mul(2)).min(LONGEST_WAITING);
        if begun { self.timeout } else { self.timeout.max(twice) }
    }

    /// When to extend a lease next whose message is begun now, where that is sooner than was meant while it waited.
    pub(super) fn sooner_beat(&self) -> Option<Instant> {
        let (due, usual) = (self.next_beat?, self.timeout / 2);
        // It never is where the lease is that of the receive, which most are: those need not know the time.
        let soon = (due > self.received + usual).then(|| Instant::now() + usual)?;
        (due > soon).then_some(soon)
    }

    /// The source extended it by so much from `start`.
    pub(super) fn extended(&mut self, start: Instant, by: Duration) {
        *self = Lease { timeout: self.timeout, received: self.received, ..Lease::new(start, by) };
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
