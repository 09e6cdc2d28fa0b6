//! What a message carries, and how FIFO queues treat it.

use crate::rig::Rig;
use serde_json::json;

#[tokio::test]
async fn attributes_come_back_filtered_with_digests_of_what_is_returned() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    let attributes = json!({
        "order.id": {"DataType": "Number.int", "StringValue": "7"},
        "order.png": {"DataType": "Binary", "BinaryValue": "AAE="},
        "who": {"DataType": "String", "StringValue": "ada"},
    });
    let trace = json!({"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-2-3"}});
    let sent = rig
        .call(
            "SendMessage",
            json!({"QueueUrl": url, "MessageBody": "x", "MessageAttributes": attributes,
                "MessageSystemAttributes": trace, "MessageGroupId": "tenant-1"}),
        )
        .await;
    assert!(sent["MD5OfMessageSystemAttributes"].is_string());
    let receive = |names: serde_json::Value| {
        let request = json!({"QueueUrl": url, "VisibilityTimeout": 0, "MessageAttributeNames": names,
            "MessageSystemAttributeNames": ["All"]});
        async { rig.call("ReceiveMessage", request).await["Messages"][0].clone() }
    };
    let all = receive(json!(["All"])).await;
    assert_eq!(all["MessageAttributes"], attributes);
    assert_eq!(all["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    assert_eq!(all["Attributes"]["AWSTraceHeader"], "Root=1-2-3");
    assert_eq!(all["Attributes"]["MessageGroupId"], "tenant-1");
    let some = receive(json!(["order.*"])).await;
    let names: Vec<&String> = some["MessageAttributes"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["order.id", "order.png"]);
    assert_ne!(some["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    let none = receive(json!([])).await;
    assert_eq!(none.get("MessageAttributes"), None);
    assert_eq!(none.get("MD5OfMessageAttributes"), None);
}

#[tokio::test]
async fn a_fifo_queue_drops_duplicates_and_keeps_groups_in_order() {
    let rig = Rig::start().await;
    let url = rig.fifo("chores.fifo").await;
    let send = |body: &'static str, group: &'static str| {
        rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": body, "MessageGroupId": group}))
    };
    let first = send("one", "a").await;
    let again = send("one", "a").await;
    assert_eq!(first["MessageId"], again["MessageId"], "the content is the deduplication id");
    let by_id = json!({"QueueUrl": url, "MessageBody": "whatever", "MessageGroupId": "a",
        "MessageDeduplicationId": "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"});
    let by_id = rig.call("SendMessage", by_id).await;
    assert_eq!(first["MessageId"], by_id["MessageId"], "the same id, given by name");
    send("two", "a").await;
    send("three", "b").await;

    let held = rig.receive(&url).await;
    let bodies: Vec<_> = held.iter().map(|message| message["Body"].clone()).collect();
    assert_eq!(bodies.len(), 3);
    assert_eq!(held[0]["Attributes"]["SequenceNumber"], first["SequenceNumber"]);
    assert_eq!(first["SequenceNumber"].as_str().unwrap().len(), 20);
    assert!(bodies.iter().position(|body| body == "one") < bodies.iter().position(|body| body == "two"));
    send("four", "a").await;
    assert!(rig.receive(&url).await.is_empty(), "group a is held, and b is empty");

    rig.pass(31);
    let expired = json!({"QueueUrl": url, "ReceiptHandle": held[0]["ReceiptHandle"]});
    let expired = rig.json("DeleteMessage", &expired).await;
    assert_eq!(expired.header("x-amzn-query-error"), "InvalidParameterValue;Sender");
    assert!(expired.body.contains("The receipt handle has expired"), "{}", expired.body);
    rig.pass(300);
    assert_ne!(first["MessageId"], send("one", "a").await["MessageId"], "five minutes later it is a new message");
}

#[tokio::test]
async fn a_receive_attempt_that_is_repeated_gets_the_same_messages() {
    let rig = Rig::start().await;
    let url = rig.fifo("chores.fifo").await;
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "x", "MessageGroupId": "g"})).await;
    let attempt = json!({"QueueUrl": url, "ReceiveRequestAttemptId": "try-1"});
    let first = rig.call("ReceiveMessage", attempt.clone()).await;
    let again = rig.call("ReceiveMessage", attempt).await;
    assert_eq!(first["Messages"][0]["MessageId"], again["Messages"][0]["MessageId"]);
}

#[tokio::test]
async fn a_mebibyte_goes_through_whole() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    let body = "ä".repeat(512 * 1024);
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": body})).await;
    assert_eq!(rig.receive(&url).await[0]["Body"], body);
}
