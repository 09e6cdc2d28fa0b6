//! Due moments, for many schedules and windows.

use super::*;
use crate::{RetryPolicy, TargetDefinition};
use afterward_names::ScheduleArn;

const START_MS: u64 = 1_795_323_600_000;

fn schedule(number: u32, expression: &str, minutes: u32) -> Schedule {
    let arn = format!("arn:aws:scheduler:us-east-1:000000000000:schedule/default/s{number}");
    let ScheduleArn(address) = arn.parse().unwrap();
    let target = TargetDefinition {
        arn: "arn:aws:sqs:us-east-1:000000000000:jobs".into(),
        role_arn: "r".into(),
        input: None,
        sqs: None,
        retry: Some(RetryPolicy::default()),
        dead_letter_arn: None,
    };
    let definition = Definition {
        expression: expression.into(),
        zone: None,
        start_ms: None,
        end_ms: None,
        anchor_ms: START_MS,
        window: if minutes == 0 { WindowDefinition::Off } else { WindowDefinition::Flexible { minutes } },
        enabled: true,
        target,
        after_completion: AfterCompletion::Keep,
        description: None,
        kms_key_arn: None,
        client_token: None,
    };
    Schedule::of(&address, &definition).unwrap()
}

/// Runs a schedule for a while, each run `late_ms` after it was due, and answers with its due moments and its times.
fn runs(schedule: &Schedule, for_ms: u64, late_ms: u64) -> Vec<(u64, u64)> {
    let mut due_ms = schedule.first_due_ms(START_MS).unwrap();
    let mut runs = Vec::new();
    while due_ms < START_MS + for_ms {
        runs.push((due_ms, schedule.time_of(due_ms)));
        let NextRun::At(next_ms) = schedule.after_run(due_ms, due_ms + late_ms) else { panic!("it goes on") };
        assert!(next_ms > due_ms, "due moments come one after the other");
        due_ms = next_ms;
    }
    runs
}

#[test]
fn each_time_is_due_once_within_its_window_whatever_the_window() {
    for (number, (expression, period_ms, minutes)) in [
        ("rate(1 minute)", 60_000, 0),
        ("rate(1 minute)", 60_000, 1),
        ("rate(1 minute)", 60_000, 2),
        ("rate(1 minute)", 60_000, 60),
        ("cron(* * * * ? *)", 60_000, 30),
        ("cron(0/5 * * * ? *)", 300_000, 7),
        ("rate(1 hour)", 3_600_000, 1440),
        ("rate(1 hour)", 3_600_000, 15),
    ]
    .into_iter()
    .enumerate()
    {
        let schedule = schedule(number as u32, expression, minutes);
        let window_ms = u64::from(minutes) * MINUTE_MS;
        let for_ms = 2 * window_ms + 100 * period_ms;
        // A few milliseconds late, as runs are, loses none.
        for late_ms in [0, 7, 59_999] {
            let runs = runs(&schedule, for_ms, late_ms);
            for (due_ms, time_ms) in &runs {
                assert!((*time_ms..time_ms + window_ms.max(1)).contains(due_ms), "{expression} {minutes}");
            }
            let mut times: Vec<u64> = runs.into_iter().map(|(_, time_ms)| time_ms).collect();
            times.sort_unstable();
            let passed_ms = START_MS + for_ms - window_ms;
            let passed: Vec<u64> = times.into_iter().filter(|time_ms| *time_ms < passed_ms).collect();
            let wanted: Vec<u64> =
                schedule.timetable().occurrences_from(START_MS).take_while(|time_ms| *time_ms < passed_ms).collect();
            assert_eq!(passed, wanted, "{expression} {minutes}");
        }
    }
}

#[test]
fn runs_are_spread_over_long_windows_and_do_not_bunch() {
    let schedule = schedule(7, "rate(1 minute)", 60);
    let dues: Vec<u64> = runs(&schedule, 40 * 3_600_000, 0).iter().map(|(due_ms, _)| *due_ms).collect();
    // Once the first windows have passed: about ten in any ten minutes, and not sixty in one.
    let mut counts = vec![0; 240];
    for due_ms in dues {
        counts[((due_ms - START_MS) / 600_000) as usize] += 1;
    }
    assert!(counts[6..].iter().all(|count| (1..=24).contains(count)), "{counts:?}");
    // And each time's moment may be anywhere in its window.
    let mut quarters = [0; 4];
    for (due_ms, time_ms) in runs(&schedule, 40 * 3_600_000, 0) {
        quarters[((due_ms - time_ms) / 900_000) as usize] += 1;
    }
    assert!(quarters.iter().all(|count| (450..750).contains(count)), "{quarters:?}");
}

