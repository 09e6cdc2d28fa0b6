use super::stage::{away, lost, message};
use super::*;
use crate::Cancelled;
use std::sync::{Arc, Mutex};

#[tokio::test(start_paused = true)]
async fn a_lease_is_extended_each_time_half_of_it_has_passed() {
    let stage = Stage::new([message("1", &body("nap", 50))]);
    work(&stage, Worker::new(stage.clone()).on(nap), 4).await.unwrap();
    let beat = |at_s| changed("1", at_s, 30, None);
    assert_eq!(stage.deeds(), [beat(15), beat(30), beat(45), deleted("1", 50)]);
}

#[tokio::test(start_paused = true)]
async fn a_set_visibility_timeout_replaces_the_queues() {
    let stage = Stage::new([message("1", &body("nap", 5))]);
    let worker = Worker::new(stage.clone()).visibility_timeout(Duration::from_secs(8)).on(nap);
    work(&stage, worker, 2).await.unwrap();
    assert_eq!(stage.deeds(), [changed("1", 4, 8, None), deleted("1", 5)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_blocks_its_thread_does_not_lose_its_lease() {
    let stage = Stage::new([message("1", &body("nap", 0))]);
    let minutes = stage.clone();
    // By the machine's clock: half of it is how long a busy machine may stop.
    let worker = Worker::new(stage.clone()).visibility_timeout(Duration::from_secs(10)).on(move |_: Nap| {
        let minutes = minutes.clone();
        async move {
            // Holds its thread until the lease has been extended twice without it.
            for _ in 0..6000 {
                if minutes.deeds().len() >= 2 {
                    return Ok(());
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            Err("the lease was not extended")
        }
    });
    let summary = work(&stage, worker, 3).await.unwrap();
    assert_eq!(summary, Summary { succeeded: 1, ..Summary::default() });
}

/// What reports wakes the task that tells it, and that must not wait for the reporting thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_reports_and_then_blocks_its_thread_is_heard() {
    let stage = Stage::new([message("1", &body("nap", 0))]);
    let minutes = stage.clone();
    let worker = Worker::new(stage.clone()).visibility_timeout(Duration::from_secs(3600));
    let worker = worker.on(move |_: Nap, cx: Context| {
        let minutes = minutes.clone();
        async move {
            cx.progress(0.5, "half of it");
            let is_heard = (0..3000).any(|_| {
                std::thread::sleep(Duration::from_millis(10));
                minutes.deeds().iter().any(|deed| matches!(deed, Deed::Reported { .. }))
            });
            if is_heard { Ok(()) } else { Err("nobody was told") }
        }
    });
    // On a thread of the runtime, as the attempts are.
    let working = tokio::spawn(async move { work(&stage, worker, 1).await });
    assert_eq!(working.await.unwrap().unwrap(), Summary { succeeded: 1, ..Summary::default() });
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_reported_and_left_for_when_it_is_due() {
    for (seconds, retry_after, expected) in [
        (10, None, vec![changed("1", 10, 20, Some("out of paper"))]),
        (20, None, vec![changed("1", 15, 30, None), changed("1", 20, 25, Some("out of paper"))]),
        (10, Some(0), vec![changed("1", 10, 0, Some("out of paper"))]),
        (10, Some(90), vec![changed("1", 10, 90, Some("out of paper"))]),
    ] {
        let stage = Stage::new([message("1", &body("fail", seconds))]);
        let mut worker = Worker::new(stage.clone()).on(fail);
        if let Some(delay_s) = retry_after {
            worker = worker.retry(Duration::from_secs(delay_s));
        }
        work(&stage, worker, expected.len()).await.unwrap();
        assert_eq!(stage.deeds(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_cancels_the_context() {
    let stage = Stage::new([message("1", &body("nap", 0))]);
    stage.fail_changes([lost()]);
    let cancelled = Arc::new(Mutex::new(None));
    let (told, clock) = (cancelled.clone(), stage.clone());
    let worker = Worker::new(stage.clone()).on(move |_: Nap, cx: Context| {
        let (told, clock) = (told.clone(), clock.clone());
        async move {
            let reason = cx.cancelled().await;
            assert_eq!(cx.cancellation(), Some(reason));
            *told.lock().unwrap() = Some((reason, clock.seconds()));
            // Done all the same: the delete is tried, for it may still count.
            Ok::<_, String>(())
        }
    });
    let summary = work(&stage, worker, 1).await.unwrap();
    assert_eq!(*cancelled.lock().unwrap(), Some((Cancelled::LeaseLost, 15)));
    assert_eq!(summary, Summary { undeleted: 1, ..Summary::default() });
    assert_eq!(stage.deeds(), [deleted("1", 15)]);
}

#[tokio::test(start_paused = true)]
async fn a_source_away_for_less_than_the_lease_costs_nothing() {
    let stage = Stage::new([message("1", &body("nap", 40))]);
    stage.fail_changes([away(), away(), away()]);
    let summary = work(&stage, Worker::new(stage.clone()).on(nap), 3).await.unwrap();
    assert_eq!(summary.succeeded, 1);
    let [Deed::Changed { at_s: first, .. }, _, Deed::Deleted { at_s: 40, .. }] = stage.deeds()[..] else {
        panic!("{:?}", stage.deeds())
    };
    assert!((16..30).contains(&first), "extended late, but in time: {first}");
}

#[tokio::test(start_paused = true)]
async fn a_source_away_for_longer_than_the_lease_loses_it() {
    let stage = Stage::new([message("1", &body("nap", 0))]);
    stage.fail_changes((0..100).map(|_| away()));
    let clock = stage.clone();
    let lost_at = Arc::new(Mutex::new(0));
    let told = lost_at.clone();
    let worker = Worker::new(stage.clone()).on(move |_: Nap, cx: Context| {
        let (told, clock) = (told.clone(), clock.clone());
        async move {
            cx.cancelled().await;
            *told.lock().unwrap() = clock.seconds();
            Ok::<_, String>(())
        }
    });
    work(&stage, worker, 1).await.unwrap();
    assert_eq!(*lost_at.lock().unwrap(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_delete_is_tried_again_while_the_lease_lasts() {
    let stage = Stage::new([message("1", &body("nap", 1))]);
    stage.fail_deletes([away(), away(), away()]);
    assert_eq!(work(&stage, Worker::new(stage.clone()).on(nap), 1).await.unwrap().succeeded, 1);
    assert_eq!(stage.deleted(), ["1"]);

    let stage = Stage::new([message("1", &body("nap", 1))]);
    stage.fail_deletes([lost()]);
    stage.add(message("2", &body("nap", 2)));
    let summary = work(&stage, Worker::new(stage.clone()).on(nap), 1).await.unwrap();
    assert_eq!(summary, Summary { succeeded: 1, undeleted: 1, ..Summary::default() });
}
