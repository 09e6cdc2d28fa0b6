//! Receives that are attempts, and those that are not.

use super::stage::{lost, message};
use super::*;
use crate::{Exhausted, SourceError, handler};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

fn handed_back(id: &str, at_s: u64, after_s: u64) -> Deed {
    Deed::HandedBack { id: id.into(), at_s, after_s }
}

#[tokio::test(start_paused = true)]
async fn what_no_handler_had_is_handed_back_as_not_received() {
    // One runs, one follows it in its group, one waits for a limit; the deadline cuts off the first.
    let stage = Stage::new([
        ordered("1", "g", &body("nap", 60)),
        ordered("2", "g", &body("nap", 1)),
        message("3", &body("nap", 1)),
    ]);
    stage.count_attempts();
    let worker = Worker::new(stage.clone()).on(handler(nap).concurrency(1)).stop_within(Duration::from_secs(2));
    let summary = worker.stop_on(sleep(Duration::from_secs(1))).run().await.unwrap();
    assert_eq!(summary, Summary { handed_back: 3, ..Summary::default() });
    let mut deeds = stage.deeds();
    deeds.sort_by_key(|deed| format!("{deed:?}"));
    // Who waits for a limit at once; all out of reach of the receive that the stop has dropped.
    assert_eq!(deeds, [changed("1", 3, 18, None), handed_back("2", 3, 18), handed_back("3", 1, 20)]);
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_last_attempt_was_cut_short_is_not_begun_again() {
    let begun = Arc::new(AtomicUsize::new(0));
    for (counts, receives, begins) in [(true, 3, 1), (true, 4, 0), (false, 4, 1)] {
        let stage = Stage::new([received("1", &body("fail", 0), receives)]);
        stage.set_redrive(10);
        if counts {
            stage.count_attempts();
        }
        let counting = begun.clone();
        let failing = handler(move |_: Fail| {
            counting.fetch_add(1, Ordering::Relaxed);
            async { Err::<(), _>("out of paper") }
        });
        let worker = Worker::new(stage.clone()).on(failing.max_attempts(3).exhausted(Exhausted::DeadLetter));
        work(&stage, worker, 1).await.unwrap();
        let error = if begins == 0 {
            "the last of 3 attempts was cut short: its worker died, or was stopped"
        } else {
            "out of paper"
        };
        assert_eq!(stage.deeds(), [dead_lettered("1", 0, error)], "{receives} receives, attempts counted: {counts}");
        assert_eq!(begun.swap(0, Ordering::Relaxed), begins);
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_away_at_the_start_is_asked_again_whether_it_counts_attempts() {
    let away = || SourceError::Unavailable("503".into());
    let denied = || SourceError::Refused("403".into());
    for (faults, counts) in [(vec![away(), away()], true), (vec![denied()], false)] {
        let stage = Stage::new([received("1", &body("fail", 0), 4)]);
        stage.set_redrive(10);
        stage.count_attempts();
        stage.fail_counting(faults);
        let failing = handler(async |_: Fail| Err::<(), _>("out of paper")).max_attempts(3);
        work(&stage, Worker::new(stage.clone()).on(failing), 1).await.unwrap();
        let Deed::DeadLettered { error, .. } = &stage.deeds()[0] else { panic!("{:?}", stage.deeds()) };
        assert_eq!(error.contains("was cut short"), counts, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_lost_while_it_waited_is_not_begun() {
    let stage = Stage::new([message("1", &body("nap", 40)), message("2", &body("nap", 1))]);
    // Both leases are extended at 15 s, the first of them first.
    stage.fail_changes([super::stage::away(), lost()]);
    let worker = Worker::new(stage.clone()).on(handler(nap).concurrency(1));
    let summary = worker.stop_on(sleep(Duration::from_secs(60))).run().await.unwrap();
    assert_eq!(summary, Summary { succeeded: 1, handed_back: 1, ..Summary::default() });
    assert_eq!(stage.deleted(), ["1"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_done_is_deleted_after_its_lease_too() {
    let stage = Stage::new([message("1", &body("nap", 1))]);
    stage.fail_deletes((0..20).map(|_| super::stage::away()));
    let summary = work(&stage, Worker::new(stage.clone()).on(nap), 1).await.unwrap();
    assert_eq!(summary, Summary { succeeded: 1, ..Summary::default() });
    assert!(stage.seconds() > 31, "{}", stage.seconds());
}

#[tokio::test(start_paused = true)]
async fn a_paused_type_stays_paused_while_the_worker_stops() {
    // Being fetched when the worker is told to stop, it is found to be of a paused type.
    let stage = Stage::new([message("1", &format!("elsewhere:{}", body("nap", 1))), message("2", &body("fail", 5))]);
    let worker = Worker::new(stage.clone()).on(nap).on(fail);
    worker.handle().pause_type(Nap::TYPE);
    let summary = worker.stop_on(sleep(Duration::from_secs(1))).run().await.unwrap();
    assert_eq!(summary, Summary { failed: 1, handed_back: 1, ..Summary::default() });
}

#[tokio::test(start_paused = true)]
async fn nobody_of_a_group_begins_when_the_deadline_has_passed() {
    let stage = Stage::new([ordered("1", "g", &body("quick", ())), ordered("2", "g", &body("quick", ()))]);
    // Sees that it is no longer wanted, and ends well at once.
    let worker = Worker::new(stage.clone()).on(quick).stop_within(Duration::from_secs(1));
    let summary = worker.stop_on(sleep(Duration::from_secs(1))).run().await.unwrap();
    assert_eq!(summary.handed_back + summary.succeeded, 2);
    assert!(!stage.deleted().contains(&"2".to_owned()), "{:?}", stage.deeds());
}

#[derive(Serialize, Deserialize, Message)]
#[message(type = "quick")]
struct Quick;

async fn quick(_: Quick, cx: Context) {
    cx.cancelled().await;
}
