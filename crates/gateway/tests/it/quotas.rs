//! What AWS bounds by quotas, reached by way of the broker, as so many requests would take their time; and in which words the
//! next request is refused.

use crate::rig::{Reply, Rig};
use afterward_broker::{
    Content, Failure, Received,
    machine::{AttributeChanges, Command, CreateQueue, Receive, Refusal, Send, Tags},
};
use afterward_names::{AccountId, QueueAddress, Region};
use serde_json::json;
use std::time::Duration;

/// Messages in flight: AWS, "Amazon SQS message quotas".
const IN_FLIGHT: usize = 120_000;

fn address(name: &str) -> QueueAddress {
    QueueAddress { account: AccountId::DEFAULT, region: Region::default(), name: name.parse().unwrap() }
}

fn a_message(queue: &QueueAddress) -> (Send, Content) {
    let (queue, size_bytes) = (queue.clone(), 1);
    let send = Send { queue, size_bytes, delay_ms: None, group: None, dedup: None, job: false, batch: None };
    let content = Content {
        body: "x".into(),
        body_md5: [0; 16],
        attributes: Vec::new(),
        sender: "AIDTEST".into(),
        deduplication_id: None,
        trace_header: None,
    };
    (send, content)
}

async fn received(rig: &Rig, queue: &QueueAddress, max: usize) -> Vec<Received> {
    let receive = Receive { queue: queue.clone(), max, visibility_timeout_ms: None, attempt: None };
    rig.broker.receive(receive, Some(Duration::ZERO)).await.unwrap()
}

/// A queue that is nothing but its tag, of so many bytes.
async fn tagged(rig: &Rig, name: &str, bytes: usize) -> Result<(), Failure> {
    let tags: Tags = [("t".into(), "x".repeat(bytes).into())].into();
    let (queue, attributes) = (address(name), AttributeChanges::default());
    rig.broker.execute(Command::CreateQueue(CreateQueue { queue, attributes, tags, cooldown: false })).await.map(drop)
}

fn check_over_limit(reply: &Reply, words: &str) {
    assert_eq!((reply.status, reply.header("x-amzn-query-error")), (403, "OverLimit;Sender"), "{}", reply.body);
    assert_eq!(reply.json()["__type"], "com.amazonaws.sqs#OverLimit");
    assert!(reply.json()["message"].as_str().unwrap().contains(words), "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_with_120_000_messages_in_flight_hands_out_no_more() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    let queue = address("chores");
    for _ in 0..IN_FLIGHT / 10_000 {
        for outcome in rig.broker.send((0..10_000).map(|_| a_message(&queue)).collect()).await.unwrap() {
            outcome.unwrap();
        }
    }
    rig.broker.send(vec![a_message(&queue)]).await.unwrap();
    let mut in_flight = 0;
    while in_flight < IN_FLIGHT {
        in_flight += received(&rig, &queue, 10_000).await.len();
    }
    let words = "The maximum number of in flight messages is reached.";
    check_over_limit(&rig.json("ReceiveMessage", &json!({"QueueUrl": url})).await, words);
    let reply = rig.query("/", &format!("Action=ReceiveMessage&QueueUrl={url}")).await;
    assert_eq!(reply.status, 403);
    assert!(reply.body.contains("<Code>OverLimit</Code>") && reply.body.contains(words), "{}", reply.body);
    assert_eq!(rig.attribute(&url, "ApproximateNumberOfMessagesNotVisible").await, IN_FLIGHT.to_string());
}

#[tokio::test]
async fn a_hundred_move_tasks_run_at_a_time() {
    let rig = Rig::start().await;
    let mut arns = Vec::new();
    for number in 0..=100 {
        let dead = address(&format!("dead-{number}"));
        rig.standard(dead.name.as_str()).await;
        let policy = json!({"deadLetterTargetArn": dead.arn().to_string(), "maxReceiveCount": 1}).to_string();
        rig.queue(&format!("jobs-{number}"), json!({"RedrivePolicy": policy})).await;
        // One a second, by a clock that stands still: a task with two messages goes on.
        rig.broker.send(vec![a_message(&dead), a_message(&dead)]).await.unwrap();
        arns.push(dead.arn().to_string());
    }
    rig.standard("again").await;
    let again = address("again").arn().to_string();
    let start = |arn: &str| json!({"SourceArn": arn, "DestinationArn": again, "MaxNumberOfMessagesPerSecond": 1});
    for arn in &arns[..100] {
        rig.call("StartMessageMoveTask", start(arn)).await;
    }
    let words = "The maximum of 100 active message move tasks is reached.";
    check_over_limit(&rig.json("StartMessageMoveTask", &start(&arns[100])).await, words);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_defines_queues_and_groups_has_an_end() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    let (mut bytes, mut number) = (1 << 20, 0);
    while bytes > 0 {
        match tagged(&rig, &format!("fill-{number}"), bytes).await {
            Ok(()) => number += 1,
            Err(Failure::Refused(Refusal::TooManyDefinitions)) => bytes /= 2,
            Err(other) => panic!("{other:?}"),
        }
    }
    let (name, words) = ("one-more-of-a-name-that-takes-what-is-left", "take the 64 MiB that this server has for them");
    check_over_limit(&rig.json("CreateQueue", &json!({"QueueName": name})).await, words);
    let tag = json!({"QueueUrl": url, "Tags": {"k".repeat(128): "v".repeat(256)}});
    check_over_limit(&rig.json("TagQueue", &tag).await, words);
    let reply = rig.post(&format!("/schedule-groups/{name}"), "{}").await;
    assert_eq!((reply.status, reply.header("x-amzn-errortype")), (402, "ServiceQuotaExceededException"));
    assert!(reply.json()["Message"].as_str().unwrap().contains(words), "{}", reply.body);
    rig.call("DeleteQueue", json!({"QueueUrl": "fill-0"})).await;
    rig.call("TagQueue", tag).await;
}
