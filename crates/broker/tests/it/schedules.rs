//! Schedules: kept, found when they are due, run once, whatever falls over in between.

use crate::rig::{Calls, Rig, START_MS, a_send, address, bodies, content, held, now, once_back, until};
use afterward_broker::{
    Broker, Failure, ScheduleRun, Settings, StoredSchedule, Unavailable,
    machine::{NextRun, Refusal, SentMessage},
};
use afterward_log::memory::Fault;
use afterward_names::{QueueAddress, ScheduleAddress, ScheduleArn, ScheduleGroupAddress, ScheduleGroupArn};
use bytes::Bytes;
use std::{collections::BTreeMap, time::Duration};

fn schedule(path: &str) -> ScheduleAddress {
    format!("arn:aws:scheduler:us-east-1:000000000000:schedule/{path}").parse::<ScheduleArn>().unwrap().0
}

/// One in the default group.
pub(crate) fn schedule_of(name: &str) -> ScheduleAddress {
    schedule(&format!("default/{name}"))
}

fn group(name: &str) -> ScheduleGroupAddress {
    format!("arn:aws:scheduler:us-east-1:000000000000:schedule-group/{name}").parse::<ScheduleGroupArn>().unwrap().0
}

async fn create(broker: &Broker, path: &str, next_ms: u64) -> StoredSchedule {
    let definition = Bytes::from(format!("what {path} does"));
    broker.create_schedule(schedule(path), definition, Some(next_ms)).await.unwrap();
    broker.schedule(&schedule(path)).await.unwrap().unwrap()
}

/// A run of `of` as it was read, that sends `bodies` to `queue`.
fn run(of: &StoredSchedule, next: NextRun, queue: &QueueAddress, bodies: &[&str]) -> ScheduleRun {
    let sends = bodies.iter().map(|body| (a_send(queue), content(body))).collect();
    ScheduleRun { id: of.id, revision: of.revision, due_ms: of.next_ms, next, sends }
}

