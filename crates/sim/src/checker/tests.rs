//! The checker sees what it shall see: each story is a history that no queue may show, and next to it one that it may.

use super::*;
use crate::history::{Held, Seen};
use afterward_machine::{LeaseId, LeaseRef, MessageKey, QueueId, Refusal};

const JOBS: QueueIndex = 0;
const ORDERS: QueueIndex = 1;
const DEAD: QueueIndex = 2;

/// A checker, and the state's time that moves with each call.
struct Story {
    checker: Checker,
    now_ms: u64,
}

fn id(number: u32) -> MessageId {
    MessageId::new(MessageKey { slot: number, generation: 0 }.as_u64(), 0)
}

impl Story {
    fn new() -> Story {
        let spec = |name: &str, dead_letter| QueueSpec {
            name: name.parse().unwrap(),
            delay_ms: 0,
            visibility_ms: 1_000,
            retention_ms: 100_000_000,
            dead_letter,
        };
        let queues = vec![spec("jobs", Some((DEAD, 2))), spec("orders.fifo", None), spec("dead", None)];
        Story { checker: Checker::new(queues), now_ms: 1_000_000 }
    }

    fn call(&mut self, call: Call) -> CallId {
        self.checker.called(self.now_ms, call)
    }

    fn send(&mut self, queue: QueueIndex, body: &str, dedup: Option<u32>) -> CallId {
        let group = (queue == ORDERS).then_some(1);
        self.call(Call::Send(Sending {
            queue,
            body: body.into(),
            delay_ms: None,
            group,
            dedup,
            fingerprint: 0,
            batch: None,
            tick: None,
        }))
    }

    /// A send that is told the id and place `number`.
    fn sent(&mut self, queue: QueueIndex, body: &str, dedup: Option<u32>, number: u32) -> Result<(), Violation> {
        let call = self.send(queue, body, dedup);
        self.tell(call, Answer::Sent { id: id(number), order: number.into() })
    }

    fn receive(&mut self, queue: QueueIndex, wait_ms: u64) -> CallId {
        self.call(Call::Receive(Receiving { queue, max: 10, visibility_ms: None, wait_ms, attempt: None }))
    }

    /// A receive that is shown these.
    fn received(&mut self, queue: QueueIndex, seen: impl Into<Vec<Seen>>) -> Result<(), Violation> {
        let call = self.receive(queue, 0);
        self.tell(call, Answer::Received(seen.into()))
    }

    fn tell(&mut self, call: CallId, answer: Answer) -> Result<(), Violation> {
        self.checker.answered(self.now_ms, call, &answer)
    }

    /// The message `number`, sent and first received now.
    fn seen(&self, queue: QueueIndex, number: u32, body: &str, lease: u64, count: u32) -> Seen {
        let lease =
            LeaseRef { queue: QueueId(0), message: MessageKey { slot: number, generation: 0 }, lease: LeaseId(lease) };
        Seen {
            held: Held { queue, lease, id: id(number) },
            body: body.into(),
            group: (queue == ORDERS).then_some(1),
            order: number.into(),
            sent_ms: 1_000_000,
            first_received_ms: 1_000_000,
            receive_count: count,
            source: None,
            failure: Some(None),
        }
    }
}

/// A message that was sent and received once, under lease 10.
fn held() -> (Story, Seen) {
    let mut story = Story::new();
    story.sent(JOBS, "a", None, 1).unwrap();
    let seen = story.seen(JOBS, 1, "a", 10, 1);
    story.received(JOBS, [seen.clone()]).unwrap();
    (story, seen)
}

#[track_caller]
fn wrong(outcome: Result<(), Violation>, what: &str) {
    let violation = outcome.expect_err(what);
    assert!(violation.what.contains(what), "{violation}");
}

#[test]
fn a_message_that_nobody_sent_is_invented() {
    let mut story = Story::new();
    let seen = story.seen(JOBS, 1, "a", 10, 1);
    wrong(story.received(JOBS, [seen]), "nobody has sent it");
}

#[test]
fn a_send_that_nobody_knows_of_may_show_up() {
    let mut story = Story::new();
    let unknown = story.send(JOBS, "a", None);
    story.tell(unknown, Answer::Unavailable).unwrap();
    let seen = story.seen(JOBS, 1, "a", 10, 1);
    assert_eq!(story.received(JOBS, [seen]), Ok(()));
}

#[test]
fn a_good_send_is_not_refused() {
    let mut story = Story::new();
    let send = story.send(JOBS, "a", None);
    wrong(
        story.tell(send, Answer::Refused(Refusal::NoSuchQueue)),
        "was told that there is no such queue, and there is",
    );
}

