//! Our extension of receives and batches: lists of more than ten, for those who ask for them.

use crate::rig::{Reply, Rig};
use bytes::Bytes;
use serde_json::{Value, json};

async fn call(rig: &Rig, action: &str, request: Value, entries: Option<&str>) -> Reply {
    let headers = entries.map(|entries| ("x-afterward-entries", entries));
    rig.json_with(action, &request, headers.as_slice()).await
}

fn sends(url: &str, count: usize, body: &str) -> Value {
    let entries: Vec<Value> = (0..count).map(|n| json!({"Id": n.to_string(), "MessageBody": body})).collect();
    json!({"QueueUrl": url, "Entries": entries})
}

fn receive(url: &str, max: usize) -> Value {
    json!({"QueueUrl": url, "MaxNumberOfMessages": max, "VisibilityTimeout": 60})
}

fn of_handles(url: &str, messages: &[Value], more: Value) -> Value {
    let entry = |(number, message): (usize, &Value)| {
        let mut entry = json!({"Id": number.to_string(), "ReceiptHandle": message["ReceiptHandle"]});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        entry
    };
    json!({"QueueUrl": url, "Entries": messages.iter().enumerate().map(entry).collect::<Vec<_>>()})
}

fn messages(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["Messages"].as_array().cloned().unwrap_or_default()
}

fn code(reply: &Reply) -> String {
    let code = reply.header("x-amzn-query-error").split(';').next().unwrap().to_owned();
    if reply.status == 200 { "200".to_owned() } else { code.rsplit('.').next().unwrap().to_owned() }
}

const TOO_MANY: &str = "TooManyEntriesInBatchRequest";
const INVALID: &str = "InvalidParameterValue";

#[tokio::test]
async fn a_list_has_ten_entries_or_as_many_as_its_request_asked_for() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    for (entries, count, batch, received) in [
        (None, 10, "200", "200"),
        (None, 11, TOO_MANY, INVALID),
        (None, 100, TOO_MANY, INVALID),
        (Some("11"), 11, "200", "200"),
        (Some("11"), 12, TOO_MANY, INVALID),
        (Some("100"), 1, "200", "200"),
        (Some("100"), 100, "200", "200"),
        (Some("100"), 101, TOO_MANY, INVALID),
    ] {
        let what = format!("{entries:?} {count}");
        let sent = call(&rig, "SendMessageBatch", sends(&url, count, "x"), entries).await;
        assert_eq!(code(&sent), batch, "{what}: {}", sent.body);
        let reply = call(&rig, "ReceiveMessage", receive(&url, count), entries).await;
        assert_eq!(code(&reply), received, "{what}: {}", reply.body);
        let taken = match reply.status {
            200 => messages(&reply),
            // Whether or not there are so many messages.
            _ => vec![json!({"ReceiptHandle": "x"}); count],
        };
        assert_eq!(taken.len(), count, "{what}");
        for (action, more) in
            [("ChangeMessageVisibilityBatch", json!({"VisibilityTimeout": 60})), ("DeleteMessageBatch", json!({}))]
        {
            let reply = call(&rig, action, of_handles(&url, &taken, more), entries).await;
            assert_eq!(code(&reply), batch, "{action} {what}: {}", reply.body);
            if reply.status == 200 {
                assert_eq!(reply.json()["Successful"].as_array().unwrap().len(), count, "{action} {what}");
            }
        }
    }
    assert_eq!(rig.attribute(&url, "ApproximateNumberOfMessages").await, "0");
    assert_eq!(rig.attribute(&url, "ApproximateNumberOfMessagesNotVisible").await, "0");
}

#[tokio::test]
async fn a_header_that_asks_for_nothing_sensible_is_refused_and_says_what_would_be() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    for entries in ["", "0", "10", "101", "-11", "11.5", "eleven", "11,12", "99999999999999999999"] {
        for (action, request) in [
            ("SendMessageBatch", sends(&url, 1, "x")),
            ("ReceiveMessage", receive(&url, 1)),
            ("DeleteMessageBatch", of_handles(&url, &[json!({"ReceiptHandle": "x"})], json!({}))),
            (
                "ChangeMessageVisibilityBatch",
                of_handles(&url, &[json!({"ReceiptHandle": "x"})], json!({"VisibilityTimeout": 1})),
            ),
        ] {
            let reply = call(&rig, action, request, Some(entries)).await;
            assert_eq!((reply.status, code(&reply).as_str()), (400, INVALID), "{action} {entries:?}: {}", reply.body);
            let words = "The header x-afterward-entries is a whole number from 11 to 100.";
            assert!(reply.body.contains(words), "{action} {entries:?}: {}", reply.body);
        }
    }
    assert_eq!(rig.attribute(&url, "ApproximateNumberOfMessages").await, "0", "nothing of it was sent");
}

#[tokio::test]
async fn what_fails_in_a_long_list_fails_by_itself_and_it_is_no_larger_in_all() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    let mut request = sends(&url, 40, "x");
    request["Entries"][17]["MessageBody"] = json!("");
    let reply = call(&rig, "SendMessageBatch", request, Some("100")).await;
    let failed: Vec<Value> =
        reply.json()["Failed"].as_array().unwrap().iter().map(|entry| entry["Id"].clone()).collect();
    assert_eq!((failed, reply.json()["Successful"].as_array().unwrap().len()), (vec![json!("17")], 39));

    let mut request = sends(&url, 40, "x");
    request["Entries"][39]["Id"] = json!("0");
    assert_eq!(code(&call(&rig, "SendMessageBatch", request, Some("100")).await), "BatchEntryIdsNotDistinct");
    let request = sends(&url, 40, &"x".repeat(30_000));
    assert_eq!(code(&call(&rig, "SendMessageBatch", request, Some("100")).await), "BatchRequestTooLong");
    assert_eq!(rig.attribute(&url, "ApproximateNumberOfMessages").await, "39");
}

#[tokio::test]
async fn a_long_receive_ends_where_it_becomes_large_but_not_before_ten() {
    let rig = Rig::start().await;
    for (bytes, counts) in [(200_000, [10, 10, 10]), (60_000, [18, 12, 0]), (10, [30, 0, 0])] {
        let url = rig.standard(&format!("of-{bytes}")).await;
        for _ in 0..30 {
            let send = json!({"QueueUrl": url, "MessageBody": "x".repeat(bytes)});
            rig.call("SendMessage", send).await;
        }
        let mut received = Vec::new();
        for _ in 0..3 {
            received.push(messages(&call(&rig, "ReceiveMessage", receive(&url, 100), Some("100")).await).len());
        }
        assert_eq!(received, counts, "of {bytes} bytes");
    }
}

#[tokio::test]
async fn by_query_a_list_may_be_long_too() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    let entries: Vec<String> = (1..=11)
        .map(|n| format!("SendMessageBatchRequestEntry.{n}.Id=i{n}&SendMessageBatchRequestEntry.{n}.MessageBody=b{n}"))
        .collect();
    let form = format!("Action=SendMessageBatch&QueueUrl={url}&{}", entries.join("&"));
    for (header, status) in [(None, 400), (Some("11"), 200)] {
        let mut request = rig.request("POST", "/").header("content-type", "application/x-www-form-urlencoded");
        if let Some(header) = header {
            request = request.header("x-afterward-entries", header);
        }
        let reply = rig.send(request.body(Bytes::from(form.clone())).unwrap()).await;
        assert_eq!(reply.status, status, "{}", reply.body);
    }
}
