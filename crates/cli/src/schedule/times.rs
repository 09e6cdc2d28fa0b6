//! When a schedule is due, in words.

use afterward::scheduler::{GetScheduleOutput, ScheduleState, Timestamp};
use afterward_timetable::{Timetable, Zone};
use jiff::{Timestamp as Moment, tz::TimeZoneDatabase};

/// The times of a schedule, flexible windows left aside. `Err`: what of it can't be understood here.
pub(super) fn timetable(schedule: &GetScheduleOutput) -> Result<Timetable, String> {
    let expression = schedule.schedule_expression.as_deref().unwrap_or_default();
    let date = |date: Option<Timestamp>| date.map(|date| u64::try_from(date.ms).unwrap_or(0));
    Ok(Timetable {
        expression: expression.parse().map_err(|error| format!("{expression}: {error}"))?,
        zone: Zone::named(zone(schedule)).map_err(|error| error.to_string())?,
        anchor_ms: date(schedule.creation_date).unwrap_or(0),
        start_ms: date(schedule.start_date),
        end_ms: date(schedule.end_date),
    })
}

/// The next times from now on, at most `count`; none of a schedule that is paused.
pub(super) fn next(schedule: &GetScheduleOutput, now_ms: u64, count: usize) -> Result<Vec<u64>, String> {
    if is_paused(schedule) { Ok(Vec::new()) } else { next_unless_paused(schedule, now_ms, count) }
}

/// The same, of a schedule that is paused as if it were resumed now.
pub(super) fn next_unless_paused(schedule: &GetScheduleOutput, now_ms: u64, count: usize) -> Result<Vec<u64>, String> {
    Ok(timetable(schedule)?.occurrences_from(now_ms).take(count).collect())
}

pub(super) fn is_paused(schedule: &GetScheduleOutput) -> bool {
    schedule.state == Some(ScheduleState::Disabled)
}

pub(super) fn zone(schedule: &GetScheduleOutput) -> &str {
    schedule.schedule_expression_timezone.as_deref().unwrap_or("UTC")
}

/// `Mon 2026-03-30 08:00:00 +02:00`, as the clocks in that zone show it.
pub(super) fn local(ms: u64, zone: &str) -> String {
    let moment = i64::try_from(ms).ok().and_then(|ms| Moment::from_millisecond(ms).ok());
    let rules = TimeZoneDatabase::bundled().get(zone);
    match (moment, rules) {
        (Some(moment), Ok(rules)) => moment.to_zoned(rules).strftime("%a %Y-%m-%d %H:%M:%S %:z").to_string(),
        (Some(moment), Err(_)) => moment.to_string(),
        (None, _) => format!("{ms} ms"),
    }
}

/// `2026-03-30T06:00:00Z`, for scripts.
pub(super) fn utc(ms: u64) -> String {
    let moment = i64::try_from(ms).ok().and_then(|ms| Moment::from_millisecond(ms).ok());
    moment.map_or_else(|| format!("{ms} ms"), |moment| moment.to_string())
}
