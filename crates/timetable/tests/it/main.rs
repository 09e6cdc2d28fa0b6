//! Stories and properties of the timetable.

#![allow(clippy::unwrap_used)] // helpers of tests, outside of #[test] functions

mod amazon;
mod daylight;
mod limits;
mod model;
mod unix;

use afterward_timetable::{Expression, Timetable, Zone};
use jiff::Timestamp;

/// A timetable with no start and no end, whose rates begin at `anchor`.
fn timetable(expression: &str, zone: &str, anchor: &str) -> Timetable {
    Timetable {
        expression: expression.parse().unwrap(),
        zone: Zone::named(zone).unwrap(),
        anchor_ms: ms(anchor),
        start_ms: None,
        end_ms: None,
    }
}

fn unix(line: &str, zone: &str) -> Timetable {
    Timetable {
        expression: Expression::unix_cron(line).unwrap(),
        ..timetable("rate(1 day)", zone, "1970-01-01T00:00:00Z")
    }
}

fn ms(moment: &str) -> u64 {
    u64::try_from(moment.parse::<Timestamp>().unwrap().as_millisecond()).unwrap()
}

fn moment(ms: u64) -> String {
    Timestamp::from_millisecond(i64::try_from(ms).unwrap()).unwrap().to_string()
}

/// Expects the first times from `from` on to be these, and no more where `is_all` says so.
#[track_caller]
fn expect(timetable: &Timetable, from: &str, times: &[&str], is_all: bool) {
    let found: Vec<String> =
        timetable.occurrences_from(ms(from)).take(times.len() + usize::from(is_all)).map(moment).collect();
    assert_eq!(found, times);
}
