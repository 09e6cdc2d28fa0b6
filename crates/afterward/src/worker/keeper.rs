//! Who keeps the leases: one task for all messages in hand, whatever their handlers do with their threads.
//!
//! Invariants:
//! - Each message in hand stands once in the order of due times, until it is released.
//! - A lease is extended when half of it has passed, until its message is being settled, or its handler has had its time.
//! - The lease of a message that waits to be begun is extended by twice the time that it has waited, if that is longer; once it
//!   is begun, it is as long as others when half the time of these has passed.
//! - A handler's progress travels with an extension, which it brings forward, at most once a second.

use super::{Cancelled, hand::Hand};
use crate::{Source, SourceError};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};

/// How often a message's progress is told at most.
const BETWEEN_REPORTS: Duration = Duration::from_secs(1);
/// How often it is said at most that leases can't be extended yet: a server that is away is away for all of them.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(5);
/// Longer than anybody waits: where nothing is to be done.
const AGES: Duration = Duration::from_secs(365 * 86_400);

/// A due time, and a number that tells apart what is due together.
pub(super) type Place = (Instant, u64);

#[derive(Debug)]
pub(super) struct Keeper {
    order: Mutex<Order>,
    sooner: Notify,
    lost: Notify,
    /// When it was last said that leases can't be extended yet.
    warned: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Order {
    due: BTreeMap<Place, Arc<Hand>>,
    last: u64,
    /// Until when the keeper sleeps: only what is due before needs to wake it.
    asleep_until: Instant,
}

impl Default for Keeper {
    fn default() -> Keeper {
        let order = Order { due: BTreeMap::new(), last: 0, asleep_until: Instant::now() };
        Keeper { order: Mutex::new(order), sooner: Notify::new(), lost: Notify::new(), warned: Mutex::default() }
    }
}

impl Order {
    fn insert(&mut self, hand: Arc<Hand>, due: Instant) {
        self.last += 1;
        let place = (due, self.last);
        *hand.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
        self.due.insert(place, hand);
    }

    /// Takes a message out; `None`, when it was released.
    fn remove(&mut self, hand: &Hand) -> Option<Arc<Hand>> {
        let place = hand.place.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        self.due.remove(&place)
    }
}

impl Keeper {
    fn order(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a message's lease from now on.
    pub(super) fn keep(&self, hand: Arc<Hand>) {
        let due = hand.lease().next_beat.unwrap_or_else(|| Instant::now() + AGES);
        let mut order = self.order();
        order.insert(hand, due);
        self.wake_before(&order, due);
    }

    /// Waits until leases have been lost.
    pub(super) async fn lost(&self) {
        self.lost.notified().await;
    }

    /// Lets go of a message.
    pub(super) fn release(&self, hand: &Hand) {
        self.order().remove(hand);
    }

    /// Lets go of a message when this is dropped, be it by a panic: a lease that nobody works under must run out.
    pub(super) fn holding<'a>(&'a self, hand: &'a Hand) -> Holding<'a> {
        Holding { keeper: self, hand, goes_on: false }
    }

    /// An attempt at the message begins.
    pub(super) fn begin(&self, hand: &Hand) {
        hand.begin();
        let soon = hand.lease().sooner_beat();
        if let Some(soon) = soon {
            self.bring_forward(hand, soon);
        }
    }

    /// All messages in hand.
    pub(super) fn hands(&self) -> Vec<Arc<Hand>> {
        self.order().due.values().cloned().collect()
    }

    /// The message has progress to tell; `last`: when it told some before.
    pub(super) fn tell_soon(&self, hand: &Hand, last: Option<Instant>) {
        let now = Instant::now();
        self.bring_forward(hand, last.map_or(now, |last| (last + BETWEEN_REPORTS).max(now)));
    }

    /// Has the lease extended no later than this.
    fn bring_forward(&self, hand: &Hand, at: Instant) {
        let mut order = self.order();
        let known = *hand.place.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_some_and(|(due, _)| due > at)
            && let Some(hand) = order.remove(hand)
        {
            order.insert(hand, at);
            self.wake_before(&order, at);
        }
    }

    fn wake_before(&self, order: &Order, due: Instant) {
        if due < order.asleep_until {
            self.sooner.notify_one();
            leave_to_others();
        }
    }

    /// Extends leases as they come due, for ever.
    pub(super) async fn run(self: Arc<Self>, source: Arc<impl Source>) {
        let mut beats = JoinSet::new();
        loop {
            for hand in self.take_due() {
                let (keeper, source) = (self.clone(), source.clone());
                beats.spawn(async move { keeper.beat(&*source, &hand).await });
            }
            while beats.try_join_next().is_some() {}
            let until = self.order().asleep_until;
            tokio::select! {
                () = sleep_until(until) => {}
                () = self.sooner.notified() => {}
            }
        }
    }

    /// What is due, put back to where it would be if its extension were never heard of again; and how long to sleep.
    fn take_due(&self) -> Vec<Arc<Hand>> {
        let now = Instant::now();
        let mut order = self.order();
        let later = order.due.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut order.due, later);
        for hand in due.values() {
            order.insert(hand.clone(), now + AGES);
        }
        order.asleep_until = order.due.first_key_value().map_or(now + AGES, |((first, _), _)| *first);
        due.into_values().collect()
    }

