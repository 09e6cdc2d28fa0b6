//! What becomes of a message after the work on it: deleted, left for another attempt, dead-lettered, dropped or handed back.
//!
//! Invariants:
//! - A message is deleted only after its handler returned `Ok`, after it reached the dead-letter queue, or because a policy
//!   says to drop it.
//! - A message that is not settled here comes again when its lease ends.

use super::{
    Event, Exhausted, Unknown,
    attempt::Ending,
    failure::describe,
    hand::Hand,
    policy::Policy,
    schedule::{Missed, Orphan},
    shared::{Shared, schedule_of},
    summary::Ended,
    verdict::Verdict,
};
use crate::{DeadLetter, Redrive, Schedule, Source, SourceError, source::Cause, sqs::retry::Backoff};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering,
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// The waits between tries to settle a message while the source is away.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_LONGEST: Duration = Duration::from_secs(5);
/// How soon a message comes again, at the earliest, that belongs into a dead-letter queue where there is none.
const WITHOUT_DEAD_LETTER_QUEUE: Duration = Duration::from_secs(15 * 60);
/// How long a message is sent away at most, for want of room, where that costs it a receive.
const SENT_AWAY_AT_A_COST: Duration = Duration::from_secs(15 * 60);
/// How soon an internal message comes again, at the earliest, that only later versions know.
const FOR_LATER_VERSIONS: Duration = Duration::from_secs(60);
/// How long the delete of a message whose work is done is tried after its lease has ended. While nobody else has received it, its
/// receipt still deletes it, and otherwise its work would be done again.
const AFTER_THE_LEASE: Duration = Duration::from_secs(5 * 60);
/// How long SQS lets a message be held, from its receive; less what a request may need on its way.
const LONGEST_HOLD: Duration = Duration::from_secs(12 * 3600 - 60);

/// The settling of one message.
pub(super) struct Settling<'a, S> {
    pub(super) shared: &'a Shared<S>,
    pub(super) hand: &'a Hand,
}

