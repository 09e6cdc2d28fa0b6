//! The search against a model that looks at every minute.
//!
//! The model is told the fields as sets of numbers, beside the text that means them, so that it shares neither parser
//! nor search with what it judges. It goes from minute to minute of real time, asks what the clocks show, and leaves
//! out what they have shown before.

use std::collections::BTreeSet;

use afterward_timetable::{Timetable, Zone};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use proptest::prelude::*;

use crate::moment;

/// A field's text, and the numbers it stands for.
type Meaning = (String, BTreeSet<u16>);

/// One part of a list.
fn part(first: u16, last: u16) -> impl Strategy<Value = Meaning> {
    prop_oneof![
        (first..=last).prop_map(|number| (number.to_string(), BTreeSet::from([number]))),
        (first..=last, first..=last)
            .prop_map(move |(from, to)| (format!("{from}-{to}"), around(first, last, from, to, 1))),
        (first..=last, 1..=last - first)
            .prop_map(move |(from, step)| { (format!("{from}/{step}"), (from..=last).step_by(step.into()).collect()) }),
        (first..=last, first..=last, 1..=last - first)
            .prop_map(move |(from, to, step)| { (format!("{from}-{to}/{step}"), around(first, last, from, to, step)) }),
    ]
}

/// A range that may go round the end.
fn around(first: u16, last: u16, from: u16, to: u16, step: u16) -> BTreeSet<u16> {
    let mut numbers = BTreeSet::new();
    let (mut at, mut since) = (from, 0);
    loop {
        if since % step == 0 {
            numbers.insert(at);
        }
        if at == to {
            return numbers;
        }
        at = if at == last { first } else { at + 1 };
        since += 1;
    }
}

fn field(first: u16, last: u16) -> impl Strategy<Value = Meaning> {
    prop_oneof![
        2 => Just(("*".to_owned(), (first..=last).collect())),
        3 => prop::collection::vec(part(first, last), 1..3).prop_map(|parts| {
            let text: Vec<String> = parts.iter().map(|(text, _)| text.clone()).collect();
            (text.join(","), parts.into_iter().flat_map(|(_, numbers)| numbers).collect())
        }),
    ]
}

/// What the two day fields say.
#[derive(Clone, Debug)]
enum DayRule {
    Numbers(BTreeSet<u16>),
    Weekdays(BTreeSet<u16>),
    Last,
    LastWorkingDay,
    NearestWorkingDay(u16),
    LastOfWeekday(u16),
    Nth(u16, u16),
}

fn days() -> impl Strategy<Value = (String, String, DayRule)> {
    prop_oneof![
        field(1, 31).prop_map(|(text, set)| (text, "?".to_owned(), DayRule::Numbers(set))),
        weekdays().prop_map(|(text, set)| ("?".to_owned(), text, DayRule::Weekdays(set))),
        Just(("L".to_owned(), "?".to_owned(), DayRule::Last)),
        Just(("LW".to_owned(), "?".to_owned(), DayRule::LastWorkingDay)),
        (1u16..=31).prop_map(|day| (format!("{day}W"), "?".to_owned(), DayRule::NearestWorkingDay(day))),
        (1u16..=7).prop_map(|day| ("?".to_owned(), format!("{day}L"), DayRule::LastOfWeekday(day))),
        (1u16..=7, 1u16..=5).prop_map(|(day, nth)| ("?".to_owned(), format!("{day}#{nth}"), DayRule::Nth(day, nth))),
    ]
}

/// The day-of-week field knows no steps.
fn weekdays() -> impl Strategy<Value = Meaning> {
    prop_oneof![
        (1u16..=7).prop_map(|day| (day.to_string(), BTreeSet::from([day]))),
        (1u16..=7, 1u16..=7).prop_map(|(from, to)| (format!("{from}-{to}"), around(1, 7, from, to, 1))),
    ]
}

