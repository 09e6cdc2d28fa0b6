//! The end of a broker.

use crate::rig::{Calls, Rig, a_send, bodies, content, held, now, until};
use afterward_broker::{Failure, Received, Settings, machine::Command};
use afterward_names::QueueAddress;
use std::time::Duration;
use tokio::{task::JoinHandle, time::timeout};

/// A broker with a queue, and with a receive that waits at another one, in vain.
async fn with_a_waiter() -> (Rig, QueueAddress, JoinHandle<Result<Vec<Received>, Failure>>) {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let empty = rig.standard("empty").await;
    let waiting = rig.waiting(&empty, 1).await;
    (rig, queue, waiting)
}

/// What the waiting receive found when its wait was ended: nothing.
async fn ends(waiting: JoinHandle<Result<Vec<Received>, Failure>>) {
    let ended = timeout(Duration::from_secs(60), waiting).await.expect("the wait ends");
    assert!(ended.unwrap().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_flushes_what_is_under_way_and_ends_waits() {
    let (rig, queue, waiting) = with_a_waiter().await;
    rig.log.hold();
    let sending = tokio::spawn({
        let (broker, queue) = (rig.broker.clone(), queue.clone());
        async move { broker.put(&queue, "first").await }
    });
    held(&rig.log, 1).await;
    let mut behind = Box::pin(rig.broker.try_send(a_send(&queue), "second"));
    assert!(now(&mut behind).is_none());

    let mut stopping = Box::pin(rig.broker.stop());
    assert!(now(&mut stopping).is_none());
    let late = now(rig.broker.try_send(a_send(&queue), "too late"));
    assert!(matches!(&late, Some(Err(Failure::Unavailable(why))) if why.reason.contains("stopping")), "{late:?}");
    rig.log.release();
    stopping.await;

    sending.await.unwrap();
    behind.await.unwrap();
    ends(waiting).await;
    assert!(rig.broker.trouble().is_some());
    let rig = rig.kill_and_reopen();
    let mut found = bodies(&rig.take(&queue, 10, 0).await);
    found.sort();
    assert_eq!(found, ["first", "second"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_waits_are_ended_new_receives_don_t_wait() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let waiting = rig.waiting(&queue, 1).await;
    rig.broker.end_waits();
    ends(waiting).await;
    assert!(rig.take(&queue, 1, 20).await.is_empty());
    rig.broker.stop().await;
    // A second stop finds it stopped.
    rig.broker.stop().await;
}

/// Definitions are written as the batch is taken that makes the log long enough for them: with nobody who waits for them, and
/// they gate what is answered after that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_end_though_the_last_that_was_logged_were_definitions() {
    let (rig, queue, waiting) = with_a_waiter().await;
    let before = rig.broker.metrics().batches;
    for _ in 0..32 {
        rig.put(&queue, &"x".repeat(1 << 20)).await;
    }
    until("the definitions are durable", || rig.broker.metrics().batches == before + 33).await;
    rig.broker.end_waits();
    ends(waiting).await;
}

/// What is pending is committed, whoever was to do that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ending_waits_sees_to_what_the_answers_rest_on() {
    let (rig, queue, waiting) = with_a_waiter().await;
    // A send on a thread whose assistant does not get its turn.
    let left = std::thread::spawn({
        let (broker, queue) = (rig.broker.clone(), queue.clone());
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let mut assist = Box::pin(broker.assist());
            runtime.block_on(async {
                assert!(now(&mut assist).is_none());
                let mut send = Box::pin(broker.try_send(a_send(&queue), "pending"));
                assert!(now(&mut send).is_none());
                broker.end_waits();
                ends(waiting).await;
                // Its own answer comes when the assistant has its turn at last.
                tokio::select! {
                    never = assist => match never {},
                    outcome = send => assert!(outcome.is_ok()),
                }
            });
        }
    });
    tokio::task::spawn_blocking(move || left.join().unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_does_not_wait_for_a_compaction_that_is_under_way() {
    let rig = Rig::with(Settings { compact_at_ratio: 2.0, compact_at_bytes: 64 << 10 });
    let (keep, purged) = (rig.standard("keep").await, rig.standard("purged").await);
    for (queue, tens) in [(&keep, 200), (&purged, 600)] {
        for _ in 0..tens {
            rig.broker.send((0..10).map(|_| (a_send(queue), content(&"x".repeat(500)))).collect()).await.unwrap();
        }
    }
    rig.log.hold();
    // Three quarters of the log become worthless, and compaction starts behind the batch that says so.
    let purging = tokio::spawn({
        let broker = rig.broker.clone();
        async move { broker.execute(Command::Purge { queue: purged, cooldown: false }).await }
    });
    held(&rig.log, 1).await;
    let before = rig.broker.metrics().batches;
    let mut stopping = Box::pin(rig.broker.stop());
    assert!(now(&mut stopping).is_none());
    rig.log.release();
    stopping.await;
    purging.await.unwrap().unwrap();
    let batches = rig.broker.metrics().batches - before;
    assert!(batches <= 2, "{batches} batches were written before it stopped");
    let rig = rig.kill_and_reopen();
    assert_eq!(rig.broker.metrics().messages, 2_000);
}
