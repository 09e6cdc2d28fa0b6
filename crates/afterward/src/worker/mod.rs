//! Working messages off a queue.

mod attempt;
mod backoff;
mod context;
pub(crate) mod dispatch;
mod empty;
mod event;
mod extract;
mod failure;
mod floor;
mod hand;
mod handler;
mod handling;
mod job;
mod keeper;
mod lease;
mod limit;
mod outcome;
mod policy;
mod reach;
mod redrive;
mod router;
mod run;
pub(crate) mod schedule;
mod service;
mod settle;
mod shared;
mod stop;
mod summary;
#[cfg(feature = "testing")]
pub(crate) mod trial;
mod verdict;
mod work;
mod workers;

#[cfg(test)]
mod tests;

pub use backoff::Backoff;
pub use context::{Context, Raw};
pub use event::{Event, JobInfo};
pub(crate) use extract::States;
pub use extract::{Extension, FromJob, State};
pub use hand::Cancelled;
pub use handler::{Handler, Input};
#[cfg(feature = "stripe")]
pub(crate) use handling::Setup;
pub use handling::{Handling, handler};
pub use job::Job;
pub use outcome::Outcome;
pub use policy::{Exhausted, Unknown};
pub use schedule::{Missed, Schedule, Tick};
pub use service::{Layered, Route, RouteFuture};
pub use stop::Handle;
pub use summary::Summary;
pub use verdict::{Fail, Retry};
pub use workers::Workers;

use crate::{Error, Message, Source};
use context::Surroundings;
use event::Hooks;
use floor::{Floor, MostHeld, Plan};
use keeper::Keeper;
use limit::{Limit, Most};
use policy::Policy;
use reach::Reach;
use router::Router;
use run::Running;
use schedule::{Registered, Times};
use service::Layering;
use shared::Shared;
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use stop::Stop;

/// How many messages are handled at a time unless set.
const CONCURRENCY: usize = 10;
/// How many may wait for limits unless set.
const WAITING_ROOM: usize = 100;
/// How long a stop waits for handlers unless set: within the 30 s that most supervisors give.
const STOP_WITHIN: Duration = Duration::from_secs(20);
/// What SQS has a message out of sight for at most.
const LONGEST_LEASE: Duration = Duration::from_secs(12 * 3_600);

/// Takes messages from a [`Queue`](crate::Queue), or any [`Source`], and gives each to the handler of its type.
///
/// ```no_run
/// use afterward::{Context, Message, Queue, Worker};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Message)]
/// #[message(type = "order:new")]
/// struct OrderNew {
///     order_id: String,
/// }
///
/// async fn order_new(order: OrderNew, cx: Context) -> Result<(), std::io::Error> {
///     println!("order {}, attempt {}", order.order_id, cx.attempt());
///     Ok(())
/// }
///
/// # async fn example() -> Result<(), afterward::Error> {
/// let queue = Queue::named("jobs").await?;
/// Worker::new(queue).on(order_new).concurrency(20).run().await?;
/// # Ok(())
/// # }
/// ```
///
/// # What happens to a message
///
/// - Its handler returns `Ok` or `()`: the message is deleted.
/// - Its handler returns an error, panics or takes longer than its [timeout](Handling::timeout): the message stays in the queue
///   for another attempt, when its [policy](Handling::retry) or its handler ([`Retry`]) says, else when its lease ends. An
///   Afterward server is told the error, and shows it; Amazon ignores it.
/// - It has had all its [attempts](Handling::max_attempts), the queue's redrive policy allows no more, or its handler answered
///   [`Fail`]: it goes to the dead-letter queue with the error, or is [dropped](Exhausted). An Afterward server moves it in one
///   step and keeps its history. Elsewhere the worker sends it there, with its attributes, its group and `afterward.error`,
///   `afterward.attempts`, `afterward.queue` and `afterward.message_id` beside them, and then deletes it: a crash in between
///   doubles it. That needs the right to send to the dead-letter queue; without, the queue's own policy does what it does.
/// - No handler takes it: what [`unknown`](Worker::unknown) says, unless there is an [`otherwise`](Worker::otherwise). A payload
///   that does not fit its handler's type is as if the handler had failed. Types that start with `afterward:` are internal; one
///   that this version does not know is left to workers that do.
/// - Its handler takes long: the lease is extended each time half of it has passed, for as long as the handler runs. A lease
///   that is lost all the same (the queue was away for too long, twelve hours have passed) is logged and
///   [cancels the context](Context::cancelled).
/// - It is limited, or its type is paused: see [limits](Handling#limits) and [`Handle`].
/// - The worker stops: see [`stop_on`](Worker::stop_on).
///
/// A message may be handled more than once: when a worker dies between its work and the delete, or a lease is lost. Make
/// handlers indifferent to that; [`Context::message_id`] is the same each time.
///
/// Messages of one group of a FIFO queue are handled one after another, each after the one before it has left the queue, and
/// groups side by side; when one fails, those after it wait for its next attempt.
///
/// A queue that is away (no connection, throttled, 5xx) is waited out, with backoff and a log line for each try. One that
/// refuses the worker from the start (no such queue, no permission) is an error of [`run`](Worker::run).
#[must_use = "a worker works when `run` is awaited"]
pub struct Worker<S> {
    source: S,
    router: Router,
    states: States,
    layers: Vec<Layering>,
    concurrency: usize,
    waiting_room: usize,
    limits: Vec<Limit>,
    policy: Policy,
    unknown: Unknown,
    visibility_timeout: Option<Duration>,
    stop_within: Duration,
    stop: Stop,
    until_empty: bool,
    hooks: Hooks,
    schedules: Registered,
}

