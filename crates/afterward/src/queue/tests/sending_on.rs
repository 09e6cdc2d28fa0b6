//! Messages that are received before they are due.

use super::{enqueueing::text, *};
use crate::sqs::service::now_ms;
use std::{collections::BTreeMap, time::Instant};

const HOUR_MS: u64 = 3_600_000;

/// A message as a queue hands it out, in a reply to one receive; then there is none.
fn early(due_ms: u64, receive_count: u32, system: &[(&str, &str)], marks: &[(&str, &str)]) -> Value {
    let mut attributes: BTreeMap<String, String> =
        system.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    attributes.insert("ApproximateReceiveCount".into(), receive_count.to_string());
    let mut message_attributes: BTreeMap<String, sqs::MessageAttributeValue> =
        marks.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect();
    message_attributes.insert("afterward.due".into(), text(&due_ms.to_string()));
    message_attributes.insert("mine".into(), text("x"));
    json!({"MessageId": "m2", "ReceiptHandle": "r2", "Body": "b", "Attributes": attributes, "MessageAttributes": message_attributes})
}

/// Hands out these messages at every receive, and does what else it is asked.
async fn handing_out(messages: Vec<Value>) -> Server {
    Server::ruled(move |asked| match asked.headers()["x-amz-target"].to_str().unwrap() {
        "AmazonSQS.ReceiveMessage" => ok(&json!({"Messages": messages}).to_string()),
        "AmazonSQS.GetQueueAttributes" => ok(r#"{"Attributes":{"MessageRetentionPeriod":"345600"}}"#),
        "AmazonSQS.SendMessageBatch" => {
            let body: Value = serde_json::from_slice(asked.body()).unwrap();
            let taken = |entry: &Value| json!({"Id": entry["Id"], "MessageId": "m3", "MD5OfMessageBody": ""});
            let taken: Vec<Value> = body["Entries"].as_array().unwrap().iter().map(taken).collect();
            ok(&json!({"Successful": taken, "Failed": []}).to_string())
        }
        _ => ok(r#"{"MessageId":"m3","Successful":[],"Failed":[]}"#),
    })
    .await
}

/// The actions but receives and questions, in order, once there are so many.
async fn actions(server: &Server, count: usize) -> Vec<(String, Value)> {
    let began = Instant::now();
    loop {
        let asked = server.asked().into_iter().map(|asked| {
            let target = asked.headers()["x-amz-target"].to_str().unwrap().replace("AmazonSQS.", "");
            (target, serde_json::from_slice(asked.body()).unwrap())
        });
        let acts: Vec<(String, Value)> =
            asked.filter(|(target, _)| !["ReceiveMessage", "GetQueueAttributes"].contains(&&**target)).collect();
        if acts.len() >= count {
            return acts;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{acts:?}");
        tokio::time::sleep(Duration::from_millis(5)).await; // between looks at a condition
    }
}

fn ask() -> Receive {
    Receive::new(10, Duration::ZERO, Duration::from_secs(60))
}

#[tokio::test]
async fn an_early_message_is_sent_again_and_then_deleted_and_the_due_ones_go_to_the_worker() {
    let now = now_ms();
    let plain = json!({"MessageId": "m1", "ReceiptHandle": "r1", "Body": "plain"});
    let due = early(now - 1, 1, &[], &[("afterward.id", "first")]);
    let server = handing_out(vec![plain, early(now + HOUR_MS, 1, &[("MessageGroupId", "g")], &[]), due]).await;
    let received = queue(&server, "jobs").receive(ask()).await.unwrap();
    let ids: Vec<&str> = received.iter().map(|delivery| &*delivery.id).collect();
    assert_eq!(ids, ["m1", "first"], "a message that was sent on keeps the id that it had first");

    let [(sent, message), (deleted, receipt)] = &actions(&server, 2).await[..] else { panic!() };
    assert_eq!((&**sent, &**deleted, &receipt["ReceiptHandle"]), ("SendMessage", "DeleteMessage", &json!("r2")));
    assert_eq!((&message["MessageBody"], &message["DelaySeconds"]), (&json!("b"), &json!(900)));
    assert_eq!(message["MessageGroupId"], "g");
    let attributes = &message["MessageAttributes"];
    assert_eq!(attributes["afterward.due"]["StringValue"], (now + HOUR_MS).to_string());
    assert_eq!(attributes["afterward.id"]["StringValue"], "m2");
    assert_eq!(attributes["mine"]["StringValue"], "x");
}

#[tokio::test]
async fn many_early_messages_take_one_call_there_and_one_back() {
    let server =
        handing_out((0..10).map(|_| early(now_ms() + 90_000, 1, &[], &[("afterward.id", "first")])).collect()).await;
    assert!(queue(&server, "jobs").receive(ask()).await.unwrap().is_empty());
    let [(sent, messages), (deleted, receipts)] = &actions(&server, 2).await[..] else { panic!() };
    assert_eq!((&**sent, &**deleted), ("SendMessageBatch", "DeleteMessageBatch"));
    assert_eq!(
        (messages["Entries"].as_array().unwrap().len(), receipts["Entries"].as_array().unwrap().len()),
        (10, 10)
    );
    for message in messages["Entries"].as_array().unwrap() {
        assert!((60..=90).contains(&message["DelaySeconds"].as_u64().unwrap()), "{message}");
        assert_eq!(message["MessageAttributes"]["afterward.id"]["StringValue"], "first");
    }
}

#[tokio::test]
async fn a_message_that_could_not_be_sent_on_is_held_and_not_deleted() {
    for (left_ms, name, held) in [
        (HOUR_MS, "jobs", Some(3590..=3600)),
        (20 * HOUR_MS, "jobs", Some(42_900..=42_900)),
        (20 * HOUR_MS, "jobs.fifo", Some(42_900..=42_900)),
        // It is due, and fails as others do.
        (0, "jobs.fifo", None),
    ] {
        let marks = [("afterward.group", "g")];
        let message = early(now_ms() + left_ms, 2, &[], if name == "jobs" { &[] } else { &marks });
        let server = Server::ruled(move |asked| match asked.headers()["x-amz-target"].to_str().unwrap() {
            "AmazonSQS.ReceiveMessage" => ok(&json!({"Messages": [message]}).to_string()),
            "AmazonSQS.GetQueueAttributes" | "AmazonSQS.ChangeMessageVisibility" => ok("{}"),
            _ => error(400, "OverLimit", "no"),
        })
        .await;
        let jobs = queue(&server, name);
        assert!(jobs.receive(ask()).await.unwrap().is_empty());
        let each = 1 + usize::from(held.is_some());
        assert_eq!(actions(&server, each).await[0].0, "SendMessage");
        if let Some(seconds) = held {
            let [_, (action, request)] = &actions(&server, 2).await[..] else { panic!() };
            assert_eq!((&**action, &request["ReceiptHandle"]), ("ChangeMessageVisibility", &json!("r2")));
            assert!(seconds.contains(&request["VisibilityTimeout"].as_u64().unwrap()), "{request}");
        }
        // The next one begins after all that was done for this one.
        let _all = jobs.0.sending_on.idle().await;
        assert_eq!(actions(&server, 0).await.len(), each, "it is not deleted, and not held for nothing");
    }
}

#[tokio::test]
async fn the_queues_own_clock_is_believed() {
    let due_ms = now_ms() + HOUR_MS;
    let moved = due_ms.to_string();
    let server = handing_out(vec![early(due_ms, 1, &[("ApproximateFirstReceiveTimestamp", &moved)], &[])]).await;
    assert_eq!(queue(&server, "jobs").receive(ask()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_fifo_message_is_hidden_first_then_sent_to_wait_anew_and_at_last_to_its_group() {
    let now = now_ms();
    let waiting = ("MessageGroupId", "afterward.later.x");
    let marks = [("afterward.group", "g")];

    // Just come: hidden, for twelve hours at most.
    for (left_ms, hidden) in [(HOUR_MS, 3590..=3600), (20 * HOUR_MS, 42_900..=42_900)] {
        let server = handing_out(vec![early(now + left_ms, 1, &[waiting], &marks)]).await;
        assert!(queue(&server, "jobs.fifo").receive(ask()).await.unwrap().is_empty());
        let [(action, request)] = &actions(&server, 1).await[..] else { panic!() };
        assert_eq!(action, "ChangeMessageVisibility");
        assert!(hidden.contains(&request["VisibilityTimeout"].as_u64().unwrap()), "{request}");
    }

    // Back from there: sent again, so that it is never received a third time.
    for (left_ms, group, marked) in [(8 * HOUR_MS, "afterward.later.x", json!("g")), (0, "g", Value::Null)] {
        let server = handing_out(vec![early(now + left_ms, 2, &[waiting], &marks)]).await;
        assert!(queue(&server, "jobs.fifo").receive(ask()).await.unwrap().is_empty());
        let [(sent, message), (deleted, _)] = &actions(&server, 2).await[..] else { panic!() };
        assert_eq!((&**sent, &**deleted), ("SendMessage", "DeleteMessage"));
        assert_eq!((&message["MessageGroupId"], &message["DelaySeconds"]), (&json!(group), &Value::Null));
        assert_eq!(message["MessageDeduplicationId"], "afterward-m2", "sent by two workers, it is taken once");
        let attributes = &message["MessageAttributes"];
        assert_eq!(attributes["afterward.group"]["StringValue"], marked);
        assert_eq!(attributes["afterward.due"].is_null(), marked.is_null());
        assert_eq!(attributes["afterward.id"]["StringValue"], "m2");
    }
}
