//! Limits hold, and hold up nobody else.

use super::stage::{lost, message};
use super::*;
use crate::handler;
use std::sync::{Arc, Mutex};

/// Some seconds of work for a tenant.
#[derive(Serialize, Deserialize, Message)]
#[message(type = "sync")]
struct Sync {
    tenant: String,
    seconds: u64,
}

fn sync_of(id: &str, tenant: &str, seconds: u64) -> Delivery {
    message(id, &body("sync", Sync { tenant: tenant.into(), seconds }))
}

async fn sync(sync: Sync) {
    sleep(Duration::from_secs(sync.seconds)).await;
}

/// When each message was deleted.
fn ends(stage: &Stage) -> Vec<(String, u64)> {
    let deeds = stage.deeds().into_iter();
    let mut ends: Vec<(String, u64)> = deeds
        .filter_map(|deed| match deed {
            Deed::Deleted { id, at_s } => Some((id, at_s)),
            _ => None,
        })
        .collect();
    ends.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    ends
}

async fn until_deleted(stage: &Stage, worker: Worker<Stage>, count: usize) -> Vec<(String, u64)> {
    let watched = stage.clone();
    let stop = async move {
        let mut deeds = 0;
        while watched.deleted().len() < count {
            deeds += 1;
            watched.done(deeds).await;
        }
    };
    worker.stop_on(stop).run().await.unwrap();
    ends(stage)
}

