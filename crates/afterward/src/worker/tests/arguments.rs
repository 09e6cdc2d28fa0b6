//! What handlers can be given, and what they can return.

use super::stage::message;
use super::*;
use crate::{Cause, Extension, FromJob, Job, Raw, State};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

#[derive(Clone)]
struct Counter(Arc<AtomicUsize>);

/// The attempt's number, if it is not too high.
struct Early(u32);

impl FromJob for Early {
    type Rejection = String;

    async fn from_job(job: &Job) -> Result<Early, String> {
        let attempt = job.context().attempt();
        tokio::task::yield_now().await;
        if attempt < 3 { Ok(Early(attempt)) } else { Err(format!("attempt {attempt} is too late")) }
    }
}

async fn counted(
    _: Nap,
    State(counter): State<Counter>,
    Early(attempt): Early,
    cx: Context,
    missing: Option<Extension<u8>>,
) -> Result<(), Cause> {
    assert_eq!((cx.attempt(), cx.message_type(), missing.is_none()), (attempt, Some("nap"), true));
    counter.0.fetch_add(1, SeqCst);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn handlers_get_what_they_ask_for() {
    let counter = Counter(Arc::default());
    let stage = Stage::new([received("1", &body("nap", 0), 2), received("2", &body("nap", 0), 3)]);
    let worker = Worker::new(stage.clone()).state(counter.clone()).on(counted);
    let summary = work(&stage, worker, 2).await.unwrap();
    assert_eq!((summary.succeeded, summary.failed, counter.0.load(SeqCst)), (1, 1, 1));
    assert!(stage.deeds().contains(&changed("2", 0, 30, Some("attempt 3 is too late"))));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_lacks_a_state_does_not_start() {
    let error =
        Worker::new(Stage::new([])).on(fail).on(crate::handler(counted).concurrency(2)).run().await.unwrap_err();
    let error = error.to_string();
    assert!(error.starts_with("the handler of `nap`: the worker has no state of type `"), "{error}");
    assert!(error.ends_with("Counter`: add .state(…)"), "{error}");
}

#[allow(clippy::too_many_arguments)] // to see that they work
async fn eight(_: Raw, _: Context, _: Context, _: Context, _: Context, _: Context, _: Context, _: Context, _: Job) {}

#[tokio::test(start_paused = true)]
async fn a_handler_may_return_nothing_and_take_eight_more() {
    let stage = Stage::new([message("1", "hello")]);
    assert_eq!(work(&stage, Worker::new(stage.clone()).otherwise(eight), 1).await.unwrap().succeeded, 1);
}
