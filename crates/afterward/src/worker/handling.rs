//! How one type's messages are handled: limits, retries, time, and layers around the handler.

use super::{
    Backoff, Exhausted, Handler, Job,
    extract::States,
    handler::Input,
    limit::{Limit, Most},
    policy::Policy,
    schedule::{Missed, Tick, TickSetup},
    service::{Layered, Layering},
};
use crate::source::Cause;
use std::{fmt::Display, marker::PhantomData, time::Duration};

/// A handler, to be told how it is to be run.
///
/// ```no_run
/// # use afterward::{Backoff, Exhausted, Message, Queue, Worker};
/// use afterward::handler;
/// use std::time::Duration;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)] #[message(type = "charge")] struct Charge { tenant: String }
/// # async fn charge(_: Charge) -> Result<(), std::io::Error> { Ok(()) }
/// # async fn example(queue: Queue) -> Result<(), afterward::Error> {
///
/// Worker::new(queue)
///     .on(handler(charge)
///         .concurrency(4)
///         .limit_by(|charge| charge.tenant.clone(), 2)
///         .retry(Backoff::exponential(Duration::from_secs(1)..=Duration::from_secs(300)).jitter())
///         .max_attempts(5)
///         .timeout(Duration::from_secs(30))
///         .exhausted(Exhausted::DeadLetter))
///     .run()
///     .await?;
/// # Ok(())
/// # }
/// ```
pub fn handler<I: Input, A, H: Handler<I, A>>(handler: H) -> Handling<H, I, A> {
    Handling { handler, setup: Setup::default(), takes: PhantomData }
}

/// A handler and how it is to be run; made by [`handler`](crate::handler()). It goes wherever a handler goes.
///
/// # Limits
///
/// [`concurrency`](Handling::concurrency), [`rate`](Handling::rate), [`limit_by`](Handling::limit_by) and
/// [`rate_by`](Handling::rate_by) hold within this worker; each worker of a deployment has its own. A limited message waits in the
/// worker without taking a [slot](crate::Worker::concurrency), so that other types and keys are not held up, and its lease is
/// extended. Up to [`waiting_room`](crate::Worker::waiting_room) messages wait so.
///
/// When the room is full and whatever may come would have to wait, too (all types are at a limit of their own, or the worker at
/// its rate), the worker receives no more. Else it goes on looking for others behind those that wait. Of the limited ones that it
/// finds, those whose turn is near stay as well, and the rest goes back to the queue until about its turn: out of sight for a
/// second or more, for no longer than the limit has been reached already, and five minutes at most. So the backlog of a limited
/// type is worked on without a break, and costs each of its messages a few receives.
///
/// An Afterward server does not count these. Elsewhere they count towards the redrive policy's `maxReceiveCount`, so there up to
/// 10,000 messages, or 64 MiB of bodies, stay in the worker. Above that, messages go back that have had no more than half of
/// their receives; with twice as many, nothing is received until there are fewer.
///
/// Messages of a FIFO group keep their order in all this. What still waits when the worker stops is handed back at once.
#[must_use = "a handler is run when a worker is given it"]
pub struct Handling<H, I, A> {
    handler: H,
    setup: Setup,
    takes: PhantomData<fn(I, A)>,
}

/// What can be set for a handler.
#[doc(hidden)]
#[derive(Default)]
pub struct Setup {
    pub(super) policy: Policy,
    pub(super) limits: Vec<Limit>,
    pub(super) layers: Vec<Layering>,
    pub(super) tick: TickSetup,
}

impl Setup {
    /// Whether nothing was set.
    pub(super) fn is_empty(&self) -> bool {
        self.policy.is_empty() && self.limits.is_empty() && self.layers.is_empty() && self.tick.is_empty()
    }
}

/// Marks a handler that says how it is to be run.
#[doc(hidden)]
pub struct WithSetup<A>(PhantomData<A>);

impl<I: Input, A, H: Handler<I, A>> Handling<H, I, A> {
    /// At most so many messages at a time; at least 1.
    pub fn concurrency(self, messages: usize) -> Self {
        self.limit(Limit::of_all(Most::AtATime(messages)))
    }

