//! In which order what is due reaches the queues.

use crate::rig::{MINUTE, Rig, With, arn, body, definition, schedule, until};
use afterward_broker::{Received, machine::AttributeChanges};
use afterward_scheduler::{AfterCompletion, Definition};
use std::{collections::BTreeMap, time::Duration};

const UNIVERSAL: &str = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";

/// When a story's messages are due: seconds after its beginning, below a minute.
type DueS = fn(usize) -> u64;

fn fifo() -> AttributeChanges {
    AttributeChanges { fifo: Some(true), content_based_deduplication: Some(true), ..AttributeChanges::default() }
}

/// A message to a group of `jobs.fifo` that says its number, once, by a schedule that deletes itself.
fn message(number: usize, due_s: u64, group: &str) -> Definition {
    once(due_s, &arn("jobs.fifo")).in_group(group).input(&number.to_string())
}

/// The same by SendMessage as the target.
fn by_send_message(number: usize, due_s: u64, group: &str) -> Definition {
    let input =
        serde_json::json!({"QueueUrl": "jobs.fifo", "MessageBody": number.to_string(), "MessageGroupId": group});
    once(due_s, UNIVERSAL).input(&input.to_string())
}

fn once(due_s: u64, target: &str) -> Definition {
    definition(&format!("at(2026-11-22T05:00:{due_s:02})"), target)
        .with(|definition| definition.after_completion = AfterCompletion::Delete)
}

/// The numbers that each group was sent, in its order.
fn by_group(received: &[Received]) -> BTreeMap<String, Vec<usize>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for received in received {
        let group = received.message.group.as_ref().unwrap().to_string();
        groups.entry(group).or_default().push(body(received).parse().unwrap());
    }
    groups
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_sent_what_is_due_in_the_order_of_due_times_and_then_of_making() {
    let together: DueS = |_| 3;
    let one_by_one: DueS = |number| 2 * number as u64 + 1;
    let the_last_first: DueS = |number| 59 - number as u64;
    let by_two: DueS = |number| 10 + number as u64 % 2;
    let plain: fn(usize, u64, &str) -> Definition = message;
    let either: fn(usize, u64, &str) -> Definition =
        |number, due_s, group| [message, by_send_message][number % 2](number, due_s, group);
    let by_keyword: fn(usize, u64, &str) -> Definition = |number, due_s, _| {
        let group = ["g-<aws.scheduler.attempt-number>", "g-1"][number % 2];
        by_send_message(number, due_s, group)
    };
    for (story, count, groups, due_s, definition) in [
        ("due in one second", 20, 1, together, plain),
        ("more than are run at a time", 600, 1, together, plain),
        ("due one after another, and the server was away", 29, 1, one_by_one, plain),
        ("the last is due first", 50, 1, the_last_first, plain),
        ("two due times", 40, 1, by_two, plain),
        ("several groups", 60, 4, by_two, plain),
        ("both kinds of target", 40, 2, together, either),
        ("groups that are the same once their keywords are filled in", 40, 1, together, by_keyword),
    ] {
        let rig = Rig::new();
        let queue = rig.queue_with("jobs.fifo", fifo()).await;
        for number in 0..count {
            rig.schedule(&format!("gone{number}"), &once(59, &arn("other"))).await;
        }
        let mut meant: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for number in 0..count {
            // It leaves its place in memory to the next one: places are not in the order of making.
            let gone = schedule(&format!("gone{}", count - 1 - number));
            rig.broker.delete_schedule(gone).await.unwrap();
            let group = format!("g-{}", 1 + number % groups);
            rig.schedule(&format!("s{number}"), &definition(number, due_s(number), &group)).await;
            meant.entry(group).or_default().push(number);
        }
        for numbers in meant.values_mut() {
            numbers.sort_by_key(|number| (due_s(*number), *number));
        }
        rig.pass(MINUTE).await;
        assert_eq!(by_group(&rig.all(&queue).await), meant, "{story}");
    }
}

/// A queue that is missing, or a message that its queue does not take, holds nobody up: not even its own group, in which the
/// others keep their order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_holds_up_nobody_and_loses_its_own_place_alone() {
    let rig = Rig::new();
    let queue = rig.queue_with("jobs.fifo", fifo()).await;
    let strict = rig.queue_with("strict.fifo", AttributeChanges { fifo: Some(true), ..Default::default() }).await;
    let dead = rig.queue("dead").await;
    let (mut kept, mut failing) = (Vec::new(), 0);
    for number in 0..60 {
        let said = match number % 6 {
            // A deduplication id is missing there, for good.
            0 => once(3, &arn("strict.fifo")).in_group("g").dead_letters_to("dead"),
            1 => once(3, &arn("missing.fifo")).in_group("g").retries(0).dead_letters_to("dead"),
            2 => {
                let input = serde_json::json!({
                    "QueueUrl": "strict.fifo", "MessageBody": number.to_string(), "MessageGroupId": "g",
                    "MessageDeduplicationId": number.to_string(),
                });
                once(3, UNIVERSAL).input(&input.to_string())
            }
            _ => message(number, 3, "g"),
        };
        match number % 6 {
            0 | 1 => failing += 1,
            2 => kept.push(number),
            _ => {}
        }
        rig.schedule(&format!("s{number}"), &said).await;
    }
    rig.pass(MINUTE).await;
    let fit: Vec<_> = (0..60).filter(|number| number % 6 > 2).collect();
    assert_eq!(by_group(&rig.all(&queue).await)["g"], fit);
    assert_eq!(by_group(&rig.all(&strict).await)["g"], kept);
    assert_eq!(rig.all(&dead).await.len(), failing);
}

/// Nobody waits for the one before to be on the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_shares_its_flushes() {
    let rig = Rig::new();
    let queue = rig.queue_with("jobs.fifo", fifo()).await;
    for number in 0..200 {
        rig.schedule(&format!("s{number}"), &message(number, 3, "g")).await;
    }
    let before = rig.broker.metrics().batches;
    rig.log.hold();
    rig.clock.advance(Duration::from_secs(3));
    until("all are handed in", async || rig.broker.metrics().sent == 200).await;
    rig.log.release();
    rig.settled().await;
    let batches = rig.broker.metrics().batches - before;
    assert!(batches <= 4, "{batches} batches");
    assert_eq!(by_group(&rig.all(&queue).await)["g"], Vec::from_iter(0..200));
}
