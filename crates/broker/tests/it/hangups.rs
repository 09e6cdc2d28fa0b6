//! What becomes of messages whose receivers went away between lease and answer.

use crate::rig::{Calls, Rig, a_receive, bodies, held, once_back, until};
use afterward_broker::{Failure, Received};
use afterward_log::memory::Fault;
use afterward_names::QueueAddress;
use std::time::Duration;
use tokio::{task::JoinHandle, time::timeout};

type Receiver = JoinHandle<Result<Vec<Received>, Failure>>;

/// A receive of a message that is there, held on its way to the disk.
async fn receiving(rig: &Rig, queue: &QueueAddress) -> Receiver {
    rig.put_any(queue, "one").await;
    rig.log.hold();
    let (broker, receive) = (rig.broker.clone(), a_receive(queue, 1));
    tokio::spawn(async move { broker.receive(receive, None).await })
}

/// A receive that waited for its message, which is held on its way to the disk with it.
async fn woken(rig: &Rig, queue: &QueueAddress) -> Receiver {
    let receiver = rig.waiting(queue, 1).await;
    rig.log.hold();
    let (broker, queue) = (rig.broker.clone(), queue.clone());
    tokio::spawn(async move { broker.put_any(&queue, "one").await });
    receiver
}

async fn gone(receiver: Receiver) {
    receiver.abort();
    assert!(receiver.await.unwrap_err().is_cancelled());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_leased_to_them_goes_to_the_next_at_once() {
    for fifo in [false, true] {
        for waits in [false, true] {
            let rig = Rig::new();
            let queue = if fifo { rig.fifo("q.fifo").await } else { rig.standard("q").await };
            let receiver = if waits { woken(&rig, &queue).await } else { receiving(&rig, &queue).await };
            held(&rig.log, 1).await;
            gone(receiver).await;
            let next = rig.waiting(&queue, 1).await;
            rig.log.release();
            // The clock stands still, so no lease ends by itself.
            let found = timeout(Duration::from_secs(60), next).await.expect("it is given back").unwrap().unwrap();
            assert_eq!(bodies(&found), ["one"], "fifo: {fifo}, waited: {waits}");
            assert_eq!(found[0].delivery.receive_count, 2, "the receive that nobody got is counted");
            rig.delete(&queue, found[0].delivery.lease).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_never_became_durable_is_not_given_back() {
    // After the replay, the same lease may be somebody else's.
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let receiver = receiving(&rig, &queue).await;
    held(&rig.log, 1).await;
    gone(receiver).await;
    rig.log.fail_next(Fault::Reject);
    rig.log.release();
    until("the partition was replayed", || rig.broker.metrics().reopened == 1).await;
    let found = once_back(&rig.broker, async |broker| broker.take(&queue, 1, 0).await).await;
    assert_eq!((bodies(&found), found[0].delivery.receive_count), (vec!["one".to_owned()], 1));
    assert!(rig.take(&queue, 1, 0).await.is_empty(), "the lease of the next one holds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_meanwhile_stays_deleted() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let receiver = receiving(&rig, &queue).await;
    held(&rig.log, 1).await;
    let purge = afterward_broker::machine::Command::Purge { queue: queue.clone(), cooldown: false };
    let (broker, purging) = (rig.broker.clone(), purge);
    let purging = tokio::spawn(async move { broker.execute(purging).await });
    gone(receiver).await;
    let next = rig.waiting(&queue, 1).await;
    rig.log.release();
    purging.await.unwrap().unwrap();
    rig.put(&queue, "two").await;
    assert_eq!(bodies(&next.await.unwrap().unwrap()), ["two"]);
}
