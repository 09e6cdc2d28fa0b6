//! Turns at the hosts of HTTP targets: so many calls of one queue at a time, so that a host that hangs leaves room for the
//! others'.
//!
//! What comes to a host that has all its calls waits here for a moment, in the order of its coming, for a host that answers
//! soon has room again. Where the oldest call has been under way for longer than that, or too many wait already, the call is
//! put back into its queue, uncounted, and is out of sight for a while. The moments at which a host's calls come back are
//! spread, so that a line of many thousand is not received over and over.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// Calls of one queue under way to one host: an eighth of all.
const UNDER_WAY: usize = 8;
/// Calls that wait for a host. With those under way they still leave others more than a third of all places.
const WAITING: usize = 32;
/// A host whose oldest call has been under way for longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a call is out of sight that was put back.
const ABSENCE_MS: u64 = 1_000;
/// Between the returns of two calls to a host.
const BETWEEN_RETURNS_MS: u64 = 2;
/// However many are in line.
const LONGEST_ABSENCE_MS: u64 = 300_000;

/// The hosts that calls of one queue are under way to.
#[derive(Default)]
pub(crate) struct Hosts(Mutex<BTreeMap<String, Host>>);

struct Host {
    places: Arc<Semaphore>,
    waiting: usize,
    /// When the calls under way began, and what tells them apart; in their order.
    began: Vec<(u64, Instant)>,
    last_turn: u64,
    /// When the last call that was put back returns, by the broker's clock.
    returns_ms: u64,
}

/// A call's place among those under way to a host, until it is dropped.
pub(crate) struct Turn {
    hosts: Arc<Hosts>,
    host: String,
    number: u64,
    _place: OwnedSemaphorePermit,
}

/// A call in the line for a host, until it is dropped.
struct Waiting<'a> {
    hosts: &'a Hosts,
    host: &'a str,
}

impl Hosts {
    /// A turn at `host`, now or soon; `None` where it would be late.
    pub(crate) async fn turn(self: &Arc<Hosts>, host: &str) -> Option<Turn> {
        let (places, patience, _waiting) = {
            let mut hosts = self.lock();
            let known = hosts.entry(host.to_owned()).or_insert_with(Host::new);
            let places = known.places.clone();
            if let Ok(place) = places.clone().try_acquire_owned() {
                return Some(self.begin(known, host, place));
            }
            let patience = PATIENCE.saturating_sub(known.began.first().map_or(Duration::ZERO, |(_, at)| at.elapsed()));
            if patience.is_zero() || known.waiting >= WAITING {
                return None;
            }
            known.waiting += 1;
            (places, patience, Waiting { hosts: self, host })
        };
        let place = tokio::time::timeout(patience, places.acquire_owned()).await.ok()?.ok()?;
        let mut hosts = self.lock();
        // It is there as long as somebody waits.
        hosts.get_mut(host).map(|known| self.begin(known, host, place))
    }

    fn begin(self: &Arc<Hosts>, known: &mut Host, host: &str, place: OwnedSemaphorePermit) -> Turn {
        known.last_turn += 1;
        known.began.push((known.last_turn, Instant::now()));
        Turn { hosts: self.clone(), host: host.to_owned(), number: known.last_turn, _place: place }
    }

    /// How long a call to `host` stays out of sight that is put back at `now_ms`.
    pub(crate) fn absence_ms(&self, host: &str, now_ms: u64) -> u64 {
        let mut hosts = self.lock();
        let Some(known) = hosts.get_mut(host) else { return ABSENCE_MS };
        let returns_ms = (known.returns_ms + BETWEEN_RETURNS_MS).max(now_ms + ABSENCE_MS);
        known.returns_ms = returns_ms.min(now_ms + LONGEST_ABSENCE_MS);
        known.returns_ms - now_ms
    }

