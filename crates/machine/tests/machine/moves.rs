//! Message move tasks: dead letters go back.

use crate::script::{Story, check};

/// `dead` holds a and b of `jobs`, and c of `more`.
const THREE_DEAD: &str = "create dead
    create jobs dlq=dead:1 visibility=1s
    create more dlq=dead:1 visibility=1s
    send jobs a
    send jobs b
    send more c
    receive jobs max=2 -> a b
    receive more -> c
    +1s
    receive jobs -> nothing
    receive more -> nothing
    state dead ready=a,b,c";

fn three_dead(rest: &str) {
    let mut story = Story::new();
    story.tell(THREE_DEAD);
    story.tell(rest);
    story.end();
}

#[test]
fn messages_go_back_to_their_queues_as_new() {
    let mut story = Story::new();
    story.tell(THREE_DEAD);
    let before = story.messages("dead");
    story.tell(
        "woken dead
         move dead
         moved dead 0/3 running
         +5s
         run
         moved dead 3/3 completed
         state dead
         state jobs ready=a,b
         state more ready=c
         woken jobs more",
    );
    let after = story.messages("jobs");
    assert_ne!(before[0].1.id, after[0].1.id);
    assert_eq!((after[0].1.sent_ms, after[0].1.first_received_ms), (story.world.state.now_ms(), None));
    assert_eq!((after[0].1.receive_count, &after[0].1.source), (0, &None));
    story.tell(
        "delete jobs a#1                              // the handle was of its first life
         receive jobs -> a
         +1s
         receive jobs max=10 -> b                     // and so a goes back to dead after its one receive
         state dead ready=a",
    );
    story.end();
}

#[test]
fn messages_can_go_to_another_queue() {
    three_dead(
        "create bin
         create bin.fifo
         move dead to=nowhere -> refused NoSuchDestination
         move dead to=bin.fifo -> refused DestinationKindDiffers
         move dead to=dead -> refused InvalidAttribute DestinationArn
         move jobs to=bin -> refused NotADeadLetterQueue
         move nowhere to=bin -> refused NoSuchQueue
         move dead to=bin
         move dead to=bin -> refused MoveRunning
         run
         state bin ready=a,b,c",
    );
}

#[test]
fn a_task_keeps_its_pace_and_does_not_make_up_for_a_pause() {
    let mut story = Story::new();
    story.tell(
        "create dead
         create jobs dlq=dead:1",
    );
    for n in 0..20 {
        story.tell(&format!("send jobs m{n}"));
        story.tell(&format!("receive jobs for=0s -> m{n}"));
    }
    story.tell("receive jobs -> nothing\nmove dead rate=4");
    let steps = [(0, 0, 1), (0, 1, 1), (249, 2, 1), (1, 3, 2), (250, 4, 3), (500, 5, 5), (60_000, 6, 10), (250, 7, 11)];
    for (wait_ms, step, moved) in steps {
        story.tell(&format!("+{wait_ms}ms\nrun\nmoved dead {moved}/20 running"));
        let next_ms = story.world.state.next_move_ms().unwrap();
        assert!(next_ms > story.world.state.now_ms(), "step {step}");
        assert!(next_ms <= story.world.state.now_ms() + 250, "step {step}");
    }
    story.tell(
        "compact
         +1s
         run
         +1s
         run",
    );
    assert!(story.world.state.next_move_ms().is_some());
    story.tell(
        "+1s
         run
         moved dead 20/20 completed
         counts dead 0 0 0",
    );
    assert_eq!(story.world.state.next_move_ms(), None);
    story.end();
}

#[test]
fn a_task_without_a_pace_goes_in_bounded_steps() {
    let mut story = Story::new();
    story.tell("create dead\ncreate jobs dlq=dead:1");
    for n in 0..1200 {
        story.world.run(&send(n)).unwrap();
        story.world.run(&receive("jobs")).unwrap();
    }
    for _ in 0..2 {
        story.world.run(&receive("jobs")).unwrap();
    }
    let arn = crate::script::address("dead").arn();
    let start = afterward_machine::StartMove { source: arn.clone(), destination: None, max_per_s: None };
    story.world.run(&afterward_machine::Command::StartMove(start)).unwrap();
    for moved in [500, 1000, 1200] {
        assert_eq!(story.world.state.next_move_ms(), Some(story.world.state.now_ms()));
        story.world.run(&afterward_machine::Command::RunMoves).unwrap();
        assert_eq!(story.world.state.moves(&arn)[0].moved, moved);
    }
    assert_eq!(story.world.state.next_move_ms(), None);
    story.world.verify();
}

fn send(_: usize) -> afterward_machine::Command {
    let queue = crate::script::address("jobs");
    afterward_machine::Command::Send(afterward_machine::Send {
        queue,
        size_bytes: 1,
        delay_ms: None,
        group: None,
        dedup: None,
        job: false,
        batch: None,
    })
}

fn receive(queue: &str) -> afterward_machine::Command {
    afterward_machine::Command::Receive(afterward_machine::Receive {
        queue: crate::script::address(queue),
        max: 1,
        visibility_timeout_ms: Some(0),
        attempt: None,
    })
}

#[test]
fn a_task_can_be_cancelled_and_what_has_moved_stays_moved() {
    three_dead(
        "move dead rate=1
         run
         cancel 1
         moved dead 1/3 cancelled
         +10s
         run
         moved dead 1/3 cancelled
         state dead ready=b,c
         state jobs ready=a
         cancel 1 -> refused MoveNotRunning
         cancel 7 -> refused NoSuchMove
         move dead
         run
         moved dead 2/2 completed",
    );
}

#[test]
fn a_task_fails_at_a_message_whose_queue_is_gone_or_unknown_and_destroys_nothing() {
    three_dead(
        "drop more
         move dead
         run
         moved dead 2/3 failed QueueGone
         state dead ready=c
         state jobs ready=a,b
         receive dead -> c(2)
         delete dead c
         send dead d
         move dead
         run
         moved dead 0/1 failed SourceUnknown
         state dead ready=d",
    );
    three_dead(
        "create bin
         move dead to=bin rate=1
         drop bin
         run
         moved dead 0/3 failed QueueGone
         state dead ready=a,b,c",
    );
}

#[test]
fn what_is_in_flight_stays_and_what_arrives_later_is_not_moved() {
    three_dead(
        "receive dead for=10m -> a(2)
         move dead rate=1
         run
         moved dead 1/2 running
         receive dead for=10m -> c(2)
         +1s
         run
         moved dead 1/2 completed",
    );
}

#[test]
fn a_task_survives_compaction() {
    three_dead(
        "move dead rate=1
         run
         compact
         moved dead 1/3 running
         +1s
         run
         moved dead 2/3 running
         +1s
         run
         compact
         moved dead 3/3 completed
         drop dead",
    );
}

#[test]
fn fifo_messages_go_back_in_the_order_of_their_groups() {
    check(
        "create d.fifo
         create q.fifo dlq=d.fifo:1 visibility=1s
         send q.fifo a1 group=a id=1
         send q.fifo a2 group=a id=2
         send q.fifo b1 group=b id=3
         receive q.fifo max=3 -> a1 a2 b1
         +1s
         receive q.fifo -> nothing
         receive d.fifo -> a1(2)
         move d.fifo
         run
         moved d.fifo 1/2 completed                   // a2 waits behind a1, which is in flight
         receive q.fifo max=3 -> b1",
    );
}
