//! Ticks of schedules that a worker does not have.
//!
//! While a deployment changes, workers of two versions share the queue: the tick is another's then, and is handed back, not
//! begun, so that it may reach one who knows it. When that has not helped for an hour, the schedule belongs to nobody any more.
//! Its tick is dropped rather than dead-lettered, and the schedule deleted, so that it ends. Should that have been wrong, a
//! worker that has the schedule puts it back within minutes ([`Source::keep_schedules`](crate::Source::keep_schedules)).
//!
//! The hour is counted by each worker for itself, from when it first put the tick back, and only while somebody works: a tick that
//! has waited for longer than that in a queue that was paused, or while all workers were away, has not been offered to anybody. So
//! the age of the message says nothing, nor does how long a worker did not see it. A worker that lives for less than an hour
//! ends no schedule.
//!
//! By time and not by receives: of ten workers nine may be of the old version, and each of them receives as often as the one
//! that knows the tick. Where each receive counts towards a redrive policy, there are only so many: they are spread over the
//! hour, and at the last of them the tick is dropped and its schedule stays.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// When a tick has been offered to others for so long, nobody is expected to know it.
const GIVE_UP: Duration = Duration::from_secs(3600);
/// How soon the next worker may have it, where that costs nothing: sooner at first, for most deployments are quick.
const SOONEST: Duration = Duration::from_secs(2);
const LATEST: Duration = Duration::from_secs(60);
/// How much longer than it was left for a tick may stay away and still count as offered: other workers had it in between. Beyond
/// that, perhaps nobody was there.
const AWAY: Duration = Duration::from_secs(10 * 60);
/// A tick that has not come again for so long has found its worker.
const FOUND: Duration = Duration::from_secs(24 * 3600);

/// What becomes of an unknown tick.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Orphan {
    /// Left to others, who may have it after this time.
    Left(Duration),
    /// It can't be left to others any more without becoming a dead letter.
    Dropped,
    /// Nobody has the schedule.
    Ended,
}

impl Orphan {
    /// One that has been offered to others for so long, at this receive; `allowed`: so many receives there are, where they count.
    fn of(offered: Duration, receive_count: u32, allowed: Option<u32>) -> Orphan {
        match allowed {
            _ if offered >= GIVE_UP => Orphan::Ended,
            None => Orphan::Left((offered / 2).clamp(SOONEST, LATEST)),
            Some(allowed) if receive_count >= allowed => Orphan::Dropped,
            Some(allowed) => Orphan::Left((GIVE_UP / allowed).max(LATEST)),
        }
    }
}

/// What a worker has seen of ticks that it does not know.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    /// By the ids of their messages.
    seen: Mutex<HashMap<String, Seen>>,
}

#[derive(Debug)]
struct Seen {
    /// For how long others could have it, all in all.
    offered: Duration,
    /// When it was here last, and how long it was left for then.
    last: SystemTime,
    left: Duration,
}

impl Orphans {
    /// What becomes of the tick with this message id, which is here at `now`, by the clock that delays go by. Without one it is
    /// as if it were here for the first time.
    pub(super) fn judge(&self, id: &str, now: Option<SystemTime>, receive_count: u32, allowed: Option<u32>) -> Orphan {
        let Some(now) = now else { return Orphan::of(Duration::ZERO, receive_count, allowed) };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let offered = seen.get(id).map_or(Duration::ZERO, |before| {
            let gap = now.duration_since(before.last).unwrap_or_default();
            before.offered + gap.min(before.left + AWAY)
        });
        let becomes = Orphan::of(offered, receive_count, allowed);
        match becomes {
            Orphan::Left(left) => {
                if seen.insert(id.to_owned(), Seen { offered, last: now, left }).is_none() {
                    seen.retain(|_, one| now.duration_since(one.last).is_ok_and(|gap| gap < FOUND));
                }
            }
            Orphan::Dropped | Orphan::Ended => drop(seen.remove(id)),
        }
        becomes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    const S: Duration = Duration::from_secs(1);

    fn at(s: u32) -> Option<SystemTime> {
        Some(UNIX_EPOCH + 1_000_000 * S + s * S)
    }

    #[test]
    fn a_tick_is_left_to_others_for_an_hour_or_as_often_as_its_queue_allows() {
        let s = Duration::from_secs;
        for (offered_s, receives, allowed, becomes) in [
            (0, 1, None, Orphan::Left(s(2))),
            (30, 9, None, Orphan::Left(s(15))),
            (3599, 1000, None, Orphan::Left(s(60))),
            (3600, 1, None, Orphan::Ended),
            (0, 1, Some(3), Orphan::Left(s(1200))),
            (1200, 2, Some(3), Orphan::Left(s(1200))),
            (2400, 3, Some(3), Orphan::Dropped),
            (3600, 2, Some(3), Orphan::Ended),
            (0, 1, Some(1), Orphan::Dropped),
            (0, 1, Some(1000), Orphan::Left(s(60))),
        ] {
            assert_eq!(
                Orphan::of(s(offered_s), receives, allowed),
                becomes,
                "{offered_s} s, receive {receives} of {allowed:?}"
            );
        }
    }

    /// With one worker in ten that knows a tick, one in a thousand is not begun.
    #[test]
    fn a_tick_comes_by_often_enough_for_the_one_worker_in_ten_that_knows_it() {
        let orphans = Orphans::default();
        let (mut now, mut receives) = (Duration::ZERO, 0);
        while let Orphan::Left(wait) = orphans.judge("m", Some(UNIX_EPOCH + now), 1, None) {
            (now, receives) = (now + wait, receives + 1);
        }
        assert!(0.9_f64.powi(receives) < 1e-3, "{receives} receives");
        assert!((GIVE_UP..GIVE_UP + LATEST).contains(&now), "{now:?}");
    }

    #[test]
    fn only_the_time_in_which_others_could_have_a_tick_counts_towards_its_hour() {
        // When the tick is seen, of which its schedule ends at the last only.
        let minutes = |from: u32, to: u32| (from..=to).map(|minute| minute * 60).collect::<Vec<_>>();
        for (told, seen) in [
            ("minute by minute", minutes(0, 60)),
            ("now and then, for other workers have it, too", (0..=6).map(|n| n * 600).collect()),
            // The pause counts for a minute and ten more.
            ("with a pause of a day less a minute", [minutes(0, 30), minutes(30 + 1439, 30 + 1439 + 19)].concat()),
        ] {
            let orphans = Orphans::default();
            let (last, before) = seen.split_last().unwrap();
            for s in before {
                let becomes = orphans.judge("m", at(*s), 1, None);
                assert!(matches!(becomes, Orphan::Left(_)), "{told}: {becomes:?} after {s} s");
                // Another's time is its own.
                orphans.judge("another", at(*s), 1, None);
            }
            assert_eq!(orphans.judge("m", at(*last), 1, None), Orphan::Ended, "{told}");
            assert_eq!(orphans.judge("m", at(*last), 1, None), Orphan::Left(SOONEST), "{told}: it was over");
        }
    }

    #[test]
    fn what_has_found_its_worker_is_forgotten() {
        let orphans = Orphans::default();
        for tick in 0..100 {
            orphans.judge(&format!("m{tick}"), at(tick * 3600), 1, None);
        }
        assert_eq!(orphans.seen.lock().unwrap().len(), 24);
        assert_eq!(orphans.judge("late", None, 1, None), Orphan::Left(SOONEST), "nobody knows the time");
    }
}
