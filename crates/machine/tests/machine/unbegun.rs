//! What was received and not begun: handed back, it has as many receives left as before.

use crate::script::{Story, check};
use crate::world::START_MS;

#[test]
fn however_often_consumers_stop_before_they_begin_no_message_dies_of_it() {
    check(
        "create dead
         create jobs dlq=dead:3 visibility=30s
         send jobs a job
         receive jobs -> a
         handback jobs a 0s
         woken jobs
         job a waiting(0)
         receive jobs -> a
         handback jobs a 10s
         job a active(0)                              // out of sight, as after any change of visibility
         +10s
         receive jobs -> a
         handback jobs a 0s
         receive jobs -> a
         compact
         handback jobs a 0s
         receive jobs -> a                            // now it is begun, and fails
         change jobs a 0s failure
         job a waiting(1) failed
         receive jobs -> a(2)
         handback jobs a 0s
         job a waiting(1) failed                      // what failed before has failed
         receive jobs -> a(2)
         change jobs a 0s
         receive jobs -> a(3)
         change jobs a 0s
         receive jobs -> nothing
         state dead ready=a",
    );
}

#[test]
fn the_neighbours_of_a_poison_fifo_message_keep_their_attempts() {
    check(
        "create dead.fifo
         create q.fifo dlq=dead.fifo:2 visibility=30s
         send q.fifo poison group=g id=1
         send q.fifo b group=g id=2
         send q.fifo c group=g id=3
         receive q.fifo max=10 -> poison b c
         handback q.fifo c 0s
         handback q.fifo b 0s
         state q.fifo leased=poison behind=b,c
         change q.fifo poison 5s failure
         +5s
         receive q.fifo max=10 -> poison(2) b c
         handback q.fifo b 0s
         handback q.fifo c 0s
         change q.fifo poison 0s failure
         receive q.fifo max=10 -> b c
         state dead.fifo ready=poison",
    );
}

#[test]
fn a_receive_is_taken_back_once_and_its_handle_holds_nothing_any_more() {
    for compact in ["", "compact"] {
        check(&format!(
            "create jobs visibility=30s
             send jobs a
             receive jobs -> a
             change jobs a 0s
             receive jobs -> a(2)
             handback jobs a 12s
             {compact}
             handback jobs a 12s -> refused NotInFlight
             change jobs a 60s -> refused NotInFlight
             delete jobs a                            // a stale handle on what is out of sight does nothing
             counts jobs 0 0 1
             due 12s
             +12s
             receive jobs -> a(2)
             handback jobs a#2 0s -> refused NotInFlight
             handback jobs a#3 12h
             +12h
             receive jobs -> a(2)
             +1ms
             handback jobs a 12h -> refused LeaseTooLong
             delete jobs a
             counts jobs 0 0 0"
        ));
        check(&format!(
            "create q.fifo dedup=content visibility=30s
             send q.fifo a group=g
             send q.fifo b group=g
             receive q.fifo attempt=t -> a
             handback q.fifo a 10s
             {compact}
             handback q.fifo a 10s -> refused LeaseExpired
             delete q.fifo a -> refused LeaseExpired
             receive q.fifo attempt=t -> nothing      // the attempt can't be repeated, and the group waits
             +10s
             receive q.fifo attempt=t -> a
             handback nowhere a 0s -> refused NoSuchQueue"
        ));
    }
}

#[test]
fn the_first_receive_is_the_first_that_counts() {
    let mut story = Story::new();
    let first_received_ms = |story: &Story| story.messages("jobs").remove(0).1.first_received_ms;
    story.tell("create jobs visibility=30s\n send jobs a\n receive jobs -> a\n handback jobs a 10s");
    assert_eq!(first_received_ms(&story), None);
    story.tell("compact");
    assert_eq!(first_received_ms(&story), None);
    story.tell("+10s\n receive jobs -> a\n change jobs a 0s");
    assert_eq!(first_received_ms(&story), Some(START_MS + 10_000));
    story.tell("+1s\n receive jobs -> a(2)\n handback jobs a 0s");
    assert_eq!(first_received_ms(&story), Some(START_MS + 10_000));
    story.end();
}

#[test]
fn receives_in_the_queue_that_dead_lettered_a_message_are_not_taken_back() {
    check(
        "create last
         create dead dlq=last:1
         create jobs dlq=dead:1
         send jobs a
         receive jobs -> a
         bury jobs a
         receive dead -> a(2)
         handback dead a 0s
         receive dead -> a(2)
         handback dead a 0s
         receive dead -> a(2)
         change dead a 0s
         receive dead -> nothing
         state last ready=a",
    );
}

/// The bug: the lease was over by the time that its receive was taken back, so it stayed counted, and the next one buried the
/// message.
#[test]
fn who_could_not_give_a_message_to_anybody_takes_the_receive_back_however_late_unless_there_is_another() {
    for compact in ["", "compact"] {
        for (kind, jobs, dead, order) in
            [("", "jobs", "dead", ""), ("group=g", "jobs.fifo", "dead.fifo", "dedup=content")]
        {
            check(&format!(
                "create {dead} {order}
                 create {jobs} {order} dlq={dead}:1 visibility=30s
                 send {jobs} a {kind}
                 receive {jobs} for=0s -> a
                 +1ms
                 {compact}
                 takeback {jobs} a 10s
                 {compact}
                 takeback {jobs} a 10s -> refused {late}  // once
                 receive {jobs} -> a                      // it is visible all the while
                 +30s
                 receive {dead} -> nothing
                 takeback {jobs} a#2 10s
                 receive {jobs} -> a
                 takeback {jobs} a#2 10s -> refused {late}
                 takeback {jobs} a#3 10s                  // in time, it is out of sight, too
                 receive {jobs} -> nothing
                 takeback {jobs} a#3 10s -> refused {late}
                 +10s
                 receive {jobs} -> a
                 +30s
                 receive {jobs} -> nothing                // this one counted
                 takeback {jobs} a#4 10s -> refused NotInFlight
                 state {dead} ready=a",
                late = if kind.is_empty() { "NotInFlight" } else { "LeaseExpired" },
            ));
        }
    }
}
