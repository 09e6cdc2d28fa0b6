//! Driving a server: many connections on one thread, for a time or for a number of messages, with an account of every
//! message.
//!
//! A [`Load`] is one queue and its account. Its kinds of work, one module each, either run for a window of time, of which
//! the beginning is not counted, or until a number of messages is through.

mod ahead;
mod cycle;
mod fill;
mod longpoll;
mod pipeline;
mod send;
mod take;

pub use ahead::Ahead;
pub use longpoll::{Deliveries, REST};
pub use take::Extent;

use crate::{
    latency::Latency,
    ledger::{Ledger, Proof},
    meter::{Meter, Spent},
    sqs::{ActionError, Client, Queue},
};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};
use tokio::{sync::Notify, task::JoinSet};

/// A server that runs.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process, to ask for CPU time and memory.
    pub pid: Option<u32>,
}

/// How long a window is.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// At work, but not counted yet.
    pub warm: Duration,
    /// Counted.
    pub counted: Duration,
}

/// What a window, or a number of messages, showed.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// How many operations: sends, batches' messages, cycles, deliveries, by what was measured.
    pub operations: u64,
    /// What they cost.
    pub spent: Spent,
    /// How long each took.
    pub latency: Latency,
}

impl Reading {
    /// Operations a second.
    pub fn per_s(&self) -> f64 {
        self.operations as f64 / self.spent.wall_s
    }

    /// The server's CPU time per operation, in microseconds; `None` if its process is not known.
    pub fn server_us(&self) -> Option<f64> {
        self.spent.server_cpu_s.map(|seconds| seconds * 1e6 / self.operations.max(1) as f64)
    }

    /// The same of a reading that is too short for the clock's ticks; see [`Spent::server_threads_s`].
    pub fn server_us_of_threads(&self) -> Option<f64> {
        self.spent.server_threads_s.map(|seconds| seconds * 1e6 / self.operations.max(1) as f64)
    }

    /// Whether the server can have flushed all that it acknowledged: with `in_flight` operations in the air at once, no
    /// flush can be the one that acknowledges more than those.
    ///
    /// # Errors
    /// When it can't: what is wrong.
    pub fn flushed(&self, in_flight: usize) -> Result<(), String> {
        let flushes = self.spent.flushes;
        // One at either edge of the window may be counted outside it.
        let possible = (flushes + 2) * in_flight as u64;
        if self.operations <= possible {
            return Ok(());
        }
        let operations = self.operations;
        Err(format!(
            "{operations} operations acknowledged, {in_flight} in the air, and only {flushes} flushes of the disks"
        ))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Warm,
    Counted,
    Over,
}

/// One queue under load. Clones share the account.
#[derive(Debug, Clone)]
pub struct Load(Rc<Shared>);

#[derive(Debug)]
struct Shared {
    target: Target,
    queue: Queue,
    ledger: RefCell<Ledger>,
    phase: Cell<Phase>,
    operations: Cell<u64>,
    latency: RefCell<Latency>,
    /// Told when messages were taken.
    taken: Notify,
}

/// So many failures end the work: more of the same say nothing.
const ENOUGH_FAILURES: u64 = 20;

impl Load {
    /// No message yet; each will have `body_bytes` bytes.
    pub fn new(target: Target, queue: Queue, body_bytes: usize) -> Load {
        Load::with(target, queue, Ledger::new(body_bytes))
    }

    /// The same at a server whose answers mean nothing; see [`Ledger::unchecked`].
    pub fn unchecked(target: Target, queue: Queue, body_bytes: usize) -> Load {
        Load::with(target, queue, Ledger::unchecked(body_bytes))
    }

    fn with(target: Target, queue: Queue, ledger: Ledger) -> Load {
        Load(Rc::new(Shared {
            target,
            queue,
            ledger: RefCell::new(ledger),
            phase: Cell::new(Phase::Over),
            operations: Cell::new(0),
            latency: RefCell::default(),
            taken: Notify::new(),
        }))
    }

    /// The account so far. `drained`: the queue was emptied, so that what is missing is lost.
    pub fn proof(&self, drained: bool) -> Proof {
        self.0.ledger.borrow_mut().proof(drained)
    }

