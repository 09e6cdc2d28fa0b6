//! Large replies have a room that they share: what becomes of those for which there is none.
//!
//! A reply that a test holds is one that its client does not read.

use crate::rig::{Rig, settings, until};
use afterward_gateway::Gateway;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use std::time::Duration;

const MIB: usize = 1 << 20;

/// A door whose replies have so much room, and wait half of this for it.
fn door(rig: &Rig, replies_bytes: usize, body: Duration) -> Gateway {
    let mut settings = settings();
    settings.limits.replies_bytes = replies_bytes;
    settings.limits.body = body;
    Gateway::new(rig.broker.clone(), settings)
}

const AT_ONCE: Duration = Duration::from_millis(20);
const IN_THE_END: Duration = Duration::from_secs(120);

fn by_json(action: &str, body: &Value) -> Request<Bytes> {
    let request = Request::post("/").header("host", "localhost").header("content-type", "application/x-amz-json-1.0");
    request.header("x-amz-target", format!("AmazonSQS.{action}")).body(body.to_string().into()).unwrap()
}

fn by_query(form: &str) -> Request<Bytes> {
    let request = Request::post("/").header("host", "localhost");
    request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned().into()).unwrap()
}

fn get(path: &str) -> Request<Bytes> {
    Request::get(path).header("host", "localhost").body(Bytes::new()).unwrap()
}

fn receive_by_json(url: &str) -> Request<Bytes> {
    by_json("ReceiveMessage", &json!({"QueueUrl": url, "AttributeNames": ["All"], "MessageAttributeNames": ["All"]}))
}

fn receive_by_query(url: &str) -> Request<Bytes> {
    by_query(&format!("Action=ReceiveMessage&QueueUrl={url}&AttributeName.1=All&MessageAttributeName.1=All"))
}

type Receive = fn(&str) -> Request<Bytes>;

/// The two ways to receive, and how each says that a message was received once.
const WAYS: [(Receive, &str); 2] = [
    (receive_by_json, "\"ApproximateReceiveCount\":\"1\""),
    (receive_by_query, "<Name>ApproximateReceiveCount</Name><Value>1</Value>"),
];

async fn send_large(rig: &Rig, url: &str, count: usize) {
    for _ in 0..count {
        rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "x".repeat(MIB)})).await;
    }
}

fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

fn assert_unavailable(response: &Response<Bytes>, what: &str) {
    assert_eq!(response.status(), 503, "{what}");
    assert_eq!(response.headers()["retry-after"], "1", "{what}");
    assert!(text(response).contains("ServiceUnavailable") && text(response).contains("limits.replies_bytes"), "{what}");
}

#[tokio::test]
async fn messages_for_which_there_is_no_room_have_not_been_received() {
    for (receive, once) in WAYS {
        let rig = Rig::start().await;
        let url = rig.standard("q").await;
        send_large(&rig, &url, 2).await;
        // As it is made, a reply may take twice what it takes as it goes out, or more.
        let door = door(&rig, 3 * MIB, AT_ONCE);
        let unread = door.handle(receive(&url)).await;
        assert_eq!((unread.status().as_u16(), unread.body().len() > MIB), (200, true));
        for _ in 0..3 {
            assert_unavailable(&door.handle(receive(&url)).await, once);
        }
        let send = by_json("SendMessage", &json!({"QueueUrl": rig.standard("small").await, "MessageBody": "x"}));
        assert_eq!(door.handle(send).await.status(), 200, "what is small is answered");
        drop(unread);
        let received = door.handle(receive(&url)).await;
        assert_eq!(received.status(), 200);
        assert!(text(&received).contains(once), "three receives came to nothing, and don't count");
    }
}

#[tokio::test]
async fn a_receive_waits_for_room_and_its_messages_do_not() {
    for (receive, once) in WAYS {
        let rig = Rig::start().await;
        let url = rig.standard("q").await;
        send_large(&rig, &url, 2).await;
        let door = door(&rig, 3 * MIB, IN_THE_END);
        let unread = door.handle(receive(&url)).await;
        let waiting = tokio::spawn({
            let (door, request) = (door.clone(), receive(&url));
            async move { door.handle(request).await }
        });
        // Whoever has room may have the message meanwhile; here, they give it back.
        let elsewhere = rig.another_door().await;
        until("it has been given back", || async {
            let delivered = rig.broker.metrics().delivered;
            delivered >= 2 && elsewhere.attribute(&url, "ApproximateNumberOfMessages").await == "1"
        })
        .await;
        assert!(!waiting.is_finished());
        drop(unread);
        let received = waiting.await.unwrap();
        assert_eq!(received.status(), 200);
        assert!(text(&received).contains(once));
    }
}

#[tokio::test]
async fn other_replies_are_refused_where_there_is_no_room() {
    let rig = Rig::start().await;
    let url = rig.standard("q").await;
    send_large(&rig, &url, 2).await;
    let door = door(&rig, MIB, IN_THE_END);
    for number in 0..700 {
        let name = format!("{number:n>80}");
        assert_eq!(door.handle(by_json("CreateQueue", &json!({"QueueName": name}))).await.status(), 200);
    }
    let taken = "\nafterward_large_replies_bytes 1048576\n";
    let large = || {
        [
            ("metrics", get("/_afterward/metrics")),
            ("peek", get("/_afterward/queues/q/messages")),
            ("list, JSON", by_json("ListQueues", &json!({}))),
            ("list, Query", by_query("Action=ListQueues")),
        ]
    };
    let unread = door.handle(receive_by_json(&url)).await;
    assert!(unread.body().len() > MIB, "it has all of the room, though that is less");
    for (what, request) in large() {
        assert_unavailable(&door.handle(request).await, what);
    }
    assert_eq!(door.handle(get("/_afterward/health")).await.status(), 200);
    drop(unread);
    for (what, request) in large() {
        let response = door.handle(request).await;
        assert_eq!((response.status().as_u16(), response.body().len() > 64 << 10), (200, true), "{what}");
        assert!(!text(&response).contains(taken), "{what}");
    }
}

#[tokio::test]
async fn a_reply_is_no_larger_than_the_room_that_was_taken_for_it_before_its_messages_were_read() {
    let rig = Rig::start().await;
    let worst = "\"".repeat(100 << 10);
    let attributes: serde_json::Map<String, Value> = (0..10)
        .map(|number| {
            let value = json!({"DataType": "String", "StringValue": "\"".repeat(2000)});
            (format!("{number:n>100}"), value)
        })
        .collect();
    let trace =
        json!({"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}});
    for ((receive, _), times) in WAYS.into_iter().zip([2, 6]) {
        let url = rig.fifo(&format!("q{times}.fifo")).await;
        let request = json!({"QueueUrl": url, "MessageBody": worst, "MessageGroupId": "\"".repeat(128),
            "MessageDeduplicationId": "\"".repeat(128), "MessageAttributes": attributes, "MessageSystemAttributes": trace});
        rig.call("SendMessage", request).await;
        // Where nothing more is to be had, a reply that takes more is refused.
        let attribute_bytes: usize = attributes.keys().map(|name| name.len() + 2000 + "String".len()).sum();
        let size_bytes = worst.len() + attribute_bytes + 2 * 128;
        let response = Gateway::new(rig.broker.clone(), settings()).handle(receive(&url)).await;
        let (reply_bytes, most_bytes) = (response.body().len(), times * size_bytes + (4 << 10));
        assert!(reply_bytes > times * worst.len() && reply_bytes <= most_bytes, "{reply_bytes} > {most_bytes}");
    }
}
