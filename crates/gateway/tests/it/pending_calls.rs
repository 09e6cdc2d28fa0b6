//! The queue in which calls of schedules wait is the server's own: everybody may look, and nobody takes anything away.

use crate::{
    rig::{Reply, Rig, authorization, until},
    scheduler::{done, rest, schedule},
};
use serde_json::{Value, json};

const OWN: &str = "afterward-invocations";
const OWN_ARN: &str = "arn:aws:sqs:us-east-1:000000000000:afterward-invocations";

/// A target that takes no connections, so that its call waits for the next try.
const NOBODY: &str = "http://127.0.0.1:1/";

async fn call(rig: &Rig, key: &str, action: &str, request: Value) -> Reply {
    let builder = rig.json_request(action, &request).header("authorization", authorization(key, "us-east-1"));
    rig.send(builder.body(request.to_string().into()).unwrap()).await
}

fn targeting(arn: &str) -> Value {
    let mut body = schedule();
    body["Target"]["Arn"] = json!(arn);
    body
}

/// The calls that are pending in an account, as a peek shows them.
async fn pending(rig: &Rig, account: &str) -> Vec<Value> {
    let page = rig.get(&format!("/_afterward/queues/{OWN}/messages?account={account}")).await;
    if page.status == 404 {
        return Vec::new();
    }
    page.json()["messages"].as_array().unwrap().clone()
}

/// A server that has failed to make a call, and will try again.
async fn with_a_pending_call() -> Rig {
    let rig = Rig::that_runs_schedules().await;
    done(&rig, "POST", "/schedules/calls", targeting(NOBODY)).await;
    until("the call has failed once", async || {
        pending(&rig, "000000000000").await.first().is_some_and(|message| message["last_error"].is_string())
    })
    .await;
    rig
}

