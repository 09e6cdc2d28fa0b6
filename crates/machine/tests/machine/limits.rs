//! How many messages may be in flight, and how much one command does.

use crate::script::address;
use crate::world::World;
use afterward_machine::{
    AttributeChanges, Command, CreateQueue, Delivery, Receive, RedrivePolicy, Refusal, Reply, Send, StartMove,
};
use afterward_names::QueueArn;
use std::collections::BTreeMap;

fn create(world: &mut World, name: &str, redrive: Option<RedrivePolicy>) {
    let queue = address(name);
    let fifo = queue.name.is_fifo().then_some(true);
    let attributes = AttributeChanges { fifo, redrive: redrive.map(Some), ..AttributeChanges::default() };
    let create = CreateQueue { queue, attributes, tags: BTreeMap::new(), cooldown: false };
    world.run(&Command::CreateQueue(create)).unwrap();
}

fn send(world: &mut World, name: &str, n: usize) {
    let dedup = afterward_machine::Dedup::Fifo { id: Some((n as u128).to_be_bytes()), body: None };
    let fifo = name.ends_with(".fifo");
    let group = fifo.then(|| format!("g{n}").parse().unwrap());
    let queue = address(name);
    let dedup = fifo.then_some(dedup);
    world
        .run(&Command::Send(Send { queue, size_bytes: 1, delay_ms: None, group, dedup, job: false, batch: None }))
        .unwrap();
}

fn receive(world: &mut World, name: &str, timeout_ms: Option<u64>) -> Result<(Vec<Delivery>, bool), Refusal> {
    let receive = Receive { queue: address(name), max: 10, visibility_timeout_ms: timeout_ms, attempt: None };
    match world.run(&Command::Receive(receive))? {
        Reply::Received { deliveries, more } => Ok((deliveries, more)),
        other => panic!("{other:?}"),
    }
}

/// A queue with 120,005 messages of which all that may are in flight; one of these.
fn full(name: &str) -> (World, Delivery) {
    let mut world = World::new();
    create(&mut world, name, None);
    for n in 0..120_005 {
        send(&mut world, name, n);
    }
    let mut last = None;
    for _ in 0..12_000 {
        let (mut deliveries, _) = receive(&mut world, name, None).unwrap();
        assert_eq!(deliveries.len(), 10);
        last = deliveries.pop();
    }
    (world, last.unwrap())
}

#[test]
fn a_standard_queue_refuses_beyond_120_000_in_flight() {
    let (mut world, delivery) = full("jobs");
    assert_eq!(receive(&mut world, "jobs", None), Err(Refusal::OverLimit));
    world.run(&Command::Delete { queue: address("jobs"), lease: delivery.lease }).unwrap();
    assert_eq!(receive(&mut world, "jobs", None).unwrap().0.len(), 1);
    assert_eq!(receive(&mut world, "jobs", None), Err(Refusal::OverLimit));
}

#[test]
fn a_fifo_queue_finds_nothing_beyond_120_000_in_flight_and_wakes_when_there_is_room() {
    let (mut world, delivery) = full("q.fifo");
    assert_eq!(receive(&mut world, "q.fifo", None), Ok((Vec::new(), false)));
    world.state.take_woken();
    assert!(!world.state.is_receivable(delivery.lease.queue));
    world.run(&Command::Delete { queue: address("q.fifo"), lease: delivery.lease }).unwrap();
    assert_eq!(world.state.take_woken(), [delivery.lease.queue]);
    assert_eq!(receive(&mut world, "q.fifo", None).unwrap().0.len(), 1);
}

