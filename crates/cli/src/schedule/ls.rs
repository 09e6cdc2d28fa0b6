//! `afterward schedule ls`

use super::{called::called, find, odd, times};
use crate::{
    failure::Failure,
    output,
    table::{Table, clipped},
};
use afterward::scheduler::{
    Client, GetScheduleOutput, ListSchedulesInput, Request, Response, ScheduleState, ScheduleSummary,
};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use tokio::{sync::Semaphore, task::JoinSet};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  afterward schedule ls\n  afterward schedule ls report- --group nightly\n  afterward schedule ls --state paused --json"
)]
pub(super) struct Ls {
    /// Only schedules whose names start so
    prefix: Option<String>,
    /// Only schedules of this group
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Only schedules in this state
    #[arg(long)]
    state: Option<State>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    Enabled,
    Paused,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    group: String,
    state: &'static str,
    expression: String,
    zone: String,
    /// When it is next due.
    next: Option<String>,
    target: String,
    /// When it is next due, for people.
    #[serde(skip)]
    next_told: String,
    /// What it calls, for people.
    #[serde(skip)]
    called: String,
}

/// Schedules asked about at a time.
const AT_ONCE: usize = 16;
/// The most that are on one page.
const PAGE: usize = 100;

pub(super) async fn run(ls: &Ls, client: &Client, now_ms: u64, json: bool) -> Result<(), Failure> {
    let (found, more) = list(ls, client).await?;
    let mut rows = Vec::with_capacity(found.len());
    for schedule in details(client, found).await? {
        rows.push(row(&schedule, now_ms));
    }
    if json {
        return Ok(output::say_json(&rows)?);
    }
    if rows.is_empty() {
        output::complain(&none(ls));
        return Ok(());
    }
    table(&rows).print()?;
    if more {
        output::complain(&format!("… and more: --limit shows more than {}.", ls.limit));
    }
    Ok(())
}

/// The schedules that are asked for, and whether there are more.
async fn list(ls: &Ls, client: &Client) -> Result<(Vec<ScheduleSummary>, bool), Failure> {
    let limit = ls.limit as usize;
    let mut found = Vec::new();
    let mut next_token = None;
    loop {
        let input = ListSchedulesInput {
            group_name: ls.group.clone(),
            name_prefix: ls.prefix.clone(),
            state: ls.state.map(|state| match state {
                State::Enabled => ScheduleState::Enabled,
                State::Paused => ScheduleState::Disabled,
            }),
            max_results: Some((limit - found.len()).min(PAGE) as i64),
            next_token: next_token.take(),
        };
        match client.call(&Request::ListSchedules(input)).await? {
            Response::ListSchedules(page) => {
                found.extend(page.schedules);
                next_token = page.next_token;
            }
            other => return Err(odd(client, &other)),
        }
        if next_token.is_none() || found.len() >= limit {
            return Ok((found, next_token.is_some()));
        }
    }
}

/// What the list does not say of them. Those that have gone meanwhile are left out.
async fn details(client: &Client, found: Vec<ScheduleSummary>) -> Result<Vec<GetScheduleOutput>, Failure> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut asked = JoinSet::new();
    for (at, summary) in found.into_iter().enumerate() {
        let (client, places) = (client.clone(), Arc::clone(&places));
        asked.spawn(async move {
            let _place = places.acquire().await;
            let name = summary.name.unwrap_or_default();
            (at, find(&client, summary.group_name.as_deref(), &name).await)
        });
    }
    let mut schedules = BTreeMap::new();
    while let Some(answer) = asked.join_next().await {
        let (at, schedule) = answer.map_err(|error| Failure::new(format!("a look-up ended early: {error}")))?;
        schedules.extend(schedule?.map(|schedule| (at, schedule)));
    }
    Ok(schedules.into_values().collect())
}

