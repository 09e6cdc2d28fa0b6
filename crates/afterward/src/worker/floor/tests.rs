//! The floor by itself, handed messages as if they had been received.

use super::{super::lease::Lease, *};
use crate::{
    Delivery,
    worker::{hand::Hand, router::Destination},
};
use std::ops::Range;

const SECOND: Duration = Duration::from_secs(1);

/// A floor of four slots, of which the first place has the limits with an even number and the second those with an odd one.
fn floor(room: usize, limits: Vec<Most>) -> Arc<Floor> {
    let of = |place: usize| (0..limits.len()).filter(|number| number % 2 == place).collect();
    let common = vec![of(0), of(1)];
    Arc::new(Floor::new(Plan {
        concurrency: 4,
        room,
        limits,
        common,
        most_held: MostHeld { messages: 8, bytes: 1_000 },
    }))
}

/// A message for a place, under these limits.
fn entry(id: &str, place: usize, limits: &[usize]) -> Entry {
    of_receive(1, id, place, limits)
}

fn of_receive(count: u32, id: &str, place: usize, limits: &[usize]) -> Entry {
    let mut delivery = Delivery::new(id, id, "-".repeat(10));
    delivery.receive_count = count;
    let hand = Arc::new(Hand::new(delivery, Lease::new(Instant::now(), 30 * SECOND)));
    Entry::new(hand, Destination::Handler(place), limits.iter().map(|limit| (*limit, None)).collect())
}

/// A receive that brings these; answers what is begun, and who is given back for how many seconds.
fn receive(floor: &Arc<Floor>, entries: Vec<Entry>) -> (Vec<Admitted>, Vec<(String, Option<u64>)>) {
    floor.ask().expect("the floor asks for more").answered(entries);
    let ToDo { begin, give_back } = floor.to_do();
    let given_back =
        give_back.into_iter().map(|back| (back.entry.hand.delivery.id.clone(), back.away.map(|away| away.as_secs())));
    (begin, given_back.collect())
}

fn wants(floor: &Arc<Floor>) -> Option<usize> {
    floor.ask().map(|ask| ask.count)
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_work_is_done_gives_its_slot_to_others_while_it_is_deleted() {
    let floor = floor(12, vec![]);
    let numbered = |numbers: Range<u32>| numbers.map(|n| entry(&n.to_string(), 0, &[])).collect();
    let (mut first, _) = receive(&floor, numbered(0..4));
    assert_eq!(wants(&floor), None, "all slots are taken");
    first.iter_mut().for_each(Admitted::finish);
    let (mut second, _) = receive(&floor, numbered(4..8));
    assert_eq!(second.len(), 4, "they are begun, though the first four are still in the queue");
    second[..3].iter_mut().for_each(Admitted::finish);
    assert_eq!(wants(&floor), None, "three deletes too many: these hold on to their slots");
    first.truncate(2);
    assert_eq!(wants(&floor), Some(2), "two have been deleted");
    drop((first, second));
    assert_eq!(wants(&floor), Some(4), "each slot was given back once");
}

#[tokio::test(start_paused = true)]
async fn a_message_keeps_its_limits_and_its_turn_until_it_is_deleted() {
    let ordered = |id: &str| {
        let mut entry = entry(id, 1, &[]);
        let mut delivery = entry.hand.delivery.clone();
        (delivery.group, delivery.ordered) = (Some("group".into()), true);
        entry.hand = Arc::new(Hand::new(delivery, Lease::new(Instant::now(), 30 * SECOND)));
        entry
    };
    let floor = floor(12, vec![Most::AtATime(1)]);
    let all = vec![entry("1", 0, &[0]), entry("2", 0, &[0]), ordered("3"), ordered("4")];
    let (mut running, _) = receive(&floor, all);
    let ids = |begun: &[Admitted]| begun.iter().map(|one| one.hand().delivery.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&running), ["1", "3"]);
    running.iter_mut().for_each(Admitted::finish);
    assert_eq!(ids(&floor.to_do().begin), [""; 0], "nobody follows on what may come again");
    running.iter_mut().for_each(Admitted::is_gone);
    drop(running);
    assert_eq!(ids(&floor.to_do().begin), ["2", "4"]);
}

