//! `afterward schedule rm`

use super::failed;
use crate::{failure::Failure, output};
use afterward::scheduler::{Client, DeleteScheduleInput, Request};
use clap::Args;
use serde_json::json;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  afterward schedule rm daily\n  afterward schedule rm daily weekly --group reports"
)]
pub(super) struct Rm {
    /// Names of schedules
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Their group [default: default]
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
}

pub(super) async fn run(rm: &Rm, client: &Client, json: bool) -> Result<(), Failure> {
    for name in &rm.names {
        let input = DeleteScheduleInput { name: name.clone(), group_name: rm.group.clone(), client_token: None };
        let deleted = client.call(&Request::DeleteSchedule(input)).await;
        deleted.map_err(|error| failed(error, rm.group.as_deref()))?;
        if !json {
            output::say(&format!("deleted {name}"))?;
        }
    }
    if json {
        output::say_json(&json!({ "deleted": rm.names }))?;
    }
    Ok(())
}