    /// At most so many messages at a time of each key; at least 1.
    ///
    /// ```
    /// # use afterward::{handler, Message};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize, Message)] #[message(type = "sync")] struct Sync { tenant: u32 }
    /// # async fn sync(_: Sync) {}
    /// handler(sync).limit_by(|sync| sync.tenant, 2);
    /// ```
    pub fn limit_by<K: Display>(self, key: impl Fn(&I) -> K + Send + Sync + 'static, messages: usize) -> Self {
        self.limit(Limit::of_each(key, Most::AtATime(messages)))
    }

    /// Begins at most so many messages within any time of this length, at least 1: `rate(100, Duration::from_secs(1))`.
    pub fn rate(self, messages: usize, per: Duration) -> Self {
        self.limit(Limit::of_all(Most::Within(messages, per)))
    }

    /// Begins at most so many messages of each key within any time of this length; at least 1.
    pub fn rate_by<K: Display>(
        self,
        key: impl Fn(&I) -> K + Send + Sync + 'static,
        messages: usize,
        per: Duration,
    ) -> Self {
        self.limit(Limit::of_each(key, Most::Within(messages, per)))
    }

    /// When a message is tried again after a failed attempt. Unless set, as the worker says ([`Worker::retry`](crate::Worker::retry)).
    pub fn retry(mut self, wait: impl Into<Backoff>) -> Self {
        self.setup.policy.retry = Some(wait.into());
        self
    }

    /// How often a message is tried at most; at least once. Counted are receives, as the queue counts them: also those that
    /// were cut short by a crash, and elsewhere than on an Afterward server those that were handed back unbegun. The queue's own
    /// redrive policy holds as well: whichever of the two is less.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.setup.policy.max_attempts = Some(attempts.max(1));
        self
    }

    /// How long an attempt may take. A handler that takes longer is dropped at its next `.await`, and the attempt has failed.
    /// One that blocks its thread can't be dropped; but its lease is extended no more, so that others get the message.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.setup.policy.timeout = Some(timeout);
        self
    }

    /// What becomes of a message that has had all its attempts, or whose handler answered [`Fail`](crate::Fail).
    pub fn exhausted(mut self, then: Exhausted) -> Self {
        self.setup.policy.exhausted = Some(then);
        self
    }

    /// Puts a layer around this handler, as [`Worker::layer`](crate::Worker::layer) does around all of them.
    pub fn layer<L: Layered>(mut self, layer: L) -> Self {
        self.setup.layers.push(Layering::of(layer));
        self
    }

    fn limit(mut self, limit: Limit) -> Self {
        self.setup.limits.push(limit);
        self
    }
}

impl<A, H: Handler<Tick, A>> Handling<H, Tick, A> {
    /// What the schedule is called, of which this handles the ticks: 1 to 64 letters, digits, `-`, `_` and `.`. Unless set, as the
    /// function; a closure has to be given a name. The schedule's own among those of its queue; whoever renames it makes
    /// another.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.setup.tick.name = Some(name.into());
        self
    }

    /// What becomes of the schedule's times at which no worker was there. Unless set, [`Missed::RunOnce`].
    pub fn missed(mut self, missed: Missed) -> Self {
        self.setup.tick.missed = Some(missed);
        self
    }
}

#[diagnostic::do_not_recommend]
impl<I: Input, A: 'static, H: Handler<I, A>> Handler<I, WithSetup<A>> for Handling<H, I, A> {
    fn handle(&self, input: I, job: Job) -> impl Future<Output = Result<(), Cause>> + Send {
        self.handler.handle(input, job)
    }

    fn lacks(&self, states: &States) -> Option<String> {
        self.handler.lacks(states)
    }

    fn type_name(&self) -> &'static str {
        self.handler.type_name()
    }

    fn set_up(&mut self, setup: &mut Setup) {
        self.handler.set_up(setup);
        let own = std::mem::take(&mut self.setup);
        setup.policy = own.policy.or(&setup.policy);
        setup.limits.extend(own.limits);
        setup.layers.extend(own.layers);
        setup.tick.name = own.tick.name.or_else(|| setup.tick.name.take());
        setup.tick.missed = own.tick.missed.or(setup.tick.missed);
    }
}
