//! An append whose answer comes when the partition that it was for is gone, and the next one is at work.

use crate::rig::{Calls, START_MS, a_send, bodies, held, now, once_back, sent};
use afterward_broker::{Broker, ManualClock, Settings};
use afterward_log::{
    AppendError, Batch, Bounds, ClaimError, Epoch, Log, Page, Position, ReadError, Slice, Usage,
    memory::{Fencing, MemoryLog},
};
use bytes::Bytes;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex},
    thread,
};
use tokio::runtime::{Builder, Runtime};

/// Where an append is held up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeldUp {
    /// On its way: the log refuses it in the end, because another epoch has begun.
    Before,
    /// On its way back: it is durable.
    After,
}

/// What the log does to the next append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Nothing,
    Next(HeldUp),
    Held,
}

/// A log that holds one append up, and goes on taking others.
struct Slow {
    log: Arc<MemoryLog>,
    stage: Mutex<Stage>,
    changed: Condvar,
}

impl Slow {
    fn hold_up_next(&self, at: HeldUp) {
        *self.stage.lock().unwrap() = Stage::Next(at);
    }

    fn wait_until_held_up(&self) {
        let stage = self.stage.lock().unwrap();
        drop(self.changed.wait_while(stage, |stage| *stage != Stage::Held).unwrap());
    }

    fn let_go(&self) {
        *self.stage.lock().unwrap() = Stage::Nothing;
        self.changed.notify_all();
    }

    fn hold_up_if(&self, at: HeldUp) {
        let mut stage = self.stage.lock().unwrap();
        if *stage == Stage::Next(at) {
            *stage = Stage::Held;
            self.changed.notify_all();
            drop(self.changed.wait_while(stage, |stage| *stage == Stage::Held).unwrap());
        }
    }
}

impl Log for Slow {
    fn bounds(&self) -> Result<Bounds, ReadError> {
        self.log.bounds()
    }

    fn claim(&self, expected: Position, batch: Batch) -> Result<(Epoch, Position), ClaimError> {
        self.log.claim(expected, batch)
    }

    fn append(&self, epoch: Epoch, expected: Position, batch: Batch) -> Result<Position, AppendError> {
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

/// A call that fails half-way, and with it the partition.
fn panic_under_the_lock(broker: &Broker) {
    let read = catch_unwind(AssertUnwindSafe(|| now(broker.read(|_| panic!("on purpose")))));
    assert!(read.is_err());
}

/// A thread that sends, commits that itself, and is told that nobody knows.
fn sends_in_vain(broker: &Broker) -> thread::JoinHandle<()> {
    let broker = broker.clone();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().build().unwrap();
        let assist = broker.assist();
        runtime.spawn(async move { match assist.await {} });
        runtime.block_on(async {
            tokio::task::yield_now().await;
            let queue = crate::rig::address("q");
            broker.try_send(a_send(&queue), "of before").await.unwrap_err();
        });
    })
}

fn two_threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The bug: the answer was taken for that of the batch which the next partition had in flight, whose senders were told so
/// before it was flushed; and a refusal dropped a partition that was well.
#[test]
fn a_late_answer_says_nothing_about_the_partition_that_came_after() {
    for at in [HeldUp::Before, HeldUp::After] {
        let store = Arc::new(MemoryLog::new(Fencing::ByStore));
        let log = Arc::new(Slow { log: store.clone(), stage: Mutex::new(Stage::Nothing), changed: Condvar::new() });
        let clock = Arc::new(ManualClock::at(START_MS));
        let broker = Broker::open(log.clone(), clock, Settings::default()).unwrap();
        let runtime = two_threads();
        let queue = runtime.block_on(broker.standard("q"));

        log.hold_up_next(at);
        let sender = sends_in_vain(&broker);
        log.wait_until_held_up();
        panic_under_the_lock(&broker);
        assert!(runtime.block_on(once_back(&broker, async |broker| broker.now_ms())) >= START_MS);

        store.hold();
        let sending = runtime.spawn({
            let (broker, queue) = (broker.clone(), queue.clone());
            async move { broker.try_send(a_send(&queue), "of now").await }
        });
        runtime.block_on(held(&store, 1));
        log.let_go();
        let answered = sender.join();
        let (early, trouble) = (sending.is_finished(), broker.trouble());
        store.release();
        answered.unwrap();
        assert!(!early, "held up {at:?}: it was answered before it was flushed");
        assert_eq!(trouble, None, "held up {at:?}");
        assert!(sent(runtime.block_on(sending).unwrap()), "held up {at:?}");
        assert_eq!(broker.metrics().reopened, 1, "held up {at:?}");
        let expected: &[&str] = if at == HeldUp::After { &["of before", "of now"] } else { &["of now"] };
        assert_eq!(bodies(&runtime.block_on(broker.take(&queue, 10, 0))), expected, "held up {at:?}");
    }
}
