//! What the actions do when all is well.

use crate::rig::{Rig, START_MS, until};
use serde_json::{Value, json};

#[tokio::test]
async fn a_message_goes_its_way_from_send_to_delete() {
    let rig = Rig::start().await;
    let url = rig.queue("chores", json!({"VisibilityTimeout": "5"})).await;
    let sent = rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "hello", "DelaySeconds": 2})).await;
    assert_eq!(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(sent.get("SequenceNumber"), None, "standard queues have no sequence numbers");
    assert_eq!(rig.attribute(&url, "ApproximateNumberOfMessagesDelayed").await, "1");
    assert!(rig.receive(&url).await.is_empty(), "it is delayed");

    rig.pass(2);
    let first = rig.receive(&url).await;
    assert_eq!(first[0]["MessageId"], sent["MessageId"]);
    assert_eq!(first[0]["Body"], "hello");
    assert_eq!(first[0]["Attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(first[0]["Attributes"]["SentTimestamp"], START_MS.to_string());
    assert_eq!(first[0]["Attributes"]["ApproximateFirstReceiveTimestamp"], (START_MS + 2000).to_string());
    assert_eq!(first[0]["Attributes"]["SenderId"], "000000000000");
    assert_eq!(rig.attribute(&url, "ApproximateNumberOfMessagesNotVisible").await, "1");

    let extend = json!({"QueueUrl": url, "ReceiptHandle": first[0]["ReceiptHandle"], "VisibilityTimeout": 60});
    rig.call("ChangeMessageVisibility", extend).await;
    rig.pass(59);
    assert!(rig.receive(&url).await.is_empty(), "it is still held");
    rig.pass(1);
    let second = rig.receive(&url).await;
    assert_eq!(second[0]["Attributes"]["ApproximateReceiveCount"], "2");

    let stale = json!({"QueueUrl": url, "ReceiptHandle": first[0]["ReceiptHandle"]});
    rig.call("DeleteMessage", stale).await;
    assert_eq!(
        rig.attribute(&url, "ApproximateNumberOfMessagesNotVisible").await,
        "1",
        "an old handle deletes nothing"
    );
    rig.call("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": second[0]["ReceiptHandle"]})).await;
    assert_eq!(rig.attribute(&url, "ApproximateNumberOfMessagesNotVisible").await, "0");
}

#[tokio::test]
async fn batches_answer_entry_by_entry() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    let entries = json!([
        {"Id": "good", "MessageBody": "a"},
        {"Id": "bad", "MessageBody": "\u{1}"},
        {"Id": "late", "MessageBody": "b", "DelaySeconds": 901},
    ]);
    let sent = rig.call("SendMessageBatch", json!({"QueueUrl": url, "Entries": entries})).await;
    assert_eq!(ids(&sent["Successful"]), ["good"]);
    assert_eq!(ids(&sent["Failed"]), ["bad", "late"]);
    assert_eq!(sent["Failed"][0]["Code"], "InvalidMessageContents");
    assert_eq!(sent["Failed"][0]["SenderFault"], true);

    let handle = rig.receive(&url).await[0]["ReceiptHandle"].clone();
    let entries = json!([
        {"Id": "held", "ReceiptHandle": handle, "VisibilityTimeout": 7},
        {"Id": "forged", "ReceiptHandle": "AQ", "VisibilityTimeout": 7},
        {"Id": "no-time", "ReceiptHandle": handle},
        {"Id": "too-long", "ReceiptHandle": handle, "VisibilityTimeout": 43201},
    ]);
    let changed = rig.call("ChangeMessageVisibilityBatch", json!({"QueueUrl": url, "Entries": entries})).await;
    assert_eq!(ids(&changed["Successful"]), ["held"]);
    let codes: Vec<&Value> = changed["Failed"].as_array().unwrap().iter().map(|failed| &failed["Code"]).collect();
    assert_eq!(codes, ["ReceiptHandleIsInvalid", "MissingParameter", "InvalidParameterValue"]);

    let entries = json!([{"Id": "held", "ReceiptHandle": handle}, {"Id": "forged", "ReceiptHandle": "AQ"}]);
    let deleted = rig.call("DeleteMessageBatch", json!({"QueueUrl": url, "Entries": entries})).await;
    assert_eq!(ids(&deleted["Successful"]), ["held"]);
    assert_eq!(ids(&deleted["Failed"]), ["forged"]);
}

fn ids(entries: &Value) -> Vec<&str> {
    entries.as_array().unwrap().iter().map(|entry| entry["Id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_waiting_receive_gets_the_message_that_comes() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    let wait = json!({"QueueUrl": url, "WaitTimeSeconds": 20});
    let (received, ()) = tokio::join!(rig.call("ReceiveMessage", wait), async {
        until("the receive waits", || async { rig.broker.metrics().waiting_receives == 1 }).await;
        rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "at last"})).await;
    });
    assert_eq!(received["Messages"][0]["Body"], "at last");
}

