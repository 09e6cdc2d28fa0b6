//! What queues are sent.

use crate::rig::{MINUTE, Rig, With, address, arn, attributes, body, definition};
use afterward_broker::{AttributeValue, machine::AttributeChanges};

fn fifo(content_based: bool) -> AttributeChanges {
    AttributeChanges {
        fifo: Some(true),
        content_based_deduplication: Some(content_based),
        ..AttributeChanges::default()
    }
}

#[tokio::test]
async fn a_queue_is_sent_the_input_with_its_keywords_filled_in() {
    let rig = Rig::new();
    let queue = rig.queue("jobs").await;
    let input = r#"{"from":"<aws.scheduler.schedule-arn>","run":"<aws.scheduler.execution-id>","n":<aws.scheduler.attempt-number>}"#;
    rig.schedule("s", &definition("rate(1 minute)", &arn("jobs")).input(input)).await;
    rig.settled().await;
    rig.pass(MINUTE).await;
    let told: Vec<serde_json::Value> =
        rig.bodies(&queue).await.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["from"], "arn:aws:scheduler:us-east-1:000000000000:schedule/default/s");
    assert_eq!(told[0]["n"], 1);
    assert_eq!(told[0]["run"].as_str().unwrap().len(), 16);
    assert_ne!(told[0]["run"], told[1]["run"]);
}

#[tokio::test]
async fn without_an_input_a_queue_is_told_of_the_event() {
    let rig = Rig::new();
    let queue = rig.queue("jobs").await;
    rig.schedule("s", &definition("rate(1 minute)", &arn("jobs")).with(|d| d.target.input = None)).await;
    let told: serde_json::Value = serde_json::from_str(&body(&rig.one(&queue).await)).unwrap();
    assert_eq!((&told["source"], &told["detail-type"]), (&"aws.scheduler".into(), &"Scheduled Event".into()));
    assert_eq!(told["time"], "2026-11-22T05:00:00Z");
}

#[tokio::test]
async fn a_fifo_queue_is_sent_to_a_group() {
    let rig = Rig::new();
    let queue = rig.queue_with("jobs.fifo", fifo(true)).await;
    rig.schedule("s", &definition("rate(1 minute)", &arn("jobs.fifo")).in_group("reports")).await;
    rig.settled().await;
    rig.pass(MINUTE).await;
    let received = rig.all(&queue).await;
    let groups: Vec<_> = received.iter().map(|received| received.message.group.clone().unwrap().to_string()).collect();
    assert_eq!(groups, ["reports", "reports"]);
    assert_eq!(received.iter().map(body).collect::<Vec<_>>(), ["2026-11-22T05:00:00Z", "2026-11-22T05:01:00Z"]);
}

#[tokio::test]
async fn a_fifo_queue_that_knows_no_content_based_deduplication_refuses_for_good() {
    let rig = Rig::new();
    let queue = rig.queue_with("jobs.fifo", fifo(false)).await;
    let dead = rig.queue("dead").await;
    let definition = definition("at(2026-11-22T05:00:00)", &arn("jobs.fifo")).in_group("g").dead_letters_to("dead");
    rig.schedule("s", &definition).await;
    let letter = rig.one(&dead).await;
    let said = attributes(&letter);
    assert_eq!(said["RETRY_ATTEMPTS"], "0");
    assert!(said["ERROR_MESSAGE"].contains("deduplication"), "{said:?}");
    assert!(!said.contains_key("EXHAUSTED_RETRY_CONDITION"), "it was not retried");
    assert_eq!(rig.bodies(&queue).await, [""; 0]);
}

#[tokio::test]
async fn the_universal_target_sends_with_all_parameters() {
    let rig = Rig::new();
    let queue = rig.queue_with("jobs.fifo", fifo(false)).await;
    let universal = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";
    let input = r#"{
        "QueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/jobs.fifo",
        "MessageBody": "at <aws.scheduler.scheduled-time>",
        "MessageGroupId": "g",
        "MessageDeduplicationId": "<aws.scheduler.execution-id>",
        "MessageAttributes": {
            "type": {"DataType": "String", "StringValue": "report"},
            "raw": {"DataType": "Binary", "BinaryValue": "AAH/"}
        },
        "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}}
    }"#;
    rig.schedule("s", &definition("rate(1 minute)", universal).input(input)).await;
    let received = rig.one(&queue).await;
    assert_eq!(body(&received), "at 2026-11-22T05:00:00Z");
    let content = &received.message.content;
    assert_eq!(content.deduplication_id.as_deref().map(str::len), Some(16));
    assert_eq!(content.trace_header.as_deref(), Some("Root=1"));
    let raw = &content.attributes[0];
    assert_eq!((&*raw.name, &raw.value), ("raw", &AttributeValue::Binary(vec![0, 1, 255].into())));
    assert_eq!(&*content.attributes[1].name, "type");
}