impl DayRule {
    fn holds(&self, date: Date) -> bool {
        let weekday = |date: Date| date.weekday().to_sunday_one_offset() as u16;
        let works = |date: &Date| (2..=6).contains(&weekday(*date));
        let month: Vec<Date> = (1..=date.days_in_month()).map(|day| date.with().day(day).build().unwrap()).collect();
        let same_weekday: Vec<Date> = month.iter().copied().filter(|day| weekday(*day) == weekday(date)).collect();
        match self {
            DayRule::Numbers(days) => days.contains(&(date.day() as u16)),
            DayRule::Weekdays(days) => days.contains(&weekday(date)),
            DayRule::Last => month.last() == Some(&date),
            DayRule::LastWorkingDay => month.iter().rev().find(|day| works(day)) == Some(&date),
            DayRule::NearestWorkingDay(wanted) => {
                let distance = |day: &&Date| (i32::from(day.day()) - i32::from(*wanted)).abs();
                month.len() >= usize::from(*wanted)
                    && month.iter().filter(|day| works(day)).min_by_key(distance) == Some(&date)
            }
            DayRule::LastOfWeekday(day) => *day == weekday(date) && same_weekday.last() == Some(&date),
            DayRule::Nth(day, nth) => *day == weekday(date) && same_weekday.get(usize::from(*nth) - 1) == Some(&date),
        }
    }
}

/// Zones, and moments shortly before something odd happens to their clocks.
const ODD: &[(&str, &str)] = &[
    ("UTC", "2026-11-22T00:00:00Z"),
    ("Europe/Vienna", "2026-03-28T22:00:00Z"),
    ("Europe/Vienna", "2026-10-24T22:00:00Z"),
    ("America/New_York", "2026-11-01T03:00:00Z"),
    ("America/New_York", "2027-12-31T00:00:00Z"),
    // Half an hour, at 2:00.
    ("Australia/Lord_Howe", "2026-04-04T12:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T12:00:00Z"),
    // At midnight: the day begins at 1:00, or its first hour comes twice.
    ("America/Havana", "2026-03-08T00:00:00Z"),
    ("Asia/Beirut", "2026-10-24T12:00:00Z"),
    // A day left out.
    ("Pacific/Apia", "2011-12-29T12:00:00Z"),
    ("Asia/Kathmandu", "2028-02-28T00:00:00Z"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_search_finds_what_a_look_at_every_minute_finds(
        minutes in field(0, 59),
        hours in field(0, 23),
        months in field(1, 12),
        (day_of_month, day_of_week, days) in days(),
        (zone, begin) in prop::sample::select(ODD),
        later_minutes in 0u64..600,
        later_ms in 0u64..60_000,
        until_minutes in 0u64..5000,
    ) {
        const MINUTES: u64 = 4 * 24 * 60;
        let text = format!("cron({} {} {day_of_month} {} {day_of_week} *)", minutes.0, hours.0, months.0);
        let rules = TimeZone::get(zone).unwrap();
        let begin_ms = u64::try_from(begin.parse::<Timestamp>().unwrap().as_millisecond()).unwrap();

        let mut shown = BTreeSet::new();
        let mut expected = Vec::new();
        for minute in 0..MINUTES {
            let at_ms = begin_ms + minute * 60_000;
            let local = rules.to_datetime(Timestamp::from_millisecond(at_ms as i64).unwrap());
            let matches = minutes.1.contains(&(local.minute() as u16))
                && hours.1.contains(&(local.hour() as u16))
                && months.1.contains(&(local.month() as u16))
                && days.holds(local.date());
            if shown.insert(local) && matches {
                expected.push(at_ms);
            }
        }

        let timetable = Timetable {
            expression: text.parse().unwrap(),
            zone: Zone::named(zone).unwrap(),
            anchor_ms: 0,
            start_ms: None,
            end_ms: None,
        };
        let from_ms = begin_ms + later_minutes * 60_000 + later_ms;
        let end_ms = begin_ms + MINUTES * 60_000;
        let until_ms = (begin_ms + until_minutes * 60_000 + later_ms).min(end_ms - 1);
        let last = expected.iter().copied().rfind(|ms| (from_ms..=until_ms).contains(ms));
        prop_assert_eq!(timetable.last_within(from_ms, until_ms), last, "{} in {} until {}", text, zone, moment(until_ms));
        let found: Vec<String> = timetable.occurrences_from(from_ms).take_while(|ms| *ms < end_ms).map(moment).collect();
        let expected: Vec<String> = expected.into_iter().filter(|ms| *ms >= from_ms).map(moment).collect();
        prop_assert_eq!(found, expected, "{} in {} from {}", text, zone, moment(from_ms));
    }
}