#[test]
fn an_acknowledged_message_is_lost_unless_somebody_deleted_it() {
    let mut story = Story::new();
    story.sent(JOBS, "a", None, 1).unwrap();
    wrong(story.checker.finish(story.now_ms), "is lost");
    let seen = story.seen(JOBS, 1, "a", 10, 1);
    story.received(JOBS, [seen.clone()]).unwrap();
    let delete = story.call(Call::Delete(seen.held));
    story.tell(delete, Answer::Unavailable).unwrap();
    assert_eq!(story.checker.finish(story.now_ms), Ok(()));
}

#[test]
fn a_handle_that_another_lease_has_superseded_does_not_explain_a_loss() {
    let (mut story, first) = held();
    story.now_ms += 2_000;
    let second = story.seen(JOBS, 1, "a", 11, 2);
    story.received(JOBS, [second]).unwrap();
    let delete = story.call(Call::Delete(first.held));
    story.tell(delete, Answer::Done).unwrap();
    wrong(story.checker.finish(story.now_ms), "is lost");
}

#[test]
fn a_deleted_message_stays_away() {
    let (mut story, seen) = held();
    let delete = story.call(Call::Delete(seen.held));
    story.tell(delete, Answer::Done).unwrap();
    story.now_ms += 2_000;
    let again = story.seen(JOBS, 1, "a", 11, 2);
    wrong(story.received(JOBS, [again]), "with lease Some(10), and delivered again");
}

#[test]
fn a_living_lease_keeps_others_away_and_can_delete() {
    let (mut story, first) = held();
    let delete = story.call(Call::Delete(first.held));
    wrong(story.tell(delete, Answer::Refused(Refusal::LeaseExpired)), "though its lease lives");
    story.now_ms += 999;
    let second = story.seen(JOBS, 1, "a", 11, 2);
    wrong(story.received(JOBS, [second]), "lease 10 lasts until 1001000, and lease 11 begins at 1000999");
}

#[test]
fn a_change_that_nobody_knows_of_may_have_ended_the_lease() {
    let (mut story, first) = held();
    let change = story.call(Call::Change(first.held, 0, Remark::Nothing));
    story.tell(change, Answer::Unavailable).unwrap();
    let second = story.seen(JOBS, 1, "a", 11, 2);
    assert_eq!(story.received(JOBS, [second]), Ok(()));
}

#[test]
fn receives_are_counted_one_by_one() {
    let mut story = Story::new();
    story.sent(JOBS, "a", None, 1).unwrap();
    let seen = story.seen(JOBS, 1, "a", 10, 2);
    wrong(story.received(JOBS, [seen]), "it counts 2 receives, of which 1 are known");

    let mut story = Story::new();
    story.sent(JOBS, "a", None, 1).unwrap();
    let unknown = story.receive(JOBS, 0);
    story.tell(unknown, Answer::Unavailable).unwrap();
    story.now_ms += 1_000;
    let seen = story.seen(JOBS, 1, "a", 10, 2);
    assert_eq!(story.received(JOBS, [seen]), Ok(()));
}

#[test]
fn a_receive_that_was_taken_back_does_not_count() {
    // A first receive that was handed back, or perhaps was; then the next one, which counts so many.
    let next = |told: Answer, count: u32, first_ms: u64| {
        let (mut story, seen) = held();
        let back = story.call(Call::Change(seen.held, 300, Remark::Unbegun));
        story.tell(back, told).unwrap();
        story.now_ms += 1_000;
        let first_received_ms = seen.first_received_ms + first_ms;
        story.received(JOBS, [Seen { first_received_ms, ..story.seen(JOBS, 1, "a", 11, count) }])
    };
    assert_eq!(next(Answer::Done, 1, 1_000), Ok(()));
    wrong(next(Answer::Done, 1, 0), "it is now first received");
    wrong(next(Answer::Done, 2, 0), "it counts 2 receives, of which 1 are known");
    assert_eq!(next(Answer::Unavailable, 1, 1_000), Ok(()));
    assert_eq!(next(Answer::Unavailable, 2, 0), Ok(()));

    let (mut story, seen) = held();
    let changed = story.call(Call::Change(seen.held, 0, Remark::Nothing));
    story.tell(changed, Answer::Done).unwrap();
    let again = Seen { first_received_ms: story.now_ms, ..story.seen(JOBS, 1, "a", 11, 1) };
    wrong(story.received(JOBS, [again]), "it counts 1 receives, of which 2 are known at least");
}

