//! The disk is full: nothing more is taken in, everything else goes on, and deletes make room again.

use crate::rig::{Calls, a_send, address, attributes, body, content, until};
use afterward_broker::{
    Broker, Content, Failure, ManualClock, Received, Settings, Unavailable,
    machine::{Command, CreateQueue, StartMove},
};
use afterward_log::{
    Log,
    disk::FaultyDisk,
    segment::{Options, SegmentLog},
};
use afterward_names::QueueAddress;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

const SEGMENT_BYTES: u64 = 64 << 10;
const SEGMENTS: u64 = 10;

fn open(disk: &FaultyDisk) -> Broker {
    open_with_log(disk).0
}

fn open_with_log(disk: &FaultyDisk) -> (Broker, Arc<SegmentLog>) {
    let options = Options { segment_bytes: SEGMENT_BYTES, ..Options::default() };
    let (log, _) = SegmentLog::open_on(Arc::new(disk.clone()), &options).expect("the log opens");
    let (log, clock) = (Arc::new(log), Arc::new(ManualClock::at(crate::rig::START_MS)));
    (Broker::open(log.clone(), clock, Settings::default()).expect("the broker opens"), log)
}

fn large(number: usize) -> Content {
    content(&format!("{number} {}", "x".repeat(4000)))
}

fn refused<T>(outcome: Result<T, Failure>) -> bool {
    matches!(outcome, Err(Failure::Unavailable(Unavailable { reason })) if reason.contains("the disk is full"))
}

/// Sends until there is no room: how many were taken.
async fn fill(broker: &Broker, queue: &QueueAddress) -> usize {
    for number in 0.. {
        match broker.send(vec![(a_send(queue), large(number))]).await {
            Ok(outcomes) => assert!(outcomes[0].is_ok()),
            Err(Unavailable { reason }) => {
                assert!(reason.contains("the disk is full"), "{reason}");
                return number;
            }
        }
    }
    unreachable!()
}

/// Makes a queue whose tags take 15 KB, which is a quarter of a segment.
async fn tagged(broker: &Broker, number: usize) {
    let tag = |tag: usize| (format!("{tag:0>100}").into(), "v".repeat(200).into());
    let (queue, tags) = (address(&format!("tagged-{number}")), (0..50).map(tag).collect());
    let attributes = attributes(|_| ());
    let create = Command::CreateQueue(CreateQueue { queue, attributes, tags, cooldown: false });
    broker.execute(create).await.expect("there is room");
}

