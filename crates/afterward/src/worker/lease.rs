//! The claim on a message, and how it is kept while a handler runs.

use crate::{Source, SourceError, sqs::retry::Backoff};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// The waits between tries to extend a lease while the source is away.
const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_LONGEST: Duration = Duration::from_secs(5);

/// A lease: ours until a time, extended each time half of it has passed.
pub(super) struct Lease {
    timeout: Duration,
    expires: Instant,
    next_beat: Instant,
    backoff: Backoff,
    lost: bool,
}

impl Lease {
    /// A lease that began at `start`.
    pub(super) fn new(start: Instant, timeout: Duration) -> Lease {
        Lease {
            timeout,
            expires: start + timeout,
            next_beat: start + timeout / 2,
            backoff: Backoff::new(RETRY_FIRST, RETRY_LONGEST),
            lost: false,
        }
    }

    /// Waits until it is time to extend. A lost lease is not extended any more.
    pub(super) async fn due(&self) {
        if self.lost { std::future::pending().await } else { sleep_until(self.next_beat).await }
    }

    /// Extends the lease by its full length from now, or tells why it is lost. A source that is away is asked again until
    /// the lease has run out.
    pub(super) async fn extend(&mut self, source: &impl Source, receipt: &str) -> Result<(), String> {
        let start = Instant::now();
        let change = source.change_visibility(receipt, self.timeout, None);
        let why = match timeout_at(self.expires, change).await {
            Ok(Ok(())) => {
                *self = Lease::new(start, self.timeout);
                return Ok(());
            }
            Ok(Err(SourceError::LeaseLost(cause))) => cause.to_string(),
            Ok(Err(error)) if Instant::now() < self.expires => {
                tracing::warn!(%error, "the lease could not be extended yet");
                self.next_beat = (Instant::now() + self.backoff.wait()).min(self.expires);
                return Ok(());
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it ran out before the queue answered".to_owned(),
        };
        self.lost = true;
        Err(why)
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Whether the lease has run out, as far as we know.
    pub(super) fn has_expired(&self) -> bool {
        self.remaining().is_zero()
    }

    /// How much of the lease is left.
    pub(super) fn remaining(&self) -> Duration {
        self.expires.saturating_duration_since(Instant::now())
    }
}
