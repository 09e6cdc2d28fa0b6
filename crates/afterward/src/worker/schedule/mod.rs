//! Work by the clock: a worker's schedules, and what becomes of their ticks.
//!
//! The idea: a schedule sends a message of the type `afterward:tick` into the worker's own queue each time it is due, and
//! whichever worker takes that runs the handler. So a run is a job like another: one worker has it, it is retried, extended,
//! limited and dead-lettered by its policy, and runs once for each time however many workers there are. Who sends the ticks
//! is the [`Source`](crate::Source)'s.
//!
//! Invariants:
//! - A schedule's times follow from its expression alone (a rate counts from 1970), so that all workers agree on them.
//! - A tick that a handler has begun is retried and dead-lettered like any message; only one that nobody has received before
//!   can be *missed* ([`Missed`]).

mod called;
mod missed;
mod orphan;
mod registered;
mod tick;

pub use missed::Missed;
pub(crate) use orphan::Orphan;
pub(super) use registered::{Registered, TickSetup, Times};
pub use tick::Tick;
pub(crate) use tick::{TICK, body, format};

use afterward_timetable::{Expression, Invalid, Timetable, Zone};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A schedule that a worker was given, for its [`Source`](crate::Source) to send ticks by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    name: String,
    /// As EventBridge Scheduler reads it.
    expression: String,
    timetable: Timetable,
    missed: Missed,
}

impl Schedule {
    /// By `rate(…)`, or `cron(…)` in UTC.
    pub(crate) fn every(name: &str, expression: &str) -> Result<Schedule, String> {
        let text = expression.trim();
        let parsed: Expression = text.parse().map_err(|why| match Expression::unix_cron(text) {
            Ok(_) => {
                format!("`{text}` is a crontab's line: give it to .cron(…), with its time zone, instead of .every(…)")
            }
            Err(_) => match why {
                // One moment is not offered: it would be refused next.
                Invalid::Kind(text) => format!("`{text}` is none of rate(value unit) and cron(fields)"),
                why => why.to_string(),
            },
        })?;
        if parsed.is_one_time() {
            return Err(format!("{text} names one moment: enqueue a message for it with .at(…) instead"));
        }
        Schedule::of(name, text.to_owned(), parsed, Zone::UTC).that_is_due()
    }

    /// By the five fields of a crontab, or `cron(…)`, in a time zone.
    fn cron(name: &str, expression: &str, zone: &str) -> Result<Schedule, String> {
        let zone = Zone::named(zone).map_err(|why| why.to_string())?;
        let text = expression.trim();
        if text.starts_with("cron(") {
            let parsed = text.parse().map_err(|why| format!("{why}"))?;
            return Schedule::of(name, text.to_owned(), parsed, zone).that_is_due();
        }
        let parsed = Expression::unix_cron(text).map_err(|why| why.to_string())?;
        let amazon = match &parsed {
            Expression::Cron(cron) => cron.to_amazon(),
            _ => None,
        };
        let Some(amazon) = amazon else {
            return Err(format!(
                "`{text}` gives both days of the month and days of the week, which schedulers can't do: make two schedules"
            ));
        };
        Schedule::of(name, amazon, parsed, zone).that_is_due()
    }

    fn of(name: &str, expression: String, parsed: Expression, zone: Zone) -> Schedule {
        let timetable = Timetable { expression: parsed, zone, anchor_ms: 0, start_ms: None, end_ms: None };
        Schedule { name: name.to_owned(), expression, timetable, missed: Missed::default() }
    }

    /// Refuses dates that never come, as February 31st: whoever wrote them waits for them.
    fn that_is_due(self) -> Result<Schedule, String> {
        match self.next_after_ms(0) {
            Some(_) => Ok(self),
            None => Err(format!("{} is never due: no year has such a day and time", self.expression)),
        }
    }

    /// Its name, which no other schedule of the worker has: 1 to 64 of letters, digits, `-`, `_` and `.`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `rate(…)` or `cron(…)`, as EventBridge Scheduler reads it.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The time zone of a `cron(…)`, by its name in the IANA database.
    pub fn zone(&self) -> &str {
        self.timetable.zone.name()
    }

    /// Whether it is a `rate(…)`, whose times are whole multiples of its period since 1970.
    pub fn is_rate(&self) -> bool {
        matches!(self.timetable.expression, Expression::Rate(_))
    }

    /// What is to become of times at which nobody was there.
    pub fn missed(&self) -> Missed {
        self.missed
    }

    /// The first of its times after this one.
    pub fn next_after(&self, time: SystemTime) -> Option<SystemTime> {
        self.next_after_ms(ms_of(time)).map(|ms| UNIX_EPOCH + Duration::from_millis(ms))
    }

    pub(crate) fn next_after_ms(&self, ms: u64) -> Option<u64> {
        self.timetable.next_after(ms)
    }
}

/// Milliseconds since 1970.
pub(crate) fn ms_of(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_schedule_is_told() {
        for (expression, zone, told) in [
            ("rate(0 hours)", None, "whole number"),
            ("rate(5 seconds)", None, "unit"),
            ("hourly", None, "none of"),
            ("at(2026-11-22T10:00:00)", None, "one moment"),
            ("0 8 * * MON-FRI", None, "give it to .cron(…)"),
            ("cron(0 8 31 2 ? *)", None, "never due"),
            ("0 8 31 2 *", Some("UTC"), "never due"),
            ("cron(0 8 30 2 ? *)", Some("UTC"), "never due"),
            ("0 8 * * MON-FRI", Some("Europe/Wien"), "IANA"),
            ("0 8 * *", Some("UTC"), "fields"),
            ("61 8 * * *", Some("UTC"), "minutes"),
            ("0 8 1 * MON", Some("UTC"), "make two schedules"),
            ("cron(0 8 * * MON *)", Some("UTC"), "?"),
        ] {
            let schedule = match zone {
                Some(zone) => Schedule::cron("s", expression, zone),
                None => Schedule::every("s", expression),
            };
            let error = schedule.unwrap_err();
            assert!(error.contains(told) && !error.contains("at(yyyy"), "{expression}: {error}");
        }
        let rare = Schedule::cron("s", "0 8 29 2 *", "UTC").unwrap();
        assert!(rare.next_after(UNIX_EPOCH).is_some(), "a leap day comes");
    }

    #[test]
    fn a_rate_counts_from_1970_and_a_cron_line_is_local() {
        let time = |ms| UNIX_EPOCH + Duration::from_millis(ms);
        let rate = Schedule::every("s", " rate(90 minutes) ").unwrap();
        assert_eq!((rate.expression(), rate.is_rate()), ("rate(90 minutes)", true));
        assert_eq!(rate.next_after(time(1)), Some(time(90 * 60_000)));
        let cron = Schedule::cron("s", "0 8 * * MON-FRI", "europe/vienna").unwrap();
        assert_eq!((cron.expression(), cron.zone()), ("cron(0 8 ? * 2-6 *)", "Europe/Vienna"));
        // 1970-01-01 was a Thursday, and Vienna an hour ahead.
        assert_eq!(cron.next_after(time(0)), Some(time(7 * 3_600_000)));
    }
}