/// What any client may ask that would change the queue, or what is in it.
fn changes(url: &str) -> Vec<(&'static str, Value)> {
    let entry = json!([{"Id": "1", "ReceiptHandle": "x", "MessageBody": "x", "VisibilityTimeout": 0}]);
    vec![
        ("SendMessage", json!({"QueueUrl": url, "MessageBody": "x"})),
        ("SendMessageBatch", json!({"QueueUrl": url, "Entries": [{"Id": "1", "MessageBody": "x"}]})),
        ("ReceiveMessage", json!({"QueueUrl": url})),
        ("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": "x"})),
        ("DeleteMessageBatch", json!({"QueueUrl": url, "Entries": entry})),
        ("ChangeMessageVisibility", json!({"QueueUrl": url, "ReceiptHandle": "x", "VisibilityTimeout": 0})),
        ("ChangeMessageVisibilityBatch", json!({"QueueUrl": url, "Entries": entry})),
        ("PurgeQueue", json!({"QueueUrl": url})),
        ("DeleteQueue", json!({"QueueUrl": url})),
        ("SetQueueAttributes", json!({"QueueUrl": url, "Attributes": {"VisibilityTimeout": "0"}})),
        ("TagQueue", json!({"QueueUrl": url, "Tags": {"a": "b"}})),
        ("UntagQueue", json!({"QueueUrl": url, "TagKeys": ["a"]})),
        ("AddPermission", json!({"QueueUrl": url, "Label": "l", "AWSAccountIds": ["000000000000"], "Actions": ["*"]})),
        ("RemovePermission", json!({"QueueUrl": url, "Label": "l"})),
        ("CreateQueue", json!({"QueueName": OWN})),
        ("StartMessageMoveTask", json!({"SourceArn": OWN_ARN})),
        (
            "StartMessageMoveTask",
            json!({"SourceArn": "arn:aws:sqs:us-east-1:000000000000:dead", "DestinationArn": OWN_ARN}),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_change_the_queue_of_pending_calls() {
    let rig = with_a_pending_call().await;
    rig.standard("dead").await;
    let url = format!("http://{}/000000000000/{OWN}", rig.address);
    for url in [url.as_str(), OWN] {
        for (action, request) in changes(url) {
            let reply = rig.json(action, &request).await;
            assert_eq!(
                (reply.status, &reply.json()["__type"]),
                (400, &json!("com.amazonaws.sqs#UnsupportedOperation"))
            );
            assert!(reply.body.contains("calls of schedules wait"), "{action}: {}", reply.body);
        }
    }
    let by_query = rig.query("/", &format!("Action=PurgeQueue&QueueUrl=/000000000000/{OWN}")).await;
    assert_eq!(by_query.status, 400);
    assert!(by_query.body.contains("<Code>AWS.SimpleQueueService.UnsupportedOperation</Code>"), "{}", by_query.body);
    assert_eq!(pending(&rig, "000000000000").await.len(), 1, "the call still waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_every_queue_that_is_listed_loses_no_pending_call() {
    let rig = with_a_pending_call().await;
    for name in ["a", "afterward", "afterward-invocations-2", "z"] {
        rig.standard(name).await;
    }
    let (mut urls, mut token) = (Vec::new(), Value::Null);
    loop {
        let page = rig.call("ListQueues", json!({"MaxResults": 1, "NextToken": token})).await;
        urls.extend(page["QueueUrls"].as_array().unwrap().clone());
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    let names: Vec<_> = urls.iter().map(|url| url.as_str().unwrap().rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["a", "afterward", "afterward-invocations-2", "z"]);
    for url in urls {
        rig.call("DeleteQueue", json!({"QueueUrl": url})).await;
    }
    assert_eq!(pending(&rig, "000000000000").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_calls_can_be_looked_at() {
    let rig = with_a_pending_call().await;
    let seen = pending(&rig, "000000000000").await.remove(0);
    assert!(seen["body"].as_str().unwrap().contains(NOBODY), "{seen}");
    let url = rig.call("GetQueueUrl", json!({"QueueName": OWN})).await["QueueUrl"].clone();
    assert_eq!(rig.attribute(url.as_str().unwrap(), "QueueArn").await, OWN_ARN);
    for (action, request) in [
        ("ListQueueTags", json!({"QueueUrl": url})),
        ("ListDeadLetterSourceQueues", json!({"QueueUrl": url})),
        ("ListMessageMoveTasks", json!({"SourceArn": OWN_ARN})),
    ] {
        rig.call(action, request).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_may_be_sent_there_by_way_of_a_schedule_or_a_redrive_policy() {
    let rig = Rig::that_runs_schedules().await;
    let url = rig.standard("chores").await;
    let policy = json!({"deadLetterTargetArn": OWN_ARN, "maxReceiveCount": 1}).to_string();
    let attributes = json!({"RedrivePolicy": policy});
    for (action, request) in [
        ("SetQueueAttributes", json!({"QueueUrl": url, "Attributes": attributes})),
        ("CreateQueue", json!({"QueueName": "other", "Attributes": attributes})),
    ] {
        let reply = rig.json(action, &request).await;
        assert!(reply.status == 400 && reply.body.contains("calls of schedules wait"), "{action}: {}", reply.body);
    }
    let universal = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";
    let mut by_url = targeting(universal);
    by_url["Target"]["Input"] = json!(json!({"QueueUrl": OWN, "MessageBody": "x"}).to_string());
    let mut dead_letters = schedule();
    dead_letters["Target"]["DeadLetterConfig"] = json!({"Arn": OWN_ARN});
    done(&rig, "POST", "/schedules/old", schedule()).await;
    for body in [targeting(OWN_ARN), by_url, dead_letters] {
        for (method, path) in [("POST", "/schedules/new"), ("PUT", "/schedules/old")] {
            let reply = rest(&rig, method, path, body.clone()).await;
            assert_eq!(
                (reply.status, reply.header("x-amzn-errortype")),
                (400, "ValidationException"),
                "{}",
                reply.body
            );
            assert!(reply.body.contains("calls of schedules wait"), "{}", reply.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_account_has_its_own_and_may_not_change_it_either() {
    let rig = with_a_pending_call().await;
    let account = "123456789012";
    let request = rig.request("POST", "/schedules/theirs").header("content-type", "application/json");
    let request = request.header("authorization", authorization(account, "us-east-1").replace("/sqs/", "/scheduler/"));
    let made = rig.send(request.body(targeting(NOBODY).to_string().into()).unwrap()).await;
    assert_eq!(made.status, 200, "{}", made.body);
    until("it is pending in its account", async || pending(&rig, account).await.len() == 1).await;
    let seen = call(&rig, account, "ListQueues", json!({})).await;
    assert!(!seen.body.contains(OWN), "{}", seen.body);
    let purged = call(&rig, account, "PurgeQueue", json!({"QueueUrl": OWN})).await;
    assert!(purged.body.contains("#UnsupportedOperation"), "{}", purged.body);
    assert_eq!((pending(&rig, account).await.len(), pending(&rig, "000000000000").await.len()), (1, 1));
}
