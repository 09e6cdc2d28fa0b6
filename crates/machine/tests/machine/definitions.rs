//! What is defined is written at once, so there is a bound on how much it is.

use crate::script::address;
use crate::world::World;
use afterward_machine::{
    AttributeChanges, Command, CreateQueue, DEFINITIONS_BYTES, RedrivePolicy, Refusal, Send, SetAttributes, StartMove,
    Tags,
};
use afterward_names::QueueArn;

fn tags(count: usize, number: usize) -> Tags {
    (0..count).map(|tag| (format!("{tag:0>128}").into(), format!("{number:0>256}").into())).collect()
}

fn create(name: &str, tags: Tags, changes: AttributeChanges) -> Command {
    Command::CreateQueue(CreateQueue { queue: address(name), attributes: changes, tags, cooldown: false })
}

fn plain(name: &str) -> Command {
    create(name, Tags::new(), AttributeChanges::default())
}

fn dead_letters_to(name: &str) -> AttributeChanges {
    let redrive = RedrivePolicy { dead_letter_queue: QueueArn(address(name)), max_receive_count: 5 };
    AttributeChanges { redrive: Some(Some(redrive)), ..AttributeChanges::default() }
}

fn group(name: &str) -> afterward_names::ScheduleGroupAddress {
    let queue = address("any");
    afterward_names::ScheduleGroupAddress { account: queue.account, region: queue.region, name: name.parse().unwrap() }
}

/// A world with queues of fifty of the largest tags, until one is refused; how many there are.
fn full() -> (World, usize) {
    let mut world = World::new();
    world.run(&plain("plain")).unwrap();
    world.run(&create("jobs", Tags::new(), dead_letters_to("plain"))).unwrap();
    world.run(&Command::CreateScheduleGroup { group: group("night"), tags: Tags::new() }).unwrap();
    for number in 0.. {
        match world.run(&create(&format!("q{number}"), tags(50, number), AttributeChanges::default())) {
            Ok(_) => assert!(number < 10_000, "there is no end to it"),
            Err(refusal) => {
                assert_eq!(refusal, Refusal::TooManyDefinitions);
                return (world, number);
            }
        }
    }
    unreachable!()
}

/// The bug: beyond 256 MiB the log took no such batch, and the server could not write, nor start, any more.
#[test]
fn what_does_not_fit_in_one_batch_of_the_log_is_refused_and_what_takes_away_is_not() {
    let (mut world, count) = full();
    assert!(count > 3_000, "{count}");
    let bytes = world.state.most_definitions_bytes();
    assert!(bytes <= DEFINITIONS_BYTES && bytes > DEFINITIONS_BYTES - (32 << 10), "{bytes}");
    // What is left is little: it is used up.
    let mut last = 0;
    while world.run(&plain(&format!("small-{last}"))).is_ok() {
        last += 1;
    }
    let policy = |text: &str| {
        let changes = AttributeChanges { policy: Some(Some(text.into())), ..AttributeChanges::default() };
        Command::SetAttributes(SetAttributes { queue: address("plain"), attributes: changes, expected_policy: None })
    };
    let start = StartMove { source: QueueArn(address("plain")), destination: None, max_per_s: None };
    for more in [
        plain("another"),
        Command::Tag { queue: address("plain"), tags: tags(1, 1) },
        policy(&"x".repeat(8192)),
        Command::StartMove(start),
        Command::CreateScheduleGroup { group: group("day"), tags: Tags::new() },
        Command::TagScheduleGroup { group: group("night"), tags: tags(1, 1) },
    ] {
        assert_eq!(world.run(&more), Err(Refusal::TooManyDefinitions), "{more:?}");
    }
    // Nothing else minds.
    let queue = address("plain");
    let send = Send { queue, size_bytes: 1, delay_ms: None, group: None, dedup: None, job: false, batch: None };
    world.run(&Command::Send(send)).unwrap();
    world.run(&create("q0", Tags::new(), AttributeChanges::default())).unwrap();
    world.run(&Command::Tag { queue: address("q1"), tags: tags(50, 0) }).unwrap();
    // What was written forward is the same, and refuses the same.
    world.compact();
    world.state = world.replayed();
    assert_eq!(world.run(&plain("another")), Err(Refusal::TooManyDefinitions));
    // There is room again once something is given up.
    world.run(&Command::Untag { queue: address("q0"), keys: tags(50, 0).into_keys().collect() }).unwrap();
    world.run(&Command::DeleteQueue { queue: address("q1") }).unwrap();
    world.run(&plain("another")).unwrap();
    world.run(&policy(&"x".repeat(8192))).unwrap();
    assert!(world.state.most_definitions_bytes() <= DEFINITIONS_BYTES);
    world.advance(60_000);
    let rested = world.state.most_definitions_bytes();
    world.compact();
    assert_eq!(world.state.most_definitions_bytes(), rested);
}

#[test]
fn a_hundred_thousand_ordinary_queues_fit_easily() {
    let mut world = World::new();
    let dead = "orders-that-could-not-be-processed-production";
    world.run(&plain(dead)).unwrap();
    for number in 0..100_000 {
        let tags = [("team", "payments"), ("stage", "production")].map(|(key, value)| (key.into(), value.into()));
        let queue = format!("orders-of-customer-{number}-production");
        world.run(&create(&queue, tags.into(), dead_letters_to(dead))).unwrap();
    }
    assert!(world.state.most_definitions_bytes() < DEFINITIONS_BYTES / 2, "{}", world.state.most_definitions_bytes());
}
