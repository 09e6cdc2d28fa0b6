//! Queues that are not there: retries, dead letters, restarts.

use crate::rig::{HOUR, MINUTE, Rig, SECOND, START_MS, With, arn, attributes, body, definition};
use afterward_broker::{
    Failure,
    machine::{AttributeChanges, Command, CreateQueue, Refusal},
};
use afterward_scheduler::RetryPolicy;

const ONCE: &str = "at(2026-11-22T05:00:00)";

#[tokio::test]
async fn a_queue_that_is_made_late_gets_its_message_once() {
    let rig = Rig::new();
    rig.schedule("s", &definition(ONCE, &arn("late")).input("attempt <aws.scheduler.attempt-number>")).await;
    rig.settled().await;
    assert_eq!(rig.pending().await.len(), 1, "the call waits for its second attempt");
    rig.pass(SECOND).await;
    let (wait_ms, failure) = rig.failed(None).await;
    let rig = rig.kill_and_return_after(wait_ms);
    let (wait_ms, _) = rig.failed(failure).await;
    assert!((2 * SECOND..=4 * SECOND).contains(&wait_ms), "{wait_ms}");
    let queue = rig.queue("late").await;
    rig.pass(wait_ms).await;
    assert_eq!(body(&rig.one(&queue).await), "attempt 4");
    rig.nothing_pending().await;
    assert_eq!(rig.bodies(&queue).await, [""; 0]);
}