    /// How many acknowledged messages have not come back yet.
    pub fn outstanding(&self) -> u64 {
        self.0.ledger.borrow().outstanding()
    }

    /// The same account with another server, which has the same queue: after a restart.
    #[must_use]
    pub fn moved(self, target: Target) -> Load {
        let Load(shared) = self;
        let ledger = shared.ledger.replace(Ledger::new(0));
        let load = Load::new(target, shared.queue.clone(), 0);
        load.0.ledger.replace(ledger);
        load
    }

    /// How many operations of the work at hand are done.
    pub fn operations(&self) -> u64 {
        self.0.operations.get()
    }

    /// The queue's URL.
    pub fn queue_url(&self) -> &str {
        &self.0.queue.url
    }

    /// The server.
    pub fn target(&self) -> Target {
        self.0.target
    }

    /// Enters something into the account.
    pub(crate) fn with_ledger<T>(&self, enter: impl FnOnce(&mut Ledger) -> T) -> T {
        enter(&mut self.0.ledger.borrow_mut())
    }

    fn ledger(&self) -> &RefCell<Ledger> {
        &self.0.ledger
    }

    fn client(&self) -> Client {
        Client::new(self.0.target.address, &self.0.queue, &self.0.ledger.borrow())
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.phase.get() == Phase::Over
    }

    pub(crate) fn count(&self, operations: u64, took: Duration) {
        if self.0.phase.get() == Phase::Counted {
            self.0.operations.set(self.0.operations.get() + operations);
            self.0.latency.borrow_mut().add(took);
        }
    }

    /// Enters a failure; whether to go on.
    fn failed(&self, error: &ActionError) -> bool {
        let mut ledger = self.ledger().borrow_mut();
        ledger.failed(error.to_string());
        let goes_on = ledger.failures() < ENOUGH_FAILURES;
        if !goes_on {
            self.0.phase.set(Phase::Over);
            self.0.taken.notify_waiters();
        }
        goes_on
    }

    fn begin(&self, phase: Phase) {
        self.0.phase.set(phase);
        self.0.operations.set(0);
        self.0.latency.replace(Latency::default());
    }

    fn reading(&self, spent: Spent) -> Reading {
        Reading { operations: self.0.operations.get(), spent, latency: self.0.latency.borrow().clone() }
    }

    /// Runs `workers` for a window of time; they end when [`Load::is_over`].
    pub(crate) async fn window<W>(&self, times: Times, workers: impl IntoIterator<Item = W>) -> Reading
    where
        W: Future<Output = ()> + 'static,
    {
        self.begin(Phase::Warm);
        let mut running = JoinSet::new();
        for worker in workers {
            running.spawn_local(worker);
        }
        self.pass(times.warm).await;
        let meter = Meter::start(self.0.target.pid);
        if !self.is_over() {
            self.0.phase.set(Phase::Counted);
        }
        self.pass(times.counted).await;
        self.0.phase.set(Phase::Over);
        let reading = self.reading(meter.read());
        self.0.taken.notify_waiters();
        self.finish(running).await;
        reading
    }

    /// Lets time pass, or until there were too many failures.
    async fn pass(&self, time: Duration) {
        const LOOK: Duration = Duration::from_millis(50);
        let end = tokio::time::Instant::now() + time;
        while !self.is_over() && tokio::time::Instant::now() < end {
            tokio::time::sleep_until(end.min(tokio::time::Instant::now() + LOOK)).await;
        }
    }

    /// Runs `workers`, all of it counted, until they end by themselves.
    pub(crate) async fn until_done<W>(&self, workers: impl IntoIterator<Item = W>) -> Reading
    where
        W: Future<Output = ()> + 'static,
    {
        self.begin(Phase::Counted);
        let meter = Meter::start(self.0.target.pid);
        let mut running = JoinSet::new();
        for worker in workers {
            running.spawn_local(worker);
        }
        self.finish(running).await;
        self.0.phase.set(Phase::Over);
        self.reading(meter.read())
    }

    async fn finish(&self, mut running: JoinSet<()>) {
        while let Some(ended) = running.join_next().await {
            if let Err(error) = ended {
                self.ledger().borrow_mut().failed(format!("a connection's task died: {error}"));
            }
        }
    }
}