fn row(schedule: &GetScheduleOutput, now_ms: u64) -> Row {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let zone = times::zone(schedule).to_owned();
    let (next, next_told) = match times::next(schedule, now_ms, 1).as_deref() {
        Err(_) => (None, "?".to_owned()),
        Ok([next, ..]) => (Some(times::utc(*next)), times::local(*next, &zone)),
        Ok([]) if times::is_paused(schedule) => (None, "paused".to_owned()),
        Ok([]) => (None, "over".to_owned()),
    };
    Row {
        name: text(&schedule.name),
        group: text(&schedule.group_name),
        state: if times::is_paused(schedule) { "paused" } else { "enabled" },
        expression: text(&schedule.schedule_expression),
        zone,
        next,
        target: schedule.target.as_ref().map(|target| target.arn.clone()).unwrap_or_default(),
        next_told,
        called: schedule.target.as_ref().map(called).unwrap_or_default(),
    }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&["NAME", "GROUP", "EXPRESSION", "ZONE", "NEXT", "TARGET"]);
    for row in rows {
        table.row([
            row.name.clone(),
            row.group.clone(),
            clipped(&row.expression, 40),
            row.zone.clone(),
            row.next_told.clone(),
            clipped(&row.called, 60),
        ]);
    }
    table
}

fn none(ls: &Ls) -> String {
    let state = match ls.state {
        Some(State::Enabled) => "enabled ",
        Some(State::Paused) => "paused ",
        None => "",
    };
    let group = ls.group.as_ref().map_or_else(String::new, |group| format!(" in the group `{group}`"));
    let named = ls.prefix.as_ref().map_or_else(String::new, |prefix| format!(" whose name starts with `{prefix}`"));
    format!("No {state}schedule{group}{named}. Make one with CreateSchedule (`aws scheduler create-schedule`).")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::show::tests::daily;

    #[test]
    fn the_table_says_when_each_is_next_due() {
        let once = GetScheduleOutput {
            name: Some("once".into()),
            schedule_expression: Some("at(2026-01-01T00:00:00)".into()),
            schedule_expression_timezone: None,
            ..daily()
        };
        let odd =
            GetScheduleOutput { name: Some("odd".into()), schedule_expression: Some("cron(L)".into()), ..daily() };
        let paused = GetScheduleOutput { name: Some("paused".into()), state: Some(ScheduleState::Disabled), ..daily() };
        // Friday, 27 March 2026, 12:00 in UTC; in Vienna, the clocks are put forward two days later.
        let rows: Vec<Row> = [&daily(), &once, &odd, &paused].map(|schedule| row(schedule, 1_774_612_800_000)).into();
        assert_eq!(
            table(&rows).render(),
            "\
NAME    GROUP    EXPRESSION               ZONE           NEXT                            TARGET
daily   reports  cron(0 8 ? * MON-FRI *)  Europe/Vienna  Mon 2026-03-30 08:00:00 +02:00  arn:aws:sqs:us-east-1:000000000000:jobs
once    reports  at(2026-01-01T00:00:00)  UTC            over                            arn:aws:sqs:us-east-1:000000000000:jobs
odd     reports  cron(L)                  Europe/Vienna  ?                               arn:aws:sqs:us-east-1:000000000000:jobs
paused  reports  cron(0 8 ? * MON-FRI *)  Europe/Vienna  paused                          arn:aws:sqs:us-east-1:000000000000:jobs"
        );
        assert_eq!(
            serde_json::to_string(&rows[0]).unwrap(),
            r#"{"name":"daily","group":"reports","state":"enabled","expression":"cron(0 8 ? * MON-FRI *)","zone":"Europe/Vienna","next":"2026-03-30T06:00:00Z","target":"arn:aws:sqs:us-east-1:000000000000:jobs"}"#
        );
    }

    #[test]
    fn what_was_looked_for_and_not_found_is_said() {
        let ls = Ls { prefix: Some("x-".into()), group: Some("g".into()), state: Some(State::Paused), limit: 1 };
        assert!(none(&ls).starts_with("No paused schedule in the group `g` whose name starts with `x-`. Make one"));
    }
}
