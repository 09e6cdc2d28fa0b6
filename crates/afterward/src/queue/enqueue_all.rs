//! Many messages at once.

use super::{Enqueue, MessageId, Queue, batch, outgoing::Outgoing};
use crate::{Error, Message};
use std::pin::Pin;
use tokio::task::JoinSet;

/// Messages that are sent one by one (schedules, unique jobs): so many at a time.
const ALONE_AT_A_TIME: usize = 8;

/// What [`Queue::enqueue_all`] takes: a message, or an [`Enqueue`] with all that was said of it.
pub trait ToEnqueue: sealed::Sealed {
    /// The message as one to be put into `queue`.
    #[doc(hidden)]
    fn to_enqueue(self, queue: &Queue) -> Enqueue;
}

impl<M: Message> ToEnqueue for &M {
    fn to_enqueue(self, queue: &Queue) -> Enqueue {
        queue.enqueue(self)
    }
}

impl ToEnqueue for Enqueue {
    fn to_enqueue(self, _: &Queue) -> Enqueue {
        self
    }
}

mod sealed {
    pub trait Sealed {}
    impl<M: crate::Message> Sealed for &M {}
    impl Sealed for super::Enqueue {}
}

type Outcome = Result<MessageId, Error>;

/// Messages about to be sent; see [`Queue::enqueue_all`].
#[derive(Debug)]
#[must_use = "messages are sent when this is awaited"]
pub struct EnqueueAll {
    queue: Queue,
    messages: Vec<Enqueue>,
}

impl IntoFuture for EnqueueAll {
    type Output = Vec<Result<MessageId, Error>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.queue.send_enqueued(self.messages).await })
    }
}

impl Queue {
    /// Puts many messages into the queue, in as few calls as the service's limits allow (ten messages, a mebibyte in all).
    /// The outcomes are in the order of the messages, each its own: some may have been taken and others not.
    ///
    /// A message that the service failed at is sent again, a few times. On a FIFO queue it is not, and neither is what follows
    /// it in its group sent, for that would overtake it; messages of other groups are.
    ///
    /// ```no_run
    /// # use afterward::{Message, Queue};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize, Message)]
    /// # #[message(type = "order:new")]
    /// # struct OrderNew { tenant: String }
    /// # async fn example(queue: Queue, orders: Vec<OrderNew>) -> Result<(), afterward::Error> {
    /// // All of them, or the first error:
    /// let ids = queue.enqueue_all(&orders).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    ///
    /// // Each with something of its own, and each failure by itself:
    /// let each = orders.iter().map(|order| queue.enqueue(order).attribute("tenant", &*order.tenant));
    /// for (order, outcome) in orders.iter().zip(queue.enqueue_all(each).await) {
    ///     if let Err(error) = outcome {
    ///         eprintln!("the order of {} was not taken: {error}", order.tenant);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn enqueue_all<T: ToEnqueue>(&self, messages: impl IntoIterator<Item = T>) -> EnqueueAll {
        let messages = messages.into_iter().map(|message| message.to_enqueue(self)).collect();
        EnqueueAll { queue: self.clone(), messages }
    }

    async fn send_enqueued(&self, messages: Vec<Enqueue>) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = messages.iter().map(|_| None).collect();
        let (mut together, mut alone) = (Vec::new(), Vec::new());
        for (number, message) in messages.into_iter().enumerate() {
            match self.prepared(message).await {
                Ok(outgoing) if outgoing.may_share_a_call() => together.push((number, outgoing)),
                Ok(outgoing) => alone.push((number, outgoing)),
                Err(error) => outcomes[number] = Some(Err(error)),
            }
        }
        let (together, alone) = tokio::join!(self.send_together(together), send_alone(alone));
        for (number, outcome) in together.into_iter().chain(alone) {
            outcomes[number] = Some(outcome);
        }
        let unsaid = || Err(Error::Refused("the task that sent the message ended before its time".to_owned()));
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unsaid)).collect()
    }

    async fn prepared(&self, message: Enqueue) -> Result<Outgoing, Error> {
        if message.queue.url() != self.url() {
            return Err(Error::Refused(format!(
                "the message is for the queue `{}`, not for `{}`: enqueue_all sends to one queue",
                message.queue.name(),
                self.name()
            )));
        }
        Outgoing::prepare(message).await
    }

    async fn send_together(&self, mut messages: Vec<(usize, Outgoing)>) -> Vec<(usize, Outcome)> {
        let parcels = messages.iter_mut().map(|(_, outgoing)| outgoing.take_parcel()).collect();
        let mut settled = Vec::with_capacity(messages.len());
        for ((number, outgoing), outcome) in messages.into_iter().zip(batch::send_all(self, parcels).await) {
            settled.push((number, outgoing.settle(outcome).await));
        }
        settled
    }
}

async fn send_alone(messages: Vec<(usize, Outgoing)>) -> Vec<(usize, Outcome)> {
    let mut told = Vec::with_capacity(messages.len());
    let mut calls = JoinSet::new();
    for (number, outgoing) in messages {
        if calls.len() >= ALONE_AT_A_TIME
            && let Some(Ok(outcome)) = calls.join_next().await
        {
            told.push(outcome);
        }
        calls.spawn(async move { (number, outgoing.send().await) });
    }
    while let Some(ended) = calls.join_next().await {
        told.extend(ended);
    }
    told
}