#[test]
fn whoever_handed_a_message_back_holds_it_no_more() {
    let handed_back = || {
        let (mut story, seen) = held();
        let back = story.call(Call::Change(seen.held, 500, Remark::Unbegun));
        story.tell(back, Answer::Done).unwrap();
        (story, seen)
    };
    let (mut story, seen) = handed_back();
    let change = story.call(Call::Change(seen.held, 500, Remark::Nothing));
    assert_eq!(story.tell(change, Answer::Refused(Refusal::NotInFlight)), Ok(()));
    let again = story.call(Call::Change(seen.held, 500, Remark::Unbegun));
    wrong(story.tell(again, Answer::Done), "though the message was handed back");
    // But nobody gets it before the time that was asked for.
    let (mut story, _) = handed_back();
    story.now_ms += 499;
    let early = Seen { first_received_ms: story.now_ms, ..story.seen(JOBS, 1, "a", 11, 1) };
    wrong(story.received(JOBS, [early]), "and lease 11 begins at");
}

#[test]
fn a_receive_of_which_nobody_has_seen_anything_is_taken_back_however_late() {
    let late = |story: &mut Story, seen: &Seen| {
        story.now_ms += 1_000;
        story.call(Call::Change(seen.held, 300, Remark::Undelivered))
    };
    // It does not count, and the message is there at once.
    for (told, count, anew, what) in [
        (Answer::Done, 1, true, None),
        (Answer::Done, 2, false, Some("it counts 2 receives, of which 1 are known")),
        (Answer::Unavailable, 1, true, None),
        (Answer::Unavailable, 2, false, None),
    ] {
        let (mut story, seen) = held();
        let back = late(&mut story, &seen);
        assert!(story.checker.is_taken_back_late(back));
        story.tell(back, told.clone()).unwrap();
        let first_received_ms = if anew { story.now_ms } else { seen.first_received_ms };
        let outcome = story.received(JOBS, [Seen { first_received_ms, ..story.seen(JOBS, 1, "a", 11, count) }]);
        match what {
            None => assert_eq!(outcome, Ok(()), "{told:?} {count}"),
            Some(what) => wrong(outcome, what),
        }
    }
    // It may not be refused,
    let (mut story, seen) = held();
    let back = late(&mut story, &seen);
    wrong(story.tell(back, Answer::Refused(Refusal::NotInFlight)), "though nobody has received it since lease 10");
    // but to one who has taken it back before, or who is not the last to have received it.
    let (mut story, seen) = held();
    let back = late(&mut story, &seen);
    story.tell(back, Answer::Done).unwrap();
    let again = story.call(Call::Change(seen.held, 300, Remark::Undelivered));
    assert_eq!(story.tell(again, Answer::Refused(Refusal::NotInFlight)), Ok(()));
    let again = story.call(Call::Change(seen.held, 300, Remark::Undelivered));
    wrong(story.tell(again, Answer::Done), "though the message was handed back");

    let (mut story, seen) = held();
    story.now_ms += 1_000;
    story
        .received(JOBS, [Seen { first_received_ms: seen.first_received_ms, ..story.seen(JOBS, 1, "a", 11, 2) }])
        .unwrap();
    let back = late(&mut story, &seen);
    wrong(story.tell(back, Answer::Done), "came after");
    let (mut story, seen) = held();
    story.now_ms += 1_000;
    story
        .received(JOBS, [Seen { first_received_ms: seen.first_received_ms, ..story.seen(JOBS, 1, "a", 11, 2) }])
        .unwrap();
    let back = late(&mut story, &seen);
    assert_eq!(story.tell(back, Answer::Refused(Refusal::NotInFlight)), Ok(()));
}

#[test]
fn a_message_is_dead_lettered_after_its_receives_and_not_before() {
    let mut story = Story::new();
    story.sent(JOBS, "a", None, 1).unwrap();
    for count in 1..3 {
        let seen = story.seen(JOBS, 1, "a", 10 + u64::from(count), count);
        story.received(JOBS, [seen]).unwrap();
        story.now_ms += 1_000;
    }
    let third = story.seen(JOBS, 1, "a", 13, 3);
    wrong(story.received(JOBS, [third]), "received too often");

    let mut story = Story::new();
    story.sent(JOBS, "a", None, 1).unwrap();
    let early = Seen { source: Some(JOBS), ..story.seen(DEAD, 1, "a", 10, 1) };
    wrong(story.received(DEAD, [early]), "not received often enough");
}

