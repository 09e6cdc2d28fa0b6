//! Where time ends, and dates that never come.

use afterward_timetable::{Expression, LAST_YEAR};

use crate::{expect, ms, timetable, unix};

const EPOCH: &str = "1970-01-01T00:00:00Z";

#[test]
fn a_date_that_never_comes_is_told_and_not_looked_for_forever() {
    for expression in
        ["cron(0 0 30 2 ? *)", "cron(0 0 31 4,6,9,11 ? *)", "cron(0 0 29 2 ? 2027)", "cron(0 0 31W 2 ? *)"]
    {
        expect(&timetable(expression, "Europe/Vienna", EPOCH), EPOCH, &[], true);
    }
    expect(&unix("0 0 30 2 *", "Europe/Vienna"), EPOCH, &[], true);
}

#[test]
fn nothing_is_due_after_the_last_year() {
    let last = format!("{LAST_YEAR}-12-31T23:59:00Z");
    expect(&timetable("cron(59 23 31 12 ? *)", "UTC", EPOCH), &last, &[&last], true);
    expect(&timetable("rate(1 minute)", "UTC", EPOCH), &last, &[&last], true);
    for expression in ["cron(* * * * ? *)", "rate(1 minute)", "at(2199-12-31T23:59:59)"] {
        let timetable = timetable(expression, "UTC", EPOCH);
        for beyond in [ms("2200-01-01T00:00:00Z"), 1 << 60, u64::MAX - 1, u64::MAX] {
            assert_eq!(timetable.first_from(beyond), None, "{expression} from {beyond}");
            assert_eq!(timetable.next_after(beyond), None, "{expression} after {beyond}");
        }
    }
}

#[test]
fn the_last_time_is_found_up_to_the_ends_of_time() {
    let noon = ms("2026-11-22T12:00:00Z");
    for (expression, from, until, last) in [
        ("rate(1 minute)", 0, noon, Some(noon)),
        ("rate(1 minute)", 0, noon - 1, Some(noon - 60_000)),
        ("rate(1 minute)", noon - 59_999, noon - 1, None),
        ("rate(1 minute)", noon, noon - 1, None),
        ("rate(1 minute)", 0, u64::MAX, Some(ms("2199-12-31T23:59:00Z"))),
        ("cron(0 12 * * ? *)", 0, u64::MAX, Some(ms("2199-12-31T12:00:00Z"))),
        ("cron(0 0 30 2 ? *)", 0, u64::MAX, None),
        ("at(2026-11-22T12:00:00)", 0, noon, Some(noon)),
        ("at(2026-11-22T12:00:00)", 0, noon - 1, None),
    ] {
        let timetable = timetable(expression, "UTC", EPOCH);
        assert_eq!(timetable.last_within(from, until), last, "{expression} from {from} until {until}");
    }
}

#[test]
fn the_first_minute_of_1970_is_one() {
    expect(&timetable("cron(* * * * ? *)", "UTC", EPOCH), EPOCH, &[EPOCH, "1970-01-01T00:01:00Z"], false);
    // It is still 1969 in New York.
    expect(&timetable("cron(0 * * * ? *)", "America/New_York", EPOCH), EPOCH, &["1970-01-01T05:00:00Z"], false);
    expect(&timetable("at(1970-01-01T00:30:00)", "Europe/Vienna", EPOCH), EPOCH, &[], true);
}

#[test]
fn no_text_makes_the_parser_panic() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let alphabet = b"0159*/?-,#LWMONat(rcebs) T:\xc3\xa9";
    for _ in 0..20_000 {
        let text: Vec<u8> = (0..24)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                alphabet[(seed >> 33) as usize % alphabet.len()]
            })
            .collect();
        let text = String::from_utf8_lossy(&text);
        for text in [text.to_string(), format!("cron({text})"), format!("at({text})"), format!("rate({text})")] {
            let _ = text.parse::<Expression>();
        }
        let _ = Expression::unix_cron(&text);
    }
}
