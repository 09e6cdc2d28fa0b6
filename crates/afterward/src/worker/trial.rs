//! One attempt at a made-up message, without any queue: how tests see what a handler does.
//!
//! The handler runs as a worker runs it, with its extractors and the layers around it, and a panic is a failure. What is the
//! worker's stays out: timeouts, limits, and how often and when a message is tried again.

use super::{
    Cancelled, Context, Handler, Input, Job, attempt::caught, context::Surroundings, extract::States,
    failure::describe, hand::Hand, handler::Peek, keeper::Keeper, lease::Lease, router::Router, verdict::Verdict,
};
use crate::{Attribute, Delivery, Message, envelope, source::Cause};
use http::Extensions;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// A message to try a handler with, or to make a [`Context`] of; see [`job`].
///
/// It is a first attempt at a message of the queue `jobs`, unless told otherwise.
#[derive(Debug, Clone)]
#[must_use = "a trial is made with `run` or `context`"]
pub struct Trial {
    delivery: Delivery,
    queue: Arc<str>,
    states: States,
    extensions: Extensions,
    cancelled: Option<Cancelled>,
}

/// A message with this payload, for a handler to be tried with.
///
/// ```
/// use afterward::{Cause, Context, Message, Retry, testing};
/// use serde::{Deserialize, Serialize};
/// use std::time::Duration;
///
/// #[derive(Serialize, Deserialize, Message)]
/// #[message(type = "charge")]
/// struct Charge { cents: i64 }
///
/// async fn charge(charge: Charge, cx: Context) -> Result<(), Cause> {
///     cx.progress(0.5, "asking the bank");
///     if cx.attempt() == 1 {
///         return Err(Retry::after(Duration::from_secs(60)).because("the bank is closed"))?;
///     }
///     Ok(())
/// }
///
/// # async fn example() {
/// let first = testing::job(&Charge { cents: 100 }).run(charge).await;
/// assert_eq!(first.retry_after(), Some(Duration::from_secs(60)));
/// assert_eq!(first.progress(), Some((0.5, "asking the bank".to_owned())));
///
/// testing::job(&Charge { cents: 100 }).attempt(2).run(charge).await.assert_ok();
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(example());
/// ```
///
/// # Panics
/// When the payload can't be written as JSON.
#[track_caller]
pub fn job<M: Message>(payload: &M) -> Trial {
    match envelope::seal(payload) {
        Ok(body) => raw(body),
        Err(error) => panic!("a message of type `{}` can't be written as JSON: {error}", M::TYPE),
    }
}

/// A message with this body, such as one that has no envelope.
pub fn raw(body: impl Into<String>) -> Trial {
    Trial {
        delivery: Delivery::new("00000000-0000-4000-8000-000000000000", "receipt", body),
        queue: "jobs".into(),
        states: States::default(),
        extensions: Extensions::new(),
        cancelled: None,
    }
}

/// A context for a handler that is called as the function that it is. The message is of no type and empty; [`job`] has
/// [`context`](Trial::context), too.
///
/// ```
/// # use afterward::{Context, Message, testing};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)] #[message(type = "tick")] struct Tick;
/// # async fn tick(_: Tick, _: Context) -> Result<(), std::io::Error> { Ok(()) }
/// # async fn example() -> Result<(), std::io::Error> {
/// tick(Tick, testing::context()).await?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn context() -> Context {
    raw("").context()
}

impl Trial {
    /// Which attempt it is, from 1.
    pub fn attempt(mut self, attempt: u32) -> Trial {
        self.delivery.receive_count = attempt.max(1);
        self
    }

    /// The queue's name.
    pub fn queue(mut self, name: &str) -> Trial {
        self.queue = name.into();
        self
    }

    /// The message's id.
    pub fn message_id(mut self, id: impl Into<String>) -> Trial {
        self.delivery.id = id.into();
        self
    }

    /// When it was sent.
    pub fn sent_at(mut self, time: SystemTime) -> Trial {
        self.delivery.sent_at = Some(time);
        self
    }

    /// The message's group.
    pub fn group(mut self, group: impl Into<String>) -> Trial {
        self.delivery.group = Some(group.into());
        self
    }

    /// The batch that it is one of.
    pub fn batch(mut self, id: impl Into<String>) -> Trial {
        self.delivery.batch = Some(id.into());
        self
    }

    /// The batch that it was sent after.
    pub fn completes(mut self, id: impl Into<String>) -> Trial {
        self.delivery.completes = Some(id.into());
        self
    }