#[test]
fn one_receive_dead_letters_a_thousand_messages_and_says_that_there_is_more() {
    let mut world = World::new();
    create(&mut world, "dead", None);
    let redrive = RedrivePolicy { dead_letter_queue: address("dead").arn(), max_receive_count: 1 };
    create(&mut world, "jobs", Some(redrive));
    for n in 0..1500 {
        send(&mut world, "jobs", n);
    }
    for _ in 0..150 {
        receive(&mut world, "jobs", Some(1000)).unwrap();
    }
    send(&mut world, "jobs", 1500);
    world.advance(1000);
    let moved = |world: &World| world.state.queue_at(&address("dead")).unwrap().counts.visible;
    let (found, more) = receive(&mut world, "jobs", None).unwrap();
    assert_eq!((found.len(), more, moved(&world)), (1, true, 999 + 1));
    let (found, more) = receive(&mut world, "jobs", None).unwrap();
    assert_eq!((found.len(), more, moved(&world)), (0, false, 1500));
    world.verify();
}

#[test]
fn an_account_runs_a_hundred_move_tasks_at_a_time() {
    let mut world = World::new();
    let dead = |number: usize| format!("dead-{number}");
    for number in 0..=100 {
        create(&mut world, &dead(number), None);
        let redrive = RedrivePolicy { dead_letter_queue: QueueArn(address(&dead(number))), max_receive_count: 1 };
        create(&mut world, &format!("jobs-{number}"), Some(redrive));
        send(&mut world, &format!("jobs-{number}"), number);
        receive(&mut world, &format!("jobs-{number}"), Some(0)).unwrap();
        assert_eq!(receive(&mut world, &format!("jobs-{number}"), None).unwrap().0.len(), 0);
    }
    let start = |number: usize| {
        let (source, max_per_s) = (QueueArn(address(&dead(number))), Some(1));
        Command::StartMove(StartMove { source, destination: None, max_per_s })
    };
    for number in 0..100 {
        world.run(&start(number)).unwrap();
    }
    assert_eq!(world.run(&start(0)), Err(Refusal::MoveRunning));
    assert_eq!(world.run(&start(100)), Err(Refusal::TooManyMoves));
    // Another account has its own.
    let mut elsewhere = address("jobs");
    elsewhere.account = "111111111111".parse().unwrap();
    let dead = afterward_names::QueueAddress { name: "dead".parse().unwrap(), ..elsewhere.clone() };
    for (queue, redrive) in [(&dead, None), (&elsewhere, Some(dead.clone()))] {
        let redrive = redrive.map(|dead| RedrivePolicy { dead_letter_queue: QueueArn(dead), max_receive_count: 1 });
        let attributes = AttributeChanges { redrive: redrive.map(Some), ..AttributeChanges::default() };
        let create = CreateQueue { queue: queue.clone(), attributes, tags: BTreeMap::new(), cooldown: false };
        world.run(&Command::CreateQueue(create)).unwrap();
    }
    world.run(&Command::StartMove(StartMove { source: QueueArn(dead), destination: None, max_per_s: None })).unwrap();
    // Those that are over leave room.
    assert_eq!(world.state.next_move_ms(), Some(world.state.now_ms()));
    world.run(&Command::RunMoves).unwrap();
    world.run(&start(100)).unwrap();
}

#[test]
fn many_move_tasks_share_a_run() {
    let mut world = World::new();
    create(&mut world, "to", None);
    for number in 0..10 {
        let dead = format!("dead-{number}");
        create(&mut world, &dead, None);
        let redrive = RedrivePolicy { dead_letter_queue: QueueArn(address(&dead)), max_receive_count: 1 };
        create(&mut world, &format!("jobs-{number}"), Some(redrive));
        (0..300).for_each(|n| send(&mut world, &dead, n));
        let destination = Some(QueueArn(address("to")));
        let start = StartMove { source: QueueArn(address(&dead)), destination, max_per_s: None };
        world.run(&Command::StartMove(start)).unwrap();
    }
    let at = |world: &World, name: &str| world.state.queue_at(&address(name)).unwrap().counts.visible;
    world.run(&Command::RunMoves).unwrap();
    assert_eq!((at(&world, "to"), at(&world, "dead-0"), at(&world, "dead-9")), (2_000, 100, 100));
    assert_eq!(world.state.next_move_ms(), Some(world.state.now_ms()));
    world.run(&Command::RunMoves).unwrap();
    assert_eq!((at(&world, "to"), world.state.next_move_ms()), (3_000, None));
}