#[tokio::test]
async fn a_dead_letter_says_what_failed_and_how_often_it_was_tried() {
    let rig = Rig::new();
    let dead = rig.queue("dead").await;
    rig.schedule("s", &definition(ONCE, &arn("missing")).retries(2).dead_letters_to("dead")).await;
    rig.settled().await;
    rig.pass(SECOND).await;
    rig.next_try(None).await;
    let letter = rig.one(&dead).await;
    assert_eq!(body(&letter), "2026-11-22T05:00:00Z");
    let said = attributes(&letter);
    let expected = [
        ("ERROR_CODE", "AWS.SimpleQueueService.NonExistentQueue"),
        ("ERROR_MESSAGE", "The specified queue does not exist."),
        ("EXHAUSTED_RETRY_CONDITION", "MaximumRetryAttempts"),
        ("IS_PAYLOAD_TRUNCATED", "false"),
        ("RETRY_ATTEMPTS", "2"),
        ("SCHEDULED_TIME", "2026-11-22T05:00:00Z"),
        ("SCHEDULE_ARN", "arn:aws:scheduler:us-east-1:000000000000:schedule/default/s"),
        ("TARGET_ARN", "arn:aws:sqs:us-east-1:000000000000:missing"),
    ];
    for (name, value) in expected {
        assert_eq!(said.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(said["EXECUTION_ID"].len(), 16);
    assert_eq!(said.len(), 9);
    rig.nothing_pending().await;
}

#[tokio::test]
async fn without_retries_the_first_failure_is_the_last() {
    let rig = Rig::new();
    let dead = rig.queue("dead").await;
    rig.schedule("s", &definition(ONCE, &arn("missing")).retries(0).dead_letters_to("dead")).await;
    rig.settled().await;
    let said = attributes(&rig.one(&dead).await);
    assert_eq!(
        (said["RETRY_ATTEMPTS"].as_str(), said["EXHAUSTED_RETRY_CONDITION"].as_str()),
        ("0", "MaximumRetryAttempts")
    );
    assert_eq!(rig.pending().await, []);
}

#[tokio::test]
async fn a_call_grows_too_old() {
    let rig = Rig::new();
    let dead = rig.queue("dead").await;
    let minute = RetryPolicy { maximum_event_age_s: Some(60), maximum_retry_attempts: None };
    let definition = definition(ONCE, &arn("missing")).dead_letters_to("dead").with(|d| d.target.retry = Some(minute));
    rig.schedule("s", &definition).await;
    rig.settled().await;
    rig.pass(SECOND).await;
    let mut failure = None;
    // Waits of 1, 2, 4, 8, 16, … seconds at most, and half of that at least.
    for _ in 0..3 {
        (_, failure) = rig.next_try(failure).await;
    }
    rig.pass(MINUTE).await;
    let said = attributes(&rig.one(&dead).await);
    assert_eq!(said["EXHAUSTED_RETRY_CONDITION"], "MaximumEventAgeInSeconds");
    rig.nothing_pending().await;
}

#[tokio::test]
async fn where_there_is_no_dead_letter_queue_the_schedule_goes_on() {
    let rig = Rig::new();
    let nowhere = definition("rate(1 hour)", &arn("missing")).retries(0);
    let missing_too = nowhere.clone().dead_letters_to("missing-too");
    let schedules = [rig.schedule("none", &nowhere).await, rig.schedule("missing", &missing_too).await];
    for hour in 1..=2 {
        rig.settled().await;
        for schedule in &schedules {
            assert_eq!(rig.due(schedule).await, Some(hour * HOUR));
        }
        rig.pass(HOUR).await;
    }
    assert_eq!(rig.pending().await, []);
}

/// The bug: the schedule stayed due, and with each round of it everybody waited a second.
#[tokio::test]
async fn where_no_queue_can_be_made_for_its_calls_a_schedule_fails_and_goes_on() {
    let rig = Rig::new();
    let dead = rig.queue("dead").await;
    // Its group is there.
    rig.schedule("other", &definition("at(2027-11-22T05:00:00)", &arn("dead"))).await;
    let mut policy_bytes = 16 << 20;
    for number in 0.. {
        let policy = Some(Some("x".repeat(policy_bytes).into()));
        let attributes = AttributeChanges { policy, ..AttributeChanges::default() };
        let queue = crate::rig::address(&format!("large-{number}"));
        let create = CreateQueue { queue, attributes, tags: Default::default(), cooldown: false };
        match rig.broker.execute(Command::CreateQueue(create)).await {
            Ok(_) => {}
            Err(Failure::Refused(Refusal::TooManyDefinitions)) if policy_bytes > 0 => policy_bytes /= 2,
            Err(refused) => {
                assert_eq!(refused, Failure::Refused(Refusal::TooManyDefinitions));
                break;
            }
        }
    }
    let hourly = definition("rate(1 hour)", "http://127.0.0.1:1/").dead_letters_to("dead");
    let schedule = rig.schedule("s", &hourly).await;
    rig.settled().await;
    assert_eq!(rig.due(&schedule).await, Some(HOUR));
    let said = attributes(&rig.one(&dead).await);
    assert!(said["ERROR_MESSAGE"].contains("all the room"), "{said:?}");
}

#[tokio::test]
async fn what_is_no_call_is_deleted_from_the_queue_of_calls() {
    let rig = Rig::new();
    let dead = rig.queue("dead").await;
    // A first call makes the queue, and the task that works it off.
    rig.schedule("s", &definition(ONCE, &arn("missing")).retries(1).dead_letters_to("dead")).await;
    rig.settled().await;
    rig.pass(SECOND).await;
    rig.one(&dead).await;
    let jobs = rig.queue("jobs").await;
    let forged = |account: &str, queue: &str| {
        format!(
            r#"{{"version":"1","schedule_arn":"arn:aws:scheduler:us-east-1:{account}:schedule/default/s","time_ms":0,
            "execution_id":"0","ran_ms":0,"attempts_before":0,"target":{{"arn":"{queue}","role_arn":"r","input":"x"}}}}"#
        )
    };
    let ours = "000000000000";
    let queue_of_others = "arn:aws:sqs:us-east-1:999999999999:jobs";
    for (number, (call, is_made)) in [
        ("not a call".to_owned(), false),
        (forged("999999999999", &arn("jobs")), false),
        (forged(ours, queue_of_others), false),
        (forged(ours, &arn("jobs")), true),
    ]
    .into_iter()
    .enumerate()
    {
        let sends = definition(ONCE, &arn("afterward-invocations")).input(&call);
        rig.schedule(&format!("forged-{number}"), &sends).await;
        rig.settled().await;
        rig.nothing_pending().await;
        assert_eq!(rig.bodies(&jobs).await.len(), usize::from(is_made), "{call}");
    }
}

