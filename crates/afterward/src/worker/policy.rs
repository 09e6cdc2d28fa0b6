//! What is done about messages whose handlers fail, and about those that have none.

use super::Backoff;
use std::{borrow::Cow, time::Duration};

/// What becomes of a message that has had all its attempts, or whose handler answered [`Fail`](crate::Fail).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Exhausted {
    /// It goes to the dead-letter queue that the queue's redrive policy names, with the error. Where the queue has none, the
    /// message stays and comes again, at least 15 minutes later each time, until its retention period ends; the worker warns
    /// of that once. Nothing is lost without somebody having said so.
    #[default]
    DeadLetter,
    /// It is deleted, with a warning that gives this reason.
    Drop(Cow<'static, str>),
}

impl Exhausted {
    /// [`Exhausted::Drop`], for this reason.
    pub fn drop(reason: impl Into<Cow<'static, str>>) -> Exhausted {
        Exhausted::Drop(reason.into())
    }
}

/// What becomes of a message that no handler is for: of a type that this worker does not know, or without an envelope where
/// there is no [`otherwise`](crate::Worker::otherwise).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Unknown {
    /// It goes to the dead-letter queue with its first attempt, where a person sees it. Where the queue has none, it stays,
    /// as with [`Exhausted::DeadLetter`].
    #[default]
    DeadLetter,
    /// It counts as a failed attempt, so others get it: right while workers with new handlers are being rolled out. When it
    /// comes again and how often is the worker's policy ([`Worker::retry`](crate::Worker::retry),
    /// [`max_attempts`](crate::Worker::max_attempts)), as for handlers that don't say.
    Retry,
    /// It is deleted, with a warning.
    Ignore,
}

/// What was set for one handler, or for all: what is unset is the worker's, and then the default.
#[derive(Debug, Clone, Default)]
pub(super) struct Policy {
    pub(super) retry: Option<Backoff>,
    pub(super) max_attempts: Option<u32>,
    pub(super) timeout: Option<Duration>,
    pub(super) exhausted: Option<Exhausted>,
}

impl Policy {
    /// Whether nothing was set.
    pub(super) fn is_empty(&self) -> bool {
        let Policy { retry, max_attempts, timeout, exhausted } = self;
        retry.is_none() && max_attempts.is_none() && timeout.is_none() && exhausted.is_none()
    }

    /// This policy, with what it leaves open taken from `defaults`.
    pub(super) fn or(self, defaults: &Policy) -> Policy {
        Policy {
            retry: self.retry.or_else(|| defaults.retry.clone()),
            max_attempts: self.max_attempts.or(defaults.max_attempts),
            timeout: self.timeout.or(defaults.timeout),
            exhausted: self.exhausted.or_else(|| defaults.exhausted.clone()),
        }
    }
}