    /// Changes what is known of a host, and forgets it where nothing is left to know.
    fn change(&self, host: &str, change: impl FnOnce(&mut Host)) {
        let mut hosts = self.lock();
        let Some(known) = hosts.get_mut(host) else { return };
        change(known);
        if known.began.is_empty() && known.waiting == 0 {
            hosts.remove(host);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Host>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    fn new() -> Host {
        let places = Arc::new(Semaphore::new(UNDER_WAY));
        Host { places, waiting: 0, began: Vec::new(), last_turn: 0, returns_ms: 0 }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.hosts.change(&self.host, |known| known.began.retain(|(number, _)| *number != self.number));
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.hosts.change(self.host, |known| known.waiting -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::JoinSet;

    async fn fill(hosts: &Arc<Hosts>, host: &str) -> Vec<Turn> {
        let mut turns = Vec::new();
        for _ in 0..UNDER_WAY {
            turns.push(hosts.turn(host).await.unwrap());
        }
        turns
    }

    /// Lets all tasks do what they can.
    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_hangs_is_waited_for_no_longer_and_keeps_nobody_from_another() {
        let hosts = Arc::new(Hosts::default());
        let hanging = fill(&hosts, "hangs").await;
        let began = Instant::now();
        assert!(hosts.turn("hangs").await.is_none());
        assert_eq!(began.elapsed(), PATIENCE, "it might have been quick");
        for _ in 0..100 {
            assert!(hosts.turn("hangs").await.is_none());
            assert!(hosts.turn("answers").await.is_some());
        }
        assert_eq!(began.elapsed(), PATIENCE, "nobody waits any more");
        drop(hanging);
        assert!(hosts.turn("hangs").await.is_some());
        assert!(hosts.lock().is_empty(), "nothing is kept of hosts that nobody calls");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_host_that_answers_has_a_turn_in_order_and_only_so_many_wait() {
        let hosts = Arc::new(Hosts::default());
        let mut turns = fill(&hosts, "h").await;
        let had = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = JoinSet::new();
        for number in 0..WAITING {
            let (hosts, had) = (hosts.clone(), had.clone());
            waiting.spawn(async move {
                let turn = hosts.turn("h").await;
                had.lock().unwrap().push((number, turn.is_some()));
            });
            settle().await;
        }
        assert!(hosts.turn("h").await.is_none(), "the line is full");
        turns.pop();
        waiting.join_all().await;
        assert_eq!(*had.lock().unwrap(), (0..WAITING).map(|number| (number, true)).collect::<Vec<_>>());
        assert_eq!(hosts.lock()["h"].waiting, 0);
        drop(turns);
        assert!(hosts.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_gives_up_waiting_takes_no_place() {
        let hosts = Arc::new(Hosts::default());
        let turns = fill(&hosts, "h").await;
        let mut waiting = JoinSet::new();
        let of_task = hosts.clone();
        waiting.spawn(async move { of_task.turn("h").await.is_some() });
        settle().await;
        assert_eq!(hosts.lock()["h"].waiting, 1);
        waiting.shutdown().await;
        drop(turns);
        assert!(hosts.lock().is_empty());
        assert_eq!(fill(&hosts, "h").await.len(), UNDER_WAY);
    }

    #[tokio::test]
    async fn what_is_put_back_returns_after_a_second_each_at_a_moment_of_its_own() {
        let hosts = Arc::new(Hosts::default());
        let _turns = fill(&hosts, "h").await;
        let mut returns: Vec<u64> = (0..1_000).map(|_| hosts.absence_ms("h", 5_000)).collect();
        assert_eq!((returns[0], returns[1], returns[999]), (1_000, 1_002, 2_998));
        assert_eq!(hosts.absence_ms("h", 10_000), 1_000, "the line is gone by then");
        returns = (0..1_000_000).map(|_| hosts.absence_ms("h", 10_000)).collect();
        assert_eq!(returns.last(), Some(&LONGEST_ABSENCE_MS));
        assert_eq!(hosts.absence_ms("other", 0), 1_000);
    }
}
