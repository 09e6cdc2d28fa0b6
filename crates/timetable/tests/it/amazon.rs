//! What Amazon documents: the examples of "Schedule types" and of "Cron expressions reference", with the times that
//! their descriptions mean, and the rules said there in prose.

use afterward_timetable::Expression;

use crate::{expect, ms, timetable};

/// A Sunday.
const FROM: &str = "2026-11-22T05:34:00Z";

#[test]
fn the_documented_examples_run_when_their_descriptions_say() {
    for (expression, times) in [
        // 10:00 every day.
        ("cron(0 10 * * ? *)", ["2026-11-22T10:00:00Z", "2026-11-23T10:00:00Z", "2026-11-24T10:00:00Z"]),
        // 12:15 every day.
        ("cron(15 12 * * ? *)", ["2026-11-22T12:15:00Z", "2026-11-23T12:15:00Z", "2026-11-24T12:15:00Z"]),
        // 18:00 Monday to Friday.
        ("cron(0 18 ? * MON-FRI *)", ["2026-11-23T18:00:00Z", "2026-11-24T18:00:00Z", "2026-11-25T18:00:00Z"]),
        // 8:00 on the first of every month.
        ("cron(0 8 1 * ? *)", ["2026-12-01T08:00:00Z", "2027-01-01T08:00:00Z", "2027-02-01T08:00:00Z"]),
        // Every 15 minutes.
        ("cron(0/15 * * * ? *)", ["2026-11-22T05:45:00Z", "2026-11-22T06:00:00Z", "2026-11-22T06:15:00Z"]),
        // Every 10 minutes, Monday to Friday.
        ("cron(0/10 * ? * MON-FRI *)", ["2026-11-23T00:00:00Z", "2026-11-23T00:10:00Z", "2026-11-23T00:20:00Z"]),
        // Every 5 minutes between 8:00 and 17:55, Monday to Friday.
        ("cron(0/5 8-17 ? * MON-FRI *)", ["2026-11-23T08:00:00Z", "2026-11-23T08:05:00Z", "2026-11-23T08:10:00Z"]),
        // Every 30 minutes from evening to 2:00 of the next day, Monday to Friday; Monday's first hours count.
        ("cron(0/30 20-2 ? * MON-FRI *)", ["2026-11-23T00:00:00Z", "2026-11-23T00:30:00Z", "2026-11-23T01:00:00Z"]),
        // 9:00 on the first Monday of each month.
        ("cron(0 9 ? * 2#1 *)", ["2026-12-07T09:00:00Z", "2027-01-04T09:00:00Z", "2027-02-01T09:00:00Z"]),
        // "1/10 to specify every tenth minute, starting from the first": the 11th, 21st and 31st.
        ("cron(1/10 6 * * ? *)", ["2026-11-22T06:01:00Z", "2026-11-22T06:11:00Z", "2026-11-22T06:21:00Z"]),
        // The weekday closest to the third day of the month.
        ("cron(0 0 3W * ? *)", ["2026-12-03T00:00:00Z", "2027-01-04T00:00:00Z", "2027-02-03T00:00:00Z"]),
        // The second Tuesday of the month.
        ("cron(0 0 ? * 3#2 *)", ["2026-12-08T00:00:00Z", "2027-01-12T00:00:00Z", "2027-02-09T00:00:00Z"]),
        // The last day of the month.
        ("cron(0 0 L * ? *)", ["2026-11-30T00:00:00Z", "2026-12-31T00:00:00Z", "2027-01-31T00:00:00Z"]),
        // The last day of the week.
        ("cron(0 0 ? * L *)", ["2026-11-28T00:00:00Z", "2026-12-05T00:00:00Z", "2026-12-12T00:00:00Z"]),
        // JAN,FEB,MAR.
        ("cron(0 0 15 JAN,FEB,MAR ? *)", ["2027-01-15T00:00:00Z", "2027-02-15T00:00:00Z", "2027-03-15T00:00:00Z"]),
    ] {
        expect(&timetable(expression, "UTC", FROM), FROM, &times, false);
    }
}

#[test]
fn the_last_friday_of_each_month_of_two_years_is_twenty_four_days() {
    let timetable = timetable("cron(15 10 ? * 6L 2022-2023)", "UTC", FROM);
    let all: Vec<u64> = timetable.occurrences_from(0).collect();
    assert_eq!(all.len(), 24);
    assert_eq!(all.first(), Some(&ms("2022-01-28T10:15:00Z")));
    assert_eq!(all.last(), Some(&ms("2023-12-29T10:15:00Z")));
}

