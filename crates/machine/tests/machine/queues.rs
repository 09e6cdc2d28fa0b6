//! Queues: making, setting, listing, purging and deleting them.

use crate::script::{Story, address, check};
use afterward_machine::{Command, CreateQueue, Refusal, Reply, SetAttributes};
use afterward_names::{AccountId, Region};
use std::collections::BTreeMap;

#[test]
fn creating_a_queue_again_answers_with_it_unless_a_given_attribute_differs() {
    check(
        "create jobs visibility=10s delay=0s
         create jobs
         create jobs visibility=10s
         create jobs retention=4d                     // the default, said aloud
         create jobs visibility=11s -> refused QueueExists VisibilityTimeout
         create jobs delay=1s -> refused QueueExists DelaySeconds
         create jobs policy=p -> refused QueueExists Policy
         create jobs dlq=dead:1 -> refused QueueExists RedrivePolicy
         create jobs sse=off -> refused QueueExists SqsManagedSseEnabled
         create jobs dedup=content -> refused QueueExists ContentBasedDeduplication
         create q.fifo dedup=content
         create q.fifo
         create q.fifo dedup=given -> refused QueueExists ContentBasedDeduplication
         create q.fifo scope=group -> refused QueueExists DeduplicationScope",
    );
}

#[test]
fn attributes_must_go_together() {
    check(
        "create jobs dedup=content -> refused InvalidAttribute ContentBasedDeduplication
         create jobs scope=group -> refused InvalidAttribute DeduplicationScope
         create jobs limit=queue -> refused InvalidAttribute FifoThroughputLimit
         create q.fifo limit=group -> refused InvalidAttribute FifoThroughputLimit
         create q.fifo limit=group scope=group
         set q.fifo scope=queue -> refused InvalidAttribute FifoThroughputLimit
         set q.fifo scope=queue limit=queue
         create jobs sse=on kms=key -> refused InvalidAttribute SqsManagedSseEnabled
         create jobs kms=key",
    );
}

#[test]
fn one_kind_of_encryption_ends_the_other() {
    let mut story = Story::new();
    for (step, sqs_managed, key) in [
        ("create jobs", true, None),
        ("set jobs kms=key", false, Some("key")),
        ("set jobs sse=on", true, None),
        ("set jobs sse=off", false, None),
        ("set jobs kms=other", false, Some("other")),
        ("set jobs kms=none", false, None),
    ] {
        story.tell(step);
        let encryption = &story.world.state.queue_at(&address("jobs")).unwrap().attributes.encryption;
        assert_eq!((encryption.sqs_managed, encryption.kms_master_key_id.as_deref()), (sqs_managed, key), "{step}");
    }
    story.end();
}

#[test]
fn a_name_tells_a_fifo_queue_and_nothing_else_does() {
    let mut story = Story::new();
    for (name, fifo) in [("jobs", true), ("jobs.fifo", false)] {
        let mut create = CreateQueue {
            queue: address(name),
            attributes: afterward_machine::AttributeChanges::default(),
            tags: BTreeMap::new(),
            cooldown: false,
        };
        create.attributes.fifo = Some(fifo);
        let refused = story.world.run(&Command::CreateQueue(create));
        assert!(matches!(refused, Err(Refusal::InvalidAttribute { attribute: "FifoQueue", .. })));
    }
    story.tell("create jobs");
    let mut set = SetAttributes { queue: address("jobs"), attributes: Default::default(), expected_policy: None };
    set.attributes.fifo = Some(true);
    let refused = story.world.run(&Command::SetAttributes(set));
    assert!(matches!(refused, Err(Refusal::InvalidAttribute { attribute: "FifoQueue", .. })));
}

#[test]
fn a_message_may_be_as_large_as_the_queue_allows() {
    check(
        "create jobs max_bytes=2000
         send jobs a size=2000
         send jobs b size=2001 -> refused MessageTooLong
         set jobs max_bytes=1024
         send jobs b size=2000 -> refused MessageTooLong
         counts jobs 1 0 0",
    );
}

#[test]
fn purging_takes_every_message_and_rests_where_cooldowns_are_on() {
    check(
        "create jobs
         send jobs a
         send jobs b delay=10s
         send jobs c
         receive jobs -> a
         purge jobs cooldown
         counts jobs 0 0 0
         due never
         send jobs d
         purge jobs cooldown -> refused PurgeInProgress
         compact
         purge jobs cooldown -> refused PurgeInProgress
         purge jobs
         +60s
         purge jobs cooldown
         purge nowhere -> refused NoSuchQueue",
    );
}

