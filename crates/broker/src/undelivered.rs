//! The answer of a receive until its caller has it.
//!
//! A caller may go away at any time: their connection closes, and the future of their receive is dropped. What was leased to
//! them by then would be out of sight for a whole lease though nobody has it, so it is given back.
//!
//! The lease was an event, and perhaps is durable already; so giving back is one, too: a visibility timeout of zero, by
//! the same command that a client would use. The receive stays counted. SQS counts receives, not deliveries, and a message
//! whose consumers die while they receive it belongs in the dead-letter queue like any other: only a consumer that says so
//! ([`Command::HandBack`]) has not begun what it received.
//!
//! What can't be read from the log is not delivered either, though its caller is there. That is no consumer's doing, so such a
//! receive does not count, however long the disk took to fail ([`Command::TakeBack`]); and the message stays out of sight for a
//! while, or every receive would come upon it again.
//!
//! This is about the way up to the caller. What is lost behind it, in a socket's buffer, nobody can know.

use crate::{
    Broker, Received, Unavailable,
    look_up::Read,
    partition::{Found, Gated, Waiting},
};
use afterward_machine::{Command, Delivery};
use afterward_names::QueueAddress;
use std::{
    future::{Future, poll_fn},
    mem,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::runtime::Handle;

/// How long a message stays out of sight that can't be read: not read, and told, with every receive, and soon back once the
/// disk is well.
const UNREADABLE_MS: u64 = 10_000;

/// What a receive has found or waits for. Dropped before [`Undelivered::deliver`], it is given back.
#[must_use = "what is not delivered is given back"]
pub(crate) struct Undelivered<'a> {
    broker: &'a Broker,
    queue: &'a QueueAddress,
    answer: Answer,
}

enum Answer {
    Gated(Gated<Found>),
    Waiting(Waiting),
    Leased(Vec<Delivery>),
    /// Nothing to give back.
    Gone,
}

impl<'a> Undelivered<'a> {
    pub(crate) fn gated(broker: &'a Broker, queue: &'a QueueAddress, answer: Gated<Found>) -> Undelivered<'a> {
        Undelivered { broker, queue, answer: Answer::Gated(answer) }
    }

    pub(crate) fn waiting(broker: &'a Broker, queue: &'a QueueAddress, waiting: Waiting) -> Undelivered<'a> {
        Undelivered { broker, queue, answer: Answer::Waiting(waiting) }
    }

    /// Nothing, for somebody who waits no more.
    pub(crate) fn nothing(broker: &'a Broker, queue: &'a QueueAddress) -> Undelivered<'a> {
        Undelivered { broker, queue, answer: Answer::Gone }
    }

    pub(crate) fn broker(&self) -> &'a Broker {
        self.broker
    }

    /// Whether there was nothing at once.
    pub(crate) fn is_waited_for(&self) -> bool {
        matches!(self.answer, Answer::Waiting(_))
    }

    /// Waits for the answer; from then on, what was leased is shown, as it still is this one's.
    pub(crate) async fn found(&mut self) -> Result<Result<(), afterward_machine::Refusal>, Unavailable> {
        let outcome = poll_fn(|context| self.answer.poll(context)).await;
        self.answer = Answer::Gone;
        match outcome? {
            Ok(deliveries) => self.answer = Answer::Leased(deliveries),
            Err(refusal) => return Ok(Err(refusal)),
        }
        Ok(Ok(()))
    }

    pub(crate) fn leased(&self) -> &[Delivery] {
        match &self.answer {
            Answer::Leased(deliveries) => deliveries,
            _ => &[],
        }
    }

    /// The caller has it, as far as it could be `read`.
    ///
    /// # Errors
    /// When nothing of it could.
    pub(crate) async fn deliver(mut self, read: Vec<Read>) -> Result<Vec<Received>, Unavailable> {
        let (mut received, mut back, mut unread) = (Vec::with_capacity(read.len()), Vec::new(), None);
        for (delivery, read) in self.take_leased().into_iter().zip(read) {
            match read {
                // In a FIFO queue, it may be of the group of one that can't be read, and has to wait for that.
                Ok(_) if unread.is_some() && self.queue.name.is_fifo() => back.push(unbegun(self.queue, &delivery, 0)),
                // A message that was deleted between its lease and now is not delivered.
                Ok(message) => received.extend(message.map(|message| Received { delivery, message })),
                Err(why) => {
                    back.push(unbegun(self.queue, &delivery, UNREADABLE_MS));
                    unread = Some(why);
                }
            }
        }
        let Some(why) = unread else { return Ok(received) };
        // The caller may still go away.
        self.answer = Answer::Leased(received.iter().map(|received| received.delivery.clone()).collect());
        self.hand_back(back).await;
        self.answer = Answer::Gone;
        if received.is_empty() { Err(why) } else { Ok(received) }
    }

    /// Nobody will have it, and has seen nothing of it: it is as if it had not been received.
    pub(crate) async fn take_back(mut self) {
        let back: Vec<_> = self.take_leased().iter().map(|delivery| unbegun(self.queue, delivery, 0)).collect();
        if !back.is_empty() {
            self.hand_back(back).await;
        }
    }

    fn take_leased(&mut self) -> Vec<Delivery> {
        match mem::replace(&mut self.answer, Answer::Gone) {
            Answer::Leased(deliveries) => deliveries,
            _ => Vec::new(),
        }
    }

    /// Does so even if nobody waits for it any more.
    async fn hand_back(&self, back: Vec<(Command, Option<String>)>) {
        let broker = self.broker.clone();
        // Refused or unavailable, each message is as visible as it can be.
        let _handed_back = tokio::spawn(async move { broker.execute_all(back).await.is_ok() }).await;
    }
}

