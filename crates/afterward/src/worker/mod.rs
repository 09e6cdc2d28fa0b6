//! Working messages off a queue.

mod attempt;
mod context;
mod event;
mod failure;
mod handler;
mod lease;
mod reach;
mod router;
mod run;
mod stop;

#[cfg(test)]
mod tests;

pub use context::{Cancelled, Context, Raw};
pub use event::{Event, JobInfo};
pub use handler::Handler;
pub use stop::Handle;

use crate::{Error, Message, Source};
use attempt::Outcome;
use event::Hooks;
use reach::Reach;
use router::Router;
use run::{Running, Shared};
use std::{sync::Arc, time::Duration};
use stop::Stop;
use tokio::sync::watch;

/// How many messages are handled at a time unless set.
const CONCURRENCY: usize = 10;
/// How long a stop waits for handlers unless set: within the 30 s that most supervisors give.
const STOP_WITHIN: Duration = Duration::from_secs(20);

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
/// - Its handler returns `Ok`: the message is deleted.
/// - Its handler returns an error or panics: the message stays in the queue for another attempt, after
///   [`retry_after`](Worker::retry_after) or when its lease ends, until the queue's redrive policy moves it to the
///   dead-letter queue. An Afterward server is told the error, and shows it; Amazon ignores it.
/// - No handler takes it, or its payload does not fit the handler's type: as if a handler had failed. Give an
///   [`otherwise`](Worker::otherwise) to decide differently.
/// - Its handler takes long: the lease is extended each time half of it has passed, for as long as the handler runs. A lease
///   that is lost all the same (the queue was away for too long, twelve hours have passed) is logged and
///   [cancels the context](Context::cancelled).
/// - The worker stops: see [`stop_on`](Worker::stop_on).
///
/// A message may be handled more than once: when a worker dies between its work and the delete, or a lease is lost. Make
/// handlers indifferent to that; [`Context::message_id`] is the same each time.
///
/// Messages of one group of a FIFO queue are handled one after another, each after the one before it has been deleted; when
/// one fails, those after it wait for its next attempt.
///
/// A queue that is away (no connection, throttled, 5xx) is waited out, with backoff and a log line for each try. One that
/// refuses the worker from the start (no such queue, no permission) is an error of [`run`](Worker::run).
#[must_use = "a worker works when `run` is awaited"]
pub struct Worker<S> {
    source: S,
    router: Router,
    concurrency: usize,
    retry_after: Option<Duration>,
    visibility_timeout: Option<Duration>,
    stop_within: Duration,
    stop: Stop,
    hooks: Hooks,
}

impl<S: Source> Worker<S> {
    /// A worker without handlers.
    pub fn new(source: S) -> Worker<S> {
        Worker {
            source,
            router: Router::default(),
            concurrency: CONCURRENCY,
            retry_after: None,
            visibility_timeout: None,
            stop_within: STOP_WITHIN,
            stop: Stop::default(),
            hooks: Hooks::default(),
        }
    }

    /// Adds the handler of one message type, which the handler's first argument names. A type has one handler.
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

    /// How many messages are handled at a time: 10 unless set, at least 1. No more are received than can be handled.
    pub fn concurrency(mut self, messages: usize) -> Worker<S> {
        self.concurrency = messages.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// When a message whose handler failed is tried again: so long after the failure, rounded up to whole seconds. Unless
    /// set, when its lease ends.
    pub fn retry_after(mut self, delay: Duration) -> Worker<S> {
        self.retry_after = Some(delay);
        self
    }

    /// How long a lease lasts before it has to be extended, in whole seconds, at least one. Unless set, the queue's
    /// visibility timeout. How long a message is out of sight when its worker dies depends on it.
    pub fn visibility_timeout(mut self, timeout: Duration) -> Worker<S> {
        self.visibility_timeout = Some(Duration::from_secs(timeout.as_secs().max(1)));
        self
    }

    /// How long a stop waits for handlers to finish: 20 s unless set. What is not done by then is dropped at its next
    /// `.await` and its message handed back to the queue.
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

    /// A handle that stops this worker.
    pub fn handle(&self) -> Handle {
        self.stop.handle()
    }

    /// Works until stopped.
    ///
    /// # Errors
    /// The worker has no handlers, or two of one type; the source refused the worker from the start.
    pub async fn run(self) -> Result<Summary, Error> {
        if let Some(defect) = self.router.defect() {
            return Err(Error::Refused(defect));
        }
        let running = Running {
            concurrency: self.concurrency,
            visibility_timeout: self.visibility_timeout,
            stop_within: self.stop_within,
            shared: Arc::new(Shared {
                name: Arc::from(self.source.name()),
                source: self.source,
                router: self.router,
                retry_after: self.retry_after,
                hooks: self.hooks,
                hand_back: watch::Sender::new(false),
                reach: Reach::default(),
            }),
        };
        running.until(self.stop.requested()).await
    }
}

/// How the attempts of a worker ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Handled and deleted.
    pub succeeded: u64,
    /// Handled, but not deleted in time: they may come again.
    pub undeleted: u64,
    /// Left for another attempt, because the handler failed or there was none.
    pub failed: u64,
    /// Given back unfinished.
    pub handed_back: u64,
}

impl Summary {
    /// `None`: the attempt itself broke off, and its message comes again.
    fn count(&mut self, ended: Option<Outcome>) {
        let counter = match ended {
            Some(Outcome::Succeeded) => &mut self.succeeded,
            Some(Outcome::Undeleted) => &mut self.undeleted,
            Some(Outcome::Failed) | None => &mut self.failed,
            Some(Outcome::HandedBack) => &mut self.handed_back,
        };
        *counter += 1;
    }
}
