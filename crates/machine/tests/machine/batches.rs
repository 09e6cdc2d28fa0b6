//! Batches: what is sent after one is seen when the last of it has left, and not before.

use crate::script::{Story, check};

#[test]
fn what_is_sent_after_a_batch_is_seen_when_the_last_of_it_is_deleted() {
    check(
        "create jobs visibility=10s
         send jobs a in=import
         send jobs b in=import
         send jobs done after=import
         send jobs other
         state jobs ready=a,b,other held=done
         ties jobs a=in:import b=in:import done=held:import
         counts jobs 3 1 0
         receive jobs max=10 -> a b other
         delete jobs a
         receive jobs -> nothing
         woken
         delete jobs b
         woken jobs
         ties jobs done=after:import
         receive jobs -> done
         delete jobs done
         counts jobs 0 0 1",
    );
}

#[test]
fn a_batch_is_its_messages_and_nothing_else() {
    // Sent before any of the batch, after all of it, or after what another queue calls so: nothing to wait for.
    check(
        "create jobs visibility=10s
         create others
         send others x in=import
         send jobs early after=import
         state jobs ready=early
         ties jobs early=after:import
         send jobs a in=import
         receive jobs max=2 -> early a
         delete jobs a
         send jobs late after=import
         state jobs ready=late leased=early
         // The name is free for another batch, and each has its own end.
         send jobs b in=import
         send jobs second after=import
         send jobs c in=report
         send jobs third after=report
         state jobs ready=late,b,c leased=early held=second,third",
    );
}

#[test]
fn a_message_leaves_its_batch_by_whatever_takes_it_out_of_the_queue() {
    for (way, steps, woken) in [
        ("deleted", "delete jobs a", "jobs"),
        ("dead-lettered by its holder", "bury jobs a", "dead jobs"),
        ("received too often", "+10s\n receive jobs -> nothing", "dead jobs"),
        ("kept long enough", "change jobs a 2h\n +61s", "jobs"),
    ] {
        let mut story = Story::new();
        story.tell(
            "create dead
             create jobs visibility=10s dlq=dead:1 retention=60s
             send jobs a in=import
             receive jobs -> a
             send jobs done after=import
             state jobs leased=a held=done
             woken",
        );
        println!("{way}:");
        story.tell(steps);
        story.tell(&format!("woken {woken}"));
        story.tell(
            "state jobs ready=done
             receive jobs -> done",
        );
        story.end();
    }
}

#[test]
fn a_holder_that_gives_its_message_back_or_loses_it_keeps_the_batch_open_and_so_may_add_to_it() {
    check(
        "create jobs visibility=10s
         send jobs a in=import
         send jobs done after=import
         receive jobs -> a
         +10s
         state jobs ready=a held=done
         receive jobs -> a(2)
         send jobs more in=import                      // by a's handler
         delete jobs a
         state jobs ready=more held=done
         receive jobs -> more
         change jobs more 0s
         receive jobs -> more(2)
         delete jobs more
         state jobs ready=done",
    );
}

#[test]
fn what_comes_back_from_a_dead_letter_queue_is_none_of_the_batch_any_more() {
    check(
        "create dead
         create jobs visibility=10s dlq=dead:1
         send jobs a in=import
         send jobs b in=import
         send jobs done after=import
         receive jobs -> a
         bury jobs a
         ties dead
         move dead
         run
         state jobs ready=b,a held=done
         ties jobs b=in:import done=held:import
         receive jobs -> b
         delete jobs b
         state jobs ready=a,done",
    );
}

#[test]
fn what_was_sent_after_a_batch_stays_so_in_a_dead_letter_queue_and_back() {
    check(
        "create dead
         create jobs visibility=10s dlq=dead:1
         send jobs done after=import
         receive jobs -> done
         bury jobs done
         ties dead done=after:import
         move dead
         run
         ties jobs done=after:import
         receive jobs -> done
         // A batch of that name that begins now is none of its business.
         send jobs a in=import
         send jobs next after=import
         ties jobs done=after:import a=in:import next=held:import
         delete jobs done
         state jobs ready=a held=next",
    );
}

