//! Ticks of schedules that a worker does not have.
//!
//! While a deployment changes, workers of two versions share the queue: the tick is another's then, and is handed back, not
//! begun, so that it may reach one who knows it. When that has not helped for an hour, the schedule belongs to nobody any more.
//! Its tick is dropped rather than dead-lettered, and the schedule deleted, so that it ends. Should that have been wrong, a
//! worker that has the schedule puts it back within minutes ([`Source::keep_schedules`](crate::Source::keep_schedules)).
//!
//! By age and not by receives: of ten workers nine may be of the old version, and each of them receives as often as the one
//! that knows the tick. Where each receive counts towards a redrive policy, there are only so many: they are spread over the
//! hour, and at the last of them the tick is dropped and its schedule stays.

use std::time::Duration;

/// When a tick is so old, nobody is expected to know it.
const GIVE_UP: Duration = Duration::from_secs(3600);
/// How soon the next worker may have it, where that costs nothing: sooner at first, for most deployments are quick.
const SOONEST: Duration = Duration::from_secs(2);
const LATEST: Duration = Duration::from_secs(60);

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
    /// One of this age at this receive; `allowed`: so many receives there are, where they count.
    pub(crate) fn of(age: Duration, receive_count: u32, allowed: Option<u32>) -> Orphan {
        match allowed {
            _ if age >= GIVE_UP => Orphan::Ended,
            None => Orphan::Left((age / 2).clamp(SOONEST, LATEST)),
            Some(allowed) if receive_count >= allowed => Orphan::Dropped,
            Some(allowed) => Orphan::Left((GIVE_UP / allowed).max(LATEST)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_left_to_others_for_an_hour_or_as_often_as_its_queue_allows() {
        let s = Duration::from_secs;
        for (age_s, receives, allowed, becomes) in [
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
                Orphan::of(s(age_s), receives, allowed),
                becomes,
                "{age_s} s, receive {receives} of {allowed:?}"
            );
        }
    }

    /// With one worker in ten that knows a tick, one in a thousand is not begun.
    #[test]
    fn a_tick_comes_by_often_enough_for_the_one_worker_in_ten_that_knows_it() {
        let (mut age, mut receives) = (Duration::ZERO, 0);
        while let Orphan::Left(wait) = Orphan::of(age, 1, None) {
            (age, receives) = (age + wait, receives + 1);
        }
        assert!(0.9_f64.powi(receives) < 1e-3, "{receives} receives");
    }
}
