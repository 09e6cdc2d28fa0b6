//! Messages that are not in memory any more are read from the log: here and now where it has them at hand.

use crate::rig::{Calls, START_MS, a_receive, bodies, now, queue_id, until};
use afterward_broker::{
    Broker, Failure, ManualClock, Settings,
    machine::{Command, Receive},
};
use afterward_log::{
    AppendError, Batch, Bounds, ClaimError, Epoch, Log, Page, Position, ReadError, Slice, Usage,
    disk::{Disk, FaultyDisk},
    segment::{Options, SegmentLog},
};
use bytes::Bytes;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

/// A log on a disk, which counts how many records others had to wait for.
struct Shelf {
    log: SegmentLog,
    /// Whether anything is at hand.
    at_hand: AtomicBool,
    waited_for: AtomicUsize,
    /// The batch that the operating system would not read.
    out_of_reach: AtomicU64,
    /// How often it was to be read for its own sake.
    refused: AtomicUsize,
    /// What happens when a partition has been replayed, and is about to take the log over.
    at_next_claim: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Shelf {
    fn open(disk: &FaultyDisk, at_hand: bool) -> Arc<Shelf> {
        let options = Options { segment_bytes: 1 << 20, background: false, ..Options::default() };
        let (log, _) = SegmentLog::open_on(Arc::new(disk.clone()), &options).unwrap();
        Arc::new(Shelf {
            log,
            at_hand: at_hand.into(),
            waited_for: AtomicUsize::default(),
            out_of_reach: u64::MAX.into(),
            refused: AtomicUsize::default(),
            at_next_claim: Mutex::default(),
        })
    }

    fn waited_for(&self) -> usize {
        self.waited_for.swap(0, SeqCst)
    }
}

impl Log for Shelf {
    fn bounds(&self) -> Result<Bounds, ReadError> {
        self.log.bounds()
    }

    fn claim(&self, expected: Position, batch: Batch) -> Result<(Epoch, Position), ClaimError> {
        if let Some(meanwhile) = self.at_next_claim.lock().unwrap().take() {
            meanwhile();
        }
        self.log.claim(expected, batch)
    }

    fn append(&self, epoch: Epoch, expected: Position, batch: Batch) -> Result<Position, AppendError> {
        self.log.append(epoch, expected, batch)
    }

    fn read(&self, from: Position, max_bytes: usize) -> Result<Page, ReadError> {
        if from == self.out_of_reach.load(SeqCst) {
            self.refused.fetch_add(1, SeqCst);
            return Err(unhappy());
        }
        self.log.read(from, max_bytes)
    }

    fn fetch(&self, slices: &[Slice]) -> Result<Vec<Bytes>, ReadError> {
        self.waited_for.fetch_add(slices.len(), SeqCst);
        let out_of_reach = self.out_of_reach.load(SeqCst);
        if slices.iter().any(|slice| slice.position == out_of_reach) {
            return Err(unhappy());
        }
        self.log.fetch(slices)
    }

    fn fetch_at_hand(&self, slices: &[Slice]) -> Option<Vec<Bytes>> {
        if self.at_hand.load(SeqCst) { self.log.fetch_at_hand(slices) } else { None }
    }

    fn trim(&self, epoch: Epoch, up_to: Position) -> Result<(), AppendError> {
        self.log.trim(epoch, up_to)
    }