#[test]
fn a_group_comes_in_order() {
    let mut story = Story::new();
    story.sent(ORDERS, "a", Some(1), 1).unwrap();
    story.sent(ORDERS, "b", Some(2), 2).unwrap();
    let (a, b) = (story.seen(ORDERS, 1, "a", 10, 1), story.seen(ORDERS, 2, "b", 11, 1));
    wrong(story.received(ORDERS, [b.clone()]), "before 00000001");
    wrong(story.received(ORDERS, [b.clone(), a.clone()]), "of the same group");
    assert_eq!(story.received(ORDERS, [a, b]), Ok(()));
}

#[test]
fn a_deduplication_id_makes_one_message_within_its_window_and_another_after_it() {
    let mut story = Story::new();
    story.sent(ORDERS, "a", Some(7), 1).unwrap();
    wrong(story.sent(ORDERS, "b", Some(7), 2), "which stands to");

    let mut story = Story::new();
    story.sent(ORDERS, "a", Some(7), 1).unwrap();
    story.now_ms += 299_999;
    story.sent(ORDERS, "b", Some(7), 1).unwrap();
    story.now_ms += 2;
    wrong(story.sent(ORDERS, "c", Some(7), 1), "whose deduplication ended");
    story.sent(ORDERS, "d", Some(7), 2).unwrap();
}

#[test]
fn a_message_has_the_body_of_its_send() {
    let mut story = Story::new();
    story.sent(JOBS, "a", None, 1).unwrap();
    story.sent(JOBS, "b", None, 2).unwrap();
    let mixed = story.seen(JOBS, 1, "b", 10, 1);
    wrong(story.received(JOBS, [mixed]), "which sent it, made Some(00000002");
}

#[test]
fn a_receive_finds_what_is_there() {
    let mut story = Story::new();
    story.sent(JOBS, "a", None, 1).unwrap();
    wrong(story.received(JOBS, []), "found nothing, though");

    // While another receive is under way, that one may hold it.
    let mut story = Story::new();
    story.sent(JOBS, "a", None, 1).unwrap();
    story.receive(JOBS, 0);
    assert_eq!(story.received(JOBS, []), Ok(()));
}

#[test]
fn whoever_waits_is_woken_by_a_message_and_by_the_end_of_the_wait() {
    let mut story = Story::new();
    let receive = story.receive(JOBS, 5_000);
    story.checker.waits(receive);
    assert_eq!(story.checker.quiet(story.now_ms), Ok(()));
    story.now_ms += 5_000;
    wrong(story.checker.quiet(story.now_ms), "still waits at 1005000");

    let mut story = Story::new();
    let receive = story.receive(JOBS, 5_000);
    story.checker.waits(receive);
    story.sent(JOBS, "a", None, 1).unwrap();
    wrong(story.checker.quiet(story.now_ms), "is there for it");
}

#[test]
fn nothing_is_left_without_an_answer() {
    let mut story = Story::new();
    story.send(JOBS, "a", None);
    wrong(story.checker.quiet(story.now_ms), "has no answer");
}

#[test]
fn a_purged_queue_is_empty() {
    let mut story = Story::new();
    story.sent(JOBS, "a", None, 1).unwrap();
    let purge = story.call(Call::Purge(JOBS));
    story.tell(purge, Answer::Done).unwrap();
    let seen = story.seen(JOBS, 1, "a", 10, 1);
    wrong(story.received(JOBS, [seen]), "and delivered again");
    assert_eq!(story.checker.finish(story.now_ms), Ok(()));
}

#[test]
fn a_message_lives_again_by_a_move_task_only() {
    let mut story = Story::new();
    story.sent(JOBS, "a", None, 1).unwrap();
    for count in 1..3 {
        let seen = story.seen(JOBS, 1, "a", 10 + u64::from(count), count);
        story.received(JOBS, [seen]).unwrap();
        story.now_ms += 1_000;
    }
    let mut again = story.seen(JOBS, 1, "a", 20, 1);
    again.held.id = again.held.id.after_redrives(1);
    again.first_received_ms = story.now_ms;
    wrong(story.received(JOBS, [again.clone()]), "there was no move task");

    let task = story.call(Call::Move(DEAD, None));
    story.tell(task, Answer::Done).unwrap();
    again.held.lease.lease = LeaseId(21);
    assert_eq!(story.received(JOBS, [again]), Ok(()));
    wrong(story.checker.finish(story.now_ms), "is lost");
}

/// The same in the dead-letter queue, under a lease and with a count of receives.
fn buried(seen: &Seen, lease: u64, count: u32, failure: Option<CallId>) -> Seen {
    let lease = LeaseRef { lease: LeaseId(lease), ..seen.held.lease };
    let held = Held { queue: DEAD, lease, ..seen.held };
    Seen { held, receive_count: count, source: Some(JOBS), failure: Some(failure), order: 9, ..seen.clone() }
}