fn expect(ends: &[(&str, u64)]) -> Vec<(String, u64)> {
    ends.iter().map(|(id, at)| ((*id).to_owned(), *at)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_type_runs_as_often_as_it_may_and_holds_up_no_other() {
    // Five syncs of 10 s, two at a time, with three slots: the naps behind them in the queue don't wait.
    let syncs = (1..=5).map(|n| sync_of(&format!("s{n}"), "t", 10));
    let stage = Stage::new(syncs.chain([message("n1", &body("nap", 1)), message("n2", &body("nap", 1))]));
    let worker = Worker::new(stage.clone()).concurrency(3).on(handler(sync).concurrency(2)).on(nap);
    let ends = until_deleted(&stage, worker, 7).await;
    assert_eq!(ends, expect(&[("n1", 1), ("n2", 2), ("s1", 10), ("s2", 10), ("s3", 20), ("s4", 20), ("s5", 30)]));
}

#[tokio::test(start_paused = true)]
async fn a_busy_tenant_holds_up_no_other() {
    let busy = (1..=5).map(|n| sync_of(&format!("b{n}"), "busy", 10));
    let stage = Stage::new(busy.chain((1..=3).map(|n| sync_of(&format!("q{n}"), &format!("quiet{n}"), 10))));
    let worker = Worker::new(stage.clone()).concurrency(5).on(handler(sync).limit_by(|sync| sync.tenant.clone(), 2));
    let ends = until_deleted(&stage, worker, 8).await;
    let first = [("b1", 10), ("b2", 10), ("q1", 10), ("q2", 10), ("q3", 10)];
    assert_eq!(ends, expect(&[&first[..], &[("b3", 20), ("b4", 20), ("b5", 30)]].concat()));
}

#[tokio::test(start_paused = true)]
async fn no_more_are_begun_within_a_while_than_a_rate_allows() {
    let stage = Stage::new((1..=7).map(|n| message(&n.to_string(), &body("nap", 0))).chain([sync_of("s", "t", 0)]));
    let began = Arc::new(Mutex::new(Vec::new()));
    let (times, clock) = (began.clone(), stage.clone());
    let limited = handler(move |_: Nap| {
        times.lock().unwrap().push(clock.seconds());
        async {}
    })
    .rate(3, Duration::from_secs(10));
    let worker = Worker::new(stage.clone()).concurrency(2).on(limited).on(sync);
    until_deleted(&stage, worker, 8).await;
    assert_eq!(*began.lock().unwrap(), [0, 0, 0, 10, 10, 10, 20]);
    assert!(ends(&stage).contains(&("s".to_owned(), 0)), "nobody else waits for it");
}

#[tokio::test(start_paused = true)]
async fn a_rate_of_each_key_and_one_of_all_hold_together() {
    let stage = Stage::new((0..6).map(|n| sync_of(&n.to_string(), if n < 4 { "a" } else { "b" }, 0)));
    let limited = handler(sync).rate_by(|sync| sync.tenant.clone(), 1, Duration::from_secs(10));
    let worker = Worker::new(stage.clone()).rate(2, Duration::from_secs(5)).on(limited);
    let ends = until_deleted(&stage, worker, 6).await;
    assert_eq!(ends, expect(&[("0", 0), ("4", 0), ("1", 10), ("5", 10), ("2", 20), ("3", 30)]));
}

#[tokio::test(start_paused = true)]
async fn an_idle_long_poll_keeps_no_slot_from_those_who_wait() {
    // One slot, which the long poll has for 20 s at a time: a message whose time comes has it all the same.
    let stage = Stage::new((0..3).map(|n| message(&n.to_string(), &body("nap", 0))));
    let worker = Worker::new(stage.clone()).concurrency(1).on(handler(nap).rate(1, Duration::from_secs(7)));
    let ends = until_deleted(&stage, worker, 3).await;
    assert_eq!(ends, expect(&[("0", 0), ("1", 7), ("2", 14)]));
}

#[tokio::test(start_paused = true)]
async fn who_lost_its_lease_while_it_waited_takes_nothing_of_the_rate() {
    let stage = Stage::new((0..4).map(|n| message(&n.to_string(), &body("nap", 0))));
    stage.fail_changes([lost(), lost()]);
    let worker = Worker::new(stage.clone()).on(handler(nap).rate(1, Duration::from_secs(100)));
    let ends = until_deleted(&stage, worker, 2).await;
    assert_eq!(ends, expect(&[("0", 0), ("3", 100)]));
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_keep_their_leases() {
    let stage = Stage::new([sync_of("1", "t", 40), sync_of("2", "t", 1)]);
    let worker = Worker::new(stage.clone()).on(handler(sync).concurrency(1));
    until_deleted(&stage, worker, 2).await;
    let of = |id: &str| -> Vec<Deed> {
        let about =
            |deed: &Deed| matches!(deed, Deed::Changed { id: of, .. } | Deed::Deleted { id: of, .. } if of == id);
        stage.deeds().into_iter().filter(about).collect()
    };
    assert_eq!(of("2"), [changed("2", 15, 30, None), changed("2", 30, 60, None), deleted("2", 41)]);
}

#[tokio::test(start_paused = true)]
async fn a_limited_group_keeps_its_order_and_lets_others_pass() {
    let of = |id: &str, tenant: &str| ordered(id, &id[..1], &body("sync", Sync { tenant: tenant.into(), seconds: 5 }));
    let stage = Stage::new([of("a1", "t"), of("b1", "t"), of("b2", "u"), of("c1", "v"), of("a2", "w")]);
    let worker = Worker::new(stage.clone()).on(handler(sync).limit_by(|sync| sync.tenant.clone(), 1));
    let ends = until_deleted(&stage, worker, 5).await;
    assert_eq!(ends, expect(&[("a1", 5), ("c1", 5), ("a2", 10), ("b1", 10), ("b2", 15)]));
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_limit_at_a_stop_is_handed_back_at_once() {
    let hour = Duration::from_secs(3600);
    let limited: [&dyn Fn(Stage) -> Worker<Stage>; 4] = [
        &|stage| Worker::new(stage).on(handler(sync).concurrency(1)),
        &|stage| Worker::new(stage).on(handler(sync).limit_by(|sync| sync.tenant.clone(), 1)),
        &|stage| Worker::new(stage).on(handler(sync).rate(1, hour)),
        &|stage| Worker::new(stage).rate(1, hour).on(sync),
    ];
    for worker in limited {
        let stage = Stage::new((1..=4).map(|n| sync_of(&n.to_string(), "t", 10)));
        let worker = worker(stage.clone());
        let summary = worker.stop_on(sleep(Duration::from_secs(8))).run().await.unwrap();
        assert_eq!(summary, Summary { succeeded: 1, handed_back: 3, ..Summary::default() });
        assert_eq!((ends(&stage), stage.seconds()), (expect(&[("1", 10)]), 10), "who is at work may finish");
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_begun_after_a_long_wait_has_a_lease_as_long_as_others() {
    let stage = Stage::new([sync_of("1", "t", 100), sync_of("2", "t", 40)]);
    let worker = Worker::new(stage.clone()).on(handler(sync).concurrency(1));
    until_deleted(&stage, worker, 2).await;
    let of = |deed: &Deed| matches!(deed, Deed::Changed { id, .. } | Deed::Deleted { id, .. } if id == "2");
    let deeds: Vec<Deed> = stage.deeds().into_iter().filter(of).collect();
    let waits = [(15, 30), (30, 60), (60, 120), (115, 30), (130, 30)].map(|(at, by)| changed("2", at, by, None));
    assert_eq!(deeds, [&waits[..], &[deleted("2", 140)]].concat());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_rate_is_not_forgotten_when_the_first_has_to_wait_for_more() {
    // At 10 the rate has room, and no slot is free; the first in line then lacks its tenant's turn, the second only a slot.
    let of = |id: &str, tenant: &str| sync_of(id, tenant, 1);
    let stage = Stage::new([sync_of("a1", "a", 100), of("a2", "a"), of("b1", "b"), message("n", &body("nap", 30))]);
    let limited = handler(sync).rate(1, Duration::from_secs(10)).limit_by(|sync| sync.tenant.clone(), 1);
    let worker = Worker::new(stage.clone()).concurrency(2).on(limited).on(nap);
    let ends = until_deleted(&stage, worker, 4).await;
    assert_eq!(ends, expect(&[("n", 30), ("b1", 31), ("a1", 100), ("a2", 101)]));
}
