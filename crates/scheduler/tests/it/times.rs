//! When schedules run.

use crate::rig::{HOUR, MINUTE, Rig, SECOND, START_MS, With, arn, definition};
use afterward_scheduler::{AfterCompletion, Schedule, WindowDefinition};

#[tokio::test]
async fn a_rate_runs_at_once_and_then_once_for_each_period() {
    let rig = Rig::new();
    let queue = rig.queue("ticks").await;
    rig.schedule("each-minute", &definition("rate(1 minute)", &arn("ticks"))).await;
    rig.settled().await;
    assert_eq!(rig.bodies(&queue).await, ["2026-11-22T05:00:00Z"]);
    for minute in 1..=3 {
        rig.pass(MINUTE - 1).await;
        assert_eq!(rig.bodies(&queue).await, [""; 0], "before its time");
        rig.pass(1).await;
        assert_eq!(rig.bodies(&queue).await, [format!("2026-11-22T05:0{minute}:00Z")]);
    }
}

#[tokio::test]
async fn a_cron_runs_by_the_clocks_of_its_zone() {
    let rig = Rig::new();
    let queue = rig.queue("ticks").await;
    let in_vienna = definition("cron(0 8 * * ? *)", &arn("ticks")).with(|d| d.zone = Some("Europe/Vienna".into()));
    let schedule = rig.schedule("at-eight", &in_vienna).await;
    assert_eq!(rig.due(&schedule).await, Some(2 * HOUR));
    rig.pass(2 * HOUR).await;
    assert_eq!(rig.bodies(&queue).await, ["2026-11-22T07:00:00Z"]);
    assert_eq!(rig.due(&schedule).await, Some(26 * HOUR));
}

#[tokio::test]
async fn what_was_missed_while_the_server_was_down_runs_once_for_its_latest_time() {
    let rig = Rig::new();
    let queue = rig.queue("ticks").await;
    let hourly = rig.schedule("hourly", &definition("cron(0 * * * ? *)", &arn("ticks"))).await;
    let once = rig.schedule("once", &definition("at(2026-11-22T07:30:00)", &arn("ticks")).input("once")).await;
    rig.settled().await;
    rig.all(&queue).await;

    let rig = rig.kill_and_return_after(5 * HOUR + 10 * MINUTE);
    rig.settled().await;
    let mut bodies = rig.bodies(&queue).await;
    bodies.sort();
    assert_eq!(bodies, ["2026-11-22T10:00:00Z", "once"]);
    assert_eq!(rig.due(&hourly).await, Some(6 * HOUR));
    assert_eq!(rig.due(&once).await, None);
}

#[tokio::test]
async fn a_flexible_window_spreads_schedules_and_each_keeps_its_moment() {
    let rig = Rig::new();
    let queue = rig.queue("ticks").await;
    let flexible =
        definition("cron(0 6 * * ? *)", &arn("ticks")).with(|d| d.window = WindowDefinition::Flexible { minutes: 30 });
    let mut dues = Vec::new();
    for number in 0..20 {
        let schedule = rig.schedule(&format!("s{number}"), &flexible).await;
        let due = rig.due(&schedule).await.unwrap();
        assert!((HOUR..HOUR + 30 * MINUTE).contains(&due), "{due}");
        dues.push((schedule, due));
    }
    assert!(dues.iter().any(|(_, due)| *due != dues[0].1));

    // A definition written again, while the window is open, does not run twice nor lose its run.
    let rig = rig.kill_and_return_after(HOUR + 15 * MINUTE);
    rig.settled().await;
    let by_now = rig.bodies(&queue).await;
    let expected = dues.iter().filter(|(_, due)| *due <= HOUR + 15 * MINUTE).count();
    assert_eq!(by_now, vec!["2026-11-22T06:00:00Z"; expected], "the scheduled time is the author's");
    let now_ms = rig.broker.now_ms();
    for (schedule, due) in &dues {
        let (same, next_ms) = (Schedule::of(schedule, &flexible).unwrap(), rig.stored(schedule).await.unwrap().next_ms);
        let changed = same.due_after_change_ms(Some(&same), next_ms, now_ms).unwrap() - START_MS;
        let tomorrow = due % (24 * HOUR) != changed % (24 * HOUR);
        assert_eq!(changed > 24 * HOUR, *due < HOUR + 15 * MINUTE, "{schedule:?}");
        assert!(tomorrow || changed == *due);
    }
    rig.pass(15 * MINUTE).await;
    assert_eq!(rig.bodies(&queue).await.len(), 20 - expected);
}

