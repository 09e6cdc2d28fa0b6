//! One attempt at one message: its turn, its handler, its lease, its settlement.
//!
//! Invariants:
//! - The handler runs in a task of its own, so that one that blocks its thread does not stop its lease from being extended,
//!   and one that panics takes nothing with it.
//! - A message is deleted only after its handler returned `Ok`.
//! - Of an ordered group, a message is begun only after the one before it was deleted.

use super::failure::{describe, describe_panic};
use super::{Cancelled, Context, Event, JobInfo, lease::Lease, run::Shared};
use crate::{Delivery, Source, SourceError, sqs::retry::Backoff};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
    time::sleep,
};
use tracing::Instrument;

/// The waits between tries to settle a message while the source is away.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_LONGEST: Duration = Duration::from_secs(5);

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Handled and deleted.
    Succeeded,
    /// Handled, but perhaps not deleted: it may come again.
    Undeleted,
    /// The handler failed.
    Failed,
    /// Not handled to its end: given back for others.
    HandedBack,
}

/// How the work on a message ended, before it is settled.
enum Ending {
    Done,
    Failed(String),
    /// The message before it in its group was not done, or the worker stops.
    GivenUp,
}

/// What tells the next message of an ordered group that its turn has come; dropped, that it won't.
pub(super) type Turn = oneshot::Receiver<()>;

pub(super) struct Attempt<S> {
    shared: Arc<Shared<S>>,
    delivery: Arc<Delivery>,
    lease: Lease,
    cancel: watch::Sender<Option<Cancelled>>,
}

impl<S: Source> Attempt<S> {
    pub(super) fn new(shared: Arc<Shared<S>>, delivery: Delivery, lease: Lease) -> Attempt<S> {
        Attempt { shared, delivery: Arc::new(delivery), lease, cancel: watch::Sender::new(None) }
    }

    /// Makes the attempt. `turn`: what to wait for before; `next`: who waits for this one.
    pub(super) async fn run(mut self, turn: Option<Turn>, next: Option<oneshot::Sender<()>>) -> Outcome {
        let ending = self.work(turn).await;
        let outcome = self.settle(ending).await;
        if let (Outcome::Succeeded, Some(next)) = (outcome, next) {
            // Gone only if the worker is gone.
            let _ = next.send(());
        }
        outcome
    }

    /// Runs the handler and keeps the lease, until the handler returns or the worker has no more time.
    async fn work(&mut self, turn: Option<Turn>) -> Ending {
        let mut handled = pin!(handled(self.shared.clone(), self.delivery.clone(), self.context(), turn));
        let mut hand_back = self.shared.hand_back.subscribe();
        let mut hand_back = pin!(raised(&mut hand_back));
        loop {
            tokio::select! {
                biased;
                ending = &mut handled => return ending,
                () = &mut hand_back => {
                    self.cancel.send_replace(Some(Cancelled::Stopping));
                    return Ending::GivenUp;
                }
                () = self.lease.due() => self.extend().await,
            }
        }
    }

    fn context(&self) -> Context {
        Context::new(self.delivery.clone(), self.shared.name.clone(), self.cancel.subscribe())
    }

    async fn extend(&mut self) {
        if let Err(reason) = self.lease.extend(&self.shared.source, &self.delivery.receipt).await {
            tracing::warn!(reason, "the lease is lost: another worker may get this message");
            self.cancel.send_replace(Some(Cancelled::LeaseLost));
        }
    }

    async fn settle(&self, ending: Ending) -> Outcome {
        match ending {
            Ending::Done => self.delete().await,
            Ending::Failed(reason) => {
                self.report(&reason).await;
                Outcome::Failed
            }
            Ending::GivenUp => {
                self.hand_back().await;
                Outcome::HandedBack
            }
        }
    }

