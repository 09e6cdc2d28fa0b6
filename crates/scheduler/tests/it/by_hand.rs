//! Running a schedule now.

use crate::rig::{HOUR, Rig, SECOND, START_MS, With, arn, definition, schedule};
use afterward_scheduler::{AfterCompletion, RunNowError};

#[tokio::test]
async fn a_schedule_runs_by_hand_and_is_due_as_before() {
    let rig = Rig::new();
    let queue = rig.queue("jobs").await;
    let cron = rig.schedule("on", &definition("cron(0 6 * * ? *)", &arn("jobs"))).await;
    let off = definition("rate(1 hour)", &arn("jobs")).input("off").with(|d| d.enabled = false);
    let off = rig.schedule("off", &off).await;
    let id = rig.runner.run_now(&cron).await.unwrap();
    assert_eq!(id.len(), 16);
    rig.runner.run_now(&off).await.unwrap();
    let mut bodies = rig.bodies(&queue).await;
    bodies.sort();
    assert_eq!(bodies, ["2026-11-22T05:00:00Z", "off"]);
    assert_eq!((rig.due(&cron).await, rig.due(&off).await), (Some(HOUR), None));
}

#[tokio::test]
async fn what_is_done_once_and_deleted_is_not_due_again_after_a_run_by_hand() {
    use AfterCompletion::{Delete, Keep};
    let (once, daily) = ("at(2026-11-22T06:00:00)", "cron(0 6 * * ? *)");
    for (expression, then, enabled, due_ms, runs) in [
        (once, Delete, true, None, 1),
        (once, Delete, false, None, 1),
        (once, Keep, true, Some(Some(HOUR)), 2),
        (daily, Delete, true, Some(Some(HOUR)), 2),
    ] {
        let story = format!("{expression} {then:?} {enabled}");
        let rig = Rig::new();
        let queue = rig.queue("jobs").await;
        let made = definition(expression, &arn("jobs")).with(|d| (d.after_completion, d.enabled) = (then, enabled));
        let schedule = rig.schedule("s", &made).await;
        rig.runner.run_now(&schedule).await.unwrap();
        let is_due_ms = rig.broker.schedule(&schedule).await.unwrap().map(|s| s.next_ms.map(|ms| ms - START_MS));
        assert_eq!(is_due_ms, due_ms, "{story}");
        if due_ms.is_none() {
            assert_eq!(rig.runner.run_now(&schedule).await, Err(RunNowError::NoSuchSchedule), "{story}");
        }
        rig.pass(2 * HOUR).await;
        assert_eq!(rig.bodies(&queue).await.len(), runs, "{story}");
    }
}

#[tokio::test]
async fn what_can_not_be_run_is_told() {
    let rig = Rig::new();
    assert_eq!(rig.runner.run_now(&schedule("none")).await, Err(RunNowError::NoSuchSchedule));
    let strange = schedule("strange");
    rig.broker.create_schedule(strange.clone(), "{}".into(), Some(START_MS + HOUR)).await.unwrap();
    let told = rig.runner.run_now(&strange).await;
    assert!(matches!(told, Err(RunNowError::Unusable(_))), "{told:?}");
}

#[tokio::test]
async fn two_runs_by_hand_in_one_millisecond_are_two() {
    let rig = Rig::new();
    let schedule = rig.schedule("s", &definition("at(2040-01-01T00:00:00)", &arn("late"))).await;
    let (one, other) = (rig.runner.run_now(&schedule).await.unwrap(), rig.runner.run_now(&schedule).await.unwrap());
    assert_ne!(one, other);
    // The queue is made only now, so both are tried again, each by its own id.
    let queue = rig.queue("late").await;
    rig.pass(SECOND).await;
    rig.nothing_pending().await;
    assert_eq!(rig.bodies(&queue).await.len(), 2);
}
