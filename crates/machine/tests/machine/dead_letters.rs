//! Dead-letter queues: when a message goes there, what it keeps, and what happens when they are missing.

use crate::script::{Story, check};
use crate::world::START_MS;

#[test]
fn the_receive_after_the_last_one_allowed_finds_the_message_gone_to_the_dead_letter_queue() {
    check(
        "create dead
         create jobs dlq=dead:2 visibility=10s
         send jobs a
         send jobs b
         receive jobs -> a
         +1ms
         change jobs a 0s
         receive jobs -> b
         change jobs b 0s
         receive jobs -> a(2)
         +10s
         state jobs ready=a,b
         woken jobs
         receive jobs max=10 -> b(2)                  // looking for messages is what moves a
         counts jobs 0 0 1
         state dead ready=a
         woken dead
         receive dead -> a(3)",
    );
}

#[test]
fn a_holder_that_gives_up_sends_its_message_there_at_once_and_nobody_else_does() {
    check(
        "create dead
         create jobs dlq=dead:9 visibility=10s
         create lone visibility=10s
         send jobs a
         send jobs b
         send lone c
         receive jobs max=2 -> a b
         receive lone -> c
         bury jobs a#1 failure
         state dead ready=a
         woken dead
         bury jobs a#1 -> refused NotInFlight
         counts jobs 0 0 1
         bury lone c#1 -> refused NoSuchDestination
         delete lone c#1                              // still held
         +10s
         bury jobs b#1 -> refused NotInFlight
         receive jobs -> b(2)
         receive dead -> a(2)",
    );
    check(
        "create dead.fifo
         create q.fifo dlq=dead.fifo:9 visibility=10s
         send q.fifo a group=g id=1
         send q.fifo b group=g id=2
         receive q.fifo -> a
         bury q.fifo a#1
         receive q.fifo -> b
         receive dead.fifo -> a(2)",
    );
}

#[test]
fn a_dead_letter_keeps_when_it_was_sent_on_standard_queues_and_starts_anew_on_fifo_queues() {
    for (jobs, dead, id, left_s) in [("jobs", "dead", "", 20), ("jobs.fifo", "dead.fifo", "id=1", 60)] {
        let mut story = Story::new();
        story.tell(&format!(
            "create {dead} retention=60s
             create {jobs} dlq={dead}:1 visibility=10s retention=1d
             send {jobs} a group=g {id}
             +30s
             receive {jobs} -> a
             +10s
             receive {jobs} -> nothing
             due {left_s}s"
        ));
        let (_, message) = story.messages(dead).remove(0);
        assert_eq!(message.first_received_ms, Some(START_MS + 30_000));
        assert_eq!(message.receive_count, 1);
        assert_eq!(message.source.map(|source| source.0), Some(crate::script::address(jobs)));
        story.tell(&format!(
            "receive {dead} for=1s -> a(2)
             compact
             +{left_s}s
             counts {dead} 0 0 0"
        ));
        story.end();
    }
}

#[test]
fn the_next_of_a_group_comes_when_its_head_is_dead() {
    check(
        "create d.fifo
         create q.fifo dlq=d.fifo:1 visibility=10s
         send q.fifo a1 group=a id=1
         send q.fifo a2 group=a id=2
         send q.fifo b1 group=b id=3
         receive q.fifo -> a1
         +10s
         receive q.fifo max=3 -> a2 b1
         state d.fifo ready=a1
         send d.fifo x group=a id=9
         receive d.fifo max=2 -> a1(2) x",
    );
}

#[test]
fn each_queue_of_a_chain_counts_its_own_receives() {
    check(
        "create last
         create second dlq=last:2 visibility=1s
         create first dlq=second:1 visibility=1s
         send first a
         receive first -> a
         +1s
         receive first -> nothing
         receive second -> a(2)
         +1s
         compact
         receive second -> a(3)
         +1s
         receive second -> nothing
         receive last -> a(4)",
    );
}

#[test]
fn a_missing_dead_letter_queue_destroys_nothing() {
    check(
        "create dead
         create jobs dlq=dead:1 visibility=1s
         send jobs a
         receive jobs -> a
         drop dead
         +1s
         receive jobs -> a(2)
         +1s
         receive jobs -> a(3)
         create dead                                  // there again: the policy counts again
         +1s
         receive jobs -> nothing
         state dead ready=a
         set jobs dlq=none
         send jobs b
         receive jobs -> b
         +1s
         receive jobs -> b(2)",
    );
}

#[test]
fn what_was_given_back_unharmed_counts_as_received() {
    check(
        "create dead
         create jobs dlq=dead:1
         send jobs a
         receive jobs for=0s -> a
         receive jobs -> nothing
         state dead ready=a
         receive dead -> a(2)
         delete jobs a#1                              // a handle of the source does not reach into the other queue
         change dead a 0s
         delete jobs a#1
         state dead ready=a",
    );
}

#[test]
fn a_redrive_policy_must_name_a_queue_that_is_there_alike_and_willing() {
    check(
        "create dead
         create dead.fifo
         create shut allow=none
         create choosy allow=jobs,other
         create other/theirs
         create far:away
         create jobs dlq=nowhere:3 -> refused InvalidAttribute RedrivePolicy
         create jobs dlq=dead.fifo:3 -> refused InvalidAttribute RedrivePolicy
         create jobs.fifo dlq=dead:3 -> refused InvalidAttribute RedrivePolicy
         create jobs dlq=other/theirs:3 -> refused InvalidAttribute RedrivePolicy
         create jobs dlq=far:away:3 -> refused InvalidAttribute RedrivePolicy
         create jobs dlq=shut:3 -> refused RedriveDenied
         create stranger dlq=choosy:3 -> refused RedriveDenied
         create jobs dlq=choosy:3
         set jobs dlq=shut:3 -> refused RedriveDenied
         set jobs dlq=nowhere:3 -> refused InvalidAttribute RedrivePolicy
         set shut allow=all
         set jobs dlq=shut:3
         set shut allow=unset
         set jobs dlq=shut:4",
    );
}

#[test]
fn the_sources_of_a_dead_letter_queue_are_listed_in_order() {
    let mut story = Story::new();
    story.tell(
        "create dead
         create b dlq=dead:1
         create a dlq=dead:1
         create c",
    );
    let dead = crate::script::address("dead").arn();
    let names = |story: &Story| -> Vec<String> {
        story.world.state.dead_letter_sources(&dead).map(|queue| queue.address.name.to_string()).collect()
    };
    assert_eq!(names(&story), ["a", "b"]);
    story.tell("set a dlq=none");
    assert_eq!(names(&story), ["b"]);
    story.end();
}
