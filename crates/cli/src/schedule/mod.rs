//! `afterward schedule …`: one module per command.
//!
//! Every command works against any EventBridge Scheduler, Amazon's included, but `run-now`, which is an API of our own.
//! When a schedule is next due is worked out here, from its expression; the time is the server's, which a test may have
//! moved.

mod called;
mod change_state;
mod ls;
mod rm;
mod run_now;
mod show;
mod times;

use crate::{failure::Failure, target::Target};
use afterward::{
    scheduler::{Client, GetScheduleInput, GetScheduleOutput, Request, Response, ScheduleState},
    sqs::{self, ErrorKind},
};
use clap::{Args, Subcommand};
use serde::Deserialize;
use std::time::{SystemTime, UNIX_EPOCH};

/// The code of an error about a schedule, or a group, that is not there.
const NO_SUCH_SCHEDULE: &str = "ResourceNotFoundException";

/// Work with schedules.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  afterward schedule ls                     what there is, and when it is next due
  afterward schedule show daily             what it does, and its next ten times
  afterward schedule run-now daily
  afterward schedule pause daily

SDKs and the AWS CLI make schedules: aws --endpoint-url URL scheduler create-schedule help")]
pub(crate) struct ScheduleArgs {
    #[command(subcommand)]
    command: ScheduleCommand,
    /// Answer with JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Subcommand)]
enum ScheduleCommand {
    /// List schedules with when they are next due
    Ls(ls::Ls),
    /// Show all about a schedule, and its next ten times
    Show(show::Show),
    /// Run schedules now, whenever they are due (Afterward only)
    RunNow(run_now::RunNow),
    /// Keep schedules from running, until they are resumed
    Pause(change_state::Which),
    /// Let paused schedules run again
    Resume(change_state::Which),
    /// Delete schedules
    Rm(rm::Rm),
}

pub(crate) async fn run(args: ScheduleArgs) -> Result<(), Failure> {
    let ScheduleArgs { command, target, json } = args;
    if target.is_amazon() && matches!(command, ScheduleCommand::RunNow(_)) {
        return Err(run_now::not_on_amazon());
    }
    let queues = target.client()?;
    let client = Client::beside(&queues)?;
    match command {
        ScheduleCommand::Ls(ls) => ls::run(&ls, &client, now_ms(&queues, target.is_amazon()).await, json).await,
        ScheduleCommand::Show(show) => show::run(&show, &client, now_ms(&queues, target.is_amazon()).await, json).await,
        ScheduleCommand::RunNow(run_now) => run_now::run(&run_now, &queues, json).await,
        ScheduleCommand::Pause(which) => change_state::run(&which, &client, ScheduleState::Disabled, json).await,
        ScheduleCommand::Resume(which) => change_state::run(&which, &client, ScheduleState::Enabled, json).await,
        ScheduleCommand::Rm(rm) => rm::run(&rm, &client, json).await,
    }
}

/// One schedule, or why there is none.
async fn get(client: &Client, group: Option<&str>, name: &str) -> Result<GetScheduleOutput, Failure> {
    ask(client, group, name).await?.map_err(|error| failed(error, group))
}

/// One schedule, if there is one.
async fn find(client: &Client, group: Option<&str>, name: &str) -> Result<Option<GetScheduleOutput>, Failure> {
    match ask(client, group, name).await? {
        Ok(schedule) => Ok(Some(schedule)),
        Err(error) if is(&error, NO_SUCH_SCHEDULE) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What the service says of one schedule.
async fn ask(
    client: &Client,
    group: Option<&str>,
    name: &str,
) -> Result<Result<GetScheduleOutput, sqs::Error>, Failure> {
    let input = GetScheduleInput { name: name.to_owned(), group_name: group.map(str::to_owned) };
    match client.call(&Request::GetSchedule(input)).await {
        Ok(Response::GetSchedule(schedule)) => Ok(Ok(schedule)),
        Ok(other) => Err(odd(client, &other)),
        Err(error) => Ok(Err(error)),
    }
}

/// The failure of a call about a schedule of that group.
fn failed(error: sqs::Error, group: Option<&str>) -> Failure {
    if !is(&error, NO_SUCH_SCHEDULE) {
        return error.into();
    }
    let hint = match group {
        None => {
            "\nIt was looked for in the group `default`; --group names another. See what there is with `afterward schedule ls`."
        }
        Some(_) => "\nSee what there is with `afterward schedule ls`.",
    };
    Failure::new(format!("{error}{hint}"))
}

/// Whether the service answered with that code.
fn is(error: &sqs::Error, wanted: &str) -> bool {
    matches!(error.kind(), ErrorKind::Service { code, .. } if code == wanted)
}

/// A reply to something that was not asked.
fn odd(client: &Client, response: &Response) -> Failure {
    Failure::new(format!("{} answered another question: {}", client.endpoint(), response.action().name()))
}

/// What time it is where the schedules run; here, if nobody there says.
async fn now_ms(client: &sqs::Client, is_amazon: bool) -> u64 {
    #[derive(Deserialize)]
    struct Clock {
        now_ms: u64,
    }
    if !is_amazon
        && let Ok(reply) = client.get("/_afterward/clock").await
        && let Ok(clock) = serde_json::from_slice::<Clock>(reply.body())
    {
        return clock.now_ms;
    }
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
