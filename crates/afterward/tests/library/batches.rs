//! Batches with a completion message, from a program that enqueues to the handler that learns that all is done: on an Afterward
//! server, and elsewhere, where the library keeps them in a tally queue.

use crate::story::{attributes, create};
use afterward::{
    Batch, Context, Fail, Handle, Message, Queue, State, Summary, Worker, sqs,
    testing::{self, Broker, Standing},
};
use serde::{Deserialize, Serialize};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

/// How long to wait for what has to come, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(240);

#[derive(Serialize, Deserialize, Message)]
#[message(type = "import:row")]
struct Row {
    number: u32,
}

#[derive(Serialize, Deserialize, Message)]
#[message(type = "import:done")]
struct ImportDone {
    file: String,
}

/// What was handled, in order.
type Notes = Arc<Mutex<Vec<String>>>;

fn rows(numbers: std::ops::Range<u32>) -> Vec<Row> {
    numbers.map(|number| Row { number }).collect()
}

/// A worker that fails at row 13, and splits row 7 into two more, numbered 100 and 101.
fn worker(jobs: &Queue, notes: &Notes) -> Worker<Queue> {
    Worker::new(jobs.clone())
        .concurrency(4)
        .state(jobs.clone())
        .state(notes.clone())
        .on(async |row: Row, cx: Context, State(jobs): State<Queue>, State(notes): State<Notes>| {
            let batch = cx.batch().ok_or_else(|| Fail::new("a row of no batch"))?;
            assert_eq!(cx.completes(), None);
            if row.number == 13 {
                return Err(Fail::new("row 13 can't be read").into());
            }
            if row.number == 7 {
                for outcome in jobs.batch(batch).enqueue_all(&rows(100..102)).await {
                    outcome?;
                }
            }
            notes.lock().unwrap().push(format!("{batch} {}", row.number));
            Ok::<_, afterward::Cause>(())
        })
        .on(async |done: ImportDone, cx: Context, State(notes): State<Notes>| {
            assert_eq!(cx.batch(), None);
            let batch = cx.completes().unwrap_or("none");
            notes.lock().unwrap().push(format!("{batch} {}", done.file));
        })
}

async fn import(jobs: &Queue, id: &str, numbers: std::ops::Range<u32>) {
    import_of(jobs, id, &format!("{id}.csv"), numbers).await;
}

async fn import_of(jobs: &Queue, id: &str, file: &str, numbers: std::ops::Range<u32>) -> Batch {
    let batch = jobs.batch(id);
    for outcome in batch.enqueue_all(&rows(numbers)).await {
        outcome.unwrap();
    }
    batch.then(&ImportDone { file: file.to_owned() }).await.unwrap();
    batch
}

#[tokio::test]
async fn the_completion_comes_last_whatever_became_of_the_jobs_and_once() {
    let broker = Broker::start().await;
    let jobs = broker.queue("jobs").await;
    let notes = Notes::default();
    import(&jobs, "a", 0..25).await;
    import(&jobs, "b", 30..33).await;
    let held = testing::enqueued::<ImportDone>(&jobs).await;
    assert_eq!(held.iter().map(|done| done.standing).collect::<Vec<_>>(), [Standing::Held; 2]);
    assert_eq!(held[0].completes.as_deref(), Some("a"));
    let row = testing::assert_enqueued::<Row>(&jobs, |row| row.number == 30).await;
    assert_eq!((row.batch.as_deref(), row.standing), (Some("b"), Standing::Ready));

    testing::drain(worker(&jobs, &notes)).await;
    let notes = notes.lock().unwrap().clone();
    for (batch, count) in [("a", 24 + 2), ("b", 3)] {
        let of_batch: Vec<&String> = notes.iter().filter(|note| note.starts_with(batch)).collect();
        assert_eq!(of_batch.len(), count + 1, "{notes:?}");
        assert_eq!(**of_batch.last().unwrap(), format!("{batch} {batch}.csv"));
    }
    let dead = testing::dead_letters(&jobs).await;
    assert_eq!(dead.len(), 1, "row 13, which is none of the batch any more");
    assert_eq!(dead[0].batch, None);
    testing::assert_empty(&jobs).await;
}

