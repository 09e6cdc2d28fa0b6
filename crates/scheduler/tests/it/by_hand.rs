//! Running a schedule now.

use crate::rig::{HOUR, Rig, START_MS, With, arn, definition, schedule};
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
