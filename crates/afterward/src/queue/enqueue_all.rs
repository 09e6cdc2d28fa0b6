//! Many messages at once.

use super::{
    Enqueue, MessageId, Queue,
    batch::{self, Broken},
    outgoing::{Outgoing, uninterrupted},
    tally,
};
use crate::{Error, Message};
use std::{collections::HashMap, mem, pin::Pin};
use tokio::task::JoinSet;

/// Messages that are sent one by one (schedules, unique jobs), and groups of those that have an order: so many at a time.
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
/// A message and its place among all that are to be sent.
type Numbered = (usize, Outgoing);

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
    /// Puts many messages into the queue, in as few calls as the service's limits allow: a mebibyte in all, and ten messages, or
    /// a hundred where an Afterward server answers and the queue is not FIFO. The outcomes are in the order of the messages, each
    /// its own: some may have been taken and others not.
    ///
    /// A message that the service failed at is sent again, a few times. On a FIFO queue it is not, and neither is what follows
    /// it in its group sent, for that would overtake it; messages of other groups are. Of delayed ones, those that follow are the
    /// delayed ones.
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
        let mut prepared = Vec::with_capacity(messages.len());
        for (number, message) in messages.into_iter().enumerate() {
            let outgoing = if message.is_plain() && self.is_of(&message) {
                Outgoing::plain(message)
            } else {
                Box::pin(self.prepared(message)).await
            };
            match outgoing {
                Ok(outgoing) => prepared.push((number, outgoing)),
                Err(error) => outcomes[number] = Some(Err(error)),
            }
        }
        for (number, outcome) in self.send_prepared(prepared).await {
            outcomes[number] = Some(outcome);
        }
        let unsaid = || Err(Error::Refused("the task that sent the message ended before its time".to_owned()));
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unsaid)).collect()
    }

    async fn send_prepared(&self, prepared: Vec<Numbered>) -> Vec<(usize, Outcome)> {
        if prepared.iter().all(|(_, outgoing)| outgoing.tallied().is_none()) {
            return self.send_announced(prepared).await;
        }
        let queue = self.clone();
        let sending = async move {
            let mut told = Vec::new();
            let announced = queue.announced(prepared, &mut told).await;
            told.extend(queue.send_announced(announced).await);
            told
        };
        // What was announced is sent, or taken back: a caller that is dropped leaves that to a task.
        uninterrupted(sending).await.unwrap_or_default()
    }

    async fn send_announced(&self, messages: Vec<Numbered>) -> Vec<(usize, Outcome)> {
        if self.is_fifo() { self.send_in_order(messages).await } else { self.send_at_once(messages).await }
    }

    /// Announces those that are jobs of batches kept by tallies. Returns what may be sent.
    async fn announced(&self, prepared: Vec<Numbered>, told: &mut Vec<(usize, Outcome)>) -> Vec<Numbered> {
        let failed = self.announce(prepared.iter().filter_map(|(_, outgoing)| outgoing.tallied())).await;
        if failed.is_empty() {
            return prepared;
        }
        let mut sendable = Vec::with_capacity(prepared.len());
        for (number, outgoing) in prepared {
            match outgoing.batch().and_then(|batch| failed.get(batch)) {
                Some(error) => told.push((number, outgoing.not_announced(tally::same(error)).await)),
                None => sendable.push((number, outgoing)),
            }
        }
        sendable
    }

    /// Whether the message is for this queue.
    fn is_of(&self, message: &Enqueue) -> bool {
        message.queue.url() == self.url()
    }

    async fn prepared(&self, message: Enqueue) -> Result<Outgoing, Error> {
        if !self.is_of(&message) {
            return Err(Error::Refused(format!(
                "the message is for the queue `{}`, not for `{}`: enqueue_all sends to one queue",
                message.queue.name(),
                self.name()
            )));
        }
        Outgoing::prepare(message).await
    }

    /// A standard queue: what may share a call does, and the rest is sent beside that.
    async fn send_at_once(&self, messages: Vec<Numbered>) -> Vec<(usize, Outcome)> {
        let mut broken = Broken::default();
        if messages.iter().all(|(_, one)| one.may_share_a_call()) {
            return self.send_together(messages, &mut broken).await;
        }
        let (together, alone): (Vec<_>, Vec<_>) = messages.into_iter().partition(|(_, one)| one.may_share_a_call());
        let (mut told, others) = tokio::join!(self.send_together(together, &mut broken), send_alone(alone));
        told.extend(others);
        told
    }

    /// A FIFO queue: one after another, as they were given, so that each group keeps its order. What a scheduler sends when it
    /// is due has no order with the others. Of what is due together it sends that first which it was told of first: so it is
    /// told of a group's one after another, too, but of groups side by side.
    async fn send_in_order(&self, messages: Vec<Numbered>) -> Vec<(usize, Outcome)> {
        let (scheduled, now): (Vec<_>, Vec<_>) = messages.into_iter().partition(|(_, one)| one.is_scheduled());
        let in_order = async {
            let (mut told, mut broken, mut run) = (Vec::new(), Broken::default(), Vec::new());
            for (number, outgoing) in now {
                if outgoing.may_share_a_call() {
                    run.push((number, outgoing));
                    continue;
                }
                told.extend(self.send_together(mem::take(&mut run), &mut broken).await);
                told.push((number, send_next(outgoing, &mut broken).await));
            }
            told.extend(self.send_together(run, &mut broken).await);
            told
        };
        let (mut told, others) = tokio::join!(in_order, send_by_group(scheduled));
        told.extend(others);
        told
    }

    async fn send_together(&self, mut messages: Vec<Numbered>, broken: &mut Broken) -> Vec<(usize, Outcome)> {
        let parcels = messages.iter_mut().map(|(_, outgoing)| outgoing.take_parcel()).collect();
        let outcomes = batch::send_after(self, parcels, broken).await;
        let mut settled = Vec::with_capacity(messages.len());
        for ((number, outgoing), outcome) in messages.into_iter().zip(outcomes) {
            let outcome = match outcome {
                Ok(id) => Ok(id),
                refused => Box::pin(outgoing.settle(refused)).await,
            };
            settled.push((number, outcome));
        }
        settled
    }
}

