//! Several workers as one.

use super::{Handle, Summary, Worker};
use crate::{Error, Source};
use std::pin::Pin;
use tokio::task::JoinSet;

type Run = Pin<Box<dyn Future<Output = Result<Summary, Error>> + Send>>;

/// Workers of several queues that run side by side and stop together.
///
/// ```no_run
/// # use afterward::{Queue, Raw, Worker, Workers};
/// # async fn handler(_: Raw) -> Result<(), String> { Ok(()) }
/// # async fn example() -> Result<(), afterward::Error> {
/// let jobs = Worker::new(Queue::named("jobs").await?).otherwise(handler);
/// let mail = Worker::new(Queue::named("mail").await?).otherwise(handler).concurrency(2);
/// let ctrl_c = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
/// Workers::new().add(jobs).add(mail).stop_on(ctrl_c).run().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "workers work when `run` is awaited"]
#[derive(Default)]
pub struct Workers {
    runs: Vec<Run>,
    handles: Vec<Handle>,
    signals: Vec<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Workers {
    /// No workers yet.
    pub fn new() -> Workers {
        Workers::default()
    }

    /// Adds a worker. Its own settings and handles hold.
    #[allow(clippy::should_implement_trait)] // `+` between a group and a worker would say less
    pub fn add<S: Source>(mut self, worker: Worker<S>) -> Workers {
        self.handles.push(worker.handle());
        self.runs.push(Box::pin(worker.run()));
        self
    }

    /// Stops all of them when `signal` completes; see [`Worker::stop_on`].
    pub fn stop_on(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Workers {
        self.signals.push(Box::pin(signal));
        self
    }

    /// Works until all have stopped, and adds up what they did.
    ///
    /// # Errors
    /// There are no workers; or the first one of a worker: the others are stopped then, and have come to their end when this returns.
    pub async fn run(self) -> Result<Summary, Error> {
        if self.runs.is_empty() {
            return Err(Error::Refused("there are no workers to run: add some with .add(…)".to_owned()));
        }
        let mut runs = JoinSet::new();
        for run in self.runs {
            runs.spawn(run);
        }
        let mut signals = JoinSet::new();
        for signal in self.signals {
            signals.spawn(signal);
        }
        let stop = || self.handles.iter().for_each(Handle::stop);
        let (mut summary, mut failed) = (Summary::default(), None);
        loop {
            tokio::select! {
                Some(_) = signals.join_next() => stop(),
                ended = runs.join_next() => match ended {
                    None => break,
                    Some(Ok(Ok(ended))) => summary.add(ended),
                    Some(Ok(Err(error))) => {
                        stop();
                        failed.get_or_insert(error);
                    }
                    // A worker never panics of its own accord; if one did, the rest must not be left alone.
                    Some(Err(_)) => {
                        stop();
                        failed.get_or_insert_with(|| Error::Refused("a worker broke down".to_owned()));
                    }
                },
            }
        }
        failed.map_or(Ok(summary), Err)
    }
}
