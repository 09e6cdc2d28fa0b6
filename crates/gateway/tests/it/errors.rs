//! What is refused, with AWS's code, status and words.

use crate::rig::Rig;
use serde_json::{Value, json};

/// Action, request, code of the Query protocol, words.
type Case = (&'static str, Value, &'static str, &'static str);

async fn check(rig: &Rig, cases: Vec<Case>) {
    for (action, request, code, words) in cases {
        let reply = rig.json(action, &request).await;
        let said = reply.header("x-amzn-query-error").split(';').next().unwrap_or_default();
        assert_eq!(said, code, "{action} {request}: {} {}", reply.status, reply.body);
        assert!((400..500).contains(&reply.status), "{action} {request}: {}", reply.status);
        let message = reply.json()["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(words), "{action} {request}: {message}");
    }
}

const NO_QUEUE: &str = "AWS.SimpleQueueService.NonExistentQueue";

#[tokio::test]
async fn queues_are_created_and_changed_by_the_rules() {
    let rig = Rig::start().await;
    let work = rig.queue("chores", json!({"VisibilityTimeout": "5"})).await;
    let fifo = rig.fifo("chores.fifo").await;
    rig.queue("closed", json!({"RedriveAllowPolicy": r#"{"redrivePermission":"denyAll"}"#})).await;
    let redrive = |name: &str| {
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:{name}");
        json!({"RedrivePolicy": json!({"deadLetterTargetArn": arn, "maxReceiveCount": 3}).to_string()})
    };
    let create = |name: &str, attributes: Value| json!({"QueueName": name, "Attributes": attributes});
    let set = |url: &str, attributes: Value| json!({"QueueUrl": url, "Attributes": attributes});
    check(
        &rig,
        vec![
            ("CreateQueue", create("a b", json!({})), "InvalidParameterValue", "Can only include alphanumeric"),
            ("CreateQueue", create("x.fifo", json!({})), "InvalidParameterValue", "Can only include alphanumeric"),
            ("CreateQueue", create("x", json!({"FifoQueue": "true"})), "InvalidParameterValue", "must end with .fifo"),
            (
                "CreateQueue",
                create("x", json!({"FifoQueue": "false"})),
                "InvalidAttributeName",
                "Unknown Attribute FifoQueue.",
            ),
            ("CreateQueue", create("x", json!({"Colour": "red"})), "InvalidAttributeName", "Unknown Attribute Colour."),
            (
                "CreateQueue",
                create("x", json!({"DelaySeconds": "901"})),
                "InvalidAttributeValue",
                "Invalid value for the parameter DelaySeconds.",
            ),
            (
                "CreateQueue",
                create("x", json!({"ContentBasedDeduplication": "true"})),
                "InvalidAttributeName",
                "only when FifoQueue is set to true",
            ),
            (
                "CreateQueue",
                create("x", redrive("nothing")),
                "InvalidParameterValue",
                "Dead letter target does not exist.",
            ),
            ("CreateQueue", create("x", redrive("chores.fifo")), "InvalidParameterValue", "same type of queue"),
            ("CreateQueue", create("x", redrive("closed")), "InvalidParameterValue", "RedriveAllowPolicy denies"),
            (
                "CreateQueue",
                create("chores", json!({"VisibilityTimeout": "6"})),
                "QueueAlreadyExists",
                "a different value for attribute VisibilityTimeout",
            ),
            ("CreateQueue", json!({"QueueName": "x", "tags": {"aws:x": "1"}}), "InvalidParameterValue", "reserved"),
            ("CreateQueue", json!({}), "MissingParameter", "QueueName"),
            (
                "SetQueueAttributes",
                set(&work, json!({"QueueArn": "x"})),
                "InvalidAttributeName",
                "Unknown Attribute QueueArn.",
            ),
            (
                "SetQueueAttributes",
                set(&work, json!({"DeduplicationScope": "queue"})),
                "InvalidAttributeName",
                "only when FifoQueue",
            ),
            (
                "SetQueueAttributes",
                set(&fifo, json!({"FifoQueue": "false"})),
                "InvalidAttributeValue",
                "Modifying queue type is not supported.",
            ),
            (
                "SetQueueAttributes",
                set(&fifo, json!({"FifoThroughputLimit": "perMessageGroupId"})),
                "InvalidAttributeValue",
                "messageGroup",
            ),
            (
                "SetQueueAttributes",
                set(&work, json!({"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "true"})),
                "InvalidAttributeValue",
                "one type of server-side encryption",
            ),
            ("SetQueueAttributes", set(&work, json!({})), "MissingParameter", "Attribute"),
            (
                "GetQueueAttributes",
                json!({"QueueUrl": work, "AttributeNames": ["Nope"]}),
                "InvalidAttributeName",
                "Unknown Attribute Nope.",
            ),
        ],
    )
    .await;
    let same = rig.queue("chores", json!({"VisibilityTimeout": "5"})).await;
    assert_eq!(same, work, "creating it again as it is answers with it");
}

#[tokio::test]
async fn messages_are_sent_by_the_rules() {
    let rig = Rig::start().await;
    let work = rig.standard("chores").await;
    let small = rig.queue("small", json!({"MaximumMessageSize": "1024"})).await;
    let fifo = rig.queue("plain.fifo", json!({"FifoQueue": "true"})).await;
    let send = |url: &str, extra: Value| {
        let mut request = json!({"QueueUrl": url, "MessageBody": "x"});
        request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        request
    };
    let text = |value: &str| json!({"DataType": "String", "StringValue": value});
    check(
        &rig,
        vec![
            ("SendMessage", send(&work, json!({"MessageBody": ""})), "MissingParameter", "The request must contain the parameter MessageBody."),
            ("SendMessage", send(&work, json!({"MessageBody": "a\u{b}"})), "InvalidMessageContents", "#xb"),
            ("SendMessage", send(&work, json!({"MessageBody": "x".repeat(1_048_577)})), "InvalidParameterValue", "Message must be shorter than 1048576 bytes."),
            ("SendMessage", send(&work, json!({"MessageBody": "x".repeat(1_048_570), "MessageAttributes": {"a": text("b")}})), "InvalidParameterValue", "shorter than 1048576"),
            ("SendMessage", send(&small, json!({"MessageBody": "x".repeat(1025)})), "InvalidParameterValue", "shorter than 1024 bytes."),
            ("SendMessage", send(&work, json!({"DelaySeconds": -1})), "InvalidParameterValue", "Value -1 for parameter DelaySeconds is invalid."),
            ("SendMessage", send(&work, json!({"MessageDeduplicationId": "d"})), "InvalidParameterValue", "Value d for parameter MessageDeduplicationId"),
            ("SendMessage", send(&work, json!({"MessageGroupId": "a b"})), "InvalidParameterValue", "MessageGroupId can only include"),
            ("SendMessage", send(&work, json!({"MessageAttributes": {"AWS.x": text("1")}})), "InvalidParameterValue", "reserved"),
            ("SendMessage", send(&work, json!({"MessageSystemAttributes": {"x": text("1")}})), "InvalidParameterValue", "AWSTraceHeader"),
            ("SendMessage", send(&fifo, json!({})), "MissingParameter", "MessageGroupId"),
            ("SendMessage", send(&fifo, json!({"MessageGroupId": "g"})), "InvalidParameterValue", "ContentBasedDeduplication enabled or MessageDeduplicationId"),
            ("SendMessage", send(&fifo, json!({"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 5})), "InvalidParameterValue", "Value 5 for parameter DelaySeconds"),
            ("SendMessage", json!({"QueueUrl": work}), "MissingParameter", "MessageBody"),
            ("SendMessageBatch", json!({"QueueUrl": work, "Entries": []}), "AWS.SimpleQueueService.EmptyBatchRequest", "at least one SendMessageBatchRequestEntry"),
            ("SendMessageBatch", json!({"QueueUrl": work, "Entries": (0..11).map(|n| json!({"Id": n.to_string(), "MessageBody": "x"})).collect::<Vec<_>>()}), "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "You have sent 11."),
            ("SendMessageBatch", json!({"QueueUrl": work, "Entries": [{"Id": "a", "MessageBody": "x"}, {"Id": "a", "MessageBody": "x"}]}), "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id a repeated."),
            ("SendMessageBatch", json!({"QueueUrl": work, "Entries": [{"Id": "a.b", "MessageBody": "x"}]}), "AWS.SimpleQueueService.InvalidBatchEntryId", "alphanumeric"),
            ("SendMessageBatch", json!({"QueueUrl": work, "Entries": [{"Id": "a", "MessageBody": "x".repeat(600_000)}, {"Id": "b", "MessageBody": "x".repeat(600_000)}]}), "AWS.SimpleQueueService.BatchRequestTooLong", "You have sent 1200000 bytes."),
        ],
    )
    .await;
    assert_eq!(rig.attribute(&work, "ApproximateNumberOfMessages").await, "0", "what is refused is not stored");
}

/// The handle with another character in its middle.
fn forged(handle: &str) -> String {
    let (before, after) = handle.split_at(handle.len() / 2);
    let other = if after.starts_with('A') { 'B' } else { 'A' };
    format!("{before}{other}{}", &after[1..])
}

#[tokio::test]
async fn messages_are_received_and_held_by_the_rules() {
    let rig = Rig::start().await;
    let work = rig.standard("chores").await;
    let other = rig.standard("other").await;
    rig.call("SendMessage", json!({"QueueUrl": work, "MessageBody": "x"})).await;
    let handle = rig.receive(&work).await[0]["ReceiptHandle"].clone();
    let forged = forged(handle.as_str().unwrap());
    let receive = |name: &str, value: Value| json!({"QueueUrl": work, name: value});
    let change =
        |handle: &Value, timeout: i64| json!({"QueueUrl": work, "ReceiptHandle": handle, "VisibilityTimeout": timeout});
    check(
        &rig,
        vec![
            (
                "ReceiveMessage",
                receive("MaxNumberOfMessages", json!(0)),
                "InvalidParameterValue",
                "Must be between 1 and 10, if provided.",
            ),
            (
                "ReceiveMessage",
                receive("MaxNumberOfMessages", json!(11)),
                "InvalidParameterValue",
                "Value 11 for parameter MaxNumberOfMessages",
            ),
            (
                "ReceiveMessage",
                receive("WaitTimeSeconds", json!(21)),
                "InvalidParameterValue",
                "Must be >= 0 and <= 20, if provided.",
            ),
            (
                "ReceiveMessage",
                receive("VisibilityTimeout", json!(43201)),
                "InvalidParameterValue",
                "Value 43201 for parameter VisibilityTimeout",
            ),
            (
                "ReceiveMessage",
                receive("AttributeNames", json!(["Nope"])),
                "InvalidAttributeName",
                "Unknown Attribute Nope.",
            ),
            (
                "ReceiveMessage",
                receive("ReceiveRequestAttemptId", json!("a")),
                "InvalidParameterValue",
                "not valid for this queue type",
            ),
            (
                "DeleteMessage",
                json!({"QueueUrl": work, "ReceiptHandle": "nonsense"}),
                "ReceiptHandleIsInvalid",
                "\"nonsense\" is not a valid receipt handle",
            ),
            (
                "DeleteMessage",
                json!({"QueueUrl": work, "ReceiptHandle": forged}),
                "ReceiptHandleIsInvalid",
                "not a valid receipt handle",
            ),
            (
                "DeleteMessage",
                json!({"QueueUrl": other, "ReceiptHandle": handle}),
                "ReceiptHandleIsInvalid",
                "not a valid receipt handle",
            ),
            ("DeleteMessage", json!({"QueueUrl": work}), "MissingParameter", "ReceiptHandle"),
            (
                "ChangeMessageVisibility",
                change(&handle, 43201),
                "InvalidParameterValue",
                "Value 43201 for parameter VisibilityTimeout",
            ),
            ("ChangeMessageVisibility", change(&json!("nonsense"), 5), "ReceiptHandleIsInvalid", "nonsense"),
            (
                "DeleteMessageBatch",
                json!({"QueueUrl": work, "Entries": []}),
                "AWS.SimpleQueueService.EmptyBatchRequest",
                "DeleteMessageBatchRequestEntry",
            ),
            (
                "ChangeMessageVisibilityBatch",
                json!({"QueueUrl": work, "Entries": []}),
                "AWS.SimpleQueueService.EmptyBatchRequest",
                "ChangeMessageVisibilityBatchRequestEntry",
            ),
        ],
    )
    .await;
    rig.pass(5);
    let too_long = rig.json("ChangeMessageVisibility", &change(&handle, 43_200)).await;
    assert!(too_long.body.contains("Total VisibilityTimeout for the message is beyond the limit"), "{}", too_long.body);
    rig.pass(60);
    let free = rig.json("ChangeMessageVisibility", &change(&handle, 5)).await;
    assert_eq!(free.header("x-amzn-query-error"), "AWS.SimpleQueueService.MessageNotInflight;Sender");
}

#[tokio::test]
async fn every_action_on_a_queue_that_is_not_there_says_so() {
    let rig = Rig::start().await;
    let url = format!("http://{}/000000000000/nothing", rig.address);
    let with = |extra: Value| {
        let mut request = json!({"QueueUrl": url});
        request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        request
    };
    let entry = |extra: Value| {
        let mut entry = json!({"Id": "a"});
        entry.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"Entries": [entry]})
    };
    let permission = json!({"Label": "l", "AWSAccountIds": ["123456789012"], "Actions": ["*"]});
    let arn = "arn:aws:sqs:us-east-1:000000000000:nothing";
    check(
        &rig,
        vec![
            ("AddPermission", with(permission), NO_QUEUE, "The specified queue does not exist."),
            ("ChangeMessageVisibility", with(json!({"ReceiptHandle": "x", "VisibilityTimeout": 1})), NO_QUEUE, ""),
            (
                "ChangeMessageVisibilityBatch",
                with(entry(json!({"ReceiptHandle": "x", "VisibilityTimeout": 1}))),
                NO_QUEUE,
                "",
            ),
            ("DeleteMessage", with(json!({"ReceiptHandle": "x"})), NO_QUEUE, ""),
            ("DeleteMessageBatch", with(entry(json!({"ReceiptHandle": "x"}))), NO_QUEUE, ""),
            ("DeleteQueue", with(json!({})), NO_QUEUE, ""),
            ("GetQueueAttributes", with(json!({"AttributeNames": ["All"]})), NO_QUEUE, ""),
            ("GetQueueUrl", json!({"QueueName": "nothing"}), NO_QUEUE, ""),
            ("ListDeadLetterSourceQueues", with(json!({})), NO_QUEUE, ""),
            ("ListQueueTags", with(json!({})), NO_QUEUE, ""),
            ("PurgeQueue", with(json!({})), NO_QUEUE, ""),
            ("ReceiveMessage", with(json!({"WaitTimeSeconds": 20})), NO_QUEUE, ""),
            ("RemovePermission", with(json!({"Label": "l"})), NO_QUEUE, ""),
            ("SendMessage", with(json!({"MessageBody": "x"})), NO_QUEUE, ""),
            ("SendMessageBatch", with(entry(json!({"MessageBody": "x"}))), NO_QUEUE, ""),
            ("SendMessageBatch", with(entry(json!({"MessageBody": ""}))), NO_QUEUE, ""),
            ("SetQueueAttributes", with(json!({"Attributes": {"DelaySeconds": "1"}})), NO_QUEUE, ""),
            ("TagQueue", with(json!({"Tags": {"a": "b"}})), NO_QUEUE, ""),
            ("UntagQueue", with(json!({"TagKeys": ["a"]})), NO_QUEUE, ""),
            (
                "StartMessageMoveTask",
                json!({"SourceArn": arn}),
                "ResourceNotFoundException",
                "SourceArn parameter doesn't exist",
            ),
            (
                "ListMessageMoveTasks",
                json!({"SourceArn": arn}),
                "ResourceNotFoundException",
                "SourceArn parameter doesn't exist",
            ),
            ("ListQueues", json!({"MaxResults": 0}), "InvalidParameterValue", "Must be between 1 and 1000"),
            ("ListQueues", json!({"NextToken": "nonsense"}), "InvalidParameterValue", "NextToken"),
            ("DeleteQueue", json!({"QueueUrl": "http://h/a/b/c"}), "InvalidAddress", "is not valid for this endpoint."),
        ],
    )
    .await;
}

#[tokio::test]
async fn permissions_tags_and_moves_follow_their_rules() {
    let rig = Rig::start().await;
    let work = rig.standard("chores").await;
    let add = |label: &str, accounts: Value, actions: Value| json!({"QueueUrl": work, "Label": label, "AWSAccountIds": accounts, "Actions": actions});
    rig.call("AddPermission", add("there", json!(["123456789012"]), json!(["SendMessage"]))).await;
    let many: serde_json::Map<String, Value> = (0..51).map(|n| (format!("k{n}"), json!("v"))).collect();
    let eight = json!(["*", "*", "*", "*", "*", "*", "*", "*"]);
    let arn = "arn:aws:sqs:us-east-1:000000000000:chores";
    check(
        &rig,
        vec![
            (
                "AddPermission",
                add("there", json!(["123456789012"]), json!(["*"])),
                "InvalidParameterValue",
                "Already exists.",
            ),
            ("AddPermission", add("a b", json!(["123456789012"]), json!(["*"])), "InvalidParameterValue", "Label"),
            ("AddPermission", add("a", json!(["12"]), json!(["*"])), "InvalidParameterValue", "Unable to verify."),
            (
                "AddPermission",
                add("a", json!(["123456789012"]), json!(["DeleteQueue"])),
                "InvalidParameterValue",
                "Only the queue owner is allowed to invoke this action.",
            ),
            (
                "AddPermission",
                add("a", json!(["123456789012"]), eight),
                "OverLimit",
                "8 Actions were found, maximum allowed is 7.",
            ),
            ("AddPermission", add("a", json!([]), json!(["*"])), "MissingParameter", "AWSAccountIds"),
            (
                "AddPermission",
                add("a", json!(vec!["123456789012"; 300]), json!(["*"])),
                "OverLimit",
                "The queue's policy would be longer than 8192 bytes.",
            ),
            (
                "RemovePermission",
                json!({"QueueUrl": work, "Label": "gone"}),
                "InvalidParameterValue",
                "can't find label on existing policy.",
            ),
            ("TagQueue", json!({"QueueUrl": work, "Tags": many}), "InvalidParameterValue", "Too many tags"),
            ("TagQueue", json!({"QueueUrl": work, "Tags": {}}), "MissingParameter", "Tags"),
            ("UntagQueue", json!({"QueueUrl": work, "TagKeys": []}), "MissingParameter", "TagKeys"),
            (
                "StartMessageMoveTask",
                json!({"SourceArn": "chores"}),
                "InvalidParameterValue",
                "You must use this format to specify the SourceArn",
            ),
            (
                "StartMessageMoveTask",
                json!({"SourceArn": arn}),
                "InvalidParameterValue",
                "Source queue must be configured as a Dead Letter Queue.",
            ),
            (
                "StartMessageMoveTask",
                json!({"SourceArn": arn, "MaxNumberOfMessagesPerSecond": 501}),
                "InvalidParameterValue",
                "between 1 and 500",
            ),
            (
                "ListMessageMoveTasks",
                json!({"SourceArn": arn, "MaxResults": 11}),
                "InvalidParameterValue",
                "MaxResults",
            ),
            ("CancelMessageMoveTask", json!({"TaskHandle": "nonsense"}), "InvalidParameterValue", "TaskHandle"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_broker_that_cannot_write_is_503_with_retry_after() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    rig.standard("jobs").await;
    rig.log.fail_next(afterward_log::memory::Fault::Reject);
    let sent = rig.json("SendMessage", &json!({"QueueUrl": url, "MessageBody": "x"})).await;
    assert_eq!((sent.status, sent.header("retry-after")), (503, "1"), "{}", sent.body);
    assert!(sent.body.contains("ServiceUnavailable"), "{}", sent.body);
    crate::rig::until("the broker is back", || async { rig.get("/_afterward/ready").await.status == 200 }).await;
    let stored = rig.attribute(&url, "ApproximateNumberOfMessages").await;
    assert_eq!(stored, "0", "what was answered 503 by a refusal of the log is not there");
    rig.log.fail_next(afterward_log::memory::Fault::Reject);
    let job = rig.post("/jobs", "{}").await;
    assert_eq!((job.status, job.header("retry-after")), (503, "1"), "{}", job.body);
}
