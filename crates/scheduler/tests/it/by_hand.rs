//! Running a schedule now.

use crate::rig::{HOUR, Rig, SECOND, START_MS, With, arn, definition, schedule};
use afterward_scheduler::RunNowError;

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