/// Sends one of a group, unless one before it was not taken.
async fn send_next(outgoing: Outgoing, broken: &mut Broken) -> Outcome {
    let group = outgoing.group().cloned();
    let outcome = match broken.refusal(group.as_ref()) {
        Some(refusal) => outgoing.settle(Err(refusal)).await,
        None => outgoing.send_it().await,
    };
    broken.note(group.as_ref(), &outcome);
    outcome
}

/// Each by itself, in no order.
async fn send_alone(messages: Vec<Numbered>) -> Vec<(usize, Outcome)> {
    let sending = |(number, outgoing): Numbered| async move { vec![(number, outgoing.send_it().await)] };
    side_by_side(messages.into_iter().map(sending)).await
}

/// Each by itself, but one of a group after the other.
async fn send_by_group(messages: Vec<Numbered>) -> Vec<(usize, Outcome)> {
    let mut groups: HashMap<Option<String>, Vec<Numbered>> = HashMap::new();
    for (number, outgoing) in messages {
        groups.entry(outgoing.group().cloned()).or_default().push((number, outgoing));
    }
    let sending = |group: Vec<Numbered>| async move {
        let (mut told, mut broken) = (Vec::with_capacity(group.len()), Broken::default());
        for (number, outgoing) in group {
            told.push((number, send_next(outgoing, &mut broken).await));
        }
        told
    };
    side_by_side(groups.into_values().map(sending)).await
}

/// Does [`ALONE_AT_A_TIME`] of these at a time.
async fn side_by_side<S>(sendings: impl Iterator<Item = S>) -> Vec<(usize, Outcome)>
where
    S: Future<Output = Vec<(usize, Outcome)>> + Send + 'static,
{
    let (mut told, mut calls) = (Vec::new(), JoinSet::new());
    for sending in sendings {
        if calls.len() >= ALONE_AT_A_TIME
            && let Some(Ok(outcomes)) = calls.join_next().await
        {
            told.extend(outcomes);
        }
        calls.spawn(sending);
    }
    while let Some(ended) = calls.join_next().await {
        told.extend(ended.into_iter().flatten());
    }
    told
}