#[test]
fn what_others_saw_amazon_accept_is_accepted() {
    for expression in [
        "cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)",
        "cron(30-30 13-13 ? * 2,4,6 *)",
        "cron(1-31/30 1-1 ? * 1,7 *)",
        "cron(*/5 * * * ? *)",
        "cron(0 9 LW * ? *)",
        "cron(0 9 ? JAN,MAR,DEC MON#1 2024)",
        "cron(0 1 ? * FRI-MON *)",
        "rate(1 hours)",
        "at(2025-01-31T15:59:42)",
    ] {
        assert!(expression.parse::<Expression>().is_ok(), "{expression}");
    }
}

#[test]
fn what_amazon_refuses_is_refused_and_the_field_is_named() {
    for (expression, reason) in [
        ("cron(0 8 * * *)", "6 fields"),
        ("cron(0 8 * * ? * *)", "6 fields"),
        ("cron()", "this one has 0"),
        ("cron(60 8 * * ? *)", "\"60\" in the minutes field"),
        ("cron(0/0 8 * * ? *)", "step"),
        ("cron(0/61 8 * * ? *)", "step"),
        ("cron(0 24 * * ? *)", "\"24\" in the hours field"),
        ("cron(0 ? * * ? *)", "\"?\" in the hours field"),
        ("cron(0 8 0 * ? *)", "\"0\" in the day-of-month field"),
        ("cron(0 8 32W * ? *)", "\"32W\" in the day-of-month field"),
        ("cron(0 8 W * ? *)", "\"W\" in the day-of-month field"),
        ("cron(0 8 1-5W * ? *)", "day-of-month"),
        ("cron(0 8 * 13 ? *)", "1 to 12, or JAN to DEC"),
        ("cron(0 8 * JUNE ? *)", "\"JUNE\" in the month field"),
        ("cron(0 8 ? * 0 *)", "1 to 7, or SUN to SAT"),
        ("cron(0 8 ? * MON#6 *)", "1 to 5"),
        ("cron(0 8 ? * 3#1,6#3 *)", "stands alone"),
        ("cron(0 8 ? * 2/2 *)", "no steps"),
        ("cron(0 8 ? * 8L *)", "\"8L\" in the day-of-week field"),
        ("cron(0 8 * * * *)", "exactly one"),
        ("cron(0 8 1 * MON *)", "exactly one"),
        ("cron(0 8 ? * ? *)", "exactly one"),
        ("cron(0 8 1,? * ? *)", "exactly one"),
        ("cron(0 8 * * ? 1969)", "1970 to 2199"),
        ("cron(0 8 * * ? 2200)", "1970 to 2199"),
        ("cron(0 8 * * ? 2030-2026)", "backwards"),
        ("cron(0, 8 * * ? *)", "\"\" in the minutes field"),
        ("cron(-5 8 * * ? *)", "\"-5\" in the minutes field"),
        ("cron(1-2-3 8 * * ? *)", "\"1-2-3\" in the minutes field"),
        ("cron(00005 8 * * ? *)", "minutes"),
    ] {
        let told = expression.parse::<Expression>().unwrap_err().to_string();
        assert!(told.contains(reason), "{expression}: {told}");
    }
}

#[test]
fn a_rate_begins_at_once_and_with_a_start_it_begins_there() {
    let mut rate = timetable("rate(5 minutes)", "Europe/Vienna", "2026-11-22T05:34:56.789Z");
    expect(
        &rate,
        "2026-11-22T05:34:56.789Z",
        &["2026-11-22T05:34:56.789Z", "2026-11-22T05:39:56.789Z", "2026-11-22T05:44:56.789Z"],
        false,
    );
    rate.start_ms = Some(ms("2026-11-23T00:00:00Z"));
    expect(&rate, "2026-11-22T05:34:56Z", &["2026-11-23T00:00:00Z", "2026-11-23T00:05:00Z"], false);
    expect(&rate, "2026-11-23T00:00:01Z", &["2026-11-23T00:05:00Z"], false);
}

#[test]
fn start_and_end_are_within_and_a_one_time_schedule_ignores_them() {
    let mut hourly = timetable("cron(0 * * * ? *)", "UTC", FROM);
    hourly.start_ms = Some(ms("2026-11-22T08:00:00Z"));
    hourly.end_ms = Some(ms("2026-11-22T10:00:00Z"));
    expect(&hourly, FROM, &["2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z", "2026-11-22T10:00:00Z"], true);
    assert_eq!(hourly.next_after(ms("2026-11-22T09:59:59.999Z")), Some(ms("2026-11-22T10:00:00Z")));
    assert_eq!(hourly.next_after(ms("2026-11-22T10:00:00Z")), None);

    let mut once = timetable("at(2026-11-22T06:00:00)", "UTC", FROM);
    once.start_ms = Some(ms("2026-11-22T08:00:00Z"));
    once.end_ms = Some(ms("2026-11-22T05:00:00Z"));
    expect(&once, FROM, &["2026-11-22T06:00:00Z"], true);
    assert_eq!(once.next_after(ms("2026-11-22T06:00:00Z")), None);
}
