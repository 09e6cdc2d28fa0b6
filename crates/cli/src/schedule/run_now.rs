//! `afterward schedule run-now`

use super::is;
use crate::{failure::Failure, output};
use afterward::sqs::Client;
use clap::Args;
use http::HeaderMap;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

#[derive(Debug, Args)]
#[command(
    after_help = "When they are next due stays as it is. A paused schedule runs, too.\n\nA one-time schedule that is deleted on completion, such as that of a delayed job\n(afterward-ID), is complete then and is deleted: its job does not come a second time.\nOne that is kept on completion comes again when it is due.\n\nExamples:\n  afterward schedule run-now daily\n  afterward schedule run-now daily --group reports"
)]
pub(super) struct RunNow {
    /// Names of schedules
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Their group
    #[arg(long, value_name = "GROUP", default_value = "default")]
    group: String,
}

#[derive(Debug, Deserialize)]
struct Ran {
    execution_id: String,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    group: &'a str,
    execution_id: String,
}

pub(super) async fn run(run_now: &RunNow, client: &Client, json: bool) -> Result<(), Failure> {
    let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut rows = Vec::new();
    for name in &run_now.names {
        let path = format!("/_afterward/schedules/{}/{}/run", escaped(&run_now.group), escaped(name));
        let reply = client.post(&path, HeaderMap::new(), "").await.map_err(failed)?;
        let Ran { execution_id } = serde_json::from_slice(reply.body())?;
        if !json {
            output::say(&format!("ran {name}: execution {execution_id}"))?;
        }
        rows.push(Row { name, group: &run_now.group, execution_id });
    }
    if json {
        output::say_json(&rows)?;
    }
    Ok(())
}

fn failed(error: afterward::sqs::Error) -> Failure {
    if is(&error, "ScheduleDoesNotExist") {
        return Failure::new(format!(
            "{error}\nSee what there is with `afterward schedule ls`; --group names a group."
        ));
    }
    error.into()
}

/// Amazon has no such action.
pub(super) fn not_on_amazon() -> Failure {
    Failure::new(
        "Amazon's scheduler runs a schedule when it is due, and not before: only an Afterward server runs one by hand. \
         Send its message yourself (`afterward queue send`), or make a one-time schedule.",
    )
}
