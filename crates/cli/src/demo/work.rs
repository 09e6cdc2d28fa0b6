//! The worker: what a program with the `afterward` crate looks like.

use super::world::{JOBS_QUEUE, World};
use crate::failure::Failure;
use afterward::{Queue, Raw, Worker};
use serde::Deserialize;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::oneshot, task::JoinHandle};

/// What the jobs' work stands for takes so long.
const WORK: Duration = Duration::from_millis(120);
const AT_ONCE: usize = 4;

/// What makes broken jobs fail, until somebody fixes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Fault(Arc<AtomicBool>);

impl Fault {
    pub(super) fn fix(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_fixed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Deserialize)]
struct Job {
    task: String,
    #[serde(default)]
    fail: bool,
}

/// A worker at work.
pub(super) struct AtWork {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), afterward::Error>>,
}

impl AtWork {
    /// Stops it when it has finished what it holds.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        let _ = self.stop.send(());
        let ended = self.task.await.map_err(|error| Failure::new(format!("the worker ended early: {error}")))?;
        Ok(ended?)
    }
}

/// Starts the worker.
pub(super) async fn start(world: &World, fault: &Fault) -> Result<AtWork, Failure> {
    let queue = Queue::named(JOBS_QUEUE).client(world.client.clone()).await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let fault = fault.clone();
    let worker = Worker::new(queue)
        .otherwise(move |job: Raw| {
            let fault = fault.clone();
            async move { work(&job, &fault).await }
        })
        .concurrency(AT_ONCE)
        .stop_on(async {
            let _ = stopped.await;
        });
    let task = tokio::spawn(async move { worker.run().await.map(drop) });
    Ok(AtWork { stop, task })
}

async fn work(job: &Raw, fault: &Fault) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let job: Job = job.json()?;
    if job.fail && !fault.is_fixed() {
        return Err(format!("{}: the image service answered 500", job.task).into());
    }
    tokio::time::sleep(WORK).await;
    Ok(())
}