#[tokio::test]
async fn a_client_that_hangs_up_waits_no_more() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    {
        let wait = json!({"QueueUrl": url, "WaitTimeSeconds": 20});
        let mut waiting = std::pin::pin!(rig.json("ReceiveMessage", &wait));
        tokio::select! {
            _ = &mut waiting => panic!("there is nothing to receive"),
            () = until("the receive waits", || async { rig.broker.metrics().waiting_receives == 1 }) => {}
        }
    }
    until("nobody waits", || async { rig.broker.metrics().waiting_receives == 0 }).await;
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "x"})).await;
    assert_eq!(rig.receive(&url).await.len(), 1, "the message went to nobody else");
}

#[tokio::test]
async fn queue_attributes_read_back_as_they_were_set() {
    let rig = Rig::start().await;
    let dead = rig.standard("dead").await;
    let dead_arn = rig.attribute(&dead, "QueueArn").await;
    assert_eq!(dead_arn, "arn:aws:sqs:us-east-1:000000000000:dead");
    let url = rig.standard("chores").await;
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let redrive = format!(r#"{{"deadLetterTargetArn":{dead_arn},"maxReceiveCount":"7"}}"#);
    let set = json!({
        "DelaySeconds": "1", "MaximumMessageSize": "2048", "MessageRetentionPeriod": "60", "Policy": policy,
        "ReceiveMessageWaitTimeSeconds": "2", "VisibilityTimeout": "3", "RedrivePolicy": redrive,
        "RedriveAllowPolicy": r#"{"redrivePermission":"denyAll"}"#, "KmsMasterKeyId": "alias/mine",
        "KmsDataKeyReusePeriodSeconds": "120",
    });
    rig.call("SetQueueAttributes", json!({"QueueUrl": url, "Attributes": set})).await;
    let all = rig.call("GetQueueAttributes", json!({"QueueUrl": url, "AttributeNames": ["All"]})).await;
    let all = &all["Attributes"];
    for (name, value) in set.as_object().unwrap() {
        if name != "RedrivePolicy" {
            assert_eq!(&all[name], value, "{name}");
        }
    }
    let redrive: Value = serde_json::from_str(all["RedrivePolicy"].as_str().unwrap()).unwrap();
    assert_eq!(redrive, json!({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 7}));
    assert_eq!(all["SqsManagedSseEnabled"], "false", "a key of KMS takes its place");
    assert_eq!(all["CreatedTimestamp"], (START_MS / 1000).to_string());
    assert_eq!(all.get("FifoQueue"), None);

    let sources = rig.call("ListDeadLetterSourceQueues", json!({"QueueUrl": dead})).await;
    assert_eq!(sources["queueUrls"], json!([url]));

    for name in ["RedrivePolicy", "RedriveAllowPolicy", "Policy", "KmsMasterKeyId"] {
        rig.call("SetQueueAttributes", json!({"QueueUrl": url, "Attributes": {name: ""}})).await;
        assert_eq!(rig.attribute(&url, name).await, Value::Null, "the empty text takes {name} away");
    }
}

#[tokio::test]
async fn lists_go_page_by_page() {
    let rig = Rig::start().await;
    for n in 0..5 {
        rig.standard(&format!("page-{n}")).await;
    }
    rig.standard("other").await;
    let mut seen = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut request = json!({"QueueNamePrefix": "page-", "MaxResults": 2});
        if !token.is_null() {
            request["NextToken"] = token;
        }
        let page = rig.call("ListQueues", request).await;
        seen.extend(page["QueueUrls"].as_array().unwrap().iter().map(|url| url.as_str().unwrap().to_owned()));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    let expected: Vec<String> = (0..5).map(|n| format!("http://{}/000000000000/page-{n}", rig.address)).collect();
    assert_eq!(seen, expected);
    let all = rig.call("ListQueues", json!({})).await;
    assert_eq!(all["QueueUrls"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn tags_and_permissions_are_kept_and_taken_away() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    rig.call("TagQueue", json!({"QueueUrl": url, "Tags": {"team": "blue", "tier": "1"}})).await;
    rig.call("UntagQueue", json!({"QueueUrl": url, "TagKeys": ["tier", "unknown"]})).await;
    let tags = rig.call("ListQueueTags", json!({"QueueUrl": url})).await;
    assert_eq!(tags["Tags"], json!({"team": "blue"}));

    let permission = json!({"QueueUrl": url, "Label": "ada", "AWSAccountIds": ["123456789012"], "Actions": ["*"]});
    rig.call("AddPermission", permission).await;
    let policy: Value = serde_json::from_str(rig.attribute(&url, "Policy").await.as_str().unwrap()).unwrap();
    assert_eq!(policy["Statement"][0]["Action"], "SQS:*");
    rig.call("RemovePermission", json!({"QueueUrl": url, "Label": "ada"})).await;
    assert_eq!(rig.attribute(&url, "Policy").await, Value::Null);
}

#[tokio::test]
async fn permissions_that_are_added_at_once_are_all_there() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    let add = |label: String| {
        let request = json!({"QueueUrl": url, "Label": label, "AWSAccountIds": ["123456789012"], "Actions": ["*"]});
        rig.call("AddPermission", request)
    };
    tokio::join!(add("a".into()), add("b".into()), add("c".into()), add("d".into()));
    let policy: Value = serde_json::from_str(rig.attribute(&url, "Policy").await.as_str().unwrap()).unwrap();
    let mut labels: Vec<&str> =
        policy["Statement"].as_array().unwrap().iter().map(|statement| statement["Sid"].as_str().unwrap()).collect();
    labels.sort_unstable();
    assert_eq!(labels, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_dead_letter_queue_is_emptied_back_to_where_its_messages_came_from() {
    let rig = Rig::start().await;
    let dead = rig.standard("dead").await;
    let dead_arn = rig.attribute(&dead, "QueueArn").await;
    let redrive = json!({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1}).to_string();
    let url = rig.queue("chores", json!({"RedrivePolicy": redrive, "VisibilityTimeout": "1"})).await;
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "x"})).await;
    assert_eq!(rig.receive(&url).await.len(), 1);
    rig.pass(1);
    assert!(rig.receive(&url).await.is_empty(), "its one receive was in vain");
    let message = rig.receive(&dead).await.remove(0);
    assert_eq!(message["Attributes"]["DeadLetterQueueSourceArn"], "arn:aws:sqs:us-east-1:000000000000:chores");
    rig.pass(30);

    let started = rig.call("StartMessageMoveTask", json!({"SourceArn": dead_arn})).await;
    assert!(started["TaskHandle"].as_str().is_some_and(|handle| handle.len() > 20));
    until("the task has ended", || async {
        rig.pass(1);
        let tasks = rig.call("ListMessageMoveTasks", json!({"SourceArn": dead_arn})).await;
        tasks["Results"][0]["Status"] == "COMPLETED" && tasks["Results"][0]["ApproximateNumberOfMessagesMoved"] == 1
    })
    .await;
    assert_eq!(rig.attribute(&url, "ApproximateNumberOfMessages").await, "1");
}

#[tokio::test]
async fn a_move_that_runs_can_be_cancelled_by_its_handle() {
    let rig = Rig::start().await;
    let dead = rig.standard("dead").await;
    let dead_arn = rig.attribute(&dead, "QueueArn").await;
    let redrive = json!({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1}).to_string();
    rig.queue("chores", json!({"RedrivePolicy": redrive})).await;
    for _ in 0..5 {
        rig.call("SendMessage", json!({"QueueUrl": dead, "MessageBody": "x"})).await;
    }
    let start = json!({"SourceArn": dead_arn, "MaxNumberOfMessagesPerSecond": 1,
        "DestinationArn": "arn:aws:sqs:us-east-1:000000000000:chores"});
    let handle = rig.call("StartMessageMoveTask", start.clone()).await["TaskHandle"].clone();
    let again = rig.json("StartMessageMoveTask", &start).await;
    assert_eq!(again.status, 400, "one at a time: {}", again.body);
    let running = rig.call("ListMessageMoveTasks", json!({"SourceArn": dead_arn})).await;
    assert_eq!(running["Results"][0]["Status"], "RUNNING");
    assert_eq!(running["Results"][0]["TaskHandle"], handle);
    assert_eq!(running["Results"][0]["MaxNumberOfMessagesPerSecond"], 1);
    rig.call("CancelMessageMoveTask", json!({"TaskHandle": handle})).await;
    let ended = rig.call("ListMessageMoveTasks", json!({"SourceArn": dead_arn})).await;
    assert_eq!(ended["Results"][0]["Status"], "CANCELLED");
    assert_eq!(ended["Results"][0].get("TaskHandle"), None);
}

#[tokio::test]
async fn purging_and_deleting_leave_nothing_and_rest_where_cooldowns_are_on() {
    let mut settings = crate::rig::settings();
    settings.cooldowns = true;
    let rig = Rig::with(settings).await;
    let url = rig.standard("chores").await;
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "x"})).await;
    rig.call("PurgeQueue", json!({"QueueUrl": url})).await;
    assert!(rig.receive(&url).await.is_empty());
    let again = rig.json("PurgeQueue", &json!({"QueueUrl": url})).await;
    assert_eq!(again.header("x-amzn-query-error"), "AWS.SimpleQueueService.PurgeQueueInProgress;Sender");
    rig.call("DeleteQueue", json!({"QueueUrl": url})).await;
    let soon = rig.json("CreateQueue", &json!({"QueueName": "chores"})).await;
    assert_eq!(soon.header("x-amzn-query-error"), "AWS.SimpleQueueService.QueueDeletedRecently;Sender");
    rig.pass(61);
    rig.standard("chores").await;
}