/// The bug: definitions bring the names in the order of the alphabet, and the first that still rested kept the others.
#[test]
fn after_a_restart_names_rest_no_longer_than_before() {
    check(
        "create z
         create a
         drop z
         +30s
         drop a
         compact
         +30s
         create z cooldown
         create a cooldown -> refused QueueDeletedRecently
         +30s
         create a cooldown",
    );
}

#[test]
fn a_deleted_queue_is_gone_and_its_name_rests_where_cooldowns_are_on() {
    check(
        "create jobs
         send jobs a
         receive jobs -> a
         drop jobs
         drop jobs -> refused NoSuchQueue
         send jobs b -> refused NoSuchQueue
         receive jobs -> refused NoSuchQueue
         due never
         create jobs cooldown -> refused QueueDeletedRecently
         compact
         +59s
         create jobs cooldown -> refused QueueDeletedRecently
         +1s
         create jobs cooldown
         counts jobs 0 0 0
         drop jobs
         create jobs                                  // cool-downs off
         send jobs c
         receive jobs -> c",
    );
}

#[test]
fn a_policy_is_changed_only_as_it_was_seen() {
    check(
        "create jobs policy=one
         set jobs policy=two expect=one
         set jobs policy=three expect=one -> refused PolicyChanged
         set jobs policy=none expect=two",
    );
}

#[test]
fn tags_are_added_replaced_and_taken_away_fifty_at_most() {
    let mut story = Story::new();
    story.tell("create jobs");
    let queue = address("jobs");
    let tags = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    let mut run = |command| story.world.run(&command);
    run(Command::Tag { queue: queue.clone(), tags: tags(&[("a", "1"), ("b", "2")]) }).unwrap();
    run(Command::Tag { queue: queue.clone(), tags: tags(&[("b", "3")]) }).unwrap();
    run(Command::Untag { queue: queue.clone(), keys: vec!["a".into(), "z".into()] }).unwrap();
    let many: Vec<(String, String)> = (0..50).map(|n| (format!("k{n}"), String::new())).collect();
    let many = many.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect();
    assert_eq!(run(Command::Tag { queue: queue.clone(), tags: many }), Err(Refusal::TooManyTags));
    assert_eq!(story.world.state.queue_at(&queue).unwrap().tags, &tags(&[("b", "3")]));
    story.end();
}

#[test]
fn queues_of_other_accounts_and_regions_are_not_seen() {
    let mut story = Story::new();
    story.tell(
        "create b
         create a
         create a-1
         create ab
         create a.fifo
         create other/a2
         create far:a3",
    );
    let names = |prefix: &str, after: Option<&str>| -> Vec<String> {
        let after = after.map(|name| name.parse().unwrap());
        let queues = story.world.state.queues(AccountId::DEFAULT, &Region::default(), prefix, after.as_ref());
        queues.map(|queue| queue.address.name.to_string()).collect()
    };
    assert_eq!(names("", None), ["a", "a-1", "a.fifo", "ab", "b"]);
    assert_eq!(names("a", None), ["a", "a-1", "a.fifo", "ab"]);
    assert_eq!(names("a.f", None), ["a.fifo"]);
    assert_eq!(names("a", Some("a-1")), ["a.fifo", "ab"]);
    assert_eq!(names("b", Some("a")), ["b"]);
    assert!(names("c", None).is_empty() && names("", Some("b")).is_empty());
    assert_eq!(story.world.state.all_queues().count(), 7);
    story.end();
}

#[test]
fn times_of_a_queue_are_kept() {
    let mut story = Story::new();
    story.tell("create jobs\n+5s\nset jobs delay=1s\n+5s\ncompact");
    let queue = story.world.state.queue_at(&address("jobs")).unwrap();
    assert_eq!(queue.created_ms, crate::world::START_MS);
    assert_eq!(queue.modified_ms, crate::world::START_MS + 5000);
    story.end();
}

#[test]
fn the_secret_is_set_once() {
    let mut story = Story::new();
    assert_eq!(story.world.run(&Command::Found { secret: [9; 32] }), Ok(Reply::Done));
    assert_eq!(story.world.state.secret(), Some(&[7; 32]));
}