    /// Extends one lease, and tells progress where there is some.
    async fn beat(&self, source: &impl Source, hand: &Arc<Hand>) {
        let _line = hand.line.lock().await;
        if hand.is_settled() || hand.lease().lost {
            return;
        }
        if hand.is_past_deadline() {
            tracing::warn!(message_id = %hand.delivery.id, "a handler hangs past its timeout: its lease is left to run out");
            hand.lease().give_up();
            return;
        }
        let (by, expires) = {
            let lease = hand.lease();
            (lease.extension(hand.is_begun()), lease.expires)
        };
        let start = Instant::now();
        let extended = timeout_at(expires, extend(source, hand, by)).await;
        if hand.is_settled() {
            return;
        }
        match extended {
            Ok(Ok(())) => hand.lease().extended(start, by),
            Ok(Err(SourceError::LeaseLost(cause))) => self.lose(hand, &cause.to_string()),
            Ok(Err(error)) if Instant::now() < expires => {
                self.tell_postponed(hand, &error);
                hand.lease().postponed();
            }
            Ok(Err(error)) => self.lose(hand, &error.to_string()),
            Err(_) => self.lose(hand, "it ran out before the queue answered"),
        }
        self.put_back(hand);
    }

    /// Says that a lease could not be extended yet: once for all, and again after a while.
    fn tell_postponed(&self, hand: &Hand, error: &SourceError) {
        let message_id = &hand.delivery.id;
        if self.is_time_to_warn(Instant::now()) {
            let leases = self.order().due.len();
            tracing::warn!(%message_id, %error, leases, "the lease could not be extended yet");
        } else {
            tracing::debug!(%message_id, %error, "the lease could not be extended yet");
        }
    }

    fn is_time_to_warn(&self, now: Instant) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = warned.is_none_or(|warned| now.saturating_duration_since(warned) >= BETWEEN_WARNINGS);
        if is_time {
            *warned = Some(now);
        }
        is_time
    }

    fn lose(&self, hand: &Hand, reason: &str) {
        tracing::warn!(message_id = %hand.delivery.id, reason, "the lease is lost: another worker may get this message");
        hand.lease().lose();
        hand.cancel(Cancelled::LeaseLost);
        self.lost.notify_one();
    }

    /// Lets a message come due again, unless it was released.
    fn put_back(&self, hand: &Hand) {
        let (due, timeout) = {
            let lease = hand.lease();
            (lease.next_beat, lease.timeout)
        };
        let Some(mut due) = due else { return };
        if hand.is_begun() {
            // It may have been begun while this extension was under way.
            due = due.min(Instant::now() + timeout / 2);
        }
        if let Some(told) = hand.unsent_since() {
            due = due.min(told.map_or_else(Instant::now, |told| told + BETWEEN_REPORTS));
        }
        let mut order = self.order();
        if let Some(hand) = order.remove(hand) {
            order.insert(hand, due);
            self.wake_before(&order, due);
        }
    }
}

/// A message whose lease is kept until this is dropped.
pub(super) struct Holding<'a> {
    keeper: &'a Keeper,
    hand: &'a Hand,
    goes_on: bool,
}

impl Holding<'_> {
    /// The message stays in hand.
    pub(super) fn goes_on(mut self) {
        self.goes_on = true;
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        if !self.goes_on {
            self.keeper.release(self.hand);
        }
    }
}

async fn extend(source: &impl Source, hand: &Hand, timeout: Duration) -> Result<(), SourceError> {
    let receipt = &hand.delivery.receipt;
    match hand.take_progress() {
        Some(progress) => source.report_progress(receipt, timeout, &progress).await,
        None => source.change_visibility(receipt, timeout, None).await,
    }
}

/// Has what was just woken run on another thread, if this one does not come to it. A thread of the runtime keeps the last task
/// that it woke for itself, and a handler that reports progress may block it next; so something else is the last.
fn leave_to_others() {
    if let Ok(runtime) = Handle::try_current() {
        drop(runtime.spawn(async {}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_is_away_is_told_of_every_few_seconds_and_not_for_each_lease() {
        let (keeper, start) = (Keeper::default(), Instant::now());
        let told: Vec<u64> = (0..12)
            .flat_map(|second| [second; 3])
            .filter(|second| keeper.is_time_to_warn(start + Duration::from_secs(*second)))
            .collect();
        assert_eq!(told, [0, 5, 10]);
    }
}
