//! Batches with a completion message, from a program that enqueues to the handler that learns that all is done: on an Afterward
//! server, and elsewhere, where the library keeps them in a tally queue.

use crate::story::{attributes, create};
use afterward::{
    Context, Fail, Handle, Message, Queue, State, Summary, Worker, sqs,
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
    let batch = jobs.batch(id);
    for outcome in batch.enqueue_all(&rows(numbers)).await {
        outcome.unwrap();
    }
    batch.then(&ImportDone { file: format!("{id}.csv") }).await.unwrap();
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

    /// Until a condition holds, and the tally queue is empty.
    async fn until(&self, tallies: &Queue, enough: impl Fn() -> bool) {
        let waiting = async {
            while !enough() || !is_empty(tallies).await {
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("a batch was never over, or its tallies are left");
    }

    async fn stop(self) {
        for (handle, running) in self.0 {
            handle.stop();
            running.await.unwrap().unwrap();
        }
    }
}

async fn is_empty(queue: &Queue) -> bool {
    let said = attributes(queue).await;
    said["ApproximateNumberOfMessages"] == "0" && said["ApproximateNumberOfMessagesNotVisible"] == "0"
}

/// The story of an Afterward server, with two workers that share the jobs.
pub(crate) async fn the_completion_comes_last_where_the_library_keeps_the_batch(client: &sqs::Client) {
    let (jobs, dead, tallies) = tallied(client, "story-batches").await;
    let store = tempfile::tempdir().unwrap();
    let jobs = jobs.claim_check_at(&format!("file://{}", store.path().display())).unwrap();
    let notes = Notes::default();
    import(&jobs, "a", 0..25).await;
    import(&jobs, "b", 30..33).await;
    // Nothing of it is there: nothing to wait for. And it is longer than a tally may be.
    let long = "x".repeat(300_000);
    let id = jobs.batch("c").then(&ImportDone { file: long.clone() }).await.unwrap();
    assert_eq!(id.as_str().len(), 32);
    let done = |batch: &str, file: &str| notes.lock().unwrap().contains(&format!("{batch} {file}"));
    // Each with a queue of its own, as in two processes.
    let opened = || jobs.clone().tally("story-batches-tallies.fifo").unwrap();
    let working = AtWork::new((0..2).map(|_| worker(&opened(), &notes)));
    working.until(&tallies, || done("a", "a.csv") && done("b", "b.csv") && done("c", &long)).await;
    // The name is free again.
    import(&jobs, "b", 40..43).await;
    let twice = || notes.lock().unwrap().iter().filter(|note| *note == "b b.csv").count() == 2;
    working.until(&tallies, twice).await;
    working.stop().await;

    let seen = notes.lock().unwrap().clone();
    for (batch, count) in [("a", 24 + 2 + 1), ("b", 3 + 1 + 3 + 1), ("c", 1)] {
        let of_batch: Vec<&String> = seen.iter().filter(|note| note.starts_with(&format!("{batch} "))).collect();
        assert_eq!(of_batch.len(), count, "{of_batch:?}");
        assert!(of_batch.last().unwrap().ends_with(".csv") || batch == "c", "{of_batch:?}");
    }
    assert!(is_empty(&jobs).await);
    assert_eq!(attributes(&dead).await["ApproximateNumberOfMessages"], "1", "row 13");
    assert_eq!(std::fs::read_dir(store.path()).unwrap().count(), 0, "payloads go with their messages");
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
    working.until(&tallies, || notes.lock().unwrap().contains(&last)).await;
    working.stop().await;
    let seen = notes.lock().unwrap().clone();
    assert_eq!((seen.len(), seen.last()), (7, Some(&last)));
    assert!(is_empty(&jobs).await);
}
