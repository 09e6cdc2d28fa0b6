//! The seam between a worker and where its messages come from.
//!
//! A [`Worker`](crate::Worker) knows leases and handlers; a source knows how to take messages on lease, how to settle
//! them, and nothing else. [`Queue`](crate::Queue) is the source that speaks SQS.

use crate::Attribute;
use std::{
    collections::BTreeMap,
    error::Error as StdError,
    fmt,
    time::{Duration, SystemTime},
};

/// Where messages come from.
///
/// # Contract
///
/// - A message handed out MUST stay invisible to others for the visibility timeout asked for, from no earlier than the
///   call's start, unless it is settled before.
/// - Dropping the future of [`receive`](Source::receive) MUST be safe; a message lost that way SHOULD come back when its
///   lease ends.
/// - Errors MUST tell a lease that is lost from a source that is away: the worker gives up the first and waits out the
///   second.
pub trait Source: Send + Sync + 'static {
    /// What to call it in logs.
    fn name(&self) -> &str;

    /// How long a message stays invisible after a receive unless told otherwise.
    fn visibility_timeout(&self) -> impl Future<Output = Result<Duration, SourceError>> + Send;

    /// Takes up to `ask.limit` messages on lease, waiting up to `ask.wait` for the first.
    fn receive(&self, ask: Receive) -> impl Future<Output = Result<Vec<Delivery>, SourceError>> + Send;

    /// Deletes a message for good: it has been handled.
    fn delete(&self, receipt: &str) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// Makes a message visible again `after` from now. `error`: why the attempt at it failed, where one did.
    fn change_visibility(
        &self,
        receipt: &str,
        after: Duration,
        error: Option<&str>,
    ) -> impl Future<Output = Result<(), SourceError>> + Send;
}

/// What a worker asks a source for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receive {
    /// At most so many messages.
    pub limit: usize,
    /// How long to wait for the first.
    pub wait: Duration,
    /// How long they stay invisible to others.
    pub visibility_timeout: Duration,
}

impl Receive {
    pub(crate) fn new(limit: usize, wait: Duration, visibility_timeout: Duration) -> Receive {
        Receive { limit, wait, visibility_timeout }
    }
}

/// A message on lease.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Delivery {
    /// The message's id, the same at every attempt.
    pub id: String,
    /// What settles this delivery, and no other.
    pub receipt: String,
    /// The body as it was sent.
    pub body: String,
    /// How often the message has been received, this time included.
    pub receive_count: u32,
    /// When it was sent, where the source says.
    pub sent_at: Option<SystemTime>,
    /// Its message group, where it has one.
    pub group: Option<String>,
    /// Whether the messages of a group must be handled one after another (FIFO).
    pub ordered: bool,
    /// Its message attributes.
    pub attributes: BTreeMap<String, Attribute>,
}

impl Delivery {
    /// A first delivery with nothing beside its body; the rest is set on the fields.
    pub fn new(id: impl Into<String>, receipt: impl Into<String>, body: impl Into<String>) -> Delivery {
        Delivery {
            id: id.into(),
            receipt: receipt.into(),
            body: body.into(),
            receive_count: 1,
            sent_at: None,
            group: None,
            ordered: false,
            attributes: BTreeMap::new(),
        }
    }
}

/// Why a source did not do what a worker asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum SourceError {
    /// Away, or overloaded: the same may work later.
    Unavailable(Cause),
    /// The lease has ended: somebody else may have the message now.
    LeaseLost(Cause),
    /// It will not work later either: no such queue, no permission.
    Refused(Cause),
}

/// The reason behind a [`SourceError`].
pub type Cause = Box<dyn StdError + Send + Sync>;

impl SourceError {
    fn cause(&self) -> &Cause {
        match self {
            SourceError::Unavailable(cause) | SourceError::LeaseLost(cause) | SourceError::Refused(cause) => cause,
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.cause(), f)
    }
}

impl StdError for SourceError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause().source()
    }
}
