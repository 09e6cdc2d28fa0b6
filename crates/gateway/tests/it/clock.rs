//! A clock that clients move, and what follows it.

use crate::rig::{Rig, START_MS};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn moved(rig: &Rig, body: Value) -> Value {
    let reply = rig.post("/_afterward/clock", body.to_string()).await;
    assert_eq!(reply.status, 200, "{body}: {}", reply.body);
    reply.json()
}

#[tokio::test]
async fn the_clock_is_read_set_and_advanced() {
    let rig = Rig::with_movable_clock().await;
    let shown = rig.get("/_afterward/clock").await.json();
    assert_eq!(
        shown,
        json!({"clock": "manual", "now": "2023-11-14T22:13:20.000Z", "now_ms": START_MS, "entries": 100})
    );
    for (body, now) in [
        (json!({"advance_ms": 1500}), "2023-11-14T22:13:21.500Z"),
        (json!({"advance_ms": 0}), "2023-11-14T22:13:21.500Z"),
        (json!({"set": "2023-11-15T00:00:00+01:00"}), "2023-11-14T23:00:00.000Z"),
        (json!({"set_ms": 1_800_000_000_000_u64}), "2027-01-15T08:00:00.000Z"),
    ] {
        assert_eq!(moved(&rig, body.clone()).await["now"], now, "{body}");
    }
    assert_eq!(rig.get("/_afterward/clock").await.json()["now"], "2027-01-15T08:00:00.000Z");
}

#[tokio::test]
async fn what_cannot_be_done_to_a_clock_says_why() {
    let movable = Rig::with_movable_clock().await;
    let fixed = Rig::start().await;
    for (rig, body, status, code, words) in [
        (&fixed, r#"{"advance_ms":1}"#, 409, "ClockIsNotManual", "afterward serve --clock manual"),
        (&movable, r#"{"set":"2023-11-14T22:13:19Z"}"#, 409, "ClockIsLater", "It is 2023-11-14T22:13:20.000Z already"),
        (&movable, r#"{"set":"tomorrow"}"#, 400, "InvalidParameter", "\"tomorrow\" is no time such as"),
        (&movable, r#"{"set_ms":253402300800000}"#, 400, "InvalidParameter", "year 9999"),
        (&movable, r#"{"advance_ms":18446744073709551615}"#, 400, "InvalidParameter", "year 9999"),
        (&movable, r#"{"advance_ms":1,"set_ms":1}"#, 400, "InvalidParameter", "with one of"),
        (&movable, r#"{"advance_seconds":1}"#, 400, "InvalidParameter", "unknown field `advance_seconds`"),
        (&movable, r#"{"advance_ms":-1}"#, 400, "InvalidParameter", "with one of"),
        (&movable, "", 400, "InvalidParameter", "with one of"),
    ] {
        let reply = rig.post("/_afterward/clock", body).await;
        assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (status, Some(code)), "{body}");
        let message = reply.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(words), "{body}: {message}");
    }
    assert_eq!(movable.get("/_afterward/clock").await.json()["now_ms"], START_MS, "nothing of it moved the clock");
    assert_eq!(fixed.get("/_afterward/clock").await.json()["clock"], "system");
    let reply = movable.send(movable.request("PUT", "/_afterward/clock").body("".into()).unwrap()).await;
    assert_eq!((reply.status, reply.header("allow")), (405, "GET, HEAD, POST"));
    let reply = movable.post("/_afterward/ready", "").await;
    assert_eq!((reply.status, reply.header("allow")), (405, "GET, HEAD"));
}

/// Delays, leases, deduplication and retention, each ending when the clock passes its time and not before.
#[tokio::test]
async fn everything_follows_the_clock() {
    let rig = Rig::with_movable_clock().await;
    let url = rig.queue("chores", json!({"VisibilityTimeout": "30", "MessageRetentionPeriod": "3600"})).await;
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "late", "DelaySeconds": 900})).await;
    moved(&rig, json!({"advance_ms": 899_999})).await;
    assert_eq!(rig.receive(&url).await.len(), 0);
    moved(&rig, json!({"advance_ms": 1})).await;
    assert_eq!(rig.receive(&url).await.len(), 1);
    moved(&rig, json!({"advance_ms": 29_999})).await;
    assert_eq!(rig.receive(&url).await.len(), 0, "leased");
    moved(&rig, json!({"advance_ms": 1})).await;
    assert_eq!(rig.receive(&url).await.len(), 1, "again, for the lease has ended");
    moved(&rig, json!({"advance_ms": 3_600_000 - 900_000 - 30_000})).await;
    assert_eq!(rig.receive(&url).await.len(), 0, "older than its retention period");

    let fifo = rig.fifo("line.fifo").await;
    let send = json!({"QueueUrl": fifo, "MessageBody": "once", "MessageGroupId": "g"});
    let first = rig.call("SendMessage", send.clone()).await["SequenceNumber"].clone();
    assert_eq!(rig.call("SendMessage", send.clone()).await["SequenceNumber"], first, "a duplicate");
    moved(&rig, json!({"advance_ms": 300_000})).await;
    assert_ne!(rig.call("SendMessage", send).await["SequenceNumber"], first, "not after five minutes");
}

#[tokio::test]
async fn a_long_poll_waits_by_the_machines_time_and_gets_what_the_moved_clock_brings() {
    let rig = Rig::with_movable_clock().await;
    let url = rig.queue("chores", json!({"ReceiveMessageWaitTimeSeconds": "1"})).await;
    // Its own wait, and the queue's.
    for (wait, lasts) in [(json!(2), Duration::from_secs(2)), (Value::Null, Duration::from_secs(1))] {
        let began = Instant::now();
        let empty = rig.call("ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": wait})).await;
        assert_eq!(empty["Messages"].as_array().map_or(0, Vec::len), 0);
        assert!((lasts..Duration::from_secs(60)).contains(&began.elapsed()), "{wait}: {:?}", began.elapsed());
    }
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "late", "DelaySeconds": 600})).await;
    let waiting = rig.call("ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": 20}));
    let moving = async {
        crate::rig::until("the receive waits", || async { rig.broker.metrics().waiting_receives == 1 }).await;
        // The first does not end the wait, though it is longer than the wait.
        moved(&rig, json!({"advance_ms": 599_999})).await;
        moved(&rig, json!({"advance_ms": 1})).await;
    };
    let (received, ()) = tokio::join!(waiting, moving);
    assert_eq!(received["Messages"][0]["Body"], "late");
}
