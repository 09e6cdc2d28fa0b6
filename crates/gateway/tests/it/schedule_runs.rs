//! Schedules that run, under a clock that is moved: what comes out of the queues, and what becomes of the schedule.

use crate::{
    rig::Rig,
    scheduler::{done, schedule},
};
use serde_json::{Value, json};

/// What `schedule` says, with these members, and its target's.
fn with(members: Value, target: Value) -> Value {
    let mut body = schedule();
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    for (name, value) in target.as_object().unwrap() {
        body["Target"][name] = value.clone();
    }
    body
}

async fn go_to(rig: &Rig, when: &str) {
    let reply = rig.post("/_afterward/clock", json!({"set": when}).to_string()).await;
    assert_eq!(reply.status, 200, "{when}: {}", reply.body);
}

async fn bodies(rig: &Rig, url: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    for message in rig.receive(url).await {
        bodies.push(message["Body"].as_str().unwrap().to_owned());
        rig.call("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})).await;
    }
    bodies
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_schedule_runs_once_into_every_kind_of_queue_and_is_gone_if_it_says_so() {
    let rig = Rig::that_runs_schedules().await;
    let (standard, fifo) = (rig.standard("chores").await, rig.fifo("chores.fifo").await);
    let at = json!({"ScheduleExpression": "at(2026-03-01T08:00:00)", "ActionAfterCompletion": "DELETE"});
    let queue = |name: &str| format!("arn:aws:sqs:us-east-1:000000000000:{name}");
    let universal = json!({"QueueUrl": standard, "MessageBody": "at <aws.scheduler.scheduled-time>"}).to_string();
    for (name, target) in [
        ("templated", json!({"Arn": queue("chores"), "Input": "{\"n\":1}"})),
        ("first", json!({"Arn": queue("chores.fifo"), "Input": "1", "SqsParameters": {"MessageGroupId": "g"}})),
        ("universal", json!({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": universal})),
    ] {
        done(&rig, "POST", &format!("/schedules/{name}"), with(at.clone(), target)).await;
    }
    done(&rig, "POST", "/schedules/kept", with(json!({"ScheduleExpression": "at(2026-03-01T08:00:00)"}), json!({})))
        .await;
    go_to(&rig, "2026-03-01T07:59:59.999Z").await;
    assert!(bodies(&rig, &standard).await.is_empty() && bodies(&rig, &fifo).await.is_empty());
    go_to(&rig, "2026-03-01T08:00:00Z").await;
    let mut sent = bodies(&rig, &standard).await;
    sent.sort();
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert!(sent.contains(&"{\"n\":1}".to_owned()) && sent.contains(&"at 2026-03-01T08:00:00Z".to_owned()), "{sent:?}");
    assert_eq!(bodies(&rig, &fifo).await, ["1"]);
    go_to(&rig, "2027-03-01T08:00:00Z").await;
    assert!(bodies(&rig, &standard).await.is_empty(), "once is once");
    let left = done(&rig, "GET", "/schedules", Value::Null).await;
    assert_eq!(left["Schedules"].as_array().unwrap().len(), 1);
    assert_eq!(left["Schedules"][0]["Name"], "kept");
}

/// In Vienna, clocks are put forward on 29 March 2026 and back on 25 October.
#[tokio::test(flavor = "multi_thread")]
async fn a_cron_schedule_keeps_to_the_wall_clock_over_daylight_saving() {
    let rig = Rig::that_runs_schedules().await;
    let url = rig.standard("chores").await;
    go_to(&rig, "2026-03-27T12:00:00Z").await;
    let daily = json!({"ScheduleExpression": "cron(30 2 * * ? *)", "ScheduleExpressionTimezone": "Europe/Vienna"});
    done(&rig, "POST", "/schedules/s", with(daily, json!({"Input": "<aws.scheduler.scheduled-time>"}))).await;
    for (until, ran) in [
        ("2026-03-28T12:00:00Z", Some("2026-03-28T01:30:00Z")),
        ("2026-03-29T12:00:00Z", None), // there is no half past two
        ("2026-03-30T12:00:00Z", Some("2026-03-30T00:30:00Z")),
        ("2026-10-24T12:00:00Z", Some("")), // half a year was missed: that is one run
        ("2026-10-25T12:00:00Z", Some("2026-10-25T00:30:00Z")), // the first of two
        ("2026-10-26T12:00:00Z", Some("2026-10-26T01:30:00Z")),
    ] {
        go_to(&rig, until).await;
        let sent = bodies(&rig, &url).await;
        assert_eq!(sent.len(), usize::from(ran.is_some()), "{until}: {sent:?}");
        assert!(ran.is_none_or(|ran| ran.is_empty() || sent == [ran]), "{until}: {sent:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_paused_resumed_and_run_by_hand() {
    let rig = Rig::that_runs_schedules().await;
    let url = rig.standard("chores").await;
    let hourly =
        |state: &str| with(json!({"ScheduleExpression": "rate(1 hour)", "State": state}), json!({"Input": "tick"}));
    done(&rig, "POST", "/schedules/s", hourly("ENABLED")).await;
    go_to(&rig, "2023-11-14T22:13:20Z").await;
    assert_eq!(bodies(&rig, &url).await, ["tick"], "a rate without a start begins at once");
    go_to(&rig, "2023-11-14T23:13:20Z").await;
    assert_eq!(bodies(&rig, &url).await, ["tick"]);
    done(&rig, "PUT", "/schedules/s", hourly("DISABLED")).await;
    go_to(&rig, "2023-11-15T02:13:21Z").await;
    assert!(bodies(&rig, &url).await.is_empty(), "paused");
    let ran = rig.post("/_afterward/schedules/default/s/run", "").await;
    assert_eq!(ran.status, 200, "{}", ran.body);
    assert!(ran.json()["execution_id"].as_str().is_some_and(|id| !id.is_empty()));
    assert_eq!(bodies(&rig, &url).await, ["tick"], "by hand");
    done(&rig, "PUT", "/schedules/s", hourly("ENABLED")).await;
    go_to(&rig, "2023-11-15T03:13:19Z").await;
    assert!(bodies(&rig, &url).await.is_empty());
    go_to(&rig, "2023-11-15T03:13:20Z").await;
    assert_eq!(bodies(&rig, &url).await, ["tick"], "a rate counts from when the schedule was made");

    for (path, status, code) in [
        ("default/none/run", 404, "ScheduleDoesNotExist"),
        ("none/s/run", 404, "ScheduleDoesNotExist"),
        ("default/%20/run", 404, "ScheduleDoesNotExist"),
        ("default/s", 405, "MethodNotAllowed"),
    ] {
        let reply = rig.post(&format!("/_afterward/schedules/{path}"), "").await;
        assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (status, Some(code)), "{path}");
    }
    let reply = rig.get("/_afterward/schedules/default/s/run").await;
    assert_eq!((reply.status, reply.header("allow")), (405, "POST"));
    let idle = Rig::start().await;
    assert_eq!(idle.post("/_afterward/schedules/default/s/run", "").await.status, 501);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_job_that_is_run_by_hand_does_not_come_again() {
    let rig = Rig::that_runs_schedules().await;
    let url = rig.standard("chores").await;
    let once = json!({"ScheduleExpression": "at(2023-11-14T23:00:00)", "ActionAfterCompletion": "DELETE"});
    done(&rig, "POST", "/schedules/afterward-1", with(once, json!({"Input": "job"}))).await;
    let run = || rig.post("/_afterward/schedules/default/afterward-1/run", "");
    let ran = run().await;
    assert_eq!((ran.status, bodies(&rig, &url).await), (200, vec!["job".to_owned()]), "{}", ran.body);
    assert_eq!(run().await.status, 404, "it is gone with its run");
    go_to(&rig, "2023-11-14T23:30:00Z").await;
    assert!(bodies(&rig, &url).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_comes_again_after_the_run_does_not_run_again() {
    let rig = Rig::that_runs_schedules().await;
    let url = rig.standard("chores").await;
    let at =
        json!({"ScheduleExpression": "at(2026-03-01T08:00:00)", "ActionAfterCompletion": "DELETE", "ClientToken": "t"});
    go_to(&rig, "2026-03-01T07:59:50Z").await;
    let made = done(&rig, "POST", "/schedules/s", with(at.clone(), json!({}))).await;
    go_to(&rig, "2026-03-01T08:00:00Z").await;
    assert_eq!(bodies(&rig, &url).await.len(), 1);
    assert_eq!(done(&rig, "POST", "/schedules/s", with(at, json!({}))).await, made);
    go_to(&rig, "2026-03-01T08:00:30Z").await;
    assert!(bodies(&rig, &url).await.is_empty());
}

/// Changes all around the moment at which a schedule is due: none loses its run, none has it run twice.
#[tokio::test(flavor = "multi_thread")]
async fn changes_near_a_due_moment_neither_lose_a_run_nor_double_it() {
    let rig = Rig::that_runs_schedules().await;
    let url = rig.standard("chores").await;
    let definition = |change: u32| {
        with(
            json!({"ScheduleExpression": "cron(0 * * * ? *)", "Description": format!("change {change}")}),
            json!({"Input": "<aws.scheduler.scheduled-time>"}),
        )
    };
    go_to(&rig, "2026-03-01T07:30:00Z").await;
    for name in ["a", "b", "c"] {
        done(&rig, "POST", &format!("/schedules/{name}"), definition(0)).await;
    }
    let mut sent = Vec::new();
    for hour in 8..14 {
        let (due, after) = (format!("2026-03-01T{hour:02}:00:00Z"), format!("2026-03-01T{hour:02}:00:01Z"));
        let change = async |name: &str| {
            for number in 1..12 {
                done(&rig, "PUT", &format!("/schedules/{name}"), definition(number)).await;
            }
        };
        tokio::join!(change("a"), change("b"), change("c"), go_to(&rig, &due));
        go_to(&rig, &after).await;
        sent.extend(bodies(&rig, &url).await);
    }
    sent.sort();
    let times: Vec<String> = (8..14).flat_map(|hour| vec![format!("2026-03-01T{hour:02}:00:00Z"); 3]).collect();
    assert_eq!(sent, times);
}