    fn usage(&self) -> Usage {
        self.log.usage()
    }
}

fn unhappy() -> ReadError {
    ReadError::Io { file: "a.segment".into(), error: std::io::Error::other("an unhappy disk") }
}

/// A broker that remembers nothing of what was sent to those before it.
fn open(log: &Arc<Shelf>) -> Broker {
    let clock = Arc::new(ManualClock::at(START_MS));
    Broker::open(Arc::clone(log) as Arc<dyn Log>, clock, Settings::default()).unwrap()
}

/// `count` messages in a queue of a broker that has ended, each of `bytes`.
async fn sent(disk: &FaultyDisk, count: usize, bytes: usize) -> Vec<String> {
    let broker = open(&Shelf::open(disk, true));
    let queue = broker.standard("q").await;
    let bodies: Vec<_> = (0..count).map(|number| format!("{number:0bytes$}")).collect();
    for body in &bodies {
        broker.put(&queue, body).await;
    }
    broker.stop().await;
    bodies
}

#[tokio::test]
async fn what_the_log_has_at_hand_is_not_waited_for() {
    let disk = FaultyDisk::new();
    let bodies_sent = sent(&disk, 20, 500).await;
    let log = Shelf::open(&disk, true);
    let broker = open(&log);
    let queue = crate::rig::address("q");
    assert_eq!(bodies(&broker.take(&queue, 8, 0).await), bodies_sent[..8]);
    assert_eq!(log.waited_for(), 0);
    log.at_hand.store(false, SeqCst);
    assert_eq!(bodies(&broker.take(&queue, 8, 0).await), bodies_sent[8..16]);
    assert_eq!(log.waited_for(), 8);
    // Four of before, and four that are still in memory.
    for number in 0..4 {
        broker.put(&queue, &format!("new {number}")).await;
    }
    let expected = [&bodies_sent[16..], &(0..4).map(|number| format!("new {number}")).collect::<Vec<_>>()].concat();
    assert_eq!(bodies(&broker.take(&queue, 8, 0).await), expected);
    assert_eq!(log.waited_for(), 4);
}

/// Copying them would keep everybody else on that thread waiting.
#[tokio::test]
async fn large_messages_are_left_to_a_thread_that_may_block() {
    let disk = FaultyDisk::new();
    let bodies_sent = sent(&disk, 4, 60_000).await;
    let log = Shelf::open(&disk, true);
    let broker = open(&log);
    let queue = crate::rig::address("q");
    assert_eq!(bodies(&broker.take(&queue, 1, 0).await), bodies_sent[..1]);
    assert_eq!(log.waited_for(), 0);
    assert_eq!(bodies(&broker.take(&queue, 10, 0).await), bodies_sent[1..]);
    assert_eq!(log.waited_for(), 3);
}

/// A byte of a body flips under an open log: whichever way it is read, the partition stops, and says where.
#[tokio::test]
async fn damage_stops_the_partition_whichever_way_it_is_read() {
    for at_hand in [true, false] {
        let disk = FaultyDisk::new();
        let bodies_sent = sent(&disk, 3, 500).await;
        let log = Shelf::open(&disk, at_hand);
        let broker = open(&log);
        let queue = crate::rig::address("q");
        let (name, at) = find(&disk, &bodies_sent[1]);
        disk.flip(&name, at + 250, 4);
        assert_eq!(bodies(&broker.take(&queue, 1, 0).await), bodies_sent[..1], "the others are whole");
        let Err(Failure::Unavailable(why)) = broker.try_receive(&queue, 1, 0).await else { panic!("it was received") };
        let says = [disk.path(&name).display().to_string(), "is damaged at byte".into(), "afterward doctor".into()];
        assert!(says.iter().all(|words| why.reason.contains(words)), "at hand {at_hand}: {why}");
        assert_eq!(broker.trouble(), Some(why.reason));
        assert!(broker.try_receive(&queue, 1, 0).await.is_err(), "nothing is skipped");
    }
}

/// The bug: a partition that was on its way back came, and served from a log that had been found damaged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_that_is_found_while_the_partition_is_on_its_way_back_stops_it_for_good() {
    let disk = FaultyDisk::new();
    let body = sent(&disk, 1, 500).await.remove(0);
    let log = Shelf::open(&disk, false);
    let broker = open(&log);
    let id = queue_id(&broker, &crate::rig::address("q")).await;
    let view = broker.read(move |state| state.messages(id, None).next()).await.unwrap().unwrap();
    let at = (view.id, view.location);
    let (reader, runtime) = (broker.clone(), tokio::runtime::Handle::current());
    *log.at_next_claim.lock().unwrap() = Some(Box::new(move || {
        let (name, offset) = find(&disk, &body);
        disk.flip(&name, offset + 250, 4);
        runtime.block_on(reader.failures(vec![at])).unwrap_err();
    }));
    let panicked = catch_unwind(AssertUnwindSafe(|| now(broker.read(|_| panic!("on purpose")))));
    assert!(panicked.is_err());
    until("the damage is found", || broker.trouble().is_some_and(|why| why.contains("is damaged at byte"))).await;
    broker.stop().await;
    assert_eq!(broker.metrics().reopened, 0, "it did not serve");
}