impl Answer {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Found, Unavailable>> {
        match self {
            Answer::Gated(gated) => Pin::new(gated).poll(context),
            Answer::Waiting(waiting) => Pin::new(waiting).poll(context),
            Answer::Leased(_) | Answer::Gone => Poll::Pending,
        }
    }
}

/// What is still to be given back: leases, or an answer of which it is not known yet.
async fn leased(answer: Answer) -> Vec<Delivery> {
    match answer {
        Answer::Gated(gated) => gated.await.ok().and_then(Result::ok).unwrap_or_default(),
        Answer::Leased(deliveries) => deliveries,
        Answer::Waiting(_) | Answer::Gone => Vec::new(),
    }
}

impl Drop for Undelivered<'_> {
    fn drop(&mut self) {
        let answer = match mem::replace(&mut self.answer, Answer::Gone) {
            // Not served yet: leaving is all there is to do, and most that go away go like this.
            Answer::Waiting(waiting) => match waiting.leave() {
                Some(gated) => Answer::Gated(gated),
                None => return,
            },
            Answer::Gone => return,
            Answer::Leased(deliveries) if deliveries.is_empty() => return,
            answer @ (Answer::Gated(_) | Answer::Leased(_)) => answer,
        };
        // On a task of its own: whoever drops this may hold the partition's lock. Without a runtime, the process ends.
        let Ok(runtime) = Handle::try_current() else { return };
        let (broker, queue) = (self.broker.clone(), self.queue.clone());
        runtime.spawn(async move {
            let back =
                leased(answer).await.into_iter().map(|delivery| (visible_now(&queue, &delivery), None)).collect();
            // Refused or unavailable, each message is as visible as it can be.
            let _ = broker.execute_all(back).await;
        });
    }
}

fn unbegun(queue: &QueueAddress, delivery: &Delivery, timeout_ms: u64) -> (Command, Option<String>) {
    (Command::TakeBack { queue: queue.clone(), lease: delivery.lease, timeout_ms }, None)
}

fn visible_now(queue: &QueueAddress, delivery: &Delivery) -> Command {
    Command::ChangeVisibility { queue: queue.clone(), lease: delivery.lease, timeout_ms: 0, failure: false }
}