#[tokio::test(start_paused = true)]
async fn while_whatever_comes_would_wait_no_more_is_received_than_there_is_room_for() {
    let limits = vec![Most::AtATime(1), Most::AtATime(1)];
    let floor = floor(12, limits);
    floor.set_receive_limit(100);
    assert_eq!(wants(&floor), Some(4), "into the slots that are free");
    let (mut running, _) = receive(&floor, vec![entry("a1", 0, &[0]), entry("a2", 0, &[0])]);
    assert_eq!(wants(&floor), Some(3), "the other place may get something");
    let (more, _) = receive(&floor, vec![entry("b1", 1, &[1]), entry("b2", 1, &[1])]);
    running.extend(more);
    assert_eq!((running.len(), wants(&floor)), (2, Some(10)), "into the room");
    let (_, given_back) = receive(&floor, (3..11).map(|n| entry(&format!("a{n}"), 0, &[0])).collect());
    assert_eq!((given_back, wants(&floor)), (vec![], None), "not for the two places that are left");
    drop(running.remove(0));
    let ToDo { begin, .. } = floor.to_do();
    assert_eq!((begin.len(), wants(&floor)), (1, Some(3)), "three of the room's are a receive's worth");
    floor.set_paused(false, &BTreeSet::from([0]));
    drop(begin);
    assert_eq!(wants(&floor), Some(3), "what is paused waits, too");
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_room_is_sent_away_until_about_its_turn_unless_that_is_soon() {
    // For the second place, which has no limit, the floor goes on asking.
    let floor = floor(2, vec![Most::AtATime(1)]);
    let (mut running, _) = receive(&floor, vec![entry("1", 0, &[0])]);
    tokio::time::advance(SECOND / 2).await;
    drop(running.pop());
    // An attempt takes half a second: the fourth one's turn is two seconds off, and so on.
    let all = (2..9).map(|n| entry(&n.to_string(), 0, &[0])).collect();
    let (running, given_back) = receive(&floor, all);
    assert_eq!(running.len(), 1);
    let away = |id: &str| (id.to_owned(), Some(1));
    assert_eq!(given_back, [away("7"), away("8")], "nobody is away for longer than the limit was reached");
    tokio::time::advance(60 * SECOND).await;
    let (_, given_back) = receive(&floor, vec![entry("9", 0, &[0]), entry("10", 0, &[0])]);
    assert_eq!(given_back.len(), 2, "{given_back:?}");
    assert!(
        given_back.iter().all(|(_, away)| (30..=60).contains(&away.unwrap())),
        "an attempt takes a minute: {given_back:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_would_lose_a_receive_stays_until_much_is_held_and_then_goes_if_it_has_some_to_spare() {
    // (why, what sending away costs, receives so far, given back of the ten that find no room)
    let table = [
        ("it costs nothing", SendingAway::IsFree, 7, 9),
        ("the eighth that is held may go, and those after it", SendingAway::Counts(None), 7, 3),
        ("half of its receives are left", SendingAway::Counts(Some(5)), 2, 3),
        ("it needs the rest", SendingAway::Counts(Some(5)), 3, 0),
        ("it has one only", SendingAway::Counts(Some(1)), 1, 0),
    ];
    for (why, costs, receives, gone) in table {
        let floor = floor(1, vec![Most::AtATime(1)]);
        floor.set_sending_away(costs);
        let (_running, _) = receive(&floor, vec![entry("0", 0, &[0])]);
        tokio::time::advance(60 * SECOND).await;
        let all = (1..11).map(|n| of_receive(receives, &n.to_string(), 0, &[0])).collect();
        let (_, given_back) = receive(&floor, all);
        assert_eq!(given_back.len(), gone, "{why}: {given_back:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_received_while_too_much_is_held() {
    let floor = floor(1, vec![Most::AtATime(1)]);
    floor.set_sending_away(SendingAway::Counts(Some(1)));
    let (mut running, _) = receive(&floor, (0..16).map(|n| entry(&n.to_string(), 0, &[0])).collect());
    assert_eq!(wants(&floor), Some(3), "fifteen wait");
    let (_, given_back) = receive(&floor, vec![entry("16", 0, &[0])]);
    assert_eq!((given_back, wants(&floor)), (vec![], None), "twice as many as should");
    drop(running.pop());
    assert_eq!(wants(&floor), Some(3), "when one has gone, others may come");
    let ToDo { begin, .. } = floor.to_do();
    let mut large = entry("large", 0, &[0]);
    let mut delivery = large.hand.delivery.clone();
    delivery.body = "-".repeat(2_000);
    large.hand = Arc::new(Hand::new(delivery, Lease::new(Instant::now(), 30 * SECOND)));
    receive(&floor, vec![large]);
    drop(begin);
    assert_eq!(wants(&floor), None, "few, but large");
}

#[tokio::test(start_paused = true)]
async fn a_stop_gives_back_who_waits_but_those_that_nobody_would_get_again() {
    // (why, the limit, what sending away costs, of those that wait who stays)
    let table: [(&str, Most, SendingAway, &[&str]); 4] = [
        ("all are handed out again", Most::AtATime(1), SendingAway::IsFree, &[]),
        ("one has had its last receive", Most::AtATime(1), SendingAway::Counts(Some(3)), &["3"]),
        ("it may be begun before the deadline", Most::Within(1, 19 * SECOND), SendingAway::Counts(Some(3)), &["3"]),
        ("it may not", Most::Within(1, 3600 * SECOND), SendingAway::Counts(Some(3)), &[]),
    ];
    for (why, limit, costs, stays) in table {
        let floor = floor(9, vec![limit]);
        floor.set_sending_away(costs);
        let waiting = [of_receive(2, "2", 0, &[0]), of_receive(3, "3", 0, &[0])];
        let (_running, _) = receive(&floor, [entry("1", 0, &[0])].into_iter().chain(waiting).collect());
        floor.stop(Instant::now() + 20 * SECOND);
        let given_back: Vec<String> =
            floor.to_do().give_back.into_iter().map(|back| back.entry.hand.delivery.id.clone()).collect();
        let stayed: Vec<&str> = ["2", "3"].into_iter().filter(|id| !given_back.iter().any(|back| back == id)).collect();
        assert_eq!((&*stayed, floor.is_clear()), (stays, stays.is_empty()), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_lost_its_lease_while_it_waited_is_let_go_of_and_makes_room_for_others() {
    let floor = floor(4, vec![Most::AtATime(1)]);
    floor.set_sending_away(SendingAway::Counts(Some(1)));
    floor.set_paused(false, &BTreeSet::from([1]));
    let all: Vec<Entry> = (0..17).map(|n| entry(&n.to_string(), n % 2, if n % 2 == 0 { &[0] } else { &[] })).collect();
    let hands: Vec<_> = all.iter().map(|entry| entry.hand.clone()).collect();
    let (running, _) = receive(&floor, all);
    assert_eq!((running.len(), wants(&floor)), (1, None), "too much is held");
    for hand in &hands[1..16] {
        hand.lease().lose();
    }
    floor.let_go_of_lost();
    let given_back = floor.to_do().give_back;
    assert_eq!((given_back.len(), wants(&floor)), (15, Some(3)));
    drop(running);
    let ToDo { begin, .. } = floor.to_do();
    assert_eq!(begin[0].hand().delivery.id, "16", "it is next, and has the limit to itself");
}