#[tokio::test]
async fn a_job_that_is_tried_again_keeps_its_batch_open() {
    let broker = Broker::start().await;
    let jobs = broker.queue("jobs").visibility_timeout(Duration::from_secs(90)).await;
    let notes = Notes::default();
    let batch = jobs.new_batch().unwrap();
    batch.enqueue(&Row { number: 1 }).delay(Duration::from_secs(60)).await.unwrap();
    batch.then(&ImportDone { file: "late.csv".into() }).await.unwrap();
    let trying = || {
        Worker::new(jobs.clone())
            .on(async |_: Row, cx: Context| if cx.attempt() == 1 { Err("out of paper") } else { Ok(()) })
            .state(notes.clone())
            .on(async |done: ImportDone, State(notes): State<Notes>| notes.lock().unwrap().push(done.file))
    };
    // Delayed, failed and waiting for its next attempt, done.
    for (wait_s, handled) in [(0, 0), (60, 0), (90, 1)] {
        broker.advance(Duration::from_secs(wait_s)).await;
        testing::drain(trying()).await;
        assert_eq!(notes.lock().unwrap().len(), handled, "after {wait_s} seconds");
    }
    testing::assert_empty(&jobs).await;
}

#[tokio::test]
async fn handlers_are_tried_with_a_batch_and_without_any_broker() {
    let broker = Broker::start().await;
    let jobs = broker.queue("jobs").await;
    let tried = testing::job(&Row { number: 1 })
        .batch("b")
        .run(async |_: Row, cx: Context| cx.batch().map(|_| ()).ok_or("none"));
    assert_eq!(tried.await.ending(), &testing::Ending::Ok);
    let context = testing::job(&ImportDone { file: String::new() }).completes("b").context();
    assert_eq!((context.batch(), context.completes()), (None, Some("b")));
    // Nothing of it is there: nothing to wait for.
    jobs.batch("b").then(&ImportDone { file: "x".into() }).await.unwrap();
    let done = testing::assert_enqueued::<ImportDone>(&jobs, |_| true).await;
    assert_eq!((done.standing, done.completes.as_deref()), (Standing::Ready, Some("b")));
}

/// A queue with a dead-letter queue and a tally queue, as its producers and workers open it.
async fn tallied(client: &sqs::Client, name: &str) -> (Queue, Queue, Queue) {
    let (name, fifo) = match name.strip_suffix(".fifo") {
        Some(bare) => (bare, &[("FifoQueue", "true")][..]),
        None => (name, &[][..]),
    };
    let end = if fifo.is_empty() { "" } else { ".fifo" };
    let dead = create(client, &format!("{name}-dead{end}"), fifo).await;
    let arn = attributes(&dead).await["QueueArn"].clone();
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":5}}"#);
    let jobs = create(client, &format!("{name}{end}"), &[fifo, &[("RedrivePolicy", &*policy)]].concat()).await;
    let tallies = create(client, &format!("{name}-tallies.fifo"), &[("FifoQueue", "true")]).await;
    (jobs.tally(tallies.url()).unwrap(), dead, tallies)
}

/// Workers at work.
struct AtWork(Vec<(Handle, JoinHandle<Result<Summary, afterward::Error>>)>);

impl AtWork {
    fn new(workers: impl IntoIterator<Item = Worker<Queue>>) -> AtWork {
        AtWork(workers.into_iter().map(|worker| (worker.handle(), tokio::spawn(worker.run()))).collect())
    }

    /// Until a condition holds, and nothing is left in these queues.
    async fn until(&self, queues: [&Queue; 2], enough: impl Fn() -> bool) {
        let waiting = async {
            while !enough() || !is_empty(queues[0]).await || !is_empty(queues[1]).await {
                sleep(Duration::from_millis(100)).await;
            }
        };
        if timeout(PATIENCE, waiting).await.is_err() {
            let [jobs, tallies] = [left(queues[0]).await, left(queues[1]).await];
            panic!("all completions came: {}; left in the queue: {jobs}; tallies: {tallies}", enough());
        }
    }

    async fn stop(self) {
        for (handle, running) in self.0 {
            handle.stop();
            running.await.unwrap().unwrap();
        }
    }
}

async fn is_empty(queue: &Queue) -> bool {
    left(queue).await == "0 visible, 0 in flight"
}

async fn left(queue: &Queue) -> String {
    let said = attributes(queue).await;
    let [visible, in_flight] =
        ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"].map(|name| &said[name]);
    format!("{visible} visible, {in_flight} in flight")
}

