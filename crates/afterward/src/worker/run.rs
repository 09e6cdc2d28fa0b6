//! The worker's loop: free slots, a receive that asks for no more than those, an attempt for each message; then the end.
//!
//! Invariants:
//! - A message is received only into a slot that is free, so none waits here while its lease runs.
//! - A stop begins no further receive. The one under way gets [`LAST_RECEIVE`] to bring what the queue is handing out just
//!   then, which is handled; after that it is dropped, and what is given back stays out of its reach ([`Reach`]).

use super::attempt::{Attempt, Outcome, Turn};
use super::{Summary, event::Hooks, lease::Lease, reach::Reach, router::Router};
use crate::{Delivery, Error, Receive, Source, SourceError, sqs::retry::Backoff};
use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};
use tracing::Instrument;

/// How many messages one receive asks for at most, and how long it waits: SQS's own limits.
const MOST_MESSAGES: usize = 10;
const WAIT: Duration = Duration::from_secs(20);
/// The waits between receives while the source is away.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_LONGEST: Duration = Duration::from_secs(10);
/// How long a receive may go on after a stop: a busy queue answers by then, and an idle one has nothing to lose.
const LAST_RECEIVE: Duration = Duration::from_millis(500);
/// How long handing back may take after the deadline of a stop.
const HAND_BACK: Duration = Duration::from_secs(5);
/// The lease to ask for from a queue that gives none (a visibility timeout of 0).
const LEASE_OF_NONE: Duration = Duration::from_secs(30);

/// What all attempts of a worker have in common.
pub(super) struct Shared<S> {
    pub(super) source: S,
    pub(super) name: Arc<str>,
    pub(super) router: Router,
    pub(super) retry_after: Option<Duration>,
    pub(super) hooks: Hooks,
    /// Raised when messages in hand are to be given back.
    pub(super) hand_back: watch::Sender<bool>,
    pub(super) reach: Reach,
}

/// A worker at work.
pub(super) struct Running<S> {
    pub(super) shared: Arc<Shared<S>>,
    pub(super) concurrency: usize,
    pub(super) visibility_timeout: Option<Duration>,
    pub(super) stop_within: Duration,
}

/// The attempts under way, and how those before them ended.
#[derive(Default)]
struct Attempts {
    under_way: JoinSet<Outcome>,
    ended: Summary,
}

impl<S: Source> Running<S> {
    /// Works until `stop`, then sees the messages in hand to their end.
    pub(super) async fn until(self, stop: impl Future<Output = ()>) -> Result<Summary, Error> {
        let mut attempts = Attempts::default();
        let (outcome, deadline) = {
            let mut work = pin!(self.work(&mut attempts));
            tokio::select! {
                biased;
                () = stop => {
                    self.shared.reach.stop();
                    let deadline = Instant::now() + self.stop_within;
                    (timeout(LAST_RECEIVE.min(self.stop_within), work).await.unwrap_or(Ok(())), deadline)
                }
                outcome = &mut work => (outcome, Instant::now() + self.stop_within),
            }
        };
        self.finish(&mut attempts, deadline).await;
        let summary = attempts.ended;
        tracing::info!(queue = %self.shared.name, ?summary, "the worker has stopped");
        outcome.map(|()| summary).map_err(Error::from)
    }

    /// Receives and starts attempts until stopping, or until the source refuses what it never granted. May be dropped at
    /// any point: what was received has been started.
    async fn work(&self, attempts: &mut Attempts) -> Result<(), SourceError> {
        let lease = self.lease().await?;
        tracing::info!(queue = %self.shared.name, concurrency = self.concurrency, ?lease, "the worker has started");
        let slots = Arc::new(Semaphore::new(self.concurrency));
        let mut backoff = Backoff::new(RETRY_FIRST, RETRY_LONGEST);
        // A queue that refuses the very first receive is a mistake to tell; one that did answer once may come back.
        let mut answered = false;
        loop {
            let free = free(&slots).await;
            if self.shared.reach.is_stopping() {
                return Ok(());
            }
            let ask = Receive::new(free.num_permits(), WAIT, lease);
            self.shared.reach.begin(WAIT);
            let received = self.shared.source.receive(ask).await;
            // One that broke off may go on at the source.
            if !matches!(received, Err(SourceError::Unavailable(_))) {
                self.shared.reach.end();
            }
            attempts.reap();
            match received {
                Ok(deliveries) => {
                    answered = true;
                    backoff = Backoff::new(RETRY_FIRST, RETRY_LONGEST);
                    self.start(deliveries, free, lease, attempts);
                }
                Err(refusal @ SourceError::Refused(_)) if !answered => return Err(refusal),
                Err(error) => self.pause(&error, &mut backoff).await,
            }
        }
    }

