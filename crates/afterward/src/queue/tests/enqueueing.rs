//! One message: what is said of it, and what goes over the wire.

use super::*;
use crate::sqs::MessageAttributeValue;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::SystemTime,
};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "tick")]
struct Tick;

/// Not JSON: its keys are no strings.
#[derive(Serialize, Deserialize, Message)]
#[message(type = "odd")]
struct Odd(BTreeMap<(u8, u8), u8>);

fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

#[tokio::test]
async fn a_message_is_sent_with_all_that_was_said() {
    let server = Server::ruled(|_| ok(r#"{"MessageId":"m1"}"#)).await;
    let jobs = queue(&server, "jobs");
    jobs.enqueue(&Tick).delay(Duration::from_millis(1500)).group("g").attribute("n", 3).await.unwrap();
    assert_eq!(
        server.bodies()[0],
        json!({
            "QueueUrl": "http://elsewhere/000000000000/jobs",
            "MessageBody": r#"{"type":"tick","payload":null}"#,
            "DelaySeconds": 2,
            "MessageGroupId": "g",
            "MessageAttributes": {"n": {"DataType": "Number", "StringValue": "3"}},
        })
    );
}

#[tokio::test]
async fn a_short_delay_is_the_queues_to_keep() {
    let soon = SystemTime::now() + minutes(10);
    let long_ago = SystemTime::now() - minutes(10);
    let server = Server::ruled(|_| ok(r#"{"MessageId":"m1"}"#)).await;
    let jobs = queue(&server, "jobs");
    for (enqueue, seconds) in [
        (jobs.enqueue(&Tick), vec![Value::Null]),
        (jobs.enqueue(&Tick).delay(minutes(15)), vec![json!(900)]),
        (jobs.enqueue(&Tick).delay(Duration::ZERO), vec![json!(0)]),
        // A second may pass meanwhile.
        (jobs.enqueue(&Tick).at(soon), (590..=600).map(Value::from).collect()),
        // Not the queue's own delay.
        (jobs.enqueue(&Tick).at(long_ago), vec![json!(0)]),
    ] {
        enqueue.await.unwrap();
        let sent = server.bodies_of("/").pop().unwrap();
        assert!(seconds.contains(&sent["DelaySeconds"]), "{sent}");
    }
    // A FIFO queue is told of none.
    queue(&server, "jobs.fifo").enqueue(&Tick).group("g").at(long_ago).await.unwrap();
    assert_eq!(server.bodies_of("/").pop().unwrap()["DelaySeconds"], Value::Null);
}

#[tokio::test]
async fn what_no_queue_would_take_is_refused_before_it_is_sent() {
    let server = Server::scripted([]).await;
    let (jobs, fifo) = (queue(&server, "jobs"), queue(&server, "jobs.fifo"));
    let mut crowded = jobs.enqueue(&Tick);
    for n in 0..11 {
        crowded = crowded.attribute(format!("a{n}"), n);
    }
    for (enqueue, words) in [
        (jobs.enqueue(&Tick).dedup("x"), "not a FIFO queue"),
        (fifo.enqueue(&Tick), "add .group(…)"),
        (fifo.enqueue(&Tick).group("g").dedup("d").unique("u"), "not by both"),
        (jobs.enqueue(&Odd([((1, 2), 3)].into())), "of type `odd` can't be written"),
        (jobs.enqueue(&Tick).attribute("afterward.due", 3), "the attribute `afterward.due`"),
        (crowded, "11 attributes, where a message has 10 at most"),
        (jobs.enqueue(&Tick).unique("k").unique_for(minutes(60 * 24 * 8)), "from a second to seven days"),
    ] {
        let error = enqueue.await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(server.asked().len(), 0);
}

/// Answers as an Afterward server does to what is asked before anything is sent; else as somebody who knows only SQS.
pub(super) fn endpoint(afterward: bool) -> impl Fn(&http::Request<bytes::Bytes>) -> Answer {
    move |asked| match asked.uri().path() {
        "/_afterward/clock" if afterward => {
            ok(r#"{"clock":"system","now":"2026-01-01T00:00:00.000Z","now_ms":1767225600000}"#)
        }
        "/" => ok(r#"{"MessageId":"m1"}"#),
        path if afterward && path.starts_with("/schedules/") => ok(r#"{"ScheduleArn":"arn"}"#),
        _ => Answer::Reply(404, "not found".to_owned()),
    }
}

#[tokio::test]
async fn a_unique_job_is_one_by_its_deduplication_id_or_by_the_servers_word() {
    let header = |server: &Server, name: &str| {
        server.asked().pop().unwrap().headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    // A FIFO queue, of anybody.
    let server = Server::ruled(endpoint(false)).await;
    let fifo = queue(&server, "jobs.fifo");
    let mut ids = Vec::new();
    for (number, key) in [(1, "a"), (2, "a"), (1, "b")] {
        fifo.enqueue(&OrderNew { id: number }).group("g").unique(key).await.unwrap();
        ids.push(server.bodies().pop().unwrap()["MessageDeduplicationId"].as_str().unwrap().to_owned());
    }
    assert!(ids[0] == ids[1] && ids[0] != ids[2], "{ids:?}");
    fifo.enqueue(&Tick).group("g").unique("a").unique_for(minutes(5)).await.unwrap();
    let of_another_type = server.bodies().pop().unwrap()["MessageDeduplicationId"].clone();
    assert_ne!(of_another_type, ids[0], "types keep their keys apart");
    for (enqueue, words) in [
        (fifo.enqueue(&Tick).group("g").unique("a").unique_for(minutes(6)), "five minutes, neither more nor less"),
        (queue(&server, "jobs").enqueue(&Tick).unique("a"), "needs a FIFO queue or an Afterward server"),
    ] {
        let error = enqueue.await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }

    // Every queue, of an Afterward server.
    let server = Server::ruled(endpoint(true)).await;
    let jobs = queue(&server, "jobs");
    let mut digests = Vec::new();
    for number in [1, 2, 1] {
        jobs.enqueue(&OrderNew { id: number }).unique_for(Duration::from_millis(3_600_500)).await.unwrap();
        assert_eq!(header(&server, "x-afterward-unique-seconds").as_deref(), Some("3601"));
        digests.push(header(&server, "x-afterward-unique").unwrap());
    }
    assert!(digests[0] == digests[2] && digests[0] != digests[1], "without a key, the payload is it: {digests:?}");
    let looks = server.asked().iter().filter(|asked| asked.uri().path() == "/_afterward/clock").count();
    assert_eq!(looks, 1, "who answers is asked once");
    let late = jobs.enqueue(&Tick).unique("a").delay(minutes(16)).await.unwrap_err().to_string();
    assert!(late.contains("both unique and from its workers"), "{late}");
}

#[tokio::test]
async fn a_long_delay_is_a_schedule_on_an_afterward_server() {
    let server = Server::ruled(endpoint(true)).await;
    let jobs = queue(&server, "jobs");
    let due = UNIX_EPOCH + Duration::from_millis(4_107_542_399_001);
    let id = jobs.enqueue(&OrderNew { id: 7 }).group("g").attribute("n", 3).at(due).await.unwrap();

    let asked = server.asked().pop().unwrap();
    assert_eq!((asked.method().as_str(), asked.uri().path()), ("POST", &*format!("/schedules/afterward-{id}")));
    let authorization = asked.headers()["authorization"].to_str().unwrap();
    assert!(authorization.contains("/eu-central-1/scheduler/aws4_request"), "{authorization}");
    let schedule = server.bodies_of("/schedules").pop().unwrap();
    assert_eq!(schedule["ScheduleExpression"], "at(2100-03-01T00:00:00)");
    assert_eq!(schedule["ActionAfterCompletion"], "DELETE");
    assert_eq!(schedule["FlexibleTimeWindow"], json!({"Mode": "OFF"}));
    assert_eq!(schedule["Target"]["Arn"], "arn:aws:scheduler:::aws-sdk:sqs:sendMessage");
    let input: Value = serde_json::from_str(schedule["Target"]["Input"].as_str().unwrap()).unwrap();
    assert_eq!(
        input,
        json!({
            "QueueUrl": "http://elsewhere/000000000000/jobs",
            "MessageBody": r#"{"type":"order:new","payload":{"id":7}}"#,
            "MessageGroupId": "g",
            "MessageAttributes": {
                "n": {"DataType": "Number", "StringValue": "3"},
                "afterward.id": {"DataType": "String", "StringValue": id.as_str()},
            },
        })
    );

    // On a FIFO queue every delay is one.
    let fifo = queue(&server, "jobs.fifo");
    fifo.enqueue(&Tick).group("g").dedup("d").delay(Duration::from_secs(5)).await.unwrap();
    let schedule = server.bodies_of("/schedules").pop().unwrap();
    let input: Value = serde_json::from_str(schedule["Target"]["Input"].as_str().unwrap()).unwrap();
    assert_eq!((&input["MessageGroupId"], &input["MessageDeduplicationId"]), (&json!("g"), &json!("d")));
}

#[tokio::test]
async fn a_delay_begins_by_the_clock_that_a_test_moves() {
    let server = Server::ruled(|asked| match asked.uri().path() {
        "/_afterward/clock" => ok(r#"{"clock":"manual","now":"2026-01-01T00:00:00.000Z","now_ms":1767225600000}"#),
        _ => endpoint(true)(asked),
    })
    .await;
    queue(&server, "jobs").enqueue(&Tick).delay(minutes(60)).await.unwrap();
    assert_eq!(server.bodies_of("/schedules").pop().unwrap()["ScheduleExpression"], "at(2026-01-01T01:00:00)");
}

#[tokio::test]
async fn a_schedule_that_is_there_already_is_ours_and_other_refusals_are_told() {
    for (answer, refused) in [
        (error(409, "ConflictException", "exists"), None),
        (error(400, "ValidationException", "no such target"), Some("ValidationException (HTTP 400): no such target")),
        (error(404, "ResourceNotFoundException", "Schedule group default does not exist."), Some("group default")),
        (error(402, "ServiceQuotaExceededException", "too many"), Some("too many")),
    ] {
        let server = Server::ruled(move |asked| match asked.uri().path() {
            path if path.starts_with("/schedules/") => answer.clone(),
            _ => endpoint(true)(asked),
        })
        .await;
        let outcome = queue(&server, "jobs").enqueue(&Tick).delay(minutes(60)).await;
        match (outcome, refused) {
            (Ok(id), None) => assert_eq!(id.as_str().len(), 32),
            (Err(error), Some(words)) => assert!(error.to_string().contains(words), "{error}"),
            (outcome, _) => panic!("{outcome:?} {refused:?}"),
        }
    }
}

/// An Afterward server whose queues say this of themselves.
async fn afterward_with(attributes: &'static str) -> Server {
    Server::ruled(move |asked| match asked.headers().get("x-amz-target").map(|target| target.as_bytes()) {
        Some(b"AmazonSQS.GetQueueAttributes") if attributes.is_empty() => {
            error(400, "QueueDoesNotExist", "no such queue")
        }
        Some(b"AmazonSQS.GetQueueAttributes") => ok(attributes),
        _ => endpoint(true)(asked),
    })
    .await
}

#[tokio::test]
async fn what_its_queue_would_refuse_when_it_is_due_is_refused_before_it_is_scheduled() {
    let small = r#"{"Attributes":{"MaximumMessageSize":"2048","MessageRetentionPeriod":"345600"}}"#;
    let long = "x".repeat(2048);
    for (attributes, name, ask, words) in [
        (small, "jobs.fifo", (|it| it) as fn(Enqueue) -> Enqueue, "add .dedup(…)"),
        (small, "jobs.fifo", |it| it.dedup("two words"), "a deduplication id is 1 to 128"),
        (small, "jobs.fifo", |it| it.dedup("d").group("two words"), "a group is 1 to 128"),
        (small, "jobs", |it| it.attribute("no name", "x"), "'no name' is invalid"),
        (small, "jobs", |it| it.attribute("a", "\u{7}"), "Invalid binary character"),
        (small, "jobs", |it| it.attribute("a", "x".repeat(2048)), "where `jobs` takes 2048 at most"),
        ("", "jobs", |it| it, "QueueDoesNotExist"),
    ] {
        let server = afterward_with(attributes).await;
        let enqueue = queue(&server, name).enqueue(&Tick).group("g").delay(minutes(60));
        let error = ask(enqueue).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(server.bodies_of("/schedules").len(), 0, "{error}");
    }
    let server = afterward_with(small).await;
    let jobs = queue(&server, "jobs");
    let outcomes = jobs.enqueue_all([jobs.enqueue(&Tick).delay(minutes(60)).attribute("a", long)]).await;
    assert!(outcomes[0].as_ref().unwrap_err().to_string().contains("takes 2048 at most"), "{outcomes:?}");
}

#[tokio::test]
async fn a_scheduled_message_has_the_deduplication_id_that_its_queue_would_make_and_its_dead_letter_queue() {
    let input = |server: &Server| -> Value {
        let schedule = server.bodies_of("/schedules").pop().unwrap();
        serde_json::from_str(schedule["Target"]["Input"].as_str().unwrap()).unwrap()
    };
    let dead = |server: &Server| server.bodies_of("/schedules").pop().unwrap()["Target"]["DeadLetterConfig"].clone();
    let fifo = r#"{"Attributes":{"ContentBasedDeduplication":"true",
        "RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:dead.fifo\",\"maxReceiveCount\":3}"}}"#;
    let server = afterward_with(fifo).await;
    queue(&server, "jobs.fifo").enqueue(&Tick).group("g").delay(minutes(1)).await.unwrap();
    let body = r#"{"type":"tick","payload":null}"#;
    assert_eq!(input(&server)["MessageDeduplicationId"], crate::claim::sha256(body.as_bytes()));
    assert_eq!(dead(&server), Value::Null, "a scheduler sends no dead letters to FIFO queues");

    let standard = r#"{"Attributes":{
        "RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:dead\",\"maxReceiveCount\":3}"}}"#;
    let server = afterward_with(standard).await;
    queue(&server, "jobs").enqueue(&Tick).delay(minutes(60)).await.unwrap();
    assert_eq!(input(&server)["MessageDeduplicationId"], Value::Null);
    assert_eq!(dead(&server), json!({"Arn": "arn:aws:sqs:us-east-1:000000000000:dead"}));
}

/// The due time that a sent message carries.
fn due_ms(sent: &Value) -> u64 {
    sent["MessageAttributes"]["afterward.due"]["StringValue"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_long_delay_waits_in_the_queue_where_there_are_no_schedules() {
    let due = SystemTime::now() + minutes(60);
    let expected_ms = u64::try_from(due.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    // Somebody else's server; one of ours without schedules; one whose user wants none.
    for (afterward, schedules, scheduler) in
        [(false, false, Scheduler::Detect), (true, false, Scheduler::Detect), (true, true, Scheduler::None)]
    {
        let server = Server::ruled(move |asked| match asked.uri().path() {
            path if path.starts_with("/schedules/") && !schedules => Answer::Reply(404, "{}".to_owned()),
            _ => endpoint(afterward)(asked),
        })
        .await;
        let jobs = queue(&server, "jobs").scheduler(scheduler);
        for _ in 0..2 {
            jobs.enqueue(&Tick).at(due).await.unwrap();
            let sent = server.bodies_of("/").pop().unwrap();
            assert_eq!(sent["DelaySeconds"], 900);
            assert!(due_ms(&sent).abs_diff(expected_ms) <= 1, "{sent}");
        }
        let asked = server.asked().iter().filter(|asked| asked.uri().path().starts_with("/schedules/")).count();
        assert_eq!(asked, usize::from(afterward && !schedules), "what there is not is asked for once");
    }
}

#[tokio::test]
async fn a_queue_that_keeps_messages_shortly_is_not_given_longer_delays() {
    let server = Server::ruled(|asked| match asked.headers().get("x-amz-target").map(|target| target.as_bytes()) {
        Some(b"AmazonSQS.GetQueueAttributes") => {
            ok(r#"{"Attributes":{"MessageRetentionPeriod":"600","RedrivePolicy":"{\"maxReceiveCount\":1}"}}"#)
        }
        _ => endpoint(false)(asked),
    })
    .await;
    queue(&server, "jobs").enqueue(&Tick).delay(minutes(60)).await.unwrap();
    assert_eq!(server.bodies_of("/").pop().unwrap()["DelaySeconds"], 300);
    let error = queue(&server, "jobs.fifo").enqueue(&Tick).group("g").delay(minutes(1)).await.unwrap_err();
    assert!(error.to_string().contains("gives up a message after one receive"), "{error}");
}

#[tokio::test]
async fn on_a_fifo_queue_each_waits_in_a_group_of_its_own() {
    let server = Server::ruled(endpoint(false)).await;
    let fifo = queue(&server, "jobs.fifo");
    let due = SystemTime::now() + minutes(60);
    let mut groups = Vec::new();
    for (id, dedup) in [(1, None), (2, None), (3, Some("d")), (4, Some("d"))] {
        let enqueue = fifo.enqueue(&OrderNew { id }).group("g").at(due);
        let enqueue = match dedup {
            Some(dedup) => enqueue.dedup(dedup),
            None => enqueue,
        };
        enqueue.await.unwrap();
        let sent = server.bodies_of("/").pop().unwrap();
        assert_eq!(sent["MessageAttributes"]["afterward.group"]["StringValue"], "g");
        assert_eq!(sent["MessageDeduplicationId"], dedup.map_or(Value::Null, Value::from));
        assert_eq!(sent["DelaySeconds"], Value::Null);
        groups.push(sent["MessageGroupId"].as_str().unwrap().to_owned());
    }
    assert!(groups[0] != groups[1] && groups[1] != groups[2] && groups[2] == groups[3], "{groups:?}");
    assert!(groups.iter().all(|group| group.len() <= 128), "{groups:?}");
}

#[tokio::test]
async fn a_message_that_will_be_sent_on_has_room_for_what_it_will_carry() {
    let server = Server::ruled(endpoint(false)).await;
    let (jobs, fifo) = (queue(&server, "jobs"), queue(&server, "jobs.fifo"));
    for (queue, own, fits) in [(&jobs, 8, true), (&jobs, 9, false), (&fifo, 7, true), (&fifo, 8, false)] {
        let mut enqueue = queue.enqueue(&Tick).delay(minutes(60));
        if queue.is_fifo() {
            enqueue = enqueue.group("g");
        }
        for n in 0..own {
            enqueue = enqueue.attribute(format!("a{n}"), n);
        }
        match enqueue.await {
            Ok(_) => assert!(fits, "{} {own}", queue.name()),
            Err(error) => {
                assert!(
                    !fits && error.to_string().contains("11 attributes, where a message has 10 at most"),
                    "{error}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_message_that_no_schedule_takes_is_counted_again_with_its_marks() {
    let server = Server::ruled(endpoint(true)).await;
    // A scheduler would put something else in the place of this.
    let strange = |own: u64| {
        let enqueue = queue(&server, "jobs").enqueue(&Tick).delay(minutes(60)).attribute("a", "<aws.scheduler.x>");
        (1..own).fold(enqueue, |enqueue, n| enqueue.attribute(format!("a{n}"), n))
    };
    strange(8).await.unwrap();
    let sent = server.bodies_of("/").pop().unwrap();
    assert_eq!(sent["MessageAttributes"].as_object().unwrap().len(), 10);
    let error = strange(9).await.unwrap_err().to_string();
    assert!(error.contains("11 attributes"), "{error}");
}

#[tokio::test]
async fn one_bad_answer_of_an_endpoint_is_not_taken_for_what_it_is() {
    let clock = r#"{"clock":"system","now":"","now_ms":1767225600000}"#;
    let refusal = |status, body: &str| Answer::Reply(status, body.to_owned());
    for (first, definite) in [
        (refusal(502, "<html>bad gateway</html>"), false),
        (error(503, "ServiceUnavailable", ""), false),
        (refusal(403, r#"{"error":{"code":"InvalidClientTokenId","message":"no such key"}}"#), false),
        (refusal(401, "who are you?"), false),
        (refusal(408, ""), false),
        (refusal(429, ""), false),
        (refusal(302, ""), false),
        (refusal(404, "nothing here"), true),
        (refusal(400, "what?"), true),
        (error(403, "AccessDenied", ""), true),
        (ok("<html>welcome</html>"), true),
    ] {
        let bad = Arc::new(AtomicBool::new(true));
        let is_bad = bad.clone();
        let server = Server::ruled(move |asked| match asked.uri().path() {
            "/_afterward/clock" if is_bad.load(SeqCst) => first.clone(),
            "/_afterward/clock" => ok(clock),
            _ => ok(r#"{"MessageId":"m1"}"#),
        })
        .await;
        let jobs = queue(&server, "jobs");
        let told = jobs.enqueue(&Tick).unique("a").await.unwrap_err().to_string();
        assert_eq!(told.contains("needs a FIFO queue or an Afterward server"), definite, "{told}");
        bad.store(false, SeqCst);
        let later = jobs.enqueue(&Tick).unique("a").await;
        assert_eq!(later.is_err(), definite, "{later:?}");
    }
}

/// What a received message looks like, with these attributes.
pub(super) fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue {
        data_type: "String".into(),
        string_value: Some(value.into()),
        ..MessageAttributeValue::default()
    }
}