/// Sends one message as soon as it is taken.
async fn sends_again(broker: &Broker, queue: &QueueAddress) {
    let began = Instant::now();
    while let Err(refused) = broker.send(vec![(a_send(queue), large(0))]).await {
        assert!(began.elapsed() < Duration::from_secs(60), "{refused}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn delete(broker: &Broker, queue: &QueueAddress, received: &[Received]) {
    let lease = |received: &Received| (Command::Delete { queue: queue.clone(), lease: received.delivery.lease }, None);
    for outcome in broker.execute_all(received.iter().map(lease).collect()).await.expect("there is room for deletes") {
        outcome.expect("the lease holds");
    }
}

async fn receive_all(broker: &Broker, queue: &QueueAddress) -> Vec<Received> {
    let mut all = Vec::new();
    loop {
        match broker.take(queue, 10, 0).await {
            some if some.is_empty() => return all,
            some => all.extend(some),
        }
    }
}

/// The number at its start.
fn number(received: &Received) -> usize {
    body(&received.message).split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_consumers_go_on_and_their_deletes_let_senders_go_on() {
    // So small a log can only be trimmed as a whole, so what is kept has to fit into the room that is left.
    for keep_every in [usize::MAX, 75] {
        let disk = FaultyDisk::new();
        disk.set_capacity(Some(SEGMENTS * SEGMENT_BYTES + 1000));
        let broker = open(&disk);
        let queue = broker.standard("q").await;
        let sent = fill(&broker, &queue).await;
        assert!(sent > 100, "{sent}");

        assert!(refused(broker.try_send(a_send(&queue), "more").await));
        let create = |name: &str| {
            let attributes = attributes(|_| ());
            let (queue, tags) = (address(name), BTreeMap::new());
            Command::CreateQueue(CreateQueue { queue, attributes, tags, cooldown: false })
        };
        assert!(refused(broker.execute(create("another")).await));
        broker.execute(create("q")).await.expect("a queue that is there is answered with");
        let tags = BTreeMap::from([("a".into(), "b".into())]);
        assert!(refused(broker.execute(Command::Tag { queue: queue.clone(), tags }).await));
        let redrive = StartMove { source: queue.arn(), destination: None, max_per_s: None };
        assert!(refused(broker.execute(Command::StartMove(redrive)).await));

        let held = receive_all(&broker, &queue).await;
        assert_eq!(held.len(), sent);
        broker.release(&queue, held[0].delivery.lease, 60).await;
        let (kept, done): (Vec<_>, Vec<_>) = held.into_iter().partition(|held| number(held) % keep_every == 1);
        for done in done.chunks(10) {
            delete(&broker, &queue, done).await;
        }
        sends_again(&broker, &queue).await;
        let again = 1 + fill(&broker, &queue).await;
        assert!(again > sent / 3, "{again} of {sent} found room again");
        assert_eq!(broker.metrics().reopened, 0, "nothing was dropped and replayed");
        assert_eq!(broker.metrics().messages as usize, kept.len() + again);

        broker.stop().await;
        drop(broker);
        let broker = open(&disk.after_power_cut(1));
        assert_eq!(broker.metrics().messages as usize, kept.len() + again);
        let found = broker.contents(kept.iter().map(|kept| (kept.delivery.message, kept.delivery.location)).collect());
        // Compaction has moved them, so they are looked up by what they are.
        assert!(found.await.expect("the log is read").iter().all(Option::is_some));
        delete(&broker, &queue, &kept).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn room_that_comes_from_elsewhere_is_used_without_a_restart() {
    let disk = FaultyDisk::new();
    disk.set_capacity(Some(3 * SEGMENT_BYTES));
    let broker = open(&disk);
    let queue = broker.standard("q").await;
    let sent = fill(&broker, &queue).await;
    disk.set_capacity(None);
    sends_again(&broker, &queue).await;
    assert_eq!(broker.metrics().messages as usize, sent + 1);
    assert_eq!(broker.metrics().reopened, 0);
}

/// The bug: a pass wrote the definitions before it looked whether they had room. They were refused, the server was down, and
/// began the same again once it was back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_that_have_no_room_on_a_full_disk_take_nothing_down() {
    for (tagged_queues, have_room) in [(1, true), (4, false), (7, false)] {
        let disk = FaultyDisk::new();
        disk.set_capacity(Some(SEGMENTS * SEGMENT_BYTES + 1000));
        let (mut broker, mut log) = open_with_log(&disk);
        let queue = broker.standard("q").await;
        for number in 0..tagged_queues {
            tagged(&broker, number).await;
        }
        let sent = fill(&broker, &queue).await;
        assert!(sent > 50, "{sent}");
        for (messages, last) in [(sent / 2, false), (sent, true)] {
            while broker.metrics().messages as usize > sent - messages {
                let received = broker.take(&queue, 10, 0).await;
                delete(&broker, &queue, &received).await;
            }
            assert_eq!(broker.metrics().reopened, 0, "{tagged_queues}: nothing was dropped and replayed");
            if !last && !have_room {
                broker.stop().await;
                drop((broker, log));
                (broker, log) = open_with_log(&disk);
            }
        }
        assert_eq!(broker.metrics().messages, 0);
        if !have_room {
            // A start takes note of that a moment later.
            until("there is no room for another segment", || log.shortage().is_some()).await;
            assert!(refused(broker.try_send(a_send(&queue), "more").await), "{tagged_queues}");
            disk.set_capacity(None);
        }
        sends_again(&broker, &queue).await;
        assert_eq!((broker.trouble(), broker.metrics().reopened), (None, 0), "{tagged_queues}");
    }
}