#[tokio::test]
async fn a_delayed_message_waits_in_the_queue() {
    let rig = Rig::new();
    let queue = rig.queue("jobs").await;
    let input = r#"{"QueueUrl": "jobs", "MessageBody": "later", "DelaySeconds": 60}"#;
    let universal = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";
    rig.schedule("s", &definition("at(2026-11-22T05:00:00)", universal).input(input)).await;
    rig.settled().await;
    assert_eq!(rig.bodies(&queue).await, [""; 0]);
    rig.pass(MINUTE).await;
    assert_eq!(rig.bodies(&queue).await, ["later"]);
    assert_eq!(queue, address("jobs"));
}

#[tokio::test]
async fn keywords_are_filled_in_wherever_they_stand_in_the_input() {
    let rig = Rig::new();
    let queue = rig.queue_with("jobs.fifo", fifo(true)).await;
    let universal = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";
    let input = r#"{
        "QueueUrl": "jobs.fifo", "MessageBody": "b",
        "MessageGroupId": "g-<aws.scheduler.attempt-number>",
        "MessageAttributes": {
            "n": {"DataType": "Number", "StringValue": "<aws.scheduler.attempt-number>"},
            "time": {"DataType": "String", "StringValue": "<aws.scheduler.scheduled-time>"}
        },
        "MessageSystemAttributes": {
            "AWSTraceHeader": {"DataType": "String", "StringValue": "Root=<aws.scheduler.execution-id>"}
        }
    }"#;
    rig.schedule("s", &definition("rate(1 minute)", universal).input(input)).await;
    let received = rig.one(&queue).await;
    let said = attributes(&received);
    assert_eq!((said["n"].as_str(), said["time"].as_str()), ("1", "2026-11-22T05:00:00Z"));
    assert_eq!(received.message.group.as_ref().map(|group| group.as_str()), Some("g-1"));
    let header = received.message.content.trace_header.as_deref().unwrap();
    assert!(header.starts_with("Root=") && header.len() == "Root=".len() + 16, "{header}");
}

#[test]
fn what_send_message_would_refuse_is_refused_as_the_schedule_is_made() {
    let universal = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";
    let attribute = |name: &str, kind: &str, field: &str, value: &str| serde_json::json!({"MessageAttributes": {name: {"DataType": kind, field: value}}});
    let trace = |kind: &str, value: &str| serde_json::json!({"MessageSystemAttributes": {"AWSTraceHeader": {"DataType": kind, "StringValue": value}}});
    for (members, why) in [
        (attribute("n", "Number", "StringValue", "NaN"), "to a number"),
        (attribute("n", "Number", "StringValue", "<aws.scheduler.scheduled-time>"), "to a number"),
        (attribute("a", "Stringy", "StringValue", "x"), "supported type prefixes"),
        (attribute("a", "String.\u{1}", "StringValue", "x"), "supported type prefixes"),
        (attribute("a", "String", "StringValue", "a\u{1}b"), "Invalid binary character"),
        (attribute("a", "Binary", "BinaryValue", ""), "non-empty message attribute value"),
        (attribute("a", "Binary", "BinaryValue", "?"), "not base64"),
        (attribute("AWS.x", "String", "StringValue", "x"), "reserved prefixes"),
        (attribute("a..b", "String", "StringValue", "x"), "periods in succession"),
        (trace("Number", "1"), "AWSTraceHeader"),
        (trace("String", ""), "non-empty"),
        (serde_json::json!({"MessageBody": "\u{1}"}), "Invalid binary character"),
        (serde_json::json!({"MessageGroupId": "a b"}), "MessageGroupId is"),
        (serde_json::json!({"MessageGroupId": "g".repeat(100) + "<aws.scheduler.schedule-arn>"}), "MessageGroupId is"),
    ] {
        let mut input = serde_json::json!({"QueueUrl": "jobs", "MessageBody": "b"});
        input.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let definition = definition("rate(1 minute)", universal).input(&input.to_string());
        let refused = afterward_scheduler::Schedule::of(&crate::rig::schedule("s"), &definition).unwrap_err();
        let refused = refused.to_string();
        assert!(refused.contains(why) && !refused.ends_with(".."), "{input}: {refused}");
    }
}
