//! FIFO queues: groups block and release, deduplication, repeated receives.

use crate::script::check;

#[test]
fn a_group_comes_in_order_and_blocks_while_one_of_it_is_in_flight() {
    check(
        "create q.fifo dedup=content visibility=10s
         send q.fifo a1 group=a
         send q.fifo b1 group=b
         send q.fifo a2 group=a
         send q.fifo a3 group=a
         counts q.fifo 4 0 0
         receive q.fifo max=2 -> a1 a2                // as many of one group as can be had
         state q.fifo ready=b1 leased=a1,a2 behind=a3
         counts q.fifo 2 0 2                          // those behind count as visible
         receive q.fifo max=10 -> b1
         receive q.fifo max=10 -> nothing
         woken
         delete q.fifo a1
         receive q.fifo max=10 -> nothing
         delete q.fifo a2                             // a delete releases
         woken q.fifo
         receive q.fifo max=10 -> a3",
    );
}

#[test]
fn a_group_is_released_by_a_change_of_visibility_and_by_the_end_of_a_lease() {
    check(
        "create q.fifo dedup=content visibility=10s
         send q.fifo a1 group=a
         send q.fifo a2 group=a
         send q.fifo a3 group=a
         receive q.fifo max=2 -> a1 a2
         change q.fifo a1 0s
         receive q.fifo max=10 -> nothing             // a2 is still out
         woken
         change q.fifo a2 0s
         woken q.fifo
         receive q.fifo max=10 for=5s -> a1(2) a2(2) a3
         delete q.fifo a2
         +4s
         +999ms
         woken
         receive q.fifo -> nothing
         +1ms
         woken q.fifo
         receive q.fifo max=10 -> a1(3) a3(2)",
    );
}

#[test]
fn retention_and_purging_release_groups_too() {
    check(
        "create q.fifo dedup=content retention=60s
         send q.fifo a1 group=a
         +30s
         send q.fifo a2 group=a
         receive q.fifo for=10m -> a1
         woken
         +30s
         woken q.fifo
         receive q.fifo -> a2
         purge q.fifo
         send q.fifo a3 group=a
         receive q.fifo -> a3",
    );
}

#[test]
fn a_delayed_head_blocks_its_group_and_no_other() {
    check(
        "create q.fifo dedup=content delay=10s
         send q.fifo a1 group=a
         send q.fifo b0 group=b delay=5s -> refused DelayNotAllowed
         send q.fifo b1 group=b delay=0s              // 0 is no delay of its own: the queue's counts
         counts q.fifo 0 2 0
         due 10s
         +5s
         set q.fifo delay=2s                          // retroactive on FIFO queues
         counts q.fifo 2 0 0
         set q.fifo delay=20s                         // … for those that are still delayed
         send q.fifo a2 group=a
         set q.fifo delay=0s
         send q.fifo c1 group=c
         receive q.fifo max=10 -> a1 a2 b1 c1",
    );
    check(
        "create q.fifo dedup=content delay=10s
         send q.fifo a1 group=a
         set q.fifo delay=30s
         receive q.fifo -> nothing
         due 30s
         +29s
         send q.fifo b1 group=b
         woken
         +1s
         woken q.fifo
         state q.fifo ready=a1 delayed=b1
         due 29s",
    );
}

#[test]
fn a_message_given_back_behind_a_delayed_one_stays_behind_it() {
    // A redriven message stands behind what its group already delays.
    check(
        "create d.fifo dedup=content
         create q.fifo dedup=content dlq=d.fifo:1 visibility=1s
         send q.fifo a1 group=a
         receive q.fifo -> a1
         +1s
         receive q.fifo -> nothing
         set q.fifo delay=60s
         send q.fifo a2 group=a
         move d.fifo
         run
         state q.fifo delayed=a2 behind=a1
         receive q.fifo -> nothing
         +60s
         receive q.fifo max=2 -> a2 a1",
    );
}

