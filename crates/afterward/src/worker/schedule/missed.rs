//! What becomes of a tick that nobody took in time.

use super::Schedule;
use crate::Tick;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// What becomes of the times of a schedule at which no worker was there, or none had room.
///
/// A run that was begun is not missed, however late its next attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Missed {
    /// When a worker is there again, it runs once, for the latest of them. So it does after a time in which the server was away
    /// that sends the ticks. Where workers are there and their queue is behind by more than the schedule's period, so that each
    /// time is late when its turn comes, it runs about as often as the queue is long.
    #[default]
    RunOnce,
    /// What could not be begun within this time after it was due is not run. Amazon's schedules may be a minute late by
    /// themselves. Where an Afterward server was away, this is asked of the latest time that it missed, and of no other.
    Skip(Duration),
}

impl Missed {
    /// Why a tick that was sent at `sent_at` and could be begun now, for the first time, is not run; `None`, where it is.
    pub(super) fn reason(
        self,
        schedule: &Schedule,
        tick: &Tick,
        sent_at: SystemTime,
        now: SystemTime,
    ) -> Option<String> {
        match self {
            // What counts is what came due since it was sent. An Afterward server that was away sends one for all times until
            // then, the latest of them being its own; what another scheduler sent late may be for any of these times, and is
            // all there is of it, as is what somebody has redriven.
            Missed::RunOnce => {
                let later = schedule.next_after(sent_at.max(tick.scheduled_at))?;
                (later <= now).then(|| "missed, and a later time of the schedule has come".to_owned())
            }
            Missed::Skip(within) => {
                let late = now.duration_since(tick.scheduled_at).unwrap_or_default();
                (late > within).then(|| format!("missed: {late:.0?} late, and more than {within:?} is skipped"))
            }
        }
    }
}

/// Tells the ticks that pile up while nobody is there from those of a queue that is always late: of the first the latest runs,
/// and waiting for the latest of the second would be waiting for ever.
#[derive(Debug, Default)]
pub(super) struct CatchingUp {
    /// Since when each schedule, by its name, has had its ticks passed over in favour of later ones.
    since: Mutex<BTreeMap<String, SystemTime>>,
}

impl CatchingUp {
    /// Why a tick is not run now, after all; `why`: by its policy.
    pub(super) fn judge(
        &self,
        schedule: &Schedule,
        tick: &Tick,
        now: SystemTime,
        why: Option<String>,
    ) -> Option<String> {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if why.is_none() || schedule.missed() != Missed::RunOnce {
            since.remove(schedule.name());
            return why;
        }
        let began = *since.entry(schedule.name().to_owned()).or_insert(now);
        // A backlog is worked off in less time than it took to grow.
        let passing_over = now.duration_since(began).unwrap_or_default();
        if passing_over < now.duration_since(tick.scheduled_at).unwrap_or_default() {
            return why;
        }
        since.remove(schedule.name());
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    #[test]
    fn a_schedule_runs_now_and_then_where_the_queue_is_always_late() {
        let schedule = Schedule::every("often", "rate(1 minute)").unwrap();
        let minute = |minute: u64| UNIX_EPOCH + Duration::from_secs(minute * 60);
        let catching_up = CatchingUp::default();
        let runs = |scheduled: u64, now: u64| {
            let tick = Tick::new("often", minute(scheduled));
            let why = schedule.missed().reason(&schedule, &tick, minute(scheduled), minute(now));
            catching_up.judge(&schedule, &tick, minute(now), why).is_none()
        };
        // Nobody was there from 10 to 20: the latest runs.
        let ran: Vec<u64> = (10..=20).filter(|time| runs(*time, 20)).collect();
        assert_eq!(ran, [20]);
        // Each comes to its turn five minutes late.
        let ran: Vec<u64> = (30..=50).filter(|time| runs(*time, time + 5)).collect();
        assert_eq!(ran, [35, 41, 47]);
    }

    #[test]
    fn of_what_was_missed_the_latest_runs_or_what_is_not_too_late() {
        let hourly = Schedule::every("hourly", "rate(1 hour)").unwrap();
        let minute = |minute: u64| UNIX_EPOCH + Duration::from_secs(minute * 60);
        let skip = Missed::Skip(Duration::from_secs(300));
        for (policy, scheduled, sent, now, runs) in [
            (Missed::RunOnce, 60, 60, 60, true),
            (Missed::RunOnce, 60, 60, 119, true),
            (Missed::RunOnce, 60, 60, 120, false),
            // The scheduler was away from before 1:00 until 5:20: one for all of these times.
            (Missed::RunOnce, 60, 320, 321, true),
            (Missed::RunOnce, 60, 320, 359, true),
            (Missed::RunOnce, 60, 320, 360, false),
            (skip, 60, 60, 65, true),
            (skip, 60, 60, 66, false),
            (skip, 60, 320, 321, false),
        ] {
            let tick = Tick::new("hourly", minute(scheduled));
            let reason = policy.reason(&hourly, &tick, minute(sent), minute(now));
            assert_eq!(reason.is_none(), runs, "{policy:?} {scheduled} {sent} {now}: {reason:?}");
        }
    }
}
