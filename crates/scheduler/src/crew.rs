//! The tasks at work, and what they share.

use crate::{reach::HttpTargets, web::Web, worker};
use afterward_broker::Broker;
use afterward_names::QueueAddress;
use std::{
    collections::BTreeSet,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use tokio::{sync::watch, task::JoinSet};

/// How far the runner is with stopping.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Phase {
    Running,
    /// Nothing new is begun.
    Stopping,
    /// What is under way is given up, and put back.
    CuttingOff,
}

/// The broker, the way to the web, and the tasks.
pub(crate) struct Crew {
    pub(crate) broker: Broker,
    /// When it came to work, by the broker's clock.
    pub(crate) started_ms: u64,
    /// Made when it is first needed: it reads the system's certificates.
    web: OnceLock<Web>,
    targets: HttpTargets,
    /// Its sender lives as long as the runner.
    phase: watch::Receiver<Phase>,
    /// The queues of invocations that a task works off.
    working: Mutex<BTreeSet<QueueAddress>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Crew {
    pub(crate) fn new(broker: Broker, targets: HttpTargets, phase: watch::Receiver<Phase>) -> Crew {
        Crew {
            started_ms: broker.now_ms(),
            broker,
            web: OnceLock::new(),
            targets,
            phase,
            working: Mutex::default(),
            tasks: Mutex::default(),
        }
    }

    /// The way to the web.
    pub(crate) fn web(&self) -> &Web {
        self.web.get_or_init(|| Web::new(self.targets))
    }

    /// What HTTP targets may reach.
    pub(crate) fn targets(&self) -> HttpTargets {
        self.targets
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// All tasks, to wait for or to end.
    pub(crate) fn take_tasks(&self) -> JoinSet<()> {
        std::mem::take(&mut *lock(&self.tasks))
    }

    /// Sees to it that a task works off the invocations of a queue.
    pub(crate) fn work_off(self: &Arc<Crew>, queue: QueueAddress) {
        if self.begin(&queue) {
            self.spawn(worker::work(self.clone(), queue));
        }
    }

    /// Whether nobody works at the queue yet; now the caller does.
    pub(crate) fn begin(&self, queue: &QueueAddress) -> bool {
        lock(&self.working).insert(queue.clone())
    }

    /// The caller works at the queue no more.
    pub(crate) fn end(&self, queue: &QueueAddress) {
        lock(&self.working).remove(queue);
    }

    /// Waits until nothing new is to be begun.
    pub(crate) async fn stopped(&self) {
        self.reached(Phase::Stopping).await;
    }

    /// Whether nothing new is to be begun.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.phase.borrow() >= Phase::Stopping
    }

    /// Waits until what is under way is to be given up.
    pub(crate) async fn cut_off(&self) {
        self.reached(Phase::CuttingOff).await;
    }

    async fn reached(&self, phase: Phase) {
        // An error means that the runner was dropped.
        let _ = self.phase.clone().wait_for(|now| *now >= phase).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