    /// How long leases are: as set, else as the queue says.
    async fn lease(&self) -> Result<Duration, SourceError> {
        if let Some(set) = self.visibility_timeout {
            return Ok(set);
        }
        let mut backoff = Backoff::new(RETRY_FIRST, RETRY_LONGEST);
        loop {
            match self.shared.source.visibility_timeout().await {
                Ok(lease) if lease.is_zero() => return Ok(LEASE_OF_NONE),
                Ok(lease) => return Ok(lease),
                Err(error @ SourceError::Unavailable(_)) => self.pause(&error, &mut backoff).await,
                Err(refusal) => return Err(refusal),
            }
        }
    }

    async fn pause(&self, error: &SourceError, backoff: &mut Backoff) {
        let wait = backoff.wait();
        tracing::warn!(queue = %self.shared.name, %error, ?wait, "nothing received: trying again");
        sleep(wait).await;
    }

    /// Starts an attempt for each delivery. Those of one ordered group take turns.
    fn start(
        &self,
        deliveries: Vec<Delivery>,
        mut free: OwnedSemaphorePermit,
        lease: Duration,
        attempts: &mut Attempts,
    ) {
        let received_at = Instant::now();
        let mut turns: HashMap<String, Turn> = HashMap::new();
        for delivery in deliveries {
            let slot = free.split(1);
            let group = delivery.group.clone().filter(|_| delivery.ordered);
            let (turn, next) = group.map(|group| take_turn(&mut turns, group)).unzip();
            let span = tracing::info_span!(
                "message",
                queue = %self.shared.name,
                message_id = %delivery.id,
                message_type = tracing::field::Empty,
                attempt = delivery.receive_count,
            );
            let attempt = Attempt::new(self.shared.clone(), delivery, Lease::new(received_at, lease));
            let running = async move {
                let outcome = attempt.run(turn.flatten(), next).await;
                drop(slot);
                outcome
            };
            attempts.under_way.spawn(running.instrument(span));
        }
    }

    /// Lets the messages in hand come to their end, up to the deadline; hands back the rest.
    async fn finish(&self, attempts: &mut Attempts, deadline: Instant) {
        if timeout_at(deadline, attempts.drain()).await.is_ok() {
            return;
        }
        let messages = attempts.under_way.len();
        tracing::warn!(messages, "the deadline has passed: handing back what is not done");
        self.shared.hand_back.send_replace(true);
        if timeout(HAND_BACK, attempts.drain()).await.is_err() {
            let messages = attempts.under_way.len();
            tracing::warn!(messages, "gave up handing back: these come again when their leases end");
        }
    }
}

impl Attempts {
    /// Counts those that have ended by now.
    fn reap(&mut self) {
        while let Some(ended) = self.under_way.try_join_next() {
            self.ended.count(ended.ok());
        }
    }

    /// Waits for all to end.
    async fn drain(&mut self) {
        while let Some(ended) = self.under_way.join_next().await {
            self.ended.count(ended.ok());
        }
    }
}

/// All slots that are free, one at least, at most as many as one receive can fill.
async fn free(slots: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    let Ok(mut free) = slots.clone().acquire_owned().await else {
        // Nobody closes the semaphore.
        return std::future::pending().await;
    };
    // Attempts that end together should be refilled together.
    tokio::task::yield_now().await;
    while free.num_permits() < MOST_MESSAGES
        && let Ok(one_more) = slots.clone().try_acquire_owned()
    {
        free.merge(one_more);
    }
    free
}

/// What a message of a group waits for, and what it tells the next one by.
fn take_turn(turns: &mut HashMap<String, Turn>, group: String) -> (Option<Turn>, oneshot::Sender<()>) {
    let (next, after) = oneshot::channel();
    (turns.insert(group, after), next)
}
