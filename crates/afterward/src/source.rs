//! The seam between a worker and where its messages come from.
//!
//! A [`Worker`](crate::Worker) knows leases and handlers; a source knows how to take messages on lease, how to settle
//! them, and nothing else. [`Queue`](crate::Queue) is the source that speaks SQS.

use crate::{Attribute, Schedule};
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

    /// How many messages one receive can bring at most; a worker asks for no more at once. Asked for when a worker starts. Ten, as
    /// SQS has it, unless implemented.
    fn receive_limit(&self) -> impl Future<Output = usize> + Send {
        async { 10 }
    }

    /// Takes up to `ask.limit` messages on lease, waiting up to `ask.wait` for the first.
    fn receive(&self, ask: Receive) -> impl Future<Output = Result<Vec<Delivery>, SourceError>> + Send;

    /// Whether a delivery has its body, and does not only say where it is (a claim check). It has, unless implemented.
    fn is_whole(&self, _delivery: &Delivery) -> bool {
        true
    }

    /// The body of a delivery that is not [whole](Source::is_whole); `None` where it is after all. Asked for once in an
    /// attempt, before the handler; an error fails the attempt.
    fn body(&self, _delivery: &Delivery) -> impl Future<Output = Result<Option<String>, Cause>> + Send {
        async { Ok(None) }
    }

    /// Deletes a message for good: it has been handled.
    fn delete(&self, receipt: &str) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// Deletes a message that has not been handled, and will not be. `why`, for whoever asks what became of it: a source that has
    /// nowhere to say it only deletes, and that is what this does unless implemented.
    fn discard(&self, receipt: &str, _why: &str) -> impl Future<Output = Result<(), SourceError>> + Send {
        self.delete(receipt)
    }

    /// Makes a message visible again `after` from now. `error`: why the attempt at it failed, where one did.
    fn change_visibility(
        &self,
        receipt: &str,
        after: Duration,
        error: Option<&str>,
    ) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// Makes a message visible again `wait` from now that was received and not begun, so that this receive does not count
    /// towards those that the redrive policy allows. A source that counts every receive only changes the visibility, and that
    /// is what this does unless implemented.
    fn hand_back(&self, receipt: &str, wait: Duration) -> impl Future<Output = Result<(), SourceError>> + Send {
        self.change_visibility(receipt, wait, None)
    }

    /// Whether [`hand_back`](Source::hand_back) takes a receive back, so that a message's receive count is the number of attempts
    /// that were begun at it, those that were cut short among them. Not so, unless implemented. A worker asks once, and again
    /// while the source is [away](SourceError::Unavailable).
    fn counts_attempts(&self) -> impl Future<Output = Result<bool, SourceError>> + Send {
        async { Ok(false) }
    }

    /// Says how far the work on a message is, and makes it visible again `after` from now, as
    /// [`change_visibility`](Source::change_visibility) does. `progress`: a fraction from 0 to 1 and words, such as
    /// `0.4 resized`. A source that has nowhere to put it only changes the visibility, and that is what this does unless
    /// implemented.
    fn report_progress(
        &self,
        receipt: &str,
        after: Duration,
        progress: &str,
    ) -> impl Future<Output = Result<(), SourceError>> + Send {
        let _ = progress;
        self.change_visibility(receipt, after, None)
    }

    /// When the source itself gives up on messages, and where it puts them; `None`, where it never does. What this says
    /// unless implemented.
    fn redrive(&self) -> impl Future<Output = Result<Option<Redrive>, SourceError>> + Send {
        async { Ok(None) }
    }

    /// What time it is where delays and schedules are kept. This machine's time, unless implemented.
    fn now(&self) -> impl Future<Output = Result<SystemTime, SourceError>> + Send {
        async { Ok(SystemTime::now()) }
    }

    /// Sees to it that ticks of these schedules come as messages from now on, one for each time, however many workers ask.
    /// Called when a worker starts that has schedules. Unless implemented, there is no way.
    fn put_schedules(&self, schedules: &[Schedule]) -> impl Future<Output = Result<(), SourceError>> + Send {
        let _ = schedules;
        async { Err(SourceError::Refused("this source of messages has no schedules".into())) }
    }

    /// Goes on seeing to it, as long as the worker works, and tells `failed` of a schedule whose tick could not be sent.
    fn keep_schedules(
        &self,
        schedules: &[Schedule],
        failed: impl Fn(&str, &SourceError) + Send + Sync,
    ) -> impl Future<Output = ()> + Send {
        let _ = (schedules, failed);
        std::future::pending()
    }

    /// Ends a schedule of this name that nobody has any more. Where there is none, that is well. Does nothing, unless
    /// implemented.
    fn delete_schedule(&self, name: &str) -> impl Future<Output = Result<(), SourceError>> + Send {
        let _ = name;
        async { Ok(()) }
    }

    /// Looks after what the source itself keeps of batches, for as long as the worker works. It may return, if there is nothing
    /// to look after; there is none, unless implemented.
    fn keep_batches(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Moves a message to the dead-letter queue that [`redrive`](Source::redrive) told of, with the reason. After an error the
    /// message MUST still be in the source; it may be in the dead-letter queue as well.
    fn dead_letter(&self, letter: &DeadLetter<'_>) -> impl Future<Output = Result<(), SourceError>> + Send {
        let _ = letter;
        async { Err(SourceError::Refused("this source can't move messages to a dead-letter queue".into())) }
    }
}

/// When a queue gives up on messages by itself, and where it puts them: its redrive policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redrive {
    /// How often a message is received at most before the queue moves it.
    pub max_receive_count: u32,
    /// The ARN of the dead-letter queue.
    pub dead_letter_target_arn: String,
}

impl Redrive {
    /// A policy that moves messages to this queue, given by its ARN, once they have been received so often.
    pub fn new(dead_letter_target_arn: impl Into<String>, max_receive_count: u32) -> Redrive {
        Redrive { max_receive_count, dead_letter_target_arn: dead_letter_target_arn.into() }
    }

    /// The name of the dead-letter queue.
    pub fn dead_letter_queue(&self) -> &str {
        self.dead_letter_target_arn.rsplit(':').next().unwrap_or_default()
    }
}

/// A message on its way to the dead-letter queue.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct DeadLetter<'a> {
    /// The message, as it was delivered.
    pub delivery: &'a Delivery,
    /// Why its last attempt failed.
    pub error: &'a str,
    /// The policy that names the dead-letter queue.
    pub redrive: &'a Redrive,
}

impl<'a> DeadLetter<'a> {
    pub(crate) fn new(delivery: &'a Delivery, error: &'a str, redrive: &'a Redrive) -> DeadLetter<'a> {
        DeadLetter { delivery, error, redrive }
    }
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
    /// The service's own id of it, where that is another: each sending has one of its own.
    pub(crate) service_id: Option<String>,
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
    /// The batch that it is one of, where it is.
    pub batch: Option<String>,
    /// The batch that it was sent after, where it was.
    pub completes: Option<String>,
    /// Its message attributes.
    pub attributes: BTreeMap<String, Attribute>,
}

impl Delivery {
    /// A first delivery with nothing beside its body; the rest is set on the fields.
    pub fn new(id: impl Into<String>, receipt: impl Into<String>, body: impl Into<String>) -> Delivery {
        Delivery {
            id: id.into(),
            service_id: None,
            receipt: receipt.into(),
            body: body.into(),
            receive_count: 1,
            sent_at: None,
            group: None,
            ordered: false,
            batch: None,
            completes: None,
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
