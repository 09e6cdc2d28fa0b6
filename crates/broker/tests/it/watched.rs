//! A log in memory that remembers which threads appended, and can hold up an append of one that serves callers.

use afterward_broker::Broker;
use afterward_log::{
    AppendError, Batch, Bounds, ClaimError, Epoch, Log, Page, Position, ReadError, Slice, Usage, memory::MemoryLog,
};
use bytes::Bytes;
use std::{
    future::Future,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};
use tokio::runtime::Builder;

/// The name of threads that serve callers, and have an assistant.
pub(crate) const SERVING: &str = "serving";

/// Where an append is held up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeldUp {
    /// On its way: the log refuses it in the end, because another epoch has begun.
    Before,
    /// On its way back: it is durable.
    After,
}

/// What becomes of the next append of a serving thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Nothing,
    Next(HeldUp),
    Held,
}

/// See the module.
pub(crate) struct Watched {
    pub(crate) log: Arc<MemoryLog>,
    by: Mutex<Vec<String>>,
    stage: Mutex<Stage>,
    changed: Condvar,
}

impl Watched {
    pub(crate) fn new(log: Arc<MemoryLog>) -> Arc<Watched> {
        Arc::new(Watched { log, by: Mutex::default(), stage: Mutex::new(Stage::Nothing), changed: Condvar::new() })
    }

    /// Who appended since this was last asked.
    pub(crate) fn by(&self) -> Vec<String> {
        std::mem::take(&mut self.by.lock().unwrap())
    }

    /// Holds up the next append of a serving thread, and goes on taking those of others.
    pub(crate) fn hold_up_next(&self, at: HeldUp) {
        *self.stage.lock().unwrap() = Stage::Next(at);
    }

    pub(crate) fn wait_until_held_up(&self) {
        let stage = self.stage.lock().unwrap();
        let minute = Duration::from_secs(60);
        let (stage, _) = self.changed.wait_timeout_while(stage, minute, |stage| *stage != Stage::Held).unwrap();
        assert_eq!(*stage, Stage::Held, "no serving thread appends");
    }

    pub(crate) fn let_go(&self) {
        *self.stage.lock().unwrap() = Stage::Nothing;
        self.changed.notify_all();
    }

    fn hold_up_if(&self, at: HeldUp) {
        let mut stage = self.stage.lock().unwrap();
        if *stage == Stage::Next(at) && thread::current().name() == Some(SERVING) {
            *stage = Stage::Held;
            self.changed.notify_all();
            drop(self.changed.wait_while(stage, |stage| *stage == Stage::Held).unwrap());
        }
    }
}

impl Log for Watched {
    fn bounds(&self) -> Result<Bounds, ReadError> {
        self.log.bounds()
    }

    fn claim(&self, expected: Position, batch: Batch) -> Result<(Epoch, Position), ClaimError> {
        self.log.claim(expected, batch)
    }

    fn append(&self, epoch: Epoch, expected: Position, batch: Batch) -> Result<Position, AppendError> {
        self.by.lock().unwrap().push(thread::current().name().unwrap_or_default().to_owned());
        self.hold_up_if(HeldUp::Before);
        let answer = self.log.append(epoch, expected, batch);
        self.hold_up_if(HeldUp::After);
        answer
    }

    fn read(&self, from: Position, max_bytes: usize) -> Result<Page, ReadError> {
        self.log.read(from, max_bytes)
    }

    fn fetch(&self, slices: &[Slice]) -> Result<Vec<Bytes>, ReadError> {
        self.log.fetch(slices)
    }

    fn trim(&self, epoch: Epoch, up_to: Position) -> Result<(), AppendError> {
        self.log.trim(epoch, up_to)
    }

    fn usage(&self) -> Usage {
        self.log.usage()
    }
}

/// Runs `story` on a thread that serves, beside an assistant.
pub(crate) fn serving<F: Future>(
    broker: &Broker,
    story: impl FnOnce(Broker) -> F + Send + 'static,
) -> thread::JoinHandle<F::Output>
where
    F::Output: Send + 'static,
{
    let broker = broker.clone();
    let serving = thread::Builder::new().name(SERVING.to_owned()).spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let assist = broker.assist();
        runtime.spawn(async move { match assist.await {} });
        runtime.block_on(async {
            // The assistant's first turn.
            tokio::task::yield_now().await;
            story(broker).await
        })
    });
    serving.unwrap()
}
