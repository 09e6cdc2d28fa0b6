//! What comes back after a kill, and what keeps a partition from coming back.

use crate::rig::{Calls, Rig, START_MS, a_send, attributes, bodies, body, change};
use afterward_broker::{
    Broker, Failure, ManualClock, OpenError, Settings, SystemClock,
    machine::{BatchTie, Batched, Command, Send},
};
use afterward_log::{
    Batch, Log,
    memory::MemoryLog,
    segment::{Durability, Options, SegmentLog},
};
use bytes::Bytes;
use std::{path::Path, sync::Arc, time::Duration};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_receipt_handles_counts_and_times_are_what_they_were() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let id = rig.put(&queue, "held").await;
    rig.put(&queue, "waiting").await;
    let held = rig.take(&queue, 1, 0).await;
    let handle = rig.broker.receipts().handle(held[0].delivery.lease);
    rig.clock.advance(Duration::from_secs(10));

    let rig = rig.kill_and_reopen();
    assert_eq!(bodies(&rig.take(&queue, 10, 0).await), ["waiting"]);
    let lease = rig.broker.receipts().lease(&handle).unwrap();
    assert_eq!(lease, held[0].delivery.lease);
    rig.release(&queue, lease, 0).await;
    let again = rig.take(&queue, 10, 0).await;
    assert_eq!(bodies(&again), [body(&held[0].message)]);
    assert_eq!((again[0].delivery.id, again[0].delivery.receive_count), (id, 2));
    assert_eq!((again[0].delivery.sent_ms, again[0].delivery.first_received_ms), (START_MS, START_MS));
    rig.delete(&queue, again[0].delivery.lease).await.unwrap();
    let rig = rig.kill_and_reopen();
    assert_eq!(rig.broker.metrics().messages, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_error_comes_back_with_the_message() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    rig.put(&queue, "failing").await;
    let delivery = rig.take(&queue, 1, 0).await.remove(0).delivery;
    let command = change(&queue, delivery.lease, 0);
    rig.broker.execute_all(vec![(command, Some("boom".to_owned()))]).await.unwrap();
    let rig = rig.kill_and_reopen();
    let key = delivery.message;
    let at = rig.broker.read(move |state| state.message(key).and_then(|message| message.failure)).await.unwrap();
    assert_eq!(rig.broker.failures(vec![(delivery.id, at.unwrap())]).await.unwrap(), [Some("boom".to_owned())]);
}