#[test]
fn retention_and_delay_count_from_the_release() {
    check(
        "create jobs visibility=50s retention=60s
         send jobs a in=import
         send jobs done after=import
         send jobs late after=import delay=5s
         receive jobs -> a
         due 50s
         +50s
         receive jobs -> a(2)
         +9s
         state jobs leased=a held=done,late
         due 1s
         +1s                                           // a's time is up
         state jobs ready=done delayed=late
         counts jobs 1 1 0
         due 5s
         +5s
         state jobs ready=done,late
         due 55s
         +54s
         state jobs ready=done,late
         +1s
         counts jobs 0 0 0
         due never",
    );
    // Alone, what is held has no end: nothing that it waits for is there.
    check(
        "create jobs retention=60s
         send jobs a in=import
         send jobs done after=import
         purge jobs
         counts jobs 0 0 0
         due never
         send jobs again after=import
         state jobs ready=again",
    );
}

#[test]
fn on_a_fifo_queue_it_keeps_nobody_back_and_joins_the_end_of_its_group() {
    check(
        "create q.fifo visibility=10s dedup=content
         send q.fifo a group=g in=import
         send q.fifo done group=g after=import
         send q.fifo b group=g
         receive q.fifo max=10 -> a b
         state q.fifo leased=a,b held=done
         send q.fifo c group=g
         delete q.fifo a
         state q.fifo leased=b behind=c,done
         delete q.fifo b
         receive q.fifo max=10 -> c done",
    );
    // The group is the one that it has when nothing else of it is left, too, and duplicates are so when they are sent.
    check(
        "create q.fifo visibility=10s dedup=content
         send q.fifo a group=g in=import
         send q.fifo done group=h after=import
         send q.fifo done group=h after=import -> same done
         receive q.fifo -> a
         delete q.fifo a
         send q.fifo last group=h
         send q.fifo done group=h -> same done
         receive q.fifo max=10 -> done last",
    );
    // The delay is the queue's, as it is when the message is released.
    check(
        "create q.fifo delay=30s dedup=content
         send q.fifo a group=g in=import
         send q.fifo done group=h after=import
         set q.fifo delay=2s
         +2s
         receive q.fifo -> a
         delete q.fifo a
         state q.fifo delayed=done
         due 2s
         +2s
         receive q.fifo -> done",
    );
}

#[test]
fn several_wait_for_a_batch_and_are_released_in_the_order_in_which_they_were_sent() {
    check(
        "create jobs
         send jobs x
         send jobs a in=import
         send jobs y
         receive jobs max=3 -> x a y
         delete jobs x
         send jobs third after=import
         delete jobs y
         send jobs fourth after=import
         send jobs fifth after=import
         state jobs leased=a held=third,fourth,fifth
         compact
         state jobs leased=a held=third,fourth,fifth
         delete jobs a
         receive jobs max=10 -> third fourth fifth",
    );
}

#[test]
fn purging_and_deleting_take_what_is_held_along() {
    check(
        "create jobs
         send jobs a in=import
         send jobs done after=import
         purge jobs
         state jobs
         send jobs a2 in=import
         send jobs done2 after=import
         drop jobs
         create jobs
         state jobs
         send jobs b after=import
         state jobs ready=b",
    );
}

#[test]
fn a_thousand_messages_that_wait_are_all_released() {
    let mut story = Story::new();
    let waiting: String = (0..2_500).map(|number| format!("send jobs m{number} after=import\n")).collect();
    story.tell_quickly(&format!(
        "create jobs
         send jobs a in=import
         {waiting}
         receive jobs -> a
         counts jobs 0 2500 1
         delete jobs a
         counts jobs 2500 0 0
         receive jobs max=2 -> m0 m1",
    ));
}

#[test]
fn a_batch_outlives_compaction_and_a_replay_that_starts_between_its_messages() {
    check(
        "create jobs visibility=60s
         send jobs a in=import
         send jobs done after=import
         compact
         ties jobs a=in:import done=held:import
         send jobs b in=import
         receive jobs max=2 -> a b
         compact
         delete jobs b
         state jobs leased=a held=done
         delete jobs a
         state jobs ready=done
         compact
         ties jobs done=after:import
         receive jobs -> done",
    );
}
