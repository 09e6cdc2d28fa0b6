//! Whole logs as earlier releases left them: a broker replays them, and their receipt handles go on.
//!
//! `golden/N` is what a broker leaves that [`write_a_log`] drove and that was dropped, in several segments and under two
//! claims, with a receipt handle beside them. When records or segments change, `cargo test -p afterward-broker --test it --
//! --ignored golden` writes the next directory, to be committed; those that are there stay, and [`check`] holds for all.

use crate::rig::{Calls, START_MS, a_send, address, attributes, bodies, body};
use afterward_broker::{Broker, ManualClock, Settings, machine::Send};
use afterward_log::segment::{Durability, Options, SegmentLog};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Where the receipt handle stands.
const HANDLE: &str = "handle.txt";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// How many directories there are, from 1 on.
fn count() -> usize {
    fs::read_dir(root()).unwrap().count()
}

fn open(directory: &Path) -> (Broker, Arc<ManualClock>) {
    let options =
        Options { durability: Durability::Flush, segment_bytes: 8192, salt: 42, partition: 0, background: false };
    let (log, _) = SegmentLog::open(directory, &options).unwrap();
    let clock = Arc::new(ManualClock::at(START_MS));
    (Broker::open(Arc::new(log), clock.clone(), Settings::default()).unwrap(), clock)
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Queues of both kinds; messages that wait, are delayed, in hand, deleted, and dead; then another life.
async fn write_a_log(directory: &Path) {
    let (broker, clock) = open(directory);
    let (queue, _) = broker.with_dead_letters("q").await;
    broker.put(&queue, "dead").await;
    let lease = broker.take(&queue, 1, 0).await[0].delivery.lease;
    broker.release(&queue, lease, 0).await;
    assert!(broker.take(&queue, 1, 0).await.is_empty(), "it moves");
    broker.put(&queue, "in hand").await;
    broker.put(&queue, "deleted").await;
    let taken = broker.take(&queue, 2, 0).await;
    broker.delete(&queue, taken[1].delivery.lease).await.unwrap();
    fs::write(directory.join(HANDLE), broker.receipts().handle(taken[0].delivery.lease)).unwrap();
    for nth in 0..30 {
        broker.put(&queue, &format!("{nth} {}", "padding ".repeat(40))).await;
    }
    let fifo = broker.fifo("orders.fifo").await;
    for nth in 0..3 {
        broker.send_in_group(&fifo, "g", &format!("order {nth}")).await;
    }
    clock.advance(Duration::from_secs(5));
    drop(broker);

    let (broker, _) = open(directory);
    let later = broker.create("later", attributes(|changes| changes.delay_ms = Some(60_000))).await;
    broker.put(&later, "delayed").await;
    broker.try_send(Send { job: true, ..a_send(&address("later")) }, "a job").await.unwrap();
}

/// What all of them held, and hold.
async fn check(directory: &Path, what: &str) {
    let handle = fs::read_to_string(directory.join(HANDLE)).unwrap();
    let (broker, clock) = open(directory);
    assert_eq!(broker.metrics().messages, 37, "{what}");
    let (queue, dead, fifo) = (address("q"), address("q-dlq"), address("orders.fifo"));
    let lease = broker.receipts().lease(&handle).unwrap();
    broker.delete(&queue, lease).await.unwrap();
    assert_eq!(broker.metrics().messages, 36, "{what}: the handle is good");

    let mut found = Vec::new();
    while found.len() < 30 {
        found.extend(broker.take(&queue, 10, 0).await);
    }
    let numbers: Vec<String> = found.iter().map(|got| body(&got.message).split(' ').next().unwrap().into()).collect();
    assert_eq!(numbers, (0..30).map(|nth| nth.to_string()).collect::<Vec<_>>(), "{what}");
    assert!(found.iter().all(|got| got.delivery.receive_count == 1 && got.delivery.sent_ms == START_MS), "{what}");

    let buried = broker.take(&dead, 10, 0).await;
    assert_eq!(bodies(&buried), ["dead"], "{what}");
    assert_eq!(buried[0].delivery.receive_count, 2, "{what}");
    let orders = broker.take(&fifo, 10, 0).await;
    assert_eq!(bodies(&orders), [0, 1, 2].map(|nth| format!("order {nth}")), "{what}");
    // It is still a duplicate.
    broker.send_in_group(&fifo, "g", "order 0").await;
    assert_eq!(broker.metrics().messages, 36, "{what}");

    let later = address("later");
    assert!(broker.take(&later, 10, 0).await.is_empty(), "{what}");
    clock.advance(Duration::from_secs(70));
    assert_eq!(bodies(&broker.take(&later, 10, 0).await), ["delayed", "a job"], "{what}");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_logs_are_replayed() {
    let directories = count();
    assert!(directories > 0);
    for number in 1..=directories {
        let directory = tempfile::tempdir().unwrap();
        copy(&root().join(number.to_string()), directory.path());
        let segments = fs::read_dir(directory.path()).unwrap().count() - 1;
        assert!(segments >= 3, "{number}: {segments} segments");
        check(directory.path(), &format!("log {number}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn todays_log_is_replayed() {
    let directory = tempfile::tempdir().unwrap();
    write_a_log(directory.path()).await;
    check(directory.path(), "today's").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes the next directory, to look at and commit"]
async fn golden_log() {
    let directory = tempfile::tempdir().unwrap();
    write_a_log(directory.path()).await;
    let golden = root().join((count() + 1).to_string());
    fs::create_dir_all(&golden).unwrap();
    copy(directory.path(), &golden);
    // It is the lock of whoever has the directory.
    let _ = fs::remove_file(golden.join("lock"));
}
