//! `afterward schedule pause` and `afterward schedule resume`

use super::{failed, get, odd};
use crate::{failure::Failure, output};
use afterward::scheduler::{Client, GetScheduleOutput, Request, Response, ScheduleInput, ScheduleState};
use clap::Args;
use serde_json::json;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  afterward schedule pause daily\n  afterward schedule resume daily --group reports"
)]
pub(super) struct Which {
    /// Names of schedules
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Their group [default: default]
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
}

/// Gives the schedules that state, and leaves all else as it is.
pub(super) async fn run(which: &Which, client: &Client, state: ScheduleState, json: bool) -> Result<(), Failure> {
    let (done, is) = match state {
        ScheduleState::Disabled => ("paused", "paused"),
        ScheduleState::Enabled => ("resumed", "enabled"),
    };
    let (mut changed, mut unchanged) = (Vec::new(), Vec::new());
    for name in &which.names {
        let schedule = get(client, which.group.as_deref(), name).await?;
        if schedule.state == Some(state) {
            if !json {
                output::say(&format!("{name} is {is} already"))?;
            }
            unchanged.push(name);
            continue;
        }
        let input = ScheduleInput { state: Some(state), ..as_input(schedule) };
        match client.call(&Request::UpdateSchedule(input)).await {
            Ok(Response::UpdateSchedule(_)) => {}
            Ok(other) => return Err(odd(client, &other)),
            Err(error) => return Err(failed(error, which.group.as_deref())),
        }
        if !json {
            output::say(&format!("{done} {name}"))?;
        }
        changed.push(name);
    }
    if json {
        output::say_json(&json!({ done: changed, "unchanged": unchanged }))?;
    }
    Ok(())
}

/// What UpdateSchedule has to be told so that everything stays: what it is not told goes back to its default.
fn as_input(schedule: GetScheduleOutput) -> ScheduleInput {
    ScheduleInput {
        name: schedule.name.unwrap_or_default(),
        group_name: schedule.group_name,
        schedule_expression: schedule.schedule_expression.unwrap_or_default(),
        schedule_expression_timezone: schedule.schedule_expression_timezone,
        start_date: schedule.start_date,
        end_date: schedule.end_date,
        flexible_time_window: schedule.flexible_time_window.unwrap_or_default(),
        target: schedule.target.unwrap_or_default(),
        state: schedule.state,
        action_after_completion: schedule.action_after_completion,
        description: schedule.description,
        kms_key_arn: schedule.kms_key_arn,
        client_token: None,
    }
}
