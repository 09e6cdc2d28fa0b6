//! Hosts that hang: how many calls they hold, and what becomes of the others, theirs and everybody else's.

use crate::{
    rig::{MINUTE, Rig, SECOND, With, attributes, definition, until},
    stand_in::StandIn,
};
use afterward_scheduler::{Definition, RetryPolicy};
use std::{collections::BTreeMap, time::Duration};

const ONCE: &str = "at(2026-11-22T05:00:00)";
/// How many calls of one queue are under way to one host.
const UNDER_WAY: usize = 8;

/// Says which attempt it is, and has no other: an attempt that was counted but not made would be missed.
fn call(url: &str) -> Definition {
    definition(ONCE, url).input("<aws.scheduler.attempt-number>").retries(0).dead_letters_to("dead")
}

impl Rig {
    /// When the calls return that were put back.
    async fn returns(&self) -> Vec<u64> {
        let now_ms = self.broker.now_ms();
        let pending = self.pending().await.into_iter().map(|(until_ms, _)| until_ms);
        // A lease is longer.
        pending.filter(|until_ms| (now_ms + 1..now_ms + 5 * SECOND).contains(until_ms)).collect()
    }
}

#[tokio::test]
async fn a_host_that_hangs_keeps_nobody_elses_call_waiting_and_all_its_own_are_made_once() {
    const CALLS: usize = 100;
    let (mut hanging, mut answering) = (StandIn::hanging().await, StandIn::answering(&[]).await);
    let rig = Rig::new();
    let dead = rig.queue("dead").await;
    for number in 0..CALLS {
        rig.schedule(&format!("hanging-{number}"), &call(&hanging.url)).await;
    }
    rig.schedule("answered", &call(&answering.url)).await;
    assert_eq!(answering.asked().await.body, "1");

    until("all that are not under way are put back", async || rig.returns().await.len() == CALLS - UNDER_WAY).await;
    let mut made = hanging.bodies();
    assert_eq!(made.len(), UNDER_WAY);
    rig.schedule("answered-too", &call(&answering.url)).await;
    assert_eq!(answering.asked().await.body, "1");

    hanging.speak();
    until("all are made", async || {
        let (returns, pending) = (rig.returns().await, rig.pending().await.len());
        if returns.len() == pending
            && let Some(last_ms) = returns.into_iter().max()
        {
            rig.clock.not_before_ms(last_ms);
        }
        pending == 0
    })
    .await;
    made.extend(hanging.bodies());
    assert_eq!(made, vec!["1"; CALLS]);
    assert_eq!(rig.bodies(&dead).await, [""; 0]);
}

#[tokio::test]
async fn a_call_that_grows_too_old_in_line_is_told_to_the_dead_letter_queue() {
    let mut hanging = StandIn::hanging().await;
    let rig = Rig::new();
    let dead = rig.queue("dead").await;
    let minute = RetryPolicy { maximum_event_age_s: Some(60), maximum_retry_attempts: None };
    for number in 0..=UNDER_WAY {
        let call = call(&hanging.url).with(|definition| definition.target.retry = Some(minute));
        rig.schedule(&format!("hanging-{number}"), &call).await;
    }
    until("one is put back", async || rig.returns().await.len() == 1).await;
    rig.clock.advance(Duration::from_millis(MINUTE + 1));
    let mut told = BTreeMap::<_, usize>::new();
    for _ in 0..=UNDER_WAY {
        let said = attributes(&rig.one(&dead).await);
        let was_busy = said["ERROR_MESSAGE"].contains("was busy with calls before it");
        assert_eq!((&*said["ERROR_CODE"], &*said["RETRY_ATTEMPTS"]), ("EventTooOld", "0"), "{said:?}");
        *told.entry(was_busy).or_default() += 1;
    }
    assert_eq!(told, BTreeMap::from([(true, 1), (false, UNDER_WAY)]), "those under way have lost their leases");
    rig.nothing_pending().await;
    assert_eq!(hanging.bodies().len(), UNDER_WAY);
}

/// The bug: what waited while the server was down counted as waited in line, so who found the host busy was too old at once,
/// and nobody had called.
#[tokio::test]
async fn however_long_the_server_was_away_the_first_attempt_is_made_though_the_host_is_busy() {
    const CALLS: usize = 100;
    let mut hanging = StandIn::hanging().await;
    let mut rig = Rig::new();
    let dead = rig.queue("dead").await;
    let minute = RetryPolicy { maximum_event_age_s: Some(60), maximum_retry_attempts: Some(0) };
    for number in 0..CALLS {
        let call = call(&hanging.url).with(|definition| definition.target.retry = Some(minute));
        rig.schedule(&format!("hanging-{number}"), &call).await;
    }
    rig.settled().await;
    // The second time, it is away again while many wait.
    for _ in 0..2 {
        for _ in 0..UNDER_WAY {
            hanging.asked().await;
        }
        rig.runner.stop(Duration::ZERO).await;
        rig = rig.kill_and_return_after(2 * MINUTE);
    }
    for _ in 0..UNDER_WAY {
        hanging.asked().await;
    }
    until("all others are put back", async || rig.returns().await.len() == CALLS - UNDER_WAY).await;
    let letters: Vec<_> = rig.all(&dead).await.iter().map(attributes).collect();
    assert_eq!((hanging.bodies(), letters), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_stop_puts_back_what_is_under_way_and_what_waits_for_its_turn() {
    let mut hanging = StandIn::hanging().await;
    let rig = Rig::new();
    let dead = rig.queue("dead").await;
    for number in 0..2 * UNDER_WAY {
        rig.schedule(&format!("hanging-{number}"), &call(&hanging.url)).await;
    }
    for _ in 0..UNDER_WAY {
        hanging.asked().await;
    }
    rig.settled().await;
    until("all others wait or are put back", async || !rig.pending().await.iter().any(|(until_ms, _)| *until_ms == 0))
        .await;
    rig.runner.stop(Duration::ZERO).await;
    assert_eq!(hanging.bodies(), [""; 0]);
    hanging.speak();
    let rig = rig.kill_and_return_after(5 * SECOND);
    rig.nothing_pending().await;
    let letters: Vec<_> = rig.all(&dead).await.iter().map(attributes).collect();
    assert_eq!((hanging.bodies(), letters), (vec!["1".to_owned(); 2 * UNDER_WAY], Vec::new()));
}
