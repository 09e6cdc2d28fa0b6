//! Batches with a completion message, from a program that enqueues to the handler that learns that all is done.

use afterward::{
    Context, Fail, Message, Queue, State, Worker,
    testing::{self, Broker, Standing},
};
use serde::{Deserialize, Serialize};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

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
