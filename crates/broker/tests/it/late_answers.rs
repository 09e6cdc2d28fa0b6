//! An append whose answer comes when the partition that it was for is gone, and the next one is at work.

use crate::{
    rig::{Calls, START_MS, a_send, address, bodies, held, now, once_back, sent},
    watched::{HeldUp, Watched, serving},
};
use afterward_broker::{Broker, ManualClock, Settings};
use afterward_log::memory::{Fencing, MemoryLog};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};
use tokio::runtime::{Builder, Runtime};

/// A call that fails half-way, and with it the partition.
fn panic_under_the_lock(broker: &Broker) {
    let read = catch_unwind(AssertUnwindSafe(|| now(broker.read(|_| panic!("on purpose")))));
    assert!(read.is_err());
}

/// A thread that sends, commits that itself, and is told that nobody knows. How many sends it saw succeed before: where the
/// machine has just stopped in the midst of an append, the log looks slow, and the partition's thread commits the next one.
fn sends_in_vain(broker: &Broker) -> thread::JoinHandle<usize> {
    serving(broker, |broker| async move {
        let queue = address("q");
        let mut sends = 0;
        while broker.try_send(a_send(&queue), "of before").await.is_ok() {
            sends += 1;
            assert!(sends < 8, "the partition's thread commits all of them");
        }
        sends
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
        let log = Watched::new(store.clone());
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
        let known = answered.unwrap();
        assert!(!early, "held up {at:?}: it was answered before it was flushed");
        assert_eq!(trouble, None, "held up {at:?}");
        assert!(sent(runtime.block_on(sending).unwrap()), "held up {at:?}");
        assert_eq!(broker.metrics().reopened, 1, "held up {at:?}");
        let mut expected = vec!["of before"; known + usize::from(at == HeldUp::After)];
        expected.push("of now");
        assert_eq!(bodies(&runtime.block_on(broker.take(&queue, 10, 0))), expected, "held up {at:?}");
    }
}
