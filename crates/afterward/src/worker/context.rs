//! What a handler may know and ask beside its message.

use crate::{Attribute, Delivery};
use serde::de::DeserializeOwned;
use std::{sync::Arc, time::SystemTime};
use tokio::sync::watch;

/// One attempt at a message, as its handler sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Context {
    delivery: Arc<Delivery>,
    queue: Arc<str>,
    cancelled: watch::Receiver<Option<Cancelled>>,
}

/// Why an attempt's work is no longer wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancelled {
    /// The lease is lost: another worker may have the message now, and what this attempt returns changes nothing.
    LeaseLost,
    /// The worker stops, and its deadline has passed: the message is handed back.
    Stopping,
}

impl Context {
    pub(super) fn new(
        delivery: Arc<Delivery>,
        queue: Arc<str>,
        cancelled: watch::Receiver<Option<Cancelled>>,
    ) -> Context {
        Context { delivery, queue, cancelled }
    }

    /// The message's id, the same at every attempt.
    pub fn message_id(&self) -> &str {
        &self.delivery.id
    }

    /// The name of the queue.
    pub fn queue(&self) -> &str {
        &self.queue
    }

    /// Which attempt this is, from 1: how often the message has been received.
    pub fn attempt(&self) -> u32 {
        self.delivery.receive_count
    }

    /// When the message was sent, where the queue says.
    pub fn sent_at(&self) -> Option<SystemTime> {
        self.delivery.sent_at
    }

    /// The message's group, where it has one.
    pub fn group(&self) -> Option<&str> {
        self.delivery.group.as_deref()
    }

    /// A message attribute.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.delivery.attributes.get(name)
    }

    /// The body as it was sent.
    pub fn body(&self) -> &str {
        &self.delivery.body
    }

    /// Whether the work is no longer wanted, and why.
    pub fn cancellation(&self) -> Option<Cancelled> {
        *self.cancelled.borrow()
    }

    /// Waits until the work is no longer wanted; for ever, if it stays wanted. For `tokio::select!` beside the work.
    pub async fn cancelled(&self) -> Cancelled {
        let mut cancelled = self.cancelled.clone();
        let reason = match cancelled.wait_for(Option::is_some).await {
            Ok(reason) => *reason,
            // The attempt is over, and was not cancelled.
            Err(_) => None,
        };
        match reason {
            Some(reason) => reason,
            None => std::future::pending().await,
        }
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
    /// Reads the whole body as JSON.
    ///
    /// # Errors
    /// It is not JSON, or not of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.body)
    }
}
