//! `afterward schedule show`

use super::{get, times};
use crate::{failure::Failure, output, units};
use afterward::scheduler::{
    ActionAfterCompletion, Client, FlexibleTimeWindowMode, GetScheduleOutput, Target, Timestamp,
};
use clap::Args;
use serde_json::Value;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  afterward schedule show daily\n  afterward schedule show daily --group reports --times 3"
)]
pub(super) struct Show {
    /// Its name
    name: String,
    /// Its group [default: default]
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// How many of its next times
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=1000))]
    times: u32,
}

pub(super) async fn run(show: &Show, client: &Client, now_ms: u64, json: bool) -> Result<(), Failure> {
    let schedule = get(client, show.group.as_deref(), &show.name).await?;
    if !json {
        return Ok(output::say(&told(&schedule, now_ms, show.times as usize))?);
    }
    Ok(output::say_json(&report(&schedule, now_ms, show.times as usize)?)?)
}

/// What GetSchedule says, and `NextTimes`: none while it is paused, but then `NextTimesIfResumed`.
fn report(schedule: &GetScheduleOutput, now_ms: u64, count: usize) -> Result<Value, Failure> {
    let next = times::next_unless_paused(schedule, now_ms, count).map_err(Failure::new)?;
    let next: Value = next.into_iter().map(times::utc).collect::<Vec<_>>().into();
    let mut report = serde_json::to_value(schedule)?;
    match times::is_paused(schedule) {
        true => (report["NextTimes"], report["NextTimesIfResumed"]) = (Value::Array(Vec::new()), next),
        false => report["NextTimes"] = next,
    }
    Ok(report)
}

