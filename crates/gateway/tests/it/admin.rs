//! The admin API: looking without taking.

use crate::rig::Rig;
use serde_json::{Value, json};

async fn peek(rig: &Rig, path: &str) -> Value {
    let reply = rig.get(&format!("/_afterward/queues/{path}")).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    reply.json()
}

fn bodies(page: &Value) -> Vec<&str> {
    page["messages"].as_array().unwrap().iter().map(|message| message["body"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_reason_for_not_being_delivered_is_shown() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "held"})).await;
    assert_eq!(rig.receive(&url).await.len(), 1);
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "free"})).await;
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "late", "DelaySeconds": 60})).await;
    let page = peek(&rig, "chores/messages").await;
    let shown: Vec<(&Value, &Value, &Value)> =
        page["messages"].as_array().unwrap().iter().map(|m| (&m["body"], &m["state"], &m["until"])).collect();
    assert_eq!(
        json!(shown),
        json!([
            ["held", "leased", "2023-11-14T22:13:50.000Z"],
            ["free", "ready", null],
            ["late", "delayed", "2023-11-14T22:14:20.000Z"],
        ])
    );
    assert_eq!(page["messages"][0]["receive_count"], 1);
    assert_eq!(page["messages"][0]["first_received_at"], "2023-11-14T22:13:20.000Z");
    assert_eq!(page["messages"][0]["expires_at"], "2023-11-18T22:13:20.000Z");
    assert_eq!((&page["next_cursor"], &page["scanned"]), (&Value::Null, &json!(3)));
    for (state, body) in [("ready", "free"), ("leased", "held"), ("delayed", "late")] {
        assert_eq!(bodies(&peek(&rig, &format!("chores/messages?state={state}")).await), [body]);
    }
    assert_eq!(rig.receive(&url).await.len(), 1, "looking took nothing");

    let fifo = rig.fifo("line.fifo").await;
    for body in ["first", "second"] {
        rig.call("SendMessage", json!({"QueueUrl": fifo, "MessageBody": body, "MessageGroupId": "g"})).await;
    }
    rig.call("ReceiveMessage", json!({"QueueUrl": fifo})).await;
    let behind = peek(&rig, "line.fifo/messages?state=behind_group").await;
    assert_eq!(bodies(&behind), ["second"]);
    assert_eq!(behind["messages"][0]["group"], "g");
    assert_eq!(behind["messages"][0]["sequence_number"].as_str().unwrap().len(), 20);
}

#[tokio::test]
async fn messages_are_found_by_text_and_attribute_page_by_page() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    for n in 0..150 {
        let kind = if n % 2 == 0 { "even" } else { "odd" };
        let attributes = json!({"kind": {"DataType": "String", "StringValue": kind}});
        rig.call(
            "SendMessage",
            json!({"QueueUrl": url, "MessageBody": format!("number {n}."), "MessageAttributes": attributes}),
        )
        .await;
    }
    let found = peek(&rig, "chores/messages?text=number+149.").await;
    assert_eq!(bodies(&found), ["number 149."]);
    assert_eq!(found["scanned"], 150);
    assert_eq!(found["messages"][0]["attributes"], json!({"kind": {"type": "String", "value": "odd"}}));

    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let page = peek(&rig, &format!("chores/messages?attribute=kind%3Deven&limit=20{cursor}")).await;
        seen.extend(bodies(&page).into_iter().map(String::from));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<String> = (0..150).step_by(2).map(|n| format!("number {n}.")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_page_that_finds_nothing_reads_no_more_than_a_bounded_part_of_the_log() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    let body = "a".repeat(1 << 20);
    for _ in 0..20 {
        rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": body})).await;
    }
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "needle"})).await;
    let first = peek(&rig, "chores/messages?text=needle").await;
    assert_eq!((bodies(&first).len(), &first["scanned"]), (0, &json!(16)));
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = peek(&rig, &format!("chores/messages?text=needle&cursor={cursor}")).await;
    assert_eq!((bodies(&second), &second["scanned"]), (vec!["needle"], &json!(5)));
    assert_eq!(second["next_cursor"], Value::Null);
    // What its standing rules out is not read.
    let leased = peek(&rig, "chores/messages?state=leased").await;
    assert_eq!((&leased["scanned"], &leased["next_cursor"]), (&json!(21), &Value::Null));
}

#[tokio::test]
async fn a_long_body_is_cut_between_characters() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "aäb"})).await;
    for (max, body, cut) in [("2", "a", true), ("3", "aä", true), ("4", "aäb", false), ("0", "", true)] {
        let page = peek(&rig, &format!("chores/messages?max_body_bytes={max}")).await;
        let message = &page["messages"][0];
        assert_eq!(
            (&message["body"], &message["body_is_cut"], &message["size_bytes"]),
            (&json!(body), &json!(cut), &json!(4))
        );
    }
}

#[tokio::test]
async fn wrong_questions_are_answered_with_what_is_right() {
    let rig = Rig::start().await;
    rig.standard("chores").await;
    for (path, status, says) in [
        ("queues/nothing/messages", 404, "There is no queue `nothing`."),
        ("queues/chores/messages?state=lost", 400, "behind_group"),
        ("queues/chores/messages?limit=0", 400, "1 to 100"),
        ("queues/chores/messages?limit=x", 400, "whole number"),
        ("queues/chores/messages?cursor=x", 400, "next_cursor"),
        ("queues/chores/messages?attribute=x", 400, "NAME=VALUE"),
        ("queues/chores/messages?colour=x", 400, "no parameter `colour`"),
        ("queues/chores", 404, "There is nothing at"),
        ("nothing", 404, "There is nothing at"),
    ] {
        let reply = rig.get(&format!("/_afterward/{path}")).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
        assert!(reply.json()["error"]["message"].as_str().unwrap().contains(says), "{path}: {}", reply.body);
    }
    let posted = rig.post("/_afterward/health", "").await;
    assert_eq!((posted.status, posted.header("allow")), (405, "GET, HEAD"));
    let elsewhere = rig.get("/_afterward/queues/chores/messages?account=123456789012").await;
    assert_eq!(elsewhere.status, 404, "another account has no such queue");
}

#[tokio::test]
async fn metrics_tell_of_requests_queues_and_the_log() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "x"})).await;
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "x", "DelaySeconds": 9})).await;
    rig.json("DeleteQueue", &json!({"QueueUrl": "nothing"})).await;
    rig.pass(7);
    let text = rig.get("/_afterward/metrics").await.body;
    for line in [
        "afterward_up 1",
        "afterward_requests_total{service=\"sqs\",action=\"SendMessage\",code=\"200\"} 2",
        "afterward_requests_total{service=\"sqs\",action=\"DeleteQueue\",code=\"AWS.SimpleQueueService.NonExistentQueue\"} 1",
        "afterward_request_duration_seconds_count{service=\"sqs\",action=\"SendMessage\"} 2",
        "afterward_queue_visible{queue=\"chores\",account=\"000000000000\",region=\"us-east-1\"} 1",
        "afterward_queue_delayed{queue=\"chores\",account=\"000000000000\",region=\"us-east-1\"} 1",
        "afterward_queue_in_flight{queue=\"chores\",account=\"000000000000\",region=\"us-east-1\"} 0",
        "afterward_queue_oldest_age_seconds{queue=\"chores\",account=\"000000000000\",region=\"us-east-1\"} 7",
        "afterward_messages_sent_total 2",
        "afterward_queues 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in:\n{text}");
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let value = line.rsplit(' ').next().unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}