/// The bug: all ten went back as received, and with their only receive gone, the next one dead-lettered them.
#[tokio::test]
async fn a_message_that_can_not_be_read_takes_no_receive_from_its_neighbours_nor_from_itself() {
    for suffix in ["", ".fifo"] {
        let disk = FaultyDisk::new();
        let former = open(&Shelf::open(&disk, true));
        let dead = former.create_any(&format!("dead{suffix}"), None).await;
        let queue = former.create_any(&format!("q{suffix}"), Some(&dead)).await;
        for number in 0..10 {
            former.put_any(&queue, &number.to_string()).await;
        }
        former.stop().await;
        let log = Shelf::open(&disk, false);
        let clock = Arc::new(ManualClock::at(START_MS));
        let broker = Broker::open(Arc::clone(&log) as Arc<dyn Log>, clock.clone(), Settings::default()).unwrap();
        let id = queue_id(&broker, &queue).await;
        let third = broker.read(move |state| state.messages(id, None).nth(2)).await.unwrap().unwrap();
        log.out_of_reach.store(third.location.position, SeqCst);

        let received = broker.take(&queue, 10, 0).await;
        // In a FIFO queue, what comes after it waits for it.
        let expected: &[&str] =
            if suffix.is_empty() { &["0", "1", "3", "4", "5", "6", "7", "8", "9"] } else { &["0", "1"] };
        assert_eq!(bodies(&received), expected);
        assert!(received.iter().all(|received| received.delivery.receive_count == 1));
        for received in received {
            broker.delete(&queue, received.delivery.lease).await.unwrap();
        }
        log.waited_for();
        assert!(broker.take(&queue, 10, 0).await.is_empty(), "it is out of sight for a while");
        assert_eq!(log.waited_for(), 0, "and not read meanwhile");
        for _ in 0..3 {
            clock.advance(Duration::from_secs(60));
            let alone = broker.try_receive(&queue, 10, 0).await;
            let Err(Failure::Unavailable(why)) = alone else { panic!("{alone:?}") };
            assert!(why.reason.contains("an unhappy disk") && why.reason.contains("a.segment"), "{why}");
        }
        log.out_of_reach.store(u64::MAX, SeqCst);
        clock.advance(Duration::from_secs(60));
        let received = broker.take(&queue, 10, 0).await;
        let left: &[&str] = if suffix.is_empty() { &["2"] } else { &["2", "3", "4", "5", "6", "7", "8", "9"] };
        assert_eq!(bodies(&received), left);
        assert!(received.iter().all(|received| received.delivery.receive_count == 1), "{received:?}");
        assert!(broker.take(&dead, 10, 0).await.is_empty());
    }
}

/// The bug: the lease was over when the read had failed, so the receive counted, and the next one buried the message.
#[tokio::test]
async fn however_long_a_read_takes_to_fail_it_takes_no_receive() {
    for suffix in ["", ".fifo"] {
        let disk = FaultyDisk::new();
        let former = open(&Shelf::open(&disk, true));
        let dead = former.create_any(&format!("dead{suffix}"), None).await;
        let queue = former.create_any(&format!("q{suffix}"), Some(&dead)).await;
        former.put_any(&queue, "a").await;
        former.stop().await;
        let log = Shelf::open(&disk, false);
        let broker = open(&log);
        let id = queue_id(&broker, &queue).await;
        let only = broker.read(move |state| state.messages(id, None).next()).await.unwrap().unwrap();
        log.out_of_reach.store(only.location.position, SeqCst);
        for _ in 0..3 {
            // A lease that is over at once, as a longer one is where the disk tries for minutes.
            let receive = Receive { visibility_timeout_ms: Some(0), ..a_receive(&queue, 1) };
            broker.receive(receive, Some(Duration::ZERO)).await.unwrap_err();
        }
        log.out_of_reach.store(u64::MAX, SeqCst);
        let received = broker.take(&queue, 1, 0).await;
        assert_eq!((bodies(&received), received[0].delivery.receive_count), (vec!["a".to_owned()], 1));
        assert!(broker.take(&dead, 1, 0).await.is_empty());
    }
}

