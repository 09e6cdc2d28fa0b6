//! A worker's whole run: what it has to learn from its source, then the [`work`](super::work), with those beside it who keep
//! leases and schedules.

use super::{
    Summary,
    floor::{Floor, SendingAway},
    shared::Shared,
    stop::Stop,
    work::Work,
};
use crate::{Error, Source, SourceError, sqs::retry::Backoff};
use std::{
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::task::JoinSet;

/// The waits between tries while the source is away.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_LONGEST: Duration = Duration::from_secs(10);
/// The lease to ask for from a queue that gives none (a visibility timeout of 0).
const LEASE_OF_NONE: Duration = Duration::from_secs(30);

/// A worker about to work.
pub(super) struct Running<S> {
    pub(super) shared: Arc<Shared<S>>,
    pub(super) floor: Arc<Floor>,
    pub(super) visibility_timeout: Option<Duration>,
    pub(super) stop_within: Duration,
    /// Stops when the queue has nothing more to hand out.
    pub(super) until_empty: bool,
}

impl<S: Source> Running<S> {
    /// Works until asked to stop, then sees the messages in hand to their end.
    pub(super) async fn until(self, stop: Stop) -> Result<Summary, Error> {
        let wishes = stop.wishes();
        let mut stop = pin!(stop.requested());
        let lease = tokio::select! {
            biased;
            () = &mut stop => return Ok(Summary::default()),
            lease = self.begin() => lease?,
        };
        let queue = &self.shared.surroundings.queue;
        tracing::info!(%queue, ?lease, "the worker has started");
        let mut keepers = JoinSet::new();
        keepers.spawn(self.shared.keeper.clone().run(self.shared.source.clone()));
        if !self.shared.schedules.all().is_empty() {
            keepers.spawn(self.shared.clone().keep_schedules());
        }
        let source = self.shared.source.clone();
        keepers.spawn(async move { source.keep_batches().await });
        let mut work = Work::new(&self, lease, wishes);
        work.until(stop).await;
        let (summary, refusal) = work.outcome();
        tracing::info!(%queue, ?summary, "the worker has stopped");
        refusal.map_or(Ok(summary), |refusal| Err(refusal.into()))
    }

    /// Learns how long leases are, and puts the schedules in their place.
    async fn begin(&self) -> Result<Duration, SourceError> {
        let lease = match self.visibility_timeout {
            Some(set) => set,
            None => self.insist(|| self.shared.source.visibility_timeout()).await?,
        };
        let schedules = self.shared.schedules.all();
        if !schedules.is_empty() {
            self.insist(|| self.shared.source.put_schedules(schedules)).await?;
        }
        let counts_attempts = self.insist(|| self.shared.source.counts_attempts()).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "whether an Afterward server answers is not known: each receive is taken for an attempt");
            false
        });
        self.shared.counts_attempts.store(counts_attempts, Ordering::Relaxed);
        self.floor.set_receive_limit(self.shared.source.receive_limit().await);
        // Where a message that is handed back has lost nothing, that may always be done.
        if !counts_attempts {
            let redrive = self.insist(|| self.shared.source.redrive()).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the queue does not say its redrive policy: what waits here for a limit may be dead-lettered");
                None
            });
            self.floor.set_sending_away(SendingAway::Counts(redrive.map(|redrive| redrive.max_receive_count)));
        }
        Ok(if lease.is_zero() { LEASE_OF_NONE } else { lease })
    }

    /// Asks the source until it answers.
    async fn insist<T, F: Future<Output = Result<T, SourceError>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<T, SourceError> {
        let mut backoff = Backoff::new(RETRY_FIRST, RETRY_LONGEST);
        loop {
            match ask().await {
                Err(error @ SourceError::Unavailable(_)) => {
                    let wait = backoff.wait();
                    let queue = &self.shared.surroundings.queue;
                    tracing::warn!(%queue, %error, ?wait, "the queue does not answer: trying again");
                    tokio::time::sleep(wait).await;
                }
                answer => return answer,
            }
        }
    }
}