fn refused(outcome: Result<Vec<SentMessage>, Failure>) -> Refusal {
    match outcome {
        Err(Failure::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn names(schedules: &[StoredSchedule]) -> Vec<String> {
    schedules.iter().map(|of| format!("{}/{}", of.address.group.name, of.address.name)).collect()
}

#[tokio::test]
async fn a_schedule_comes_back_as_it_was_given_also_after_a_kill() {
    let rig = Rig::new();
    let made = create(&rig.broker, "default/nightly", START_MS + 1000).await;
    assert_eq!(made.definition, "what default/nightly does");
    assert_eq!((made.created_ms, made.modified_ms, made.next_ms), (START_MS, START_MS, Some(START_MS + 1000)));
    rig.clock.advance(Duration::from_millis(10));
    let again = rig.broker.create_schedule(schedule("default/nightly"), Bytes::new(), None).await;
    assert_eq!(again, Err(Failure::Refused(Refusal::ScheduleExists)));
    let other = Bytes::from_static(b"\xff other");
    let id = rig.broker.update_schedule(made.address.clone(), made.read(), other, None).await.unwrap();
    assert_eq!(id, made.id);
    let rig = rig.kill_and_reopen();
    let found = rig.broker.schedule(&made.address).await.unwrap().unwrap();
    assert_eq!(found.definition, Bytes::from_static(b"\xff other"));
    assert_eq!(
        (found.id, found.created_ms, found.modified_ms, found.next_ms),
        (made.id, START_MS, START_MS + 10, None)
    );
    assert!(found.revision > made.revision);
    rig.broker.delete_schedule(made.address.clone()).await.unwrap();
    assert_eq!(rig.broker.schedule(&made.address).await, Ok(None));
    let gone = Err(Failure::Refused(Refusal::NoSuchSchedule));
    assert_eq!(rig.broker.delete_schedule(made.address.clone()).await, gone);
    let missing = rig.broker.create_schedule(schedule("elsewhere/a"), Bytes::new(), None).await;
    assert_eq!(missing, Err(Failure::Refused(Refusal::NoSuchScheduleGroup)));
}

#[tokio::test]
async fn schedules_are_listed_by_group_and_name_page_by_page() {
    let rig = Rig::new();
    for name in ["b", "a"] {
        rig.broker.create_schedule_group(group(name), BTreeMap::new()).await.unwrap();
    }
    for path in ["b/x2", "default/x1", "a/y", "a/x10", "a/x1", "b/z"] {
        create(&rig.broker, path, START_MS).await;
    }
    let list = async |group: Option<&str>, prefix: &str, after: Option<(&str, &str)>, limit| {
        let (group, after) = (
            group.map(|name| name.parse().unwrap()),
            after.map(|(group, name)| (group.parse().unwrap(), name.parse().unwrap())),
        );
        let of = address("any");
        let found = rig.broker.schedules(of.account, of.region, group, prefix.to_owned(), after, limit).await;
        names(&found.unwrap())
    };
    assert_eq!(list(None, "", None, 9).await, ["a/x1", "a/x10", "a/y", "b/x2", "b/z", "default/x1"]);
    assert_eq!(list(None, "x", None, 9).await, ["a/x1", "a/x10", "b/x2", "default/x1"]);
    assert_eq!(list(Some("a"), "x", None, 9).await, ["a/x1", "a/x10"]);
    assert_eq!(list(None, "", Some(("a", "x10")), 3).await, ["a/y", "b/x2", "b/z"]);
    assert_eq!(list(None, "", Some(("aa", "q")), 1).await, ["b/x2"]);
    assert_eq!(list(Some("b"), "", Some(("b", "x2")), 9).await, ["b/z"]);
    assert_eq!(list(Some("b"), "", Some(("default", "a")), 9).await, Vec::<String>::new());
    assert_eq!(list(Some("nowhere"), "", None, 9).await, Vec::<String>::new());
}

#[tokio::test]
async fn groups_are_made_tagged_listed_and_deleted_with_their_schedules() {
    let rig = Rig::new();
    let tags = |of: &[(&str, &str)]| of.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    rig.broker.create_schedule_group(group("reports"), tags(&[("stage", "test")])).await.unwrap();
    let twice = rig.broker.create_schedule_group(group("reports"), BTreeMap::new()).await;
    assert_eq!(twice, Err(Failure::Refused(Refusal::ScheduleGroupExists)));
    let default = rig.broker.create_schedule_group(group("default"), BTreeMap::new()).await;
    assert_eq!(default, Err(Failure::Refused(Refusal::ScheduleGroupExists)));
    rig.clock.advance(Duration::from_millis(5));
    rig.broker.tag_schedule_group(group("reports"), tags(&[("team", "a"), ("stage", "live")])).await.unwrap();
    rig.broker.untag_schedule_group(group("reports"), vec!["team".into()]).await.unwrap();
    let found = rig.broker.schedule_group(&group("reports")).await.unwrap().unwrap();
    assert_eq!((found.tags, found.created_ms, found.modified_ms), (tags(&[("stage", "live")]), START_MS, START_MS + 5));

    let list = async |prefix: &str, after: Option<&str>| {
        let (of, after) = (address("any"), after.map(|name| name.parse().unwrap()));
        let groups = rig.broker.schedule_groups(of.account, of.region, prefix.to_owned(), after, 9).await.unwrap();
        groups.iter().map(|group| group.address.name.to_string()).collect::<Vec<_>>()
    };
    rig.broker.create_schedule_group(group("a"), BTreeMap::new()).await.unwrap();
    assert_eq!(list("", None).await, ["a", "default", "reports"]);
    assert_eq!(list("", Some("a")).await, ["default", "reports"]);
    assert_eq!(list("re", None).await, ["reports"]);
    create(&rig.broker, "default/used", START_MS).await;
    assert_eq!(list("", None).await, ["a", "default", "reports"]);

    create(&rig.broker, "reports/one", START_MS).await;
    rig.broker.delete_schedule_group(group("reports")).await.unwrap();
    assert_eq!(rig.broker.schedule_group(&group("reports")).await, Ok(None));
    assert_eq!(rig.broker.schedule(&schedule("reports/one")).await, Ok(None));
    let default = rig.broker.delete_schedule_group(group("default")).await;
    assert_eq!(default, Err(Failure::Refused(Refusal::DefaultScheduleGroup)));
}

#[tokio::test]
async fn a_group_of_many_goes_in_rounds_and_takes_no_more_meanwhile() {
    let rig = Rig::new();
    rig.broker.create_schedule_group(group("many"), BTreeMap::new()).await.unwrap();
    for number in 0..2500 {
        let made = rig.broker.create_schedule(schedule(&format!("many/{number}")), Bytes::new(), None);
        made.await.unwrap();
    }
    // The first round is the call's own; the others come behind it, or after a restart.
    rig.log.hold();
    let broker = rig.broker.clone();
    let deleting = tokio::spawn(async move { broker.delete_schedule_group(group("many")).await });
    held(&rig.log, 1).await;
    rig.log.release();
    deleting.await.unwrap().unwrap();
    let rig = rig.kill_and_reopen();
    until("all of them are gone", || rig.broker.metrics().schedules == 0).await;
    assert_eq!(rig.broker.schedule_group(&group("many")).await, Ok(None));
    rig.broker.create_schedule_group(group("many"), BTreeMap::new()).await.unwrap();
    create(&rig.broker, "many/again", START_MS).await;
}

#[tokio::test]
async fn a_run_sends_and_moves_the_schedule_in_one_and_only_while_it_is_as_it_was_read() {
    let rig = Rig::new();
    let queue = rig.standard("jobs").await;
    let made = create(&rig.broker, "default/tick", START_MS).await;
    let next = NextRun::At(START_MS + 60_000);
    let sent = rig.broker.run_schedule(run(&made, next, &queue, &["one", "two"])).await.unwrap();
    assert_eq!(sent.iter().map(|sent| sent.duplicate).collect::<Vec<_>>(), [false, false]);
    assert_ne!(sent[0].id, sent[1].id);
    assert_eq!(bodies(&rig.receive_all(&queue).await), ["one", "two"]);

    assert_eq!(refused(rig.broker.run_schedule(run(&made, next, &queue, &["late"])).await), Refusal::StaleRun);
    let again = rig.broker.schedule(&made.address).await.unwrap().unwrap();
    assert_eq!((again.next_ms, again.revision), (Some(START_MS + 60_000), made.revision));
    // Nor is a change made that was worked out before it ran.
    let update = |read, next_ms| rig.broker.update_schedule(made.address.clone(), read, Bytes::new(), next_ms);
    assert_eq!(update(made.read(), made.next_ms).await, Err(Failure::Refused(Refusal::StaleRun)));
    update(again.read(), again.next_ms).await.unwrap();
    assert_eq!(refused(rig.broker.run_schedule(run(&again, next, &queue, &["old"])).await), Refusal::StaleRun);

    let newest = rig.broker.schedule(&made.address).await.unwrap().unwrap();
    let missing = run(&newest, next, &address("nowhere"), &["x"]);
    let both = ScheduleRun { sends: [run(&newest, next, &queue, &["y"]).sends, missing.sends].concat(), ..missing };
    let refusal = Refusal::SendRefused { number: 1, refusal: Box::new(Refusal::NoSuchQueue) };
    assert_eq!(refused(rig.broker.run_schedule(both).await), refusal);
    assert!(rig.receive_all(&queue).await.is_empty());
    rig.broker.run_schedule(run(&newest, NextRun::Never, &queue, &[])).await.unwrap();
    let rested = rig.broker.schedule(&made.address).await.unwrap().unwrap();
    assert_eq!(rested.next_ms, None);
    // It is not due, and is run all the same.
    rig.broker.run_schedule(run(&rested, NextRun::Delete, &queue, &["last"])).await.unwrap();
    assert_eq!(bodies(&rig.receive_all(&queue).await), ["last"]);
    assert_eq!(rig.broker.schedule(&made.address).await, Ok(None));
    assert_eq!(refused(rig.broker.run_schedule(run(&rested, NextRun::Never, &queue, &[])).await), Refusal::StaleRun);
}

#[tokio::test]
async fn who_waits_is_woken_when_one_is_due_and_gets_the_longest_due_first() {
    let rig = Rig::new();
    let waiting = |limit| {
        let broker = rig.broker.clone();
        tokio::spawn(async move { broker.due_schedules(limit).await })
    };
    let first = waiting(10);
    create(&rig.broker, "default/later", START_MS + 2000).await;
    create(&rig.broker, "default/sooner", START_MS + 1000).await;
    assert_eq!(now(rig.broker.due_schedules(1)), None);
    rig.clock.advance(Duration::from_millis(1000));
    let due = first.await.unwrap().unwrap();
    assert_eq!(names(&due), ["default/sooner"]);
    assert_eq!(due[0].definition, "what default/sooner does");
    // Nobody ran it, so it still is due.
    rig.clock.advance(Duration::from_millis(5000));
    assert_eq!(names(&waiting(10).await.unwrap().unwrap()), ["default/sooner", "default/later"]);
    assert_eq!(names(&waiting(1).await.unwrap().unwrap()), ["default/sooner"]);
    rig.broker.delete_schedule(schedule("default/sooner")).await.unwrap();
    rig.broker.delete_schedule(schedule("default/later")).await.unwrap();
    // A schedule that is made due is found at once.
    let next = waiting(10);
    create(&rig.broker, "default/now", START_MS).await;
    assert_eq!(names(&next.await.unwrap().unwrap()), ["default/now"]);
}

#[tokio::test]
async fn nothing_of_a_schedule_leaves_before_it_is_durable() {
    let rig = Rig::new();
    let queue = rig.standard("jobs").await;
    let made = create(&rig.broker, "default/tick", START_MS).await;
    rig.log.hold();
    let broker = rig.broker.clone();
    let running = run(&made, NextRun::At(START_MS + 1), &queue, &["one"]);
    let running = tokio::spawn(async move { broker.run_schedule(running).await });
    held(&rig.log, 1).await;
    rig.clock.advance(Duration::from_millis(1));
    // Due again by a run that nobody knows to be stored.
    let broker = rig.broker.clone();
    let due = tokio::spawn(async move { broker.due_schedules(1).await });
    let reading = rig.broker.schedule(&made.address);
    assert_eq!(now(reading), None);
    assert!(!running.is_finished() && !due.is_finished());
    rig.log.release();
    running.await.unwrap().unwrap();
    assert_eq!(due.await.unwrap().unwrap()[0].next_ms, Some(START_MS + 1));
}

#[tokio::test]
async fn a_run_that_was_not_stored_is_found_due_again_once_the_partition_is_back() {
    for fault in [Fault::Reject, Fault::UnknownLost, Fault::UnknownWritten] {
        let rig = Rig::new();
        let queue = rig.standard("jobs").await;
        let made = create(&rig.broker, "default/tick", START_MS).await;
        rig.log.fail_next(fault);
        let failed = rig.broker.run_schedule(run(&made, NextRun::Delete, &queue, &["one"])).await;
        assert!(matches!(failed, Err(Failure::Unavailable(_))), "{failed:?}");
        // Who waits for something due waits through the fault.
        create_when_back(&rig.broker).await;
        let due = rig.broker.due_schedules(10).await.unwrap();
        let stored = once_back(&rig.broker, async |broker| broker.schedule(&made.address).await).await.unwrap();
        assert_eq!(names(&due).contains(&"default/tick".to_owned()), stored.is_some());
        if stored.is_some() {
            rig.broker.run_schedule(run(&made, NextRun::Delete, &queue, &["one"])).await.unwrap();
        } else {
            let again = rig.broker.run_schedule(run(&made, NextRun::Delete, &queue, &["one"])).await;
            assert_eq!(refused(again), Refusal::StaleRun);
        }
        assert_eq!(bodies(&rig.receive_all(&queue).await), ["one"], "{fault:?}");
    }
}

/// Something that is due whatever became of the rest.
async fn create_when_back(broker: &Broker) {
    once_back(broker, async |broker| create(broker, "default/other", START_MS).await).await;
}

#[tokio::test]
async fn a_wait_goes_on_through_a_fault_and_ends_when_the_broker_stops() {
    let rig = Rig::new();
    let broker = rig.broker.clone();
    let waiting = tokio::spawn(async move { broker.due_schedules(1).await });
    rig.log.fail_next(Fault::Reject);
    let failed = rig.broker.create_schedule(schedule("default/a"), Bytes::new(), Some(START_MS)).await;
    assert!(matches!(failed, Err(Failure::Unavailable(_))));
    once_back(&rig.broker, async |broker| create(broker, "default/b", START_MS).await).await;
    assert_eq!(names(&waiting.await.unwrap().unwrap()), ["default/b"]);
    rig.broker.delete_schedule(schedule("default/b")).await.unwrap();
    let broker = rig.broker.clone();
    let waiting = tokio::spawn(async move { broker.due_schedules(1).await });
    rig.broker.stop().await;
    let stopped = waiting.await.unwrap();
    assert!(matches!(stopped, Err(Unavailable { .. })), "{stopped:?}");
}

#[tokio::test]
async fn definitions_survive_compaction_and_what_is_overwritten_does_not() {
    let rig = Rig::with(Settings { compact_at_ratio: 1.5, compact_at_bytes: 1 << 20 });
    let queue = rig.standard("jobs").await;
    for number in 0..50 {
        create(&rig.broker, &format!("default/{number}"), START_MS + 1_000_000 + number).await;
    }
    let ticking = create(&rig.broker, "default/tick", START_MS).await;
    let mut next_ms = START_MS;
    let large = "x".repeat(100_000);
    for _ in 0..60 {
        let due = rig.broker.due_schedules(1).await.unwrap();
        assert_eq!(due[0].id, ticking.id);
        next_ms += 1000;
        rig.broker.run_schedule(run(&due[0], NextRun::At(next_ms), &queue, &[&large])).await.unwrap();
        for received in rig.take(&queue, 10, 0).await {
            rig.delete(&queue, received.delivery.lease).await.unwrap();
        }
        rig.clock.advance(Duration::from_millis(1000));
    }
    until("the log is compacted", || crate::rig::retained(&*rig.log) < 3 << 20).await;
    let rig = rig.kill_and_reopen();
    for number in 0..50 {
        let found = rig.broker.schedule(&schedule(&format!("default/{number}"))).await.unwrap().unwrap();
        assert_eq!(found.definition, format!("what default/{number} does"));
        assert_eq!(found.next_ms, Some(START_MS + 1_000_000 + number));
    }
    let due = tokio::time::timeout(Duration::from_secs(60), rig.broker.due_schedules(10)).await.unwrap().unwrap();
    assert_eq!(due[0].next_ms, Some(next_ms));
}
