//! What a handler may know and ask beside its message.

use super::{
    extract::States,
    hand::{Cancelled, Hand},
    keeper::Keeper,
};
use crate::Attribute;
use serde::de::DeserializeOwned;
use std::{fmt, sync::Arc, time::SystemTime};

/// One attempt at a message, as its handler sees it. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    hand: Arc<Hand>,
    surroundings: Arc<Surroundings>,
}

/// What all attempts of a worker see alike.
pub(super) struct Surroundings {
    pub(super) queue: Arc<str>,
    pub(super) keeper: Arc<Keeper>,
    pub(super) states: States,
}

impl Context {
    pub(super) fn new(hand: Arc<Hand>, surroundings: Arc<Surroundings>) -> Context {
        Context { hand, surroundings }
    }

    pub(super) fn hand(&self) -> &Hand {
        &self.hand
    }

    /// The message's id, the same at every attempt.
    ///
    /// Redriven from a dead-letter queue, the message has another: on an Afterward server one that differs in the count of
    /// redrives alone (`…-8001-…` where it was `…-8000-…`), elsewhere a new one. A message with a
    /// delay that its queue could not keep has the id that [`enqueue`](crate::Queue::enqueue) returned, whatever happens to it.
    /// So what must not be done twice, for whatever reason it comes again, is better noted under an id in the payload, or of a
    /// [`Tick`](crate::Tick) under its name and time.
    pub fn message_id(&self) -> &str {
        &self.hand.delivery.id
    }

    /// The type that the message's envelope names, where it has an envelope.
    pub fn message_type(&self) -> Option<&str> {
        self.hand.message_type()
    }

    /// The name of the queue.
    pub fn queue(&self) -> &str {
        &self.surroundings.queue
    }

    /// Which attempt this is, from 1: how often the message has been received.
    pub fn attempt(&self) -> u32 {
        self.hand.delivery.receive_count
    }

    /// When the message was sent, where the queue says.
    pub fn sent_at(&self) -> Option<SystemTime> {
        self.hand.delivery.sent_at
    }

    /// The message's group, where it has one.
    pub fn group(&self) -> Option<&str> {
        self.hand.delivery.group.as_deref()
    }

    /// The batch that the job is one of, where it is: [`Queue::batch`](crate::Queue::batch) has more put into it. This job
    /// keeps it open.
    pub fn batch(&self) -> Option<&str> {
        self.hand.delivery.batch.as_deref()
    }

    /// The batch whose end this message tells, where it was sent [after one](crate::Batch::then).
    pub fn completes(&self) -> Option<&str> {
        self.hand.delivery.completes.as_deref()
    }

    /// A message attribute.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.hand.delivery.attributes.get(name)
    }

    /// The body as it was sent.
    pub fn body(&self) -> &str {
        self.hand.body()
    }

    /// What [`Worker::state`](crate::Worker::state) was given of this type.
    pub fn state<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
        self.surroundings.states.get()
    }

    /// Says how far the work is: `fraction` from 0.0 to 1.0, with a word about it. An Afterward server shows it in the job's
    /// status; other services ignore it, but it is a sign of life everywhere, for it extends the lease.
    ///
    /// Costs nothing to call often: what is said more than once a second is told once a second, the latest of it.
    ///
    /// ```
    /// # use afterward::Context;
    /// async fn resize(images: Vec<String>, cx: Context) {
    ///     for (done, image) in images.iter().enumerate() {
    ///         cx.progress(done as f64 / images.len() as f64, format!("resizing {image}"));
    ///     }
    /// }
    /// ```
    pub fn progress(&self, fraction: f64, note: impl fmt::Display) {
        let fraction = if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 };
        // Two digits: nobody's progress bar has more than a hundred steps.
        let fraction = (fraction * 100.0).round() / 100.0;
        let told = self.hand.note_progress(format!("{fraction} {note}").trim_end().to_owned());
        self.surroundings.keeper.tell_soon(&self.hand, told);
    }

    /// Whether the work is no longer wanted, and why.
    pub fn cancellation(&self) -> Option<Cancelled> {
        self.hand.cancellation()
    }

    /// Waits until the work is no longer wanted; for ever, if it stays wanted. For `tokio::select!` beside the work.
    pub async fn cancelled(&self) -> Cancelled {
        self.hand.cancelled().await
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("queue", &self.queue())
            .field("message_id", &self.message_id())
            .field("message_type", &self.message_type())
            .field("attempt", &self.attempt())
            .field("cancelled", &self.cancellation())
            .finish_non_exhaustive()
    }
}

/// A message that no typed handler takes: of another type, or without an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Raw {
    /// The body as it was sent.
    pub body: String,
    /// The type that the envelope names, where there is an envelope.
    pub message_type: Option<String>,
}

impl Raw {
    pub(super) fn of(hand: &Hand) -> Raw {
        Raw { body: hand.body().to_owned(), message_type: hand.message_type().map(str::to_owned) }
    }

    /// Reads the whole body as JSON.
    ///
    /// # Errors
    /// It is not JSON, or not of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.body)
    }
}