/// The story of an Afterward server, with two workers that share the jobs.
pub(crate) async fn the_completion_comes_last_where_the_library_keeps_the_batch(client: &sqs::Client) {
    let (jobs, dead, tallies) = tallied(client, "story-batches").await;
    let store = tempfile::tempdir().unwrap();
    let jobs = jobs.claim_check_at(&format!("file://{}", store.path().display())).unwrap();
    let notes = Notes::default();
    import(&jobs, "a", 0..25).await;
    // Two wait for this one.
    let batch = import_of(&jobs, "b", "b.csv", 30..33).await;
    batch.then(&ImportDone { file: "b too.csv".into() }).await.unwrap();
    // Nothing of it is there: nothing to wait for. And it is longer than a tally may be.
    let long = "x".repeat(300_000);
    let id = jobs.batch("c").then(&ImportDone { file: long.clone() }).await.unwrap();
    assert_eq!(id.as_str().len(), 32);
    let done = |note: &str| notes.lock().unwrap().iter().any(|known| known == note);
    // Each with a queue of its own, as in two processes.
    let opened = || jobs.clone().tally("story-batches-tallies.fifo").unwrap();
    let working = AtWork::new((0..2).map(|_| worker(&opened(), &notes)));
    let all = || done("a a.csv") && done("b b.csv") && done("b b too.csv") && done(&format!("c {long}"));
    working.until([&jobs, &tallies], all).await;
    // The name is free again.
    let again = import_of(&jobs, "b", "again.csv", 40..43).await;
    working.until([&jobs, &tallies], || done("b again.csv")).await;
    // That one is over, and its tallies are gone.
    again.then(&ImportDone { file: "late.csv".into() }).await.unwrap();
    working.until([&jobs, &tallies], || done("b late.csv")).await;
    working.stop().await;

    let seen = notes.lock().unwrap().clone();
    assert_first_come_before(&seen, "a a.csv", (0..25).filter(|row| *row != 13).chain([100, 101]));
    assert_first_come_before(&seen, "b b.csv", 30..33);
    assert_first_come_before(&seen, "b b too.csv", 30..33);
    assert_first_come_before(&seen, "b again.csv", 40..43);
    assert_ne!(attributes(&dead).await["ApproximateNumberOfMessages"], "0", "row 13");
    assert_eq!(std::fs::read_dir(store.path()).unwrap().count(), 0, "payloads go with their messages");
}

/// That each of the rows came before their batch's completion. Any of them may have come again since then, and the completion, too:
/// these queues deliver at least once, and do it more than once where a lease runs out because the machine was busy, or where a
/// stand-in hands out a message to two who ask at the same moment.
fn assert_first_come_before(seen: &[String], completion: &str, rows: impl IntoIterator<Item = u32>) {
    let batch = completion.split(' ').next().unwrap();
    let before: Vec<&String> = seen.iter().take_while(|note| *note != completion).collect();
    for row in rows {
        assert!(before.contains(&&format!("{batch} {row}")), "row {row} is not before {completion}: {seen:?}");
    }
}

/// The same for a FIFO queue, whose completion has a group, too.
pub(crate) async fn a_batch_of_a_fifo_queue_is_kept_by_tallies(client: &sqs::Client) {
    let (jobs, _, tallies) = tallied(client, "story-ordered.fifo").await;
    let notes = Notes::default();
    let batch = jobs.new_batch().unwrap();
    let each = |row: &Row| batch.enqueue(row).group(format!("g{}", row.number % 2)).dedup(row.number.to_string());
    let mut all: Vec<_> = rows(0..6).iter().map(each).collect();
    all.push(batch.then(&ImportDone { file: "f".into() }).group("g0").dedup("done"));
    for outcome in batch.enqueue_all(all.drain(..6)).await.into_iter().chain(jobs.enqueue_all(all).await) {
        outcome.unwrap();
    }
    let last = format!("{} f", batch.id());
    let working = AtWork::new([worker(&jobs, &notes)]);
    working.until([&jobs, &tallies], || notes.lock().unwrap().contains(&last)).await;
    working.stop().await;
    let seen = notes.lock().unwrap().clone();
    assert_first_come_before(&seen, &last, 0..6);
}
