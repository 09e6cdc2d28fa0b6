//! Those who wait on a thread with an assistant, which wakes them.

use crate::rig::{Calls, Rig, a_send, held, now, sent};
use afterward_broker::Broker;
use afterward_names::QueueAddress;
use std::{thread, time::Duration};
use tokio::{
    runtime::Builder,
    task::{JoinSet, yield_now},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// What becomes of an assistant while a batch is in flight that it left to the partition's thread.
enum Fate {
    Ends,
    /// Somebody else polls it from now on.
    Moves,
}

#[test]
fn callers_are_woken_though_their_assistant_ends_or_moves_while_their_batch_is_in_flight() {
    const CALLERS: usize = 20;
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    for fate in [Fate::Ends, Fate::Moves] {
        runtime.block_on(async {
            let rig = Rig::new();
            let queue = rig.standard("q").await;
            let mut assist = Box::pin(rig.broker.assist());
            assert!(now(&mut assist).is_none());
            rig.log.hold();
            let mut sends = JoinSet::new();
            for _ in 0..CALLERS {
                let (broker, send) = (rig.broker.clone(), a_send(&queue));
                sends.spawn(async move { broker.try_send(send, "one").await });
            }
            yield_now().await;
            assert!(now(&mut assist).is_none());
            held(&rig.log, 1).await;
            let moved = match fate {
                Fate::Ends => {
                    drop(assist);
                    None
                }
                Fate::Moves => Some(tokio::spawn(async move { match assist.await {} })),
            };
            yield_now().await;
            rig.log.release();
            let answers = timeout(PATIENCE, sends.join_all()).await.expect("nobody is left waiting");
            assert!(answers.into_iter().all(sent));
            if let Some(moved) = moved {
                moved.abort();
            }
        });
    }
}

/// Answers are made ready, and gates opened, on whatever thread somebody has just done something.
#[test]
fn whoever_waits_on_any_thread_for_what_others_send_gets_it() {
    const THREADS: usize = 3;
    const PAIRS: usize = 4;
    const EACH: usize = 100;
    let rig = Rig::new();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let queue = runtime.block_on(rig.standard("q"));
    let threads = [(); THREADS].map(|()| {
        let (broker, queue) = (rig.broker.clone(), queue.clone());
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let assist = broker.assist();
            runtime.spawn(async move { match assist.await {} });
            runtime.block_on(pairs(broker, queue));
        })
    });
    runtime.block_on(pairs(rig.broker.clone(), queue.clone()));
    for thread in threads {
        thread.join().unwrap();
    }
    let left = runtime.block_on(rig.take(&queue, 10, 0));
    assert!(left.is_empty(), "as many were received as were sent");

    /// Half of them send one after the other, and half wait for as many.
    async fn pairs(broker: Broker, queue: QueueAddress) {
        let mut callers = JoinSet::new();
        for caller in 0..2 * PAIRS {
            let (broker, queue) = (broker.clone(), queue.clone());
            callers.spawn(async move {
                for number in 0..EACH {
                    if caller % 2 == 0 {
                        broker.put(&queue, &number.to_string()).await;
                    } else {
                        let found = timeout(PATIENCE, broker.take(&queue, 1, 20)).await;
                        assert_eq!(found.expect("nobody is left waiting").len(), 1);
                    }
                }
            });
        }
        while let Some(outcome) = callers.join_next().await {
            outcome.unwrap();
        }
    }
}
