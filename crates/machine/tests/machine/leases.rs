//! Receipt handles: what a holder may do, and what one that has lost its lease may not.

use crate::script::{Story, address, check};
use afterward_machine::{Command, Refusal, Reply};

#[test]
fn on_a_standard_queue_a_stale_handle_deletes_only_what_nobody_holds() {
    check(
        "create jobs visibility=10s
         send jobs a
         send jobs b
         send jobs c
         receive jobs max=3 -> a b c
         +10s
         delete jobs a#1                              // ended, but nobody holds it
         receive jobs max=1 -> b(2)
         delete jobs b#1                              // succeeds, and does nothing
         state jobs ready=c leased=b
         delete jobs b#2
         delete jobs b#2                              // deleting twice succeeds
         delete jobs b#1
         receive jobs -> c(2)
         +10s
         receive jobs -> c(3)
         change jobs c#3 0s
         delete jobs c#1
         counts jobs 0 0 0",
    );
}

#[test]
fn on_a_fifo_queue_a_stale_handle_is_refused() {
    check(
        "create q.fifo dedup=content visibility=10s
         send q.fifo a group=g
         send q.fifo b group=g
         receive q.fifo -> a
         +10s
         delete q.fifo a#1 -> refused LeaseExpired
         change q.fifo a#1 10s -> refused LeaseExpired
         receive q.fifo -> a(2)
         delete q.fifo a#1 -> refused LeaseExpired
         change q.fifo a#1 10s -> refused LeaseExpired
         delete q.fifo a#2
         delete q.fifo a#2                            // deleting twice succeeds
         delete q.fifo a#1
         receive q.fifo -> b",
    );
}

#[test]
fn a_change_of_visibility_counts_from_now_and_lasts_twelve_hours_from_the_receive_at_most() {
    check(
        "create jobs visibility=60s
         send jobs a
         receive jobs -> a
         +15s
         change jobs a 10s
         due 10s
         +5s
         change jobs a 12h -> refused LeaseTooLong
         due 5s
         change jobs a 11h
         +10h
         change jobs a 2h -> refused LeaseTooLong
         change jobs a 1h
         +1h
         change jobs a 10s -> refused NotInFlight
         receive jobs -> a(2)
         due 60s                                      // the change was of that one lease
         change jobs a 12h
         change jobs a 0s
         change jobs a 0s -> refused NotInFlight
         receive jobs -> a(3)
         change jobs a#1 10s -> refused NotInFlight
         delete jobs a
         change jobs a 10s -> refused NotInFlight",
    );
}

#[test]
fn a_handle_is_of_the_queue_that_it_was_received_from() {
    check(
        "create jobs
         create other
         send jobs a
         receive jobs -> a
         delete other a -> refused LeaseOfAnotherQueue
         change other a 10s -> refused LeaseOfAnotherQueue
         delete nowhere a -> refused NoSuchQueue
         drop jobs
         create jobs
         delete jobs a -> refused LeaseOfAnotherQueue",
    );
}

#[test]
fn a_handle_has_no_power_over_a_later_message_in_the_same_slot() {
    check(
        "create jobs
         send jobs a
         receive jobs -> a
         delete jobs a
         send jobs b
         delete jobs a
         change jobs a 10s -> refused NotInFlight
         state jobs ready=b
         compact
         delete jobs a
         state jobs ready=b",
    );
}

#[test]
fn no_two_consumers_hold_one_message() {
    check(
        "create jobs visibility=10s
         send jobs a
         receive jobs max=10 -> a
         receive jobs max=10 -> nothing
         +9s
         change jobs a 10s
         +9s
         receive jobs max=10 -> nothing
         +1s
         receive jobs max=10 -> a(2)",
    );
}

#[test]
fn a_handle_is_as_unique_as_its_receive() {
    let mut story = Story::new();
    story.tell(
        "create jobs visibility=1s
         send jobs a
         receive jobs -> a
         +1s
         receive jobs -> a(2)",
    );
    assert!(story.handle("a#1").lease < story.handle("a#2").lease);
    let (queue, lease) = (address("jobs"), story.handle("a#1"));
    let gone = story.world.run(&Command::Delete { queue: queue.clone(), lease });
    assert_eq!(gone, Ok(Reply::Done));
    let nobody = story.world.run(&Command::ChangeVisibility { queue, lease, timeout_ms: 0, failure: false });
    assert_eq!(nobody, Err(Refusal::NotInFlight));
    story.end();
}
