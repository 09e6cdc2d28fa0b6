//! The end of a broker.

use crate::rig::{Calls, Rig, a_send, bodies, held, now};
use afterward_broker::Failure;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_flushes_what_is_under_way_and_ends_waits() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let empty = rig.standard("empty").await;
    let waiting = rig.waiting(&empty, 1).await;
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
    assert!(waiting.await.unwrap().unwrap().is_empty());
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
    assert!(waiting.await.unwrap().unwrap().is_empty());
    assert!(rig.take(&queue, 1, 20).await.is_empty());
    rig.broker.stop().await;
    // A second stop finds it stopped.
    rig.broker.stop().await;
}