#[tokio::test]
async fn a_window_that_is_open_when_a_schedule_is_made_is_not_its_own() {
    let rig = Rig::new();
    let flexible =
        definition("cron(50 4 * * ? *)", &arn("ticks")).with(|d| d.window = WindowDefinition::Flexible { minutes: 30 });
    for number in 0..20 {
        let schedule = rig.schedule(&format!("s{number}"), &flexible).await;
        let tomorrow = 24 * HOUR - 10 * MINUTE;
        assert!(rig.due(&schedule).await.unwrap() >= tomorrow);
        let same = Schedule::of(&schedule, &flexible).unwrap();
        let changed = same.due_after_change_ms(Some(&same), None, START_MS + MINUTE);
        assert!(changed.unwrap() - START_MS >= tomorrow, "nor when it is changed");
    }
}

#[tokio::test]
async fn a_window_longer_than_the_period_still_runs_every_time() {
    let rig = Rig::new();
    let queue = rig.queue("ticks").await;
    let flexible =
        definition("rate(1 minute)", &arn("ticks")).with(|d| d.window = WindowDefinition::Flexible { minutes: 10 });
    rig.schedule("dense", &flexible).await;
    for _ in 0..60 {
        rig.pass(MINUTE).await;
    }
    let mut bodies = rig.bodies(&queue).await;
    let minute = |index: usize| format!("2026-11-22T05:{index:02}:00Z");
    assert_ne!(
        bodies,
        (0..bodies.len()).map(minute).collect::<Vec<_>>(),
        "each at its own moment, whatever came before"
    );
    bodies.sort();
    let distinct = bodies.len();
    bodies.dedup();
    assert_eq!(bodies.len(), distinct, "no time runs twice");
    // The windows of the first fifty have passed; the last ten may still have their moments to come.
    assert_eq!(bodies[..51], (0..51).map(minute).collect::<Vec<_>>());
}

#[tokio::test]
async fn times_that_draw_the_same_moment_run_once_and_the_schedule_goes_on() {
    // The moment drawn for one minute of this schedule, in the window of two minutes, is that of the minute before.
    let due_ms = 1_832_930_132_992;
    let first_ms = 1_832_930_040_000;
    let rig = Rig::new().kill_and_return_after(first_ms - START_MS);
    let queue = rig.queue("ticks").await;
    let flexible = definition("rate(1 minute)", &arn("ticks")).with(|d| {
        d.start_ms = Some(first_ms);
        d.window = WindowDefinition::Flexible { minutes: 2 };
    });
    let schedule = rig.schedule("flexible", &flexible).await;
    assert_eq!(rig.due(&schedule).await, Some(due_ms - START_MS));
    rig.pass(due_ms - first_ms).await;
    assert_eq!(rig.bodies(&queue).await, ["2028-01-31T11:14:00Z"]);
    let next_ms = rig.due(&schedule).await.unwrap() + START_MS;
    assert!((due_ms + 1..due_ms + 4 * MINUTE).contains(&next_ms), "{next_ms}");
    rig.pass(next_ms - due_ms).await;
    assert_eq!(rig.bodies(&queue).await.len(), 1);
}