impl<S: Source> Worker<S> {
    /// A worker without handlers.
    pub fn new(source: S) -> Worker<S> {
        Worker {
            source,
            router: Router::default(),
            states: States::default(),
            layers: Vec::new(),
            concurrency: CONCURRENCY,
            waiting_room: WAITING_ROOM,
            limits: Vec::new(),
            policy: Policy::default(),
            unknown: Unknown::default(),
            visibility_timeout: None,
            stop_within: STOP_WITHIN,
            stop: Stop::default(),
            until_empty: false,
            hooks: Hooks::default(),
            schedules: Registered::default(),
        }
    }

    /// Adds the handler of one message type, which the handler's first argument names. A type has one handler. How it is run,
    /// retried and limited is set around it: [`handler`](handler()).
    pub fn on<M: Message, A: 'static>(mut self, handler: impl Handler<M, A>) -> Worker<S> {
        self.router.on(handler);
        self
    }

    /// Sets the handler of everything that has no handler of its own: messages of other types, and bodies without an
    /// envelope, such as the bare JSON objects that `POST /jobs` takes.
    ///
    /// ```no_run
    /// # use afterward::{Queue, Raw, Worker};
    /// # async fn example(queue: Queue) -> Result<(), afterward::Error> {
    /// async fn any_job(job: Raw) -> Result<(), serde_json::Error> {
    ///     let job: serde_json::Value = job.json()?;
    ///     println!("{}", job["task"]);
    ///     Ok(())
    /// }
    /// Worker::new(queue).otherwise(any_job).run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn otherwise<A: 'static>(mut self, handler: impl Handler<Raw, A>) -> Worker<S> {
        self.router.otherwise(handler);
        self
    }

    /// Runs a handler by the clock: `rate(1 hour)`, `rate(5 minutes)`, or EventBridge Scheduler's `cron(…)` of six fields, in UTC.
    /// A rate counts from 1970, so `rate(1 hour)` is every full hour. The handler takes a [`Tick`] and what handlers take beside
    /// their message.
    ///
    /// ```no_run
    /// # use afterward::{Context, Missed, Queue, Tick, Worker, handler};
    /// # use std::time::Duration;
    /// async fn hourly(tick: Tick, cx: Context) -> Result<(), std::io::Error> {
    ///     println!("{:?}, attempt {}", tick.scheduled_at, cx.attempt());
    ///     Ok(())
    /// }
    /// # async fn report(_: Tick) {}
    /// # async fn example(queue: Queue) -> Result<(), afterward::Error> {
    /// let skip = Missed::Skip(Duration::from_secs(300));
    /// Worker::new(queue)
    ///     .every("rate(1 hour)", hourly)
    ///     .cron("0 8 * * MON-FRI", "Europe/Vienna", handler(report).name("report").missed(skip).max_attempts(3))
    ///     .run()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Once for each time
    ///
    /// However many workers a queue has, each time is run by one of them, for it comes as a message of the queue: with retries,
    /// limits, timeouts and dead letters as any other. A message may be handled more than once, and so may a tick; its
    /// [`scheduled_at`](Tick::scheduled_at) is the same then. What becomes of times at which no worker was there says
    /// [`Missed`].
    ///
    /// Who sends the ticks:
    ///
    /// - **An Afterward server** does, by a schedule that workers put there when they start: `afterward schedule ls` shows it.
    ///   With a different expression it is changed. It is named after queue and handler, so a handler that is renamed is another
    ///   schedule, unless it has a [`name`](Handling::name).
    /// - **Amazon's EventBridge Scheduler** does, where the queue has a role for it ([`Scheduler::Role`](crate::Scheduler)).
    /// - **The workers** do elsewhere, on FIFO queues: each sends each tick, of which the queue takes one by its deduplication
    ///   id. Their clocks have to agree to within five minutes. The time that was sent last is kept in a tag of the queue
    ///   (`sqs:TagQueue`, `sqs:ListQueueTags`), so that what was missed is known; without that permission it is not.
    /// - Elsewhere, on standard queues, nobody can: the worker does not start.
    ///
    /// All workers of a queue should have the same schedules. A tick that a worker does not know is left to the others;
    /// when the same worker has put it back for an hour, its schedule is taken for one that the program no longer has: the tick is
    /// dropped with a warning, and the schedule is deleted. So it ends by itself, and not in the dead-letter queue. Where each
    /// receive counts towards the redrive policy, the tick is dropped at the last that is allowed, and the schedule stays. Workers
    /// that do have a schedule put it back within five minutes; to stop it for a while, pause it (`afterward schedule pause`).
    pub fn every<A: 'static>(self, expression: impl Into<String>, handler: impl Handler<Tick, A>) -> Worker<S> {
        self.by_the_clock(&Times::Every(expression.into()), handler)
    }

    /// Runs a handler by the clock of a time zone: by the five fields of a crontab's line, or EventBridge Scheduler's `cron(…)` of
    /// six. As [`every`](Worker::every).
    ///
    /// The zone is a name of the IANA database, which is compiled in. When clocks are put forward, times that don't exist are
    /// left out; when they are put back, those that come twice are run the first time.
    pub fn cron<A: 'static>(
        self,
        expression: impl Into<String>,
        zone: impl Into<String>,
        handler: impl Handler<Tick, A>,
    ) -> Worker<S> {
        self.by_the_clock(&Times::Cron(expression.into(), zone.into()), handler)
    }

    fn by_the_clock<A: 'static>(mut self, times: &Times, handler: impl Handler<Tick, A>) -> Worker<S> {
        let called = handler.type_name();
        let (place, setup) = self.router.on_tick(handler);
        self.schedules.add(times, setup, called, place);
        self
    }

    /// How many messages are handled at a time: 10 unless set, at least 1. No more are received than can be handled.
    pub fn concurrency(mut self, messages: usize) -> Worker<S> {
        self.concurrency = messages.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// Begins at most so many messages within any time of this length, at least 1, of all types together; see
    /// [limits](Handling#limits).
    pub fn rate(mut self, messages: usize, per: Duration) -> Worker<S> {
        self.limits.push(Limit::of_all(Most::Within(messages, per)));
        self
    }

    /// How many messages may wait in this worker for limits and paused types, beside those that are being handled, before others
    /// stay in the queue where they can: 100 unless set, at least 1. See [limits](Handling#limits).
    pub fn waiting_room(mut self, messages: usize) -> Worker<S> {
        self.waiting_room = messages;
        self
    }

    /// When a message whose handler failed is tried again, where the [handler](Handling::retry) does not say. Unless set, when
    /// its lease ends, as SQS does by itself.
    pub fn retry(mut self, wait: impl Into<Backoff>) -> Worker<S> {
        self.policy.retry = Some(wait.into());
        self
    }

    /// How often a message is tried at most, where the [handler](Handling::max_attempts) does not say. Unless set, as often as
    /// the queue's redrive policy allows.
    pub fn max_attempts(mut self, attempts: u32) -> Worker<S> {
        self.policy.max_attempts = Some(attempts.max(1));
        self
    }

    /// How long an attempt may take, where the [handler](Handling::timeout) does not say. Unless set, as long as it likes.
    pub fn timeout(mut self, timeout: Duration) -> Worker<S> {
        self.policy.timeout = Some(timeout);
        self
    }

    /// What becomes of a message that has had all its attempts, or whose handler answered [`Fail`], where the
    /// [handler](Handling::exhausted) does not say. Unless set, it goes to the dead-letter queue.
    pub fn exhausted(mut self, then: Exhausted) -> Worker<S> {
        self.policy.exhausted = Some(then);
        self
    }

    /// What becomes of a message that no handler is for. Unless set, it goes to the dead-letter queue.
    pub fn unknown(mut self, then: Unknown) -> Worker<S> {
        self.unknown = then;
        self
    }

    /// Gives handlers something to share, of which each gets a clone as an argument: [`State`]. One of each type.
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Worker<S> {
        self.states.insert(state);
        self
    }

    /// Puts a `tower` layer around all handlers: it sees every [`Job`] on its way to its handler, and what the handler answers.
    /// A layer that is added later is farther out, as in axum.
    ///
    /// ```no_run
    /// # use afterward::{Queue, Raw, Worker};
    /// use std::time::Duration;
    /// use tower::{limit::RateLimitLayer, timeout::TimeoutLayer};
    /// # async fn handler(_: Raw) -> Result<(), String> { Ok(()) }
    /// # async fn example(queue: Queue) -> Result<(), afterward::Error> {
    ///
    /// let worker = Worker::new(queue)
    ///     .otherwise(handler)
    ///     .layer(TimeoutLayer::new(Duration::from_secs(30)))
    ///     .layer(RateLimitLayer::new(100, Duration::from_secs(1)));
    /// # worker.run().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A job that waits for a layer to become ready has its slot. [`rate`](Worker::rate) and [`Handling`]'s limits take none, and
    /// so don't hold up others.
    pub fn layer(mut self, layer: impl Layered) -> Worker<S> {
        self.layers.push(Layering::of(layer));
        self
    }

    /// How long a lease lasts before it has to be extended, in whole seconds: at least one, and at most 12 hours. Unless set, the
    /// queue's visibility timeout. How long a message is out of sight when its worker dies depends on it; one that has waited for a limit
    /// may be for twice as long as it has waited, up to five minutes.
    pub fn visibility_timeout(mut self, timeout: Duration) -> Worker<S> {
        self.visibility_timeout = Some(Duration::from_secs(timeout.as_secs().max(1)));
        self
    }

    /// How long a stop waits for handlers to finish: 20 s unless set. What is not done by then is dropped at its next
    /// `.await` and its message handed back to the queue. What waits for a limit is handed back at the beginning, and holds up no
    /// stop; but for messages that their queue would not hand out again, which may be begun until the deadline.
    ///
    /// Others see a message that is handed back at once, but for one case: where the stop cut off a long poll, the queue may
    /// still serve that (Amazon does, to nobody), and a message that it took would be out of sight for a whole lease. So
    /// what is handed back before the long poll's 20 s are over stays out of sight for the rest of them. That can't be with
    /// 20 s or more here, give or take the second that a request may need on its way, nor when all
    /// [slots](Worker::concurrency) were taken, for then nothing was being received.
    pub fn stop_within(mut self, deadline: Duration) -> Worker<S> {
        self.stop_within = deadline;
        self
    }

    /// Stops the worker when `signal` completes: no further receive is begun, the one under way may still bring something
    /// within half a second, and what is in hand may finish ([`stop_within`](Worker::stop_within)).
    ///
    /// ```no_run
    /// # use afterward::{Queue, Raw, Worker};
    /// # async fn handler(_: Raw) -> Result<(), String> { Ok(()) }
    /// # async fn example(queue: Queue) -> Result<(), afterward::Error> {
    /// let ctrl_c = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    /// Worker::new(queue).otherwise(handler).stop_on(ctrl_c).run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn stop_on(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Worker<S> {
        self.stop.on(Box::pin(signal));
        self
    }

    /// Calls `hook` for each [`Event`]: a failed attempt, a message dead-lettered or dropped. Hooks are called in the order
    /// they were added, on the worker's own tasks, so they must not wait: one that has more to do hands a clone of the event
    /// to a task of its own.
    ///
    /// ```no_run
    /// # use afterward::{Event, Queue, Raw, Worker};
    /// # async fn handler(_: Raw) -> Result<(), String> { Ok(()) }
    /// # async fn example(queue: Queue) -> Result<(), afterward::Error> {
    /// let worker = Worker::new(queue).otherwise(handler).on_event(|event| match event {
    ///     Event::DeadLettered { job, error, .. } => eprintln!("{job} is dead: {error}"),
    ///     other => eprintln!("{other}"),
    /// });
    /// # worker.run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_event(mut self, hook: impl Fn(&Event) + Send + Sync + 'static) -> Worker<S> {
        self.hooks.add(hook);
        self
    }

    /// A handle that stops, pauses and resumes this worker.
    pub fn handle(&self) -> Handle {
        self.stop.handle()
    }

    /// Works until stopped.
    ///
    /// # Errors
    /// The worker has no handlers, or two of one type, or a handler needs a [`State`] that it was not given; a schedule makes no
    /// sense, or nobody could send its ticks; the source refused the worker from the start.
    pub async fn run(self) -> Result<Summary, Error> {
        let defect =
            self.schedules.defect().or_else(|| self.router.defect(&self.states)).or_else(|| self.lease_defect());
        if let Some(defect) = defect {
            return Err(Error::Refused(defect));
        }
        let (running, stop) = self.ready();
        running.until(stop).await
    }

    fn lease_defect(&self) -> Option<String> {
        let asked = self.visibility_timeout.filter(|timeout| *timeout > LONGEST_LEASE)?;
        Some(format!("a visibility timeout of {} s is more than the maximum of 12 hours (43200 s)", asked.as_secs()))
    }

    /// Works until the queue has nothing more that could be handled at this moment; what waits for its time, for a rate or for a
    /// type that is paused, is left. The receives don't wait either, so a service that answers an impatient receive from a part
    /// of its servers may seem empty too soon.
    ///
    /// # Errors
    /// As [`run`](Worker::run).
    #[cfg(any(test, feature = "testing"))]
    pub(crate) async fn drain(mut self) -> Result<Summary, Error> {
        self.until_empty = true;
        self.run().await
    }

    /// All that was set, put together.
    fn ready(mut self) -> (Running<S>, Stop) {
        let keeper = Arc::new(Keeper::default());
        let (limits, limits_of) = number(self.limits, self.router.limits());
        let plan = Plan {
            concurrency: self.concurrency,
            room: self.waiting_room,
            limits: limits.iter().map(|limit| limit.most).collect(),
            common: common(&limits, &limits_of),
            most_held: MostHeld::default(),
        };
        let queue = Arc::from(self.source.name());
        let shared = Arc::new(Shared {
            surroundings: Arc::new(Surroundings { queue, keeper: keeper.clone(), states: self.states }),
            keeper,
            source: Arc::new(self.source),
            route: self.router.route(self.layers),
            policies: self.router.policies(&self.policy),
            policy: self.policy,
            limits,
            limits_of,
            router: self.router,
            schedules: self.schedules,
            unknown: self.unknown,
            hooks: self.hooks,
            reach: Reach::default(),
            known_redrive: redrive::Known::default(),
            counts_attempts: AtomicBool::new(false),
            warned: std::sync::Mutex::default(),
        });
        let running = Running {
            shared,
            floor: Arc::new(Floor::new(if self.until_empty { empty::at_one_moment(plan) } else { plan })),
            visibility_timeout: self.visibility_timeout,
            stop_within: self.stop_within,
            until_empty: self.until_empty,
        };
        (running, self.stop)
    }
}

/// Of each place, the limits that hold for all of its messages together, by their numbers.
fn common(limits: &[Limit], limits_of: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let of_place = |own: &Vec<usize>| own.iter().copied().filter(|number| limits[*number].is_common()).collect();
    limits_of.iter().map(of_place).collect()
}

/// Numbers all limits: those of the worker, which hold for every place, and those of each place.
fn number(of_all: Vec<Limit>, of_places: Vec<Vec<Limit>>) -> (Vec<Limit>, Vec<Vec<usize>>) {
    let mut limits = of_all;
    let common = limits.len();
    let mut numbers = Vec::new();
    for own in of_places {
        let first = limits.len();
        limits.extend(own);
        numbers.push((0..common).chain(first..limits.len()).collect());
    }
    (limits, numbers)
}
