//! Many schedules.

use crate::rig::{HOUR, MINUTE, Rig, With, arn, definition};

#[tokio::test]
async fn all_that_are_due_at_a_time_run_once_each() {
    let rig = Rig::new();
    let queue = rig.queue("ticks").await;
    for number in 0..1_000 {
        let noon = definition("at(2026-11-22T06:00:00)", &arn("ticks")).input(&number.to_string());
        rig.schedule(&format!("s{number}"), &noon).await;
    }
    rig.pass(HOUR - 1).await;
    assert_eq!(rig.bodies(&queue).await, [""; 0]);
    rig.pass(1).await;
    let mut ran: Vec<u32> = rig.bodies(&queue).await.iter().map(|body| body.parse().unwrap()).collect();
    ran.sort_unstable();
    assert_eq!(ran, (0..1_000).collect::<Vec<_>>());
    rig.pass(MINUTE).await;
    assert_eq!(rig.bodies(&queue).await, [""; 0]);
}
