//! Unix's five fields.

use afterward_timetable::Expression;

use crate::{expect, unix};

/// A Sunday.
const FROM: &str = "2026-11-22T05:34:00Z";

#[test]
fn lines_run_as_crontab_5_has_it() {
    for (line, times) in [
        // Vienna is an hour ahead in November.
        ("0 8 * * MON-FRI", ["2026-11-23T07:00:00Z", "2026-11-24T07:00:00Z", "2026-11-25T07:00:00Z"]),
        ("0 8 * * 1-5", ["2026-11-23T07:00:00Z", "2026-11-24T07:00:00Z", "2026-11-25T07:00:00Z"]),
        ("*/20 * * * *", ["2026-11-22T05:40:00Z", "2026-11-22T06:00:00Z", "2026-11-22T06:20:00Z"]),
        // Sunday has two numbers, and ends a week as well as it begins one.
        ("0 8 * * 0", ["2026-11-22T07:00:00Z", "2026-11-29T07:00:00Z", "2026-12-06T07:00:00Z"]),
        ("0 8 * * 7", ["2026-11-22T07:00:00Z", "2026-11-29T07:00:00Z", "2026-12-06T07:00:00Z"]),
        ("0 8 * * sat-sun", ["2026-11-22T07:00:00Z", "2026-11-28T07:00:00Z", "2026-11-29T07:00:00Z"]),
        ("0 8 * * 6-7", ["2026-11-22T07:00:00Z", "2026-11-28T07:00:00Z", "2026-11-29T07:00:00Z"]),
        ("0 8 * * 5-1/2", ["2026-11-22T07:00:00Z", "2026-11-27T07:00:00Z", "2026-11-29T07:00:00Z"]),
        // Where both day fields name days, either will do; where one begins with a star, both have to match.
        ("0 8 1 * MON", ["2026-11-23T07:00:00Z", "2026-11-30T07:00:00Z", "2026-12-01T07:00:00Z"]),
        ("0 8 */2 * MON", ["2026-11-23T07:00:00Z", "2026-12-07T07:00:00Z", "2026-12-21T07:00:00Z"]),
        ("0 8 1 * *", ["2026-12-01T07:00:00Z", "2027-01-01T07:00:00Z", "2027-02-01T07:00:00Z"]),
        ("0 8 * jan *", ["2027-01-01T07:00:00Z", "2027-01-02T07:00:00Z", "2027-01-03T07:00:00Z"]),
    ] {
        expect(&unix(line, "Europe/Vienna"), FROM, &times, false);
    }
}

#[test]
fn amazons_signs_have_no_meaning_there() {
    for (line, reason) in [
        ("0 8 * * MON-FRI *", "5 fields"),
        ("0 8 ? * MON", "\"?\" in the day-of-month field"),
        ("0 8 L * *", "\"L\" in the day-of-month field"),
        ("0 8 * * 5L", "\"5L\" in the day-of-week field"),
        ("0 8 * * 2#1", "\"2#1\" in the day-of-week field"),
        ("0 8 * * 8", "0 to 7, or SUN to SAT"),
        ("@daily", "5 fields"),
    ] {
        let told = Expression::unix_cron(line).unwrap_err().to_string();
        assert!(told.contains(reason), "{line}: {told}");
    }
}