fn told(schedule: &GetScheduleOutput, now_ms: u64, count: usize) -> String {
    let zone = times::zone(schedule);
    let date =
        |date: Option<Timestamp>| date.and_then(|date| u64::try_from(date.ms).ok()).map(|ms| times::local(ms, zone));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut lines = vec![
        ("name", text(&schedule.name)),
        ("group", text(&schedule.group_name)),
        ("ARN", text(&schedule.arn)),
        ("state", if times::is_paused(schedule) { "paused" } else { "enabled" }.to_owned()),
        ("expression", format!("{} in {zone}", text(&schedule.schedule_expression))),
        ("window", window(schedule)),
    ];
    let mut optional = |name, value: Option<String>| lines.extend(value.map(|value| (name, value)));
    optional("starts", date(schedule.start_date));
    optional("ends", date(schedule.end_date));
    optional("description", schedule.description.clone().filter(|text| !text.is_empty()));
    if let Some(target) = &schedule.target {
        lines.extend(of_target(target));
    }
    let kept = schedule.action_after_completion != Some(ActionAfterCompletion::Delete);
    lines.push(("when it is over", if kept { "kept" } else { "deleted" }.to_owned()));
    lines.extend(date(schedule.creation_date).map(|date| ("created", date)));
    lines.extend(date(schedule.last_modification_date).map(|date| ("changed", date)));
    lines.extend(next_times(schedule, now_ms, count));
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = lines.iter().map(|(name, value)| format!("{name:width$}  {value}").trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

fn window(schedule: &GetScheduleOutput) -> String {
    match schedule.flexible_time_window.as_ref().map(|window| (window.mode, window.maximum_window_in_minutes)) {
        Some((FlexibleTimeWindowMode::Flexible, Some(minutes))) => format!("within {minutes} min of each time"),
        _ => "none: it runs on time".to_owned(),
    }
}

fn of_target(target: &Target) -> Vec<(&'static str, String)> {
    let mut lines = vec![("target", target.arn.clone())];
    let group = target.sqs_parameters.as_ref().and_then(|parameters| parameters.message_group_id.clone());
    lines.extend(group.map(|group| ("message group", group)));
    lines.extend(target.input.clone().map(|input| ("input", input)));
    if let Some(retry) = &target.retry_policy {
        let attempts = u64::try_from(retry.maximum_retry_attempts.unwrap_or(185)).unwrap_or(0);
        let age_s = u64::try_from(retry.maximum_event_age_in_seconds.unwrap_or(86_400)).unwrap_or(0);
        let times = if attempts == 1 { "once".to_owned() } else { format!("{attempts} times") };
        lines.push(("retries", format!("{times} within {}", units::spoken(age_s))));
    }
    let dead = target.dead_letter_config.as_ref().and_then(|config| config.arn.clone());
    lines.extend(dead.map(|arn| ("dead letters to", arn)));
    lines
}

fn next_times(schedule: &GetScheduleOutput, now_ms: u64, count: usize) -> Vec<(&'static str, String)> {
    let (mut lines, name) = match times::is_paused(schedule) {
        true => (vec![("next", "not before it is resumed: afterward schedule resume".to_owned())], "if resumed"),
        false => (Vec::new(), "next"),
    };
    let zone = times::zone(schedule);
    let told = match times::next_unless_paused(schedule, now_ms, count) {
        Ok(next) if next.is_empty() && count > 0 => vec!["never again".to_owned()],
        Ok(next) => next.iter().enumerate().map(|(number, &ms)| time(number, ms, zone, now_ms)).collect(),
        Err(why) => vec![format!("not known here: {why}")],
    };
    lines.extend([name].into_iter().chain(std::iter::repeat("")).zip(told));
    lines
}

/// A time; the first one with how long it is until then.
fn time(number: usize, ms: u64, zone: &str, now_ms: u64) -> String {
    match number {
        0 => format!("{}  (in {})", times::local(ms, zone), units::spoken(ms.saturating_sub(now_ms).div_ceil(1000))),
        _ => times::local(ms, zone),
    }
}

#[cfg(test)]
pub(in crate::schedule) mod tests {
    use super::*;
    use afterward::scheduler::{DeadLetterConfig, FlexibleTimeWindow, RetryPolicy, ScheduleState, SqsParameters};

    pub(in crate::schedule) fn daily() -> GetScheduleOutput {
        GetScheduleOutput {
            arn: Some("arn:aws:scheduler:us-east-1:000000000000:schedule/reports/daily".into()),
            name: Some("daily".into()),
            group_name: Some("reports".into()),
            state: Some(ScheduleState::Enabled),
            schedule_expression: Some("cron(0 8 ? * MON-FRI *)".into()),
            schedule_expression_timezone: Some("Europe/Vienna".into()),
            creation_date: Some(Timestamp { ms: 1_774_000_000_250 }),
            last_modification_date: Some(Timestamp { ms: 1_774_000_000_250 }),
            target: Some(Target {
                arn: "arn:aws:sqs:us-east-1:000000000000:jobs".into(),
                role_arn: "arn:aws:iam::000000000000:role/any".into(),
                ..Target::default()
            }),
            ..GetScheduleOutput::default()
        }
    }

    /// Friday, 27 March 2026, 12:00 in UTC.
    const NOW_MS: u64 = 1_774_612_800_000;

    #[test]
    fn a_schedule_is_told_with_its_next_ten_times_over_the_change_of_clocks() {
        let full = GetScheduleOutput {
            flexible_time_window: Some(FlexibleTimeWindow {
                mode: FlexibleTimeWindowMode::Flexible,
                maximum_window_in_minutes: Some(15),
            }),
            end_date: Some(Timestamp { ms: 1_780_000_000_000 }),
            description: Some("The numbers of the day".into()),
            action_after_completion: Some(ActionAfterCompletion::Delete),
            schedule_expression: Some("cron(0 8 ? * FRI,SAT,SUN,MON *)".into()),
            target: Some(Target {
                arn: "arn:aws:sqs:us-east-1:000000000000:jobs.fifo".into(),
                input: Some("{\"report\":\"daily\"}".into()),
                sqs_parameters: Some(SqsParameters { message_group_id: Some("reports".into()) }),
                retry_policy: Some(RetryPolicy {
                    maximum_event_age_in_seconds: Some(3600),
                    maximum_retry_attempts: Some(1),
                }),
                dead_letter_config: Some(DeadLetterConfig {
                    arn: Some("arn:aws:sqs:us-east-1:000000000000:jobs-dlq".into()),
                }),
                ..Target::default()
            }),
            ..daily()
        };
        assert_eq!(
            told(&full, NOW_MS, 10),
            "\
name             daily
group            reports
ARN              arn:aws:scheduler:us-east-1:000000000000:schedule/reports/daily
state            enabled
expression       cron(0 8 ? * FRI,SAT,SUN,MON *) in Europe/Vienna
window           within 15 min of each time
ends             Thu 2026-05-28 22:26:40 +02:00
description      The numbers of the day
target           arn:aws:sqs:us-east-1:000000000000:jobs.fifo
message group    reports
input            {\"report\":\"daily\"}
retries          once within 1 h
dead letters to  arn:aws:sqs:us-east-1:000000000000:jobs-dlq
when it is over  deleted
created          Fri 2026-03-20 10:46:40 +01:00
changed          Fri 2026-03-20 10:46:40 +01:00
next             Sat 2026-03-28 08:00:00 +01:00  (in 19 h)
                 Sun 2026-03-29 08:00:00 +02:00
                 Mon 2026-03-30 08:00:00 +02:00
                 Fri 2026-04-03 08:00:00 +02:00
                 Sat 2026-04-04 08:00:00 +02:00
                 Sun 2026-04-05 08:00:00 +02:00
                 Mon 2026-04-06 08:00:00 +02:00
                 Fri 2026-04-10 08:00:00 +02:00
                 Sat 2026-04-11 08:00:00 +02:00
                 Sun 2026-04-12 08:00:00 +02:00"
        );
    }

    #[test]
    fn a_schedule_without_next_times_says_why() {
        let over = GetScheduleOutput { schedule_expression: Some("at(2026-01-01T00:00:00)".into()), ..daily() };
        let unknown = GetScheduleOutput { schedule_expression: Some("every day".into()), ..daily() };
        for (schedule, last) in [
            (
                GetScheduleOutput { state: Some(ScheduleState::Disabled), ..over.clone() },
                "if resumed       never again",
            ),
            (over, "next             never again"),
            (unknown, "next             not known here: every day: "),
        ] {
            let told = told(&schedule, NOW_MS, 10);
            assert!(told.lines().last().unwrap().starts_with(last), "{told}");
        }
    }

    #[test]
    fn a_paused_schedule_is_told_with_the_times_that_it_would_have() {
        let paused = GetScheduleOutput { state: Some(ScheduleState::Disabled), ..daily() };
        let told = told(&paused, NOW_MS, 2);
        let next = "\
next             not before it is resumed: afterward schedule resume
if resumed       Mon 2026-03-30 08:00:00 +02:00  (in 2 d 18 h)
                 Tue 2026-03-31 08:00:00 +02:00";
        assert!(told.ends_with(next), "{told}");
        let report = report(&paused, NOW_MS, 2).unwrap();
        assert_eq!(report["NextTimes"], serde_json::json!([]));
        let times = serde_json::json!(["2026-03-30T06:00:00Z", "2026-03-31T06:00:00Z"]);
        assert_eq!(report["NextTimesIfResumed"], times);
        let enabled = super::report(&daily(), NOW_MS, 2).unwrap();
        assert_eq!((&enabled["NextTimes"], enabled.get("NextTimesIfResumed")), (&times, None));
    }
}