impl<S: Source> Settling<'_, S> {
    /// After a handler that is run by this policy.
    pub(super) async fn after(&self, ending: Ending, policy: &Policy) -> Ended {
        match ending {
            Ending::Done => self.done().await,
            // In a place of their own, so that those that are done don't carry it.
            Ending::Failed(cause) => Box::pin(self.failed(&cause, policy)).await,
            Ending::GivenUp => Box::pin(self.give_up()).await,
        }
    }

    /// Nobody handles messages like this one.
    pub(super) async fn nobodys(&self) -> Ended {
        let reason = self.shared.router.nobody(self.hand.message_type());
        match self.shared.unknown {
            Unknown::Ignore => self.dropped(&reason, "messages that no handler is for are ignored").await,
            Unknown::Retry => self.failed(&reason.into(), &self.shared.policy).await,
            Unknown::DeadLetter => self.dead_letter(&reason, self.shared.redrive().await).await,
        }
    }

    /// An internal message that only later versions know: theirs to take, however long it needs.
    pub(super) async fn for_later_versions(&self) -> Ended {
        let message_type = self.hand.message_type().unwrap_or_default();
        self.shared.warn_once(message_type, || {
            tracing::warn!(
                message_type,
                "an internal message of a later version of Afterward: left to workers that know it"
            );
        });
        self.unbegun(self.as_the_lease_ends().max(FOR_LATER_VERSIONS)).await
    }

    /// A tick whose time has gone by without a worker.
    pub(super) async fn missed(&self, why: &str) -> Ended {
        if !self.is_removed(why).await {
            return Ended::Failed;
        }
        let job = self.shared.info(self.hand);
        let is_it = |of: &&Schedule| job.schedule.as_deref() == Some(of.name());
        let superseded =
            self.shared.schedules.all().iter().find(is_it).is_some_and(|of| of.missed() == Missed::RunOnce);
        tracing::info!(schedule = job.schedule, why, superseded, "a time of the schedule is not run");
        self.shared.hooks.tell(&Event::Missed { job, error: why.to_owned(), superseded });
        Ended::Dropped
    }

    /// A tick of a schedule that this worker does not have; see [`orphan`](super::schedule).
    pub(super) async fn orphan(&self) -> Ended {
        let name = self.schedule().unwrap_or_default();
        let allowed = match self.shared.counts_attempts.load(std::sync::atomic::Ordering::Relaxed) {
            true => None,
            false => self.shared.redrive().await.map(|redrive| redrive.max_receive_count),
        };
        let now = self.shared.source.now().await.ok();
        let why = match self.shared.schedules.orphan(self.hand, now, allowed) {
            Orphan::Left(wait) => {
                tracing::info!(
                    schedule = name,
                    ?wait,
                    "a tick of a schedule that this worker does not have: left to others"
                );
                return self.unbegun(wait).await;
            }
            Orphan::Dropped => format!("no worker with the schedule `{name}` received it"),
            Orphan::Ended => {
                if let Err(error) = self.shared.source.delete_schedule(&name).await {
                    tracing::warn!(schedule = name, %error, "a schedule that no worker has could not be deleted: it will send more");
                }
                format!("no worker has the schedule `{name}`: it was deleted")
            }
        };
        self.dropped(&why, "ticks that nobody knows are not kept").await
    }

    /// The name of the schedule whose tick this is, if it is one.
    fn schedule(&self) -> Option<String> {
        schedule_of(self.hand)
    }

    async fn done(&self) -> Ended {
        self.hand.settle();
        match self.insist_until(AFTER_THE_LEASE, || self.shared.source.delete(&self.hand.delivery.receipt)).await {
            Ok(()) if self.hand.lease().lost => {
                tracing::warn!("handled after its lease was lost: it may have been handled twice");
                Ended::Undeleted
            }
            Ok(()) => {
                tracing::debug!("handled");
                Ended::Succeeded
            }
            Err(error) => {
                tracing::warn!(%error, "handled, but not deleted: it may come again");
                Ended::Undeleted
            }
        }
    }

    async fn failed(&self, cause: &Cause, policy: &Policy) -> Ended {
        let attempt = self.hand.delivery.receive_count;
        let reason = describe(&**cause);
        let verdict = Verdict::of(&**cause);
        let redrive = self.shared.redrive().await;
        let allowed = redrive.as_ref().map_or(u32::MAX, |redrive| redrive.max_receive_count);
        let exhausted = attempt >= policy.max_attempts.unwrap_or(u32::MAX).min(allowed);
        if exhausted || verdict == Verdict::Permanent {
            return self.exhausted(&reason, policy, redrive).await;
        }
        let wait = match (verdict, &policy.retry) {
            (Verdict::RetryAfter(wait), _) => wait,
            // A policy that panics must not take the settlement with it.
            (_, Some(retry)) => catch_unwind(AssertUnwindSafe(|| retry.wait(attempt, &**cause)))
                .unwrap_or_else(|_| self.as_the_lease_ends()),
            (_, None) => self.as_the_lease_ends(),
        };
        self.again(&reason, wait).await
    }

    /// A message that has had all its attempts, of which the last was not seen to its end: its worker died over it, or was stopped.
    pub(super) async fn cut_short(&self, policy: &Policy) -> Ended {
        let had = self.hand.delivery.receive_count.saturating_sub(1);
        let reason = format!("the last of {had} attempts was cut short: its worker died, or was stopped");
        self.exhausted(&reason, policy, self.shared.redrive().await).await
    }

    async fn exhausted(&self, reason: &str, policy: &Policy, redrive: Option<Redrive>) -> Ended {
        if let Some(schedule) = self.schedule() {
            self.shared.hooks.tell(&Event::ScheduleFailed { schedule, error: reason.to_owned() });
        }
        match &policy.exhausted {
            Some(Exhausted::Drop(why)) => self.dropped(reason, why).await,
            Some(Exhausted::DeadLetter) | None => self.dead_letter(reason, redrive).await,
        }
    }

    /// Leaves the message for another attempt, and says why this one failed.
    async fn again(&self, reason: &str, wait: Duration) -> Ended {
        let retry_in = self.possible(wait);
        let (attempt, wait) = (self.hand.delivery.receive_count, format!("{retry_in:.0?}"));
        tracing::warn!(attempt, reason, retry_in = wait, "the handler failed");
        let (job, error) = (self.shared.info(self.hand), reason.to_owned());
        self.shared.hooks.tell(&Event::AttemptFailed { job, error, retry_in });
        self.leave(retry_in, Some(reason)).await;
        Ended::Failed
    }

    async fn dropped(&self, error: &str, reason: &str) -> Ended {
        if !self.is_removed(&format!("{error} (dropped: {reason})")).await {
            return Ended::Failed;
        }
        tracing::warn!(attempt = self.hand.delivery.receive_count, error, reason, "dropped");
        let (job, error) = (self.shared.info(self.hand), error.to_owned());
        self.shared.hooks.tell(&Event::Dropped { job, error, reason: reason.to_owned() });
        Ended::Dropped
    }

    /// Whether a message whose work is not to be done, for this reason, could be deleted.
    async fn is_removed(&self, error: &str) -> bool {
        self.hand.settle();
        let outcome = self.insist(|| self.shared.source.discard(&self.hand.delivery.receipt, error)).await;
        if let Err(refusal) = &outcome {
            tracing::warn!(%refusal, error, "to be dropped, but not deleted: it comes again");
        }
        outcome.is_ok()
    }

    async fn dead_letter(&self, reason: &str, redrive: Option<Redrive>) -> Ended {
        let Some(redrive) = redrive else {
            self.shared.warn_once("no dead-letter queue", || {
                let queue = &self.shared.surroundings.queue;
                tracing::warn!(%queue, "this queue has no dead-letter queue (RedrivePolicy): what fails for good stays and comes again");
            });
            return self.again(reason, self.as_the_lease_ends().max(WITHOUT_DEAD_LETTER_QUEUE)).await;
        };
        self.hand.settle();
        let _line = self.hand.line.lock().await;
        let letter = DeadLetter::new(&self.hand.delivery, reason, &redrive);
        if self.hand.lease().lost {
            return Ended::Failed;
        }
        if let Err(error) = self.insist(|| self.shared.source.dead_letter(&letter)).await {
            tracing::warn!(%error, reason, "not moved to the dead-letter queue: left to the queue's own redrive policy");
            drop(_line);
            return self.again(reason, self.as_the_lease_ends()).await;
        }
        let dead_letter_queue = redrive.dead_letter_queue().to_owned();
        tracing::warn!(attempt = self.hand.delivery.receive_count, reason, dead_letter_queue, "dead-lettered");
        let (job, error) = (self.shared.info(self.hand), reason.to_owned());
        self.shared.hooks.tell(&Event::DeadLettered { job, error, dead_letter_queue });
        Ended::DeadLettered
    }

    /// Gives the message to others in the middle of its handler: an attempt all the same.
    async fn give_up(&self) -> Ended {
        tracing::info!("handing the message back");
        self.leave(Duration::ZERO, None).await;
        Ended::HandedBack
    }

    /// Gives the message to others, before any handler had it.
    pub(super) async fn hand_back(&self) -> Ended {
        tracing::info!("handing the message back, not begun");
        self.unbegun(Duration::ZERO).await
    }

    /// Leaves the message to the queue until about when it has a chance here: it was limited, or paused. Where that costs it a
    /// receive, it comes again the later the more often it came.
    pub(super) async fn send_away(&self, wait: Duration) -> Ended {
        let lease = self.hand.lease().timeout;
        let times = self.hand.delivery.receive_count.saturating_sub(1).min(8);
        let later = lease.saturating_mul(1 << times).min(SENT_AWAY_AT_A_COST);
        let wait = if self.shared.counts_attempts.load(Ordering::Relaxed) { wait } else { wait.max(later) };
        tracing::debug!(?wait, "no room for a message that has to wait: handing it back for a while");
        self.unbegun(wait).await
    }

    /// Makes the message visible again after `wait`, as far as that can be.
    async fn leave(&self, wait: Duration, error: Option<&str>) {
        let receipt = &self.hand.delivery.receipt;
        self.let_go(wait, |wait| self.shared.source.change_visibility(receipt, wait, error)).await;
    }

    /// The same for a message that no handler had.
    async fn unbegun(&self, wait: Duration) -> Ended {
        let receipt = &self.hand.delivery.receipt;
        self.let_go(wait, |wait| self.shared.source.hand_back(receipt, wait)).await;
        Ended::HandedBack
    }

    async fn let_go<F: Future<Output = Result<(), SourceError>>>(&self, wait: Duration, act: impl Fn(Duration) -> F) {
        self.hand.settle();
        let _line = self.hand.line.lock().await;
        if self.hand.lease().lost {
            return;
        }
        let wait = self.possible(wait);
        if let Err(error) = self.insist(|| act(wait)).await {
            tracing::warn!(%error, "the message could not be given back: it comes again when its lease ends");
        }
    }

    /// The wait that a queue can keep, out of reach of a receive of our own that nobody waits for any more.
    fn possible(&self, wait: Duration) -> Duration {
        let longest = LONGEST_HOLD.saturating_sub(self.hand.lease().age());
        wait.min(longest).max(self.shared.reach.remaining())
    }

    fn as_the_lease_ends(&self) -> Duration {
        self.hand.lease().remaining()
    }

    /// Does what settles a message, again and again while the source is away and the lease lasts.
    async fn insist<F: Future<Output = Result<(), SourceError>>>(
        &self,
        act: impl Fn() -> F,
    ) -> Result<(), SourceError> {
        self.insist_until(Duration::ZERO, act).await
    }

    /// The same, for so long after the end of the lease.
    async fn insist_until<F: Future<Output = Result<(), SourceError>>>(
        &self,
        after: Duration,
        act: impl Fn() -> F,
    ) -> Result<(), SourceError> {
        let until = self.hand.lease().expires + after;
        let mut backoff = Backoff::new(RETRY_FIRST, RETRY_LONGEST);
        loop {
            match act().await {
                Err(SourceError::Unavailable(cause)) if Instant::now() < until => {
                    tracing::debug!(reason = %cause, "settling again");
                    sleep(backoff.wait()).await;
                }
                outcome => return outcome,
            }
        }
    }
}