/// A broker on the segment files in `directory`.
fn on_files(directory: &Path) -> Broker {
    let options = Options { durability: Durability::Os, ..Options::default() };
    let (log, _) = SegmentLog::open(directory, &options).unwrap();
    Broker::open(Arc::new(log), Arc::new(SystemClock), Settings::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn segment_files_bring_everything_back() {
    let directory = tempfile::tempdir().unwrap();
    let broker = on_files(directory.path());
    let queue = broker.standard("q").await;
    for n in 0..100 {
        broker.put(&queue, &format!("message {n}")).await;
    }
    let held = broker.take(&queue, 10, 0).await;
    drop(broker);

    let broker = on_files(directory.path());
    broker.delete(&queue, held[0].delivery.lease).await.unwrap();
    let mut found = bodies(&held[1..]);
    loop {
        let some = broker.take(&queue, 10, 0).await;
        if some.is_empty() {
            break;
        }
        found.extend(bodies(&some));
    }
    found.push(body(&held[0].message));
    found.sort();
    let mut expected: Vec<_> = (0..100).map(|n| format!("message {n}")).collect();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(broker.metrics().messages, 99);
    broker.stop().await;
}

#[test]
fn a_record_that_can_t_be_read_stops_the_opening_and_changes_nothing() {
    let log = MemoryLog::default();
    let payload = Bytes::from_static(b"not a record");
    log.claim(0, Batch { time_ms: 1, records: 1, payload }).unwrap();
    let opened = Broker::open(Arc::new(log.another()), Arc::new(SystemClock), Settings::default());
    let Err(OpenError::Record { position: 1, reason }) = opened else { panic!("{opened:?}") };
    assert!(reason.contains("byte 0"), "{reason}");
    assert_eq!(log.bounds().unwrap().tail, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_log_is_not_retried() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    // Somebody takes the log over and writes what nobody can read.
    let other = rig.log.another();
    let tail = other.bounds().unwrap().tail;
    let batch = Batch { time_ms: START_MS, records: 1, payload: Bytes::from_static(b"not a record") };
    let (_, damaged) = other.claim(tail, batch).unwrap();

    let fenced = rig.try_send(crate::rig::a_send(&queue), "late").await;
    assert!(matches!(fenced, Err(Failure::Unavailable(_))), "{fenced:?}");
    let says = format!("batch {damaged} of the log");
    crate::rig::until("the damage is found", || rig.broker.trouble().is_some_and(|why| why.contains(&says))).await;
    let tail = other.bounds().unwrap().tail;
    let refused = rig.broker.execute(Command::DeleteQueue { queue }).await;
    assert!(matches!(&refused, Err(Failure::Unavailable(why)) if why.reason.contains(&says)), "{refused:?}");
    assert_eq!(other.bounds().unwrap().tail, tail);
    rig.broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_was_fenced_takes_the_partition_back_with_what_the_other_did() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    rig.put(&queue, "ours").await;
    let clock = Arc::new(ManualClock::at(START_MS));
    let other = Broker::open(Arc::new(rig.log.another()), clock, Settings::default()).unwrap();
    other.put(&queue, "theirs").await;
    drop(other);
    let fenced = rig.try_send(crate::rig::a_send(&queue), "lost").await;
    assert!(matches!(fenced, Err(Failure::Unavailable(_))), "{fenced:?}");
    let found = crate::rig::once_back(&rig.broker, async |broker| broker.take(&queue, 10, 0).await).await;
    assert_eq!(bodies(&found), ["ours", "theirs"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_panics_costs_a_replay_and_nothing_acknowledged() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    rig.put(&queue, "kept").await;
    let broker = rig.broker.clone();
    let panicked = tokio::spawn(async move { broker.read::<()>(|_| panic!("as the test wants it")).await });
    assert!(panicked.await.unwrap_err().is_panic());
    let refused = rig.try_receive(&queue, 1, 0).await;
    assert!(matches!(&refused, Err(Failure::Unavailable(why)) if why.reason.contains("bug")), "{refused:?}");
    let found = crate::rig::once_back(&rig.broker, async |broker| broker.take(&queue, 1, 0).await).await;
    assert_eq!(bodies(&found), ["kept"]);
    assert_eq!(rig.broker.metrics().reopened, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_batch_waits_on_after_a_kill() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let batch = || "import".parse().unwrap();
    let member = || Send { batch: Some(Batched::In(batch())), ..a_send(&queue) };
    rig.try_send(member(), "one").await.unwrap();
    rig.try_send(member(), "two").await.unwrap();
    rig.try_send(Send { batch: Some(Batched::After(batch())), ..a_send(&queue) }, "done").await.unwrap();
    let taken = rig.take(&queue, 10, 0).await;
    rig.delete(&queue, taken[0].delivery.lease).await.unwrap();

    let rig = rig.kill_and_reopen();
    assert!(rig.take(&queue, 10, 0).await.is_empty());
    let waits = rig.waiting(&queue, 10).await;
    rig.delete(&queue, taken[1].delivery.lease).await.unwrap();
    let found = waits.await.unwrap().unwrap();
    assert_eq!(bodies(&found), ["done"]);
    assert_eq!(found[0].delivery.batch, Some(BatchTie::After(batch())));

    let rig = rig.kill_and_reopen();
    rig.delete(&queue, found[0].delivery.lease).await.unwrap();
    assert_eq!(rig.broker.metrics().messages, 0);
}

/// Nobody calls: what the last of a batch held is let go of by time alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_whose_last_message_expires_is_over() {
    let rig = Rig::new();
    let queue = rig.create("q", attributes(|changes| changes.retention_ms = Some(60_000))).await;
    rig.try_send(Send { batch: Some(Batched::In("b".parse().unwrap())), ..a_send(&queue) }, "one").await.unwrap();
    let taken = rig.take(&queue, 10, 0).await;
    rig.release(&queue, taken[0].delivery.lease, 3_600).await;
    rig.try_send(Send { batch: Some(Batched::After("b".parse().unwrap())), ..a_send(&queue) }, "done").await.unwrap();
    let waits = rig.waiting(&queue, 10).await;
    rig.clock.advance(Duration::from_secs(60));
    assert_eq!(bodies(&waits.await.unwrap().unwrap()), ["done"]);
}
