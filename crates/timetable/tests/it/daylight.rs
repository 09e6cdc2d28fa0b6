//! Clocks put forward and back, as Amazon documents it and where it says nothing.

use crate::{expect, ms, timetable};

const EPOCH: &str = "1970-01-01T00:00:00Z";

#[test]
fn a_time_that_the_clocks_skip_is_skipped() {
    // Amazon's example: 2:30 in Los Angeles, where on 2026-03-08 2:00 is 3:00.
    let daily = timetable("cron(30 2 * * ? *)", "America/Los_Angeles", EPOCH);
    expect(&daily, "2026-03-07T00:00:00Z", &["2026-03-07T10:30:00Z", "2026-03-09T09:30:00Z"], false);
}

#[test]
fn a_time_that_comes_twice_is_taken_once_before_the_shift() {
    // The same, on 2026-11-01: there 1:30 comes twice, at -7 and at -8 hours.
    let daily = timetable("cron(30 1 * * ? *)", "America/Los_Angeles", EPOCH);
    expect(
        &daily,
        "2026-10-31T00:00:00Z",
        &["2026-10-31T08:30:00Z", "2026-11-01T08:30:00Z", "2026-11-02T09:30:00Z"],
        false,
    );
    // Asked between the two passes, the next is tomorrow's.
    assert_eq!(daily.first_from(ms("2026-11-01T08:31:00Z")), Some(ms("2026-11-02T09:30:00Z")));
    assert_eq!(daily.first_from(ms("2026-11-01T09:15:00Z")), Some(ms("2026-11-02T09:30:00Z")));
}

#[test]
fn an_hourly_cron_rests_while_the_clocks_show_an_hour_again() {
    let hourly = timetable("cron(0 * * * ? *)", "Europe/Vienna", EPOCH);
    // 2026-10-25: 2:00 summer time, 2:00 winter time, 3:00.
    expect(
        &hourly,
        "2026-10-24T23:30:00Z",
        &["2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"],
        false,
    );
}

#[test]
fn a_rate_of_days_is_24_hours_whatever_the_clocks_do() {
    for zone in ["UTC", "Europe/Vienna"] {
        let daily = timetable("rate(1 days)", zone, "2026-03-28T08:00:00Z");
        expect(
            &daily,
            "2026-03-28T08:00:00Z",
            &["2026-03-28T08:00:00Z", "2026-03-29T08:00:00Z", "2026-03-30T08:00:00Z"],
            false,
        );
    }
}

#[test]
fn a_schedule_keeps_its_hour_on_the_wall_over_the_year() {
    let daily = timetable("cron(0 8 1 1,7 ? *)", "Europe/Vienna", EPOCH);
    expect(&daily, "2026-01-01T00:00:00Z", &["2026-01-01T07:00:00Z", "2026-07-01T06:00:00Z"], false);
}

#[test]
fn the_one_time_of_a_schedule_is_never_lost() {
    for (local, moment) in [
        // Skipped: as much later as it is into the gap.
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
        // Twice: the first time.
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
        ("2026-06-01T12:00:00", "2026-06-01T10:00:00Z"),
    ] {
        expect(&timetable(&format!("at({local})"), "Europe/Vienna", EPOCH), EPOCH, &[moment], true);
    }
}

#[test]
fn a_day_that_a_zone_never_had_is_passed_over() {
    // Samoa went from the 29th to the 31st of December 2011.
    let daily = timetable("cron(0 12 * * ? 2011)", "Pacific/Apia", EPOCH);
    expect(&daily, "2011-12-29T00:00:00Z", &["2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z"], true);
}