/// The bug: each pass wrote the definitions before it found that it could not read, and those were reason enough for another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compaction_that_can_not_read_the_log_does_not_try_again_at_once() {
    let (log, clock) = (Shelf::open(&FaultyDisk::new(), true), Arc::new(ManualClock::at(START_MS)));
    let settings = Settings { compact_at_ratio: 2.0, compact_at_bytes: 64 << 10 };
    let broker = Broker::open(Arc::clone(&log) as Arc<dyn Log>, clock.clone(), settings).unwrap();
    // Definitions that take more than the growth after which it is asked again whether a pass pays.
    let (queue, tags) =
        (broker.standard("q").await, (0..50).map(|tag| (format!("{tag:0>128}").into(), "v".repeat(256).into())));
    broker.execute(Command::Tag { queue: queue.clone(), tags: tags.collect() }).await.unwrap();
    log.out_of_reach.store(1, SeqCst);
    let pass_by = async |count: usize| {
        for _ in 0..count {
            broker.put(&queue, &"x".repeat(1_000)).await;
            let received = broker.take(&queue, 1, 0).await;
            broker.delete(&queue, received[0].delivery.lease).await.unwrap();
        }
    };
    for minute in 1..=3 {
        pass_by(200).await;
        until("a pass was tried", || log.refused.load(SeqCst) >= minute).await;
        pass_by(200).await;
        assert_eq!(log.refused.load(SeqCst), minute, "and no other");
        clock.advance(Duration::from_secs(60));
    }
    let retained = || log.usage().retained_bytes;
    assert!(retained() > 1_000_000);
    log.out_of_reach.store(u64::MAX, SeqCst);
    pass_by(100).await;
    until("the log is small again", || retained() < 1_000_000).await;
}

#[tokio::test]
async fn a_schedule_that_can_not_be_read_does_not_keep_the_others_waiting() {
    let disk = FaultyDisk::new();
    let former = open(&Shelf::open(&disk, true));
    let names = ["one", "other"].map(crate::schedules::schedule_of);
    for name in &names {
        former.create_schedule(name.clone(), Bytes::from_static(b"does this"), Some(START_MS)).await.unwrap();
    }
    former.stop().await;
    let log = Shelf::open(&disk, false);
    let broker = open(&log);
    let first = names[0].clone();
    let view = broker.read(move |state| state.schedule_at(&first)).await.unwrap().unwrap();
    log.out_of_reach.store(view.location.position, SeqCst);
    let due = broker.due_schedules(10).await.unwrap();
    assert_eq!(due.iter().map(|of| &of.address).collect::<Vec<_>>(), [&names[1]]);
    broker.delete_schedule(names[1].clone()).await.unwrap();
    let why = broker.due_schedules(10).await.unwrap_err();
    assert!(why.reason.contains("an unhappy disk"), "{why}");
    log.out_of_reach.store(u64::MAX, SeqCst);
    assert_eq!(broker.due_schedules(10).await.unwrap()[0].address, names[0]);
}

/// The file and the offset of a body.
fn find(disk: &FaultyDisk, body: &str) -> (String, u64) {
    let names = disk.list().unwrap().into_iter().filter(|name| name.ends_with(".segment"));
    let mut found = names.filter_map(|name| {
        let contents = disk.contents(&name);
        let at = contents.windows(body.len()).position(|bytes| bytes == body.as_bytes())?;
        Some((name, at as u64))
    });
    found.next().unwrap()
}