    /// A message attribute.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<Attribute>) -> Trial {
        self.delivery.attributes.insert(name.into(), value.into());
        self
    }

    /// What the handler takes as [`State`](crate::State) of this type.
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Trial {
        self.states.insert(state);
        self
    }

    /// What the handler takes as [`Extension`](crate::Extension) of this type, as if a layer of the worker's had added it.
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, extension: T) -> Trial {
        self.extensions.insert(extension);
        self
    }

    /// The work is no longer wanted, from the start.
    pub fn cancelled(mut self, reason: Cancelled) -> Trial {
        self.cancelled = Some(reason);
        self
    }

    /// The context of this attempt, for a handler that is called as the function that it is.
    #[must_use]
    pub fn context(self) -> Context {
        // Nobody keeps this lease, and nobody looks at it.
        let hand = Hand::new(self.delivery, Lease::new(Instant::now(), Duration::from_secs(30)));
        hand.read(None);
        if let Some(reason) = self.cancelled {
            hand.cancel(reason);
        }
        let keeper = Arc::new(Keeper::default());
        Context::new(Arc::new(hand), Arc::new(Surroundings { queue: self.queue, keeper, states: self.states }))
    }

    /// Runs a handler: an async function, or one with [`handler`](crate::handler()) around it.
    ///
    /// # Panics
    /// At once, when the handler takes a [`State`](crate::State) that this was not given, or when a worker would not give it this
    /// message: one of another type, or without an envelope. A panic of the handler's is its failure.
    // No `async fn`: what is wrong with a test is told where the test stands.
    #[track_caller]
    pub fn run<I: Input, A: 'static>(self, handler: impl Handler<I, A>) -> impl Future<Output = Tried> {
        let mut router = Router::default();
        let place = router.place("test", handler);
        if let Some(defect) = router.defect(&self.states) {
            panic!("{defect}");
        }
        let extensions = self.extensions.clone();
        let context = self.context();
        if let Some(why) = I::mismatch(&Peek(context.hand())) {
            panic!("no worker would give this message to this handler: {why}");
        }
        let mut job = Job::new(context.clone(), place);
        *job.extensions_mut() = extensions;
        let attempt = caught(router.route(Vec::new()).run(job));
        async move { Tried { ending: ending_of(attempt.await), progress: context.hand().take_progress() } }
    }
}

/// How an attempt ended whose handler returned this.
fn ending_of(outcome: Result<(), Cause>) -> Ending {
    let Err(cause) = outcome else { return Ending::Ok };
    let error = describe(&*cause);
    match Verdict::of(&*cause) {
        Verdict::ByPolicy => Ending::Retry { after: None, error },
        Verdict::RetryAfter(wait) => Ending::Retry { after: Some(wait), error },
        Verdict::Permanent => Ending::Fail { error },
    }
}

/// What a handler's attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    ending: Ending,
    progress: Option<String>,
}

/// How a handler's attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// It returned `Ok`, or `()`: a worker would delete the message.
    Ok,
    /// It failed: a worker would try again, as long as its policy has it.
    Retry {
        /// When, if the handler answered [`Retry`](crate::Retry); else as the policy says.
        after: Option<Duration>,
        /// Why, with all causes.
        error: String,
    },
    /// It answered [`Fail`](crate::Fail): a worker would not try again.
    Fail {
        /// Why, with all causes.
        error: String,
    },
}

impl Tried {
    /// How it ended.
    pub fn ending(&self) -> &Ending {
        &self.ending
    }

    /// Whether it succeeded.
    pub fn is_ok(&self) -> bool {
        self.ending == Ending::Ok
    }

    /// Why it failed, if it did.
    pub fn error(&self) -> Option<&str> {
        match &self.ending {
            Ending::Ok => None,
            Ending::Retry { error, .. } | Ending::Fail { error } => Some(error),
        }
    }

    /// When it asked to be tried again, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.ending {
            Ending::Retry { after, .. } => after,
            _ => None,
        }
    }

    /// What the handler last said of its progress: a fraction from 0.0 to 1.0, and words.
    pub fn progress(&self) -> Option<(f64, String)> {
        let said = self.progress.as_deref()?;
        let (fraction, note) = said.split_once(' ').unwrap_or((said, ""));
        Some((fraction.parse().ok()?, note.to_owned()))
    }

    /// Panics with the reason unless the handler succeeded.
    #[track_caller]
    pub fn assert_ok(&self) {
        if let Some(error) = self.error() {
            panic!("the handler failed: {error}");
        }
    }

    /// Panics unless the handler answered [`Fail`](crate::Fail); returns the reason it gave.
    #[track_caller]
    pub fn assert_failed(&self) -> &str {
        match &self.ending {
            Ending::Fail { error } => error,
            Ending::Ok => panic!("the handler succeeded, instead of failing for good"),
            Ending::Retry { error, .. } => panic!("the handler failed, but not for good: {error}"),
        }
    }

    /// Panics unless the handler failed in a way that a worker tries again; returns the reason it gave.
    #[track_caller]
    pub fn assert_retries(&self) -> &str {
        match &self.ending {
            Ending::Retry { error, .. } => error,
            Ending::Ok => panic!("the handler succeeded, instead of asking for another attempt"),
            Ending::Fail { error } => panic!("the handler failed for good: {error}"),
        }
    }
}