#[test]
fn what_was_missed_is_not_caught_up_with() {
    let schedule = schedule(1, "rate(1 minute)", 60);
    let due_ms = schedule.first_due_ms(START_MS).unwrap();
    let now_ms = due_ms + 4 * 3_600_000;
    let NextRun::At(next_ms) = schedule.after_run(due_ms, now_ms) else { panic!("it goes on") };
    assert!((now_ms + 1..now_ms + 900_000).contains(&next_ms), "{next_ms}");
}

#[test]
fn what_was_missed_runs_for_the_latest_of_the_times_that_are_over_with_it() {
    for (number, (expression, minutes)) in [
        ("rate(1 minute)", 0),
        ("rate(1 minute)", 5),
        ("rate(1 hour)", 0),
        ("rate(1 hour)", 15),
        ("rate(1 hour)", 600),
        ("cron(0/20 * * * ? *)", 45),
        ("cron(30 1 * * ? *)", 0),
        ("at(2026-11-22T12:00:00)", 30),
    ]
    .into_iter()
    .enumerate()
    {
        let schedule = schedule(number as u32, expression, minutes);
        let due_ms = schedule.first_due_ms(START_MS).unwrap();
        for late_ms in [0, 59_999, 60_000, 119_999, 120_000, 3_600_000, 9 * 3_600_000 + 7, 50 * 3_600_000] {
            let now_ms = due_ms + late_ms;
            let runs_for = schedule.time_of_run(due_ms, now_ms);
            let over: Vec<u64> = schedule
                .timetable()
                .occurrences_from(START_MS)
                .take_while(|time_ms| *time_ms <= now_ms)
                .filter(|time_ms| (due_ms..=now_ms).contains(&schedule.due_of(*time_ms)))
                .collect();
            let told = format!("{expression} {minutes}, {late_ms} ms late");
            if late_ms < 60_000 {
                assert_eq!(runs_for, schedule.time_of(due_ms), "{told}");
            } else {
                assert_eq!(Some(&runs_for), over.last(), "{told}");
            }
            // And the next time is another one.
            if let NextRun::At(next_ms) = schedule.after_run(due_ms, now_ms) {
                assert!(late_ms < 60_000 || !over.contains(&schedule.time_of(next_ms)), "{told}");
                assert_ne!(schedule.time_of(next_ms), runs_for, "{told}");
            }
        }
    }
}

#[test]
fn a_change_keeps_what_is_due_and_runs_no_time_twice() {
    let hourly = schedule(1, "rate(1 hour)", 30);
    let first_ms = hourly.first_due_ms(START_MS).unwrap();
    assert_eq!(hourly.due_after_change_ms(Some(&hourly), Some(first_ms), first_ms - 1), Some(first_ms), "not yet due");
    assert_eq!(hourly.due_after_change_ms(Some(&hourly), Some(first_ms), first_ms), Some(first_ms), "due, and not run");
    let other = schedule(1, "rate(2 hours)", 0);
    assert_eq!(other.due_after_change_ms(Some(&hourly), Some(first_ms), first_ms + 9), Some(first_ms), "overdue");
    let disabled = Schedule { enabled: false, ..hourly.clone() };
    assert_eq!(disabled.due_after_change_ms(Some(&hourly), Some(first_ms), first_ms + 9), None);

    let NextRun::At(second_ms) = hourly.after_run(first_ms, first_ms) else { panic!("it goes on") };
    assert_eq!(
        hourly.due_after_change_ms(Some(&hourly), Some(second_ms), first_ms),
        Some(second_ms),
        "it has just run"
    );
    // Another window draws another moment, but not for the time that has run.
    for minutes in [0, 1, 5, 31, 1440] {
        let redrawn = schedule(1, "rate(1 hour)", minutes);
        let due_ms = redrawn.due_after_change_ms(Some(&hourly), Some(second_ms), first_ms).unwrap();
        assert_ne!(redrawn.time_of(due_ms), START_MS, "{minutes}");
    }
    // Enabled again, what was due meanwhile stays over.
    let resumed = hourly.due_after_change_ms(Some(&disabled), None, second_ms + 5).unwrap();
    assert!(hourly.time_of(resumed) > hourly.time_of(second_ms));
}