#[test]
fn a_fifo_queue_needs_a_group_and_a_deduplication_id() {
    check(
        "create q.fifo
         send q.fifo a id=1 -> refused GroupMissing
         send q.fifo a group=g -> refused DeduplicationMissing
         send q.fifo a group=g id=none -> refused DeduplicationMissing
         send q.fifo a group=g id=1
         create c.fifo dedup=content
         send c.fifo c group=g
         send c.fifo d group=g id=none -> refused DeduplicationMissing
         create jobs
         send jobs b id=1 -> refused DeduplicationNotAllowed
         send jobs b group=g",
    );
}

#[test]
fn an_id_is_remembered_for_five_minutes_whatever_becomes_of_the_message() {
    check(
        "create q.fifo
         send q.fifo a group=g id=1
         send q.fifo x group=g id=1 -> same a
         send q.fifo x group=h id=1 -> same a         // the scope is the queue
         receive q.fifo -> a
         delete q.fifo a
         send q.fifo x group=g id=1 -> same a
         counts q.fifo 0 0 0
         compact
         +4m
         +59s
         +999ms
         send q.fifo x group=g id=1 -> same a         // and being seen again does not extend it
         +1ms
         send q.fifo b group=g id=1
         counts q.fifo 1 0 0",
    );
}

#[test]
fn what_an_id_is_unique_within_is_the_queue_or_the_group() {
    check(
        "create q.fifo scope=group limit=group
         create r.fifo scope=group
         send q.fifo a group=g id=1
         send q.fifo b group=h id=1
         send q.fifo x group=h id=1 -> same b
         send r.fifo c group=g id=1",
    );
}

#[test]
fn the_bodys_digest_stands_in_for_an_id_where_the_queue_says_so() {
    check(
        "create q.fifo dedup=content
         send q.fifo a group=g body=hello
         send q.fifo b group=g body=hello -> same a
         send q.fifo b group=g body=hello id=other    // an id of its own comes first
         send q.fifo c group=g id=hello -> same a     // … and is the same as the digest that it equals
         set q.fifo dedup=given
         send q.fifo d group=g body=more -> refused DeduplicationMissing",
    );
}

#[test]
fn a_receive_can_be_repeated_and_gives_the_same_under_the_same_handles() {
    let mut story = crate::script::Story::new();
    story.tell(
        "create q.fifo dedup=content visibility=60s
         send q.fifo a group=a
         send q.fifo b group=b
         send q.fifo c group=c
         receive q.fifo max=2 attempt=t -> a b
         +30s",
    );
    let handle = story.handle("a");
    story.tell(
        "receive q.fifo max=2 attempt=t -> a b        // no further receive: the count stays
         due 60s                                      // the visibility timeout starts anew
         compact
         receive q.fifo max=2 attempt=t -> a b
         receive q.fifo max=2 attempt=u -> c
         receive q.fifo max=2 attempt=t -> a b",
    );
    assert_eq!(story.handle("a"), handle);
    story.tell("delete q.fifo a#1");
    story.end();
}

#[test]
fn a_receive_can_be_repeated_while_its_leases_last_and_for_five_minutes() {
    check(
        "create q.fifo dedup=content visibility=60s
         send q.fifo a group=a
         receive q.fifo attempt=t -> a
         +60s
         receive q.fifo attempt=t -> a(2)             // the first lease had ended: a receive like any other
         +50s
         receive q.fifo attempt=t for=10m -> a(2)
         +4m
         receive q.fifo attempt=t for=10m -> a(2)     // 290 s after the receive
         +10s
         receive q.fifo attempt=t -> nothing          // five minutes are over; a is out
         create jobs
         receive jobs attempt=t -> refused AttemptNotAllowed",
    );
}

#[test]
fn a_receive_can_not_be_repeated_once_a_message_was_deleted_or_its_visibility_changed() {
    for change in ["delete q.fifo a", "change q.fifo a 90s", "change q.fifo a 0s"] {
        let mut story = crate::script::Story::new();
        story.tell(
            "create q.fifo dedup=content visibility=60s
             send q.fifo a group=a
             send q.fifo b group=b
             send q.fifo c group=c
             receive q.fifo max=2 attempt=t -> a b",
        );
        story.tell(change);
        let then = if change.ends_with("0s") && !change.ends_with("90s") { "a(2)" } else { "c" };
        story.tell(&format!("receive q.fifo max=1 attempt=t -> {then}"));
        story.end();
    }
}