#[test]
fn what_its_holder_gave_up_is_in_the_dead_letter_queue_once_with_what_it_has_been_through() {
    let given_up = |told: Answer| {
        let (mut story, seen) = held();
        let call = story.call(Call::DeadLetter(seen.held, true));
        story.tell(call, told).unwrap();
        (story, seen, call)
    };
    let (mut story, seen, call) = given_up(Answer::Done);
    wrong(story.checker.finish(story.now_ms), "is lost");
    assert_eq!(story.received(DEAD, [buried(&seen, 11, 2, Some(call))]), Ok(()));
    for (shown, what) in [
        (Seen { held: Held { queue: JOBS, ..buried(&seen, 11, 2, Some(call)).held }, ..seen.clone() }, "why it failed"),
        (Seen { failure: Some(Some(call)), ..story.seen(JOBS, 1, "a", 11, 2) }, "was dead-lettered by #"),
        (buried(&seen, 11, 2, None), "why it failed was said last by"),
        (buried(&seen, 11, 2, Some(call + 1)), "nobody has said"),
        (buried(&seen, 11, 1, Some(call)), "it was not received often enough"),
        (Seen { sent_ms: 1_000_001, ..buried(&seen, 11, 2, Some(call)) }, "it was sent at 1000000"),
        (Seen { source: None, ..buried(&seen, 11, 2, Some(call)) }, "it came here from queue"),
    ] {
        let (mut story, ..) = given_up(Answer::Done);
        let queue = shown.held.queue;
        wrong(story.received(queue, [shown]), what);
    }
    // Nobody knows: then it is here or there.
    for shown in [buried(&seen, 11, 2, Some(call)), story.seen(JOBS, 1, "a", 11, 2)] {
        let (mut story, ..) = given_up(Answer::Unavailable);
        let queue = shown.held.queue;
        assert_eq!(story.received(queue, [shown]), Ok(()));
    }
}

#[test]
fn only_a_holder_gives_up_and_only_where_there_is_a_dead_letter_queue() {
    let (mut story, seen) = held();
    let refused = story.call(Call::DeadLetter(seen.held, false));
    wrong(story.tell(refused, Answer::Refused(Refusal::NoSuchDestination)), "and there is");
    let (mut story, seen) = held();
    let refused = story.call(Call::DeadLetter(seen.held, false));
    wrong(story.tell(refused, Answer::Refused(Refusal::NotInFlight)), "though its lease lives");
    story.now_ms += 2_000;
    let late = story.call(Call::DeadLetter(seen.held, false));
    wrong(story.tell(late, Answer::Done), "though its lease had ended");
}

#[test]
fn how_far_a_holder_is_goes_with_the_attempt() {
    let reported = || {
        let (mut story, seen) = held();
        let call = story.call(Call::Change(seen.held, 500, Remark::Progress));
        story.tell(call, Answer::Done).unwrap();
        (story, seen.held, call)
    };
    let (story, held, call) = reported();
    let shown = BTreeMap::from([(held.id, call)]);
    assert_eq!(story.checker.progress_seen(story.now_ms + 499, &shown), Ok(()));
    wrong(story.checker.progress_seen(story.now_ms + 499, &BTreeMap::new()), "is shown as None said it");
    wrong(story.checker.progress_seen(story.now_ms + 500, &shown), "its lease has ended");
    assert_eq!(story.checker.progress_seen(story.now_ms + 500, &BTreeMap::new()), Ok(()));
    wrong(story.checker.progress_seen(story.now_ms, &BTreeMap::from([(held.id, call - 1)])), "has not said it");
    for (then, what) in [
        (Call::Delete(held), "it is deleted"),
        (Call::DeadLetter(held, false), "its lease has ended"),
        (Call::Change(held, 0, Remark::Nothing), "its lease has ended"),
        (Call::Change(held, 500, Remark::Failed), "said that it failed"),
        (Call::Change(held, 500, Remark::Unbegun), "it was handed back"),
        (Call::Change(held, 500, Remark::Progress), "and last did"),
    ] {
        let (mut story, ..) = reported();
        let then = story.call(then);
        story.tell(then, Answer::Done).unwrap();
        wrong(story.checker.progress_seen(story.now_ms, &shown), what);
    }
    let (mut story, ..) = reported();
    story.checker.taken_over();
    wrong(story.checker.progress_seen(story.now_ms, &shown), "another owner has the log");
    assert_eq!(story.checker.progress_seen(story.now_ms, &BTreeMap::new()), Ok(()));
}