#[tokio::test]
async fn a_one_time_schedule_of_the_past_is_taken_and_deletes_itself_if_it_is_to() {
    let rig = Rig::new();
    let queue = rig.queue("ticks").await;
    let past = definition("at(2020-01-01T00:00:00)", &arn("ticks"));
    let kept = rig.schedule("kept", &past).await;
    let deleted = rig.schedule("deleted", &past.with(|d| d.after_completion = AfterCompletion::Delete)).await;
    rig.settled().await;
    assert_eq!((rig.due(&kept).await, rig.stored(&deleted).await), (None, None));
    assert_eq!(rig.bodies(&queue).await, [""; 0]);
}

#[tokio::test]
async fn start_and_end_bound_it_and_what_is_complete_is_kept_or_deleted() {
    let rig = Rig::new();
    let queue = rig.queue("ticks").await;
    let bounded = definition("rate(1 hour)", &arn("ticks")).with(|d| {
        d.start_ms = Some(START_MS + 30 * MINUTE);
        d.end_ms = Some(START_MS + 150 * MINUTE);
    });
    let kept = rig.schedule("kept", &bounded).await;
    let deleted = bounded.with(|d| d.after_completion = AfterCompletion::Delete);
    let deleted = rig.schedule("deleted", &deleted).await;
    for (minutes, runs) in [(0, 0), (30, 2), (60, 2), (59, 0)] {
        rig.pass(minutes * MINUTE).await;
        assert_eq!(rig.bodies(&queue).await.len(), runs, "after {minutes} more minutes");
        assert!(rig.stored(&deleted).await.is_some());
    }
    rig.pass(MINUTE).await;
    assert_eq!(rig.bodies(&queue).await, ["2026-11-22T07:30:00Z"; 2]);
    assert_eq!(rig.due(&kept).await, None);
    assert_eq!(rig.stored(&deleted).await, None);
    rig.pass(24 * HOUR).await;
    assert_eq!(rig.bodies(&queue).await, [""; 0]);
}

#[tokio::test]
async fn a_one_time_schedule_may_be_made_a_minute_late_and_what_is_over_stays_over() {
    let rig = Rig::new();
    let queue = rig.queue("ticks").await;
    let late = definition("at(2026-11-22T04:59:10)", &arn("ticks"));
    let too_late = definition("at(2026-11-22T04:58:59)", &arn("ticks")).input("too late");
    let schedule = rig.schedule("late", &late).await;
    rig.schedule("too-late", &too_late).await;
    rig.settled().await;
    assert_eq!(rig.bodies(&queue).await, ["2026-11-22T04:59:10Z"]);
    let same = Schedule::of(&schedule, &late).unwrap();
    assert_eq!(same.due_after_change_ms(Some(&same), None, rig.broker.now_ms()), None);
    let other = Schedule::of(&schedule, &definition("at(2026-11-22T04:59:20)", &arn("ticks"))).unwrap();
    let due_ms = other.due_after_change_ms(Some(&same), None, rig.broker.now_ms());
    assert_eq!(due_ms, Some(START_MS - 40 * SECOND), "a time that it is newly given may be late, too");
}

#[tokio::test]
async fn a_disabled_schedule_is_not_due() {
    let rig = Rig::new();
    let schedule = rig.schedule("off", &definition("rate(1 minute)", &arn("ticks")).with(|d| d.enabled = false)).await;
    assert!(rig.due(&schedule).await.is_none());
}

#[tokio::test]
async fn a_definition_that_cannot_be_read_is_not_due_forever() {
    let rig = Rig::new();
    let queue = rig.queue("ticks").await;
    let address = crate::rig::schedule("of-tomorrow");
    rig.broker.create_schedule(address.clone(), "{\"version\":\"99\"}".into(), Some(START_MS)).await.unwrap();
    rig.schedule("healthy", &definition("rate(1 minute)", &arn("ticks"))).await;
    rig.settled().await;
    assert_eq!(rig.due(&address).await, None);
    assert_eq!(rig.bodies(&queue).await.len(), 1);
}