#[tokio::test]
async fn the_queue_of_calls_may_be_deleted_under_the_runner() {
    let rig = Rig::new();
    let dead = rig.queue("dead").await;
    let failing = definition("rate(1 hour)", &arn("missing")).retries(1).dead_letters_to("dead");
    rig.schedule("s", &failing).await;
    rig.settled().await;
    rig.pass(SECOND).await;
    rig.one(&dead).await;
    rig.nothing_pending().await;
    let queue = crate::rig::address("afterward-invocations");
    let delete = afterward_broker::machine::Command::DeleteQueue { queue };
    rig.broker.execute(delete).await.unwrap();
    rig.pass(HOUR).await;
    rig.pass(SECOND).await;
    assert_eq!(attributes(&rig.one(&dead).await)["SCHEDULED_TIME"], "2026-11-22T06:00:00Z");
}

#[tokio::test]
async fn a_retry_that_waited_through_a_downtime_is_not_made_once_it_is_too_old() {
    let rig = Rig::new();
    let minute = RetryPolicy { maximum_event_age_s: Some(60), maximum_retry_attempts: None };
    let definition = definition(ONCE, &arn("late")).dead_letters_to("dead").with(|d| d.target.retry = Some(minute));
    rig.queue("dead").await;
    rig.schedule("s", &definition).await;
    rig.settled().await;
    let rig = rig.kill_and_return_after(MINUTE + SECOND);
    let (late, dead) = (rig.queue("late").await, crate::rig::address("dead"));
    let said = attributes(&rig.one(&dead).await);
    assert_eq!(said["EXHAUSTED_RETRY_CONDITION"], "MaximumEventAgeInSeconds");
    assert_eq!((said["RETRY_ATTEMPTS"].as_str(), said["ERROR_CODE"].as_str()), ("0", "EventTooOld"));
    assert_eq!(rig.bodies(&late).await, [""; 0]);
    rig.nothing_pending().await;
}

/// An attempt whose outcome nobody saw is followed by another, which says another number.
#[tokio::test]
async fn an_attempt_after_one_that_was_delivered_delivers_nothing_and_is_no_failure() {
    let rig = Rig::new();
    let dead = rig.queue("dead").await;
    let fifo =
        AttributeChanges { fifo: Some(true), content_based_deduplication: Some(true), ..AttributeChanges::default() };
    for queue in [rig.queue("jobs").await, rig.queue_with("jobs.fifo", fifo).await] {
        // A first call makes the queue of calls, and the task that works it off.
        let name = queue.name.as_str().replace('.', "-");
        rig.schedule(
            &name,
            &definition(ONCE, &arn("missing")).retries(0).with(|d| d.target.arn = "http://127.0.0.1:1".into()),
        )
        .await;
        rig.settled().await;
        rig.nothing_pending().await;
        for attempts_before in 0..3 {
            let call = format!(
                r#"{{"version":"1","schedule_arn":"arn:aws:scheduler:us-east-1:000000000000:schedule/default/s","time_ms":0,
                "execution_id":"0123456789abcdef","ran_ms":{START_MS},"attempts_before":{attempts_before},"target":{{"arn":"{}",
                "role_arn":"r","input":"<aws.scheduler.attempt-number>","sqs":{{"message_group_id":"g"}},
                "dead_letter_arn":"{}"}}}}"#,
                queue.arn(),
                dead.arn()
            );
            let sends = definition(ONCE, &arn("afterward-invocations")).input(&call);
            rig.schedule(&format!("{name}-{attempts_before}"), &sends).await;
            rig.settled().await;
            rig.nothing_pending().await;
        }
        assert_eq!(rig.bodies(&queue).await.len(), 1, "{name}");
    }
    assert_eq!(rig.bodies(&dead).await, [""; 0]);
}