    async fn delete(&self) -> Outcome {
        match self.insist(|| self.shared.source.delete(&self.delivery.receipt)).await {
            Ok(()) if self.lease.is_lost() => {
                tracing::warn!("handled after its lease was lost: it may have been handled twice");
                Outcome::Undeleted
            }
            Ok(()) => {
                tracing::debug!("handled");
                Outcome::Succeeded
            }
            Err(error) => {
                tracing::warn!(%error, "handled, but not deleted: it may come again");
                Outcome::Undeleted
            }
        }
    }

    /// Leaves the message for another attempt, and says why this one failed.
    async fn report(&self, reason: &str) {
        let asked = self.shared.retry_after.unwrap_or_else(|| self.lease.remaining());
        let again_in = asked.max(self.shared.reach.remaining());
        tracing::warn!(attempt = self.delivery.receive_count, reason, ?again_in, "the handler failed");
        self.shared.hooks.tell(&Event::AttemptFailed { job: self.info(), error: reason.to_owned(), retry_in: again_in });
        if self.lease.is_lost() {
            return;
        }
        let receipt = &self.delivery.receipt;
        if let Err(error) = self.insist(|| self.shared.source.change_visibility(receipt, again_in, Some(reason))).await
        {
            tracing::warn!(%error, "the failure could not be reported: the message comes again when its lease ends");
        }
    }

    fn info(&self) -> JobInfo {
        let envelope = crate::envelope::Envelope::open(&self.delivery.body);
        JobInfo {
            queue: self.shared.name.as_ref().to_owned(),
            message_id: self.delivery.id.clone(),
            message_type: envelope.map(|envelope| envelope.message_type.into_owned()),
            attempt: self.delivery.receive_count,
            group: self.delivery.group.clone(),
        }
    }

    async fn hand_back(&self) {
        tracing::info!("handing the message back");
        let receipt = &self.delivery.receipt;
        let back = || self.shared.source.change_visibility(receipt, self.shared.reach.remaining(), None);
        if !self.lease.is_lost()
            && let Err(error) = self.insist(back).await
        {
            tracing::warn!(%error, "the message could not be handed back: it comes again when its lease ends");
        }
    }

    /// Does what settles a message, again and again while the source is away and the lease lasts.
    async fn insist<F: Future<Output = Result<(), SourceError>>>(
        &self,
        act: impl Fn() -> F,
    ) -> Result<(), SourceError> {
        let mut backoff = Backoff::new(RETRY_FIRST, RETRY_LONGEST);
        loop {
            match act().await {
                Err(SourceError::Unavailable(cause)) if !self.lease.has_expired() => {
                    tracing::debug!(reason = %cause, "settling again");
                    sleep(backoff.wait()).await;
                }
                outcome => return outcome,
            }
        }
    }
}

/// Waits for the message's turn, then for its handler.
async fn handled<S: Source>(
    shared: Arc<Shared<S>>,
    delivery: Arc<Delivery>,
    context: Context,
    turn: Option<Turn>,
) -> Ending {
    if let Some(turn) = turn
        && (turn.await.is_err() || context.cancellation().is_some())
    {
        return Ending::GivenUp;
    }
    let running = async move { shared.router.dispatch(&delivery, context).await };
    let mut task = AbortOnDrop(tokio::spawn(running.instrument(tracing::Span::current())));
    match (&mut task.0).await {
        Ok(Ok(())) => Ending::Done,
        Ok(Err(cause)) => Ending::Failed(describe(&*cause)),
        Err(error) => match error.try_into_panic() {
            Ok(payload) => Ending::Failed(describe_panic(&*payload)),
            // Aborted from outside: the runtime shuts down.
            Err(_) => Ending::GivenUp,
        },
    }
}

/// A task that ends with whoever waits for it.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits until a flag is raised; for ever, if whoever could raise it is gone.
pub(super) async fn raised(flag: &mut watch::Receiver<bool>) {
    if flag.wait_for(|raised| *raised).await.is_err() {
        std::future::pending().await
    }
}
