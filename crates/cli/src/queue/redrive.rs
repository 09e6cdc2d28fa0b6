//! `afterward queue redrive`: a message move task, from start to end.

use super::arn;
use crate::{failure::Failure, output, target::queue_name, units};
use afterward::sqs::{
    CancelMessageMoveTaskRequest, Client, ListMessageMoveTasksRequest, ListMessageMoveTasksResultEntry,
    StartMessageMoveTaskRequest,
};
use clap::Args;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  afterward queue redrive jobs-dlq                   back to where each message came from
  afterward queue redrive jobs-dlq --to jobs --rate 10
  afterward queue redrive jobs-dlq --cancel")]
pub(super) struct Redrive {
    /// The dead-letter queue: name, URL or ARN
    pub(super) queue: String,
    /// Move all to this queue instead of to where each came from
    #[arg(long, value_name = "QUEUE")]
    to: Option<String>,
    /// Messages a second, at most: 1 to 500
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=500))]
    rate: Option<i64>,
    /// Start it and don't wait for its end
    #[arg(long)]
    no_wait: bool,
    /// Cancel the running task instead; what has moved stays moved
    #[arg(long, conflicts_with_all = ["to", "rate", "no_wait"])]
    cancel: bool,
}

/// Between two looks at a task.
const LOOK: Duration = Duration::from_millis(200);

pub(super) async fn run(redrive: &Redrive, client: &Client, json: bool) -> Result<(), Failure> {
    let source_arn = arn(client, &redrive.queue).await?;
    if redrive.cancel {
        return cancel(client, &source_arn, json).await;
    }
    let destination_arn = match &redrive.to {
        Some(queue) => Some(arn(client, queue).await?),
        None => None,
    };
    let request = StartMessageMoveTaskRequest {
        source_arn: source_arn.clone(),
        destination_arn,
        max_number_of_messages_per_second: redrive.rate,
    };
    let handle = client.start_message_move_task(request).await?.task_handle.unwrap_or_default();
    if redrive.no_wait {
        return match json {
            true => Ok(output::say_json(&serde_json::json!({ "task_handle": handle }))?),
            false => Ok(output::say(&handle)?),
        };
    }
    let task = ended(client, &source_arn).await?;
    if json {
        output::say_json(&task)?;
    }
    let moved = u64::try_from(task.approximate_number_of_messages_moved.unwrap_or(0)).unwrap_or(0);
    let moved = units::count(moved, "message");
    match task.status.as_deref() {
        Some("COMPLETED") if json => Ok(()),
        Some("COMPLETED") => Ok(output::say(&format!("moved {moved} out of {}", queue_name(&source_arn)))?),
        status => {
            let reason = task.failure_reason.as_deref().map_or_else(String::new, explained);
            let status = status.unwrap_or("gone").to_lowercase();
            Err(Failure::new(format!("the move task is {status}{reason}; it had moved {moved}")))
        }
    }
}

async fn cancel(client: &Client, source_arn: &str, json: bool) -> Result<(), Failure> {
    let running = tasks(client, source_arn, 10).await?.into_iter().find_map(|task| task.task_handle);
    let task_handle =
        running.ok_or_else(|| Failure::new(format!("no move task is running out of {}", queue_name(source_arn))))?;
    let cancelled = client.cancel_message_move_task(CancelMessageMoveTaskRequest { task_handle }).await?;
    let moved = u64::try_from(cancelled.approximate_number_of_messages_moved.unwrap_or(0)).unwrap_or(0);
    match json {
        true => output::say_json(&cancelled)?,
        false => output::say(&format!("cancelled; {} had moved", units::count(moved, "message")))?,
    }
    Ok(())
}

/// Why a task failed: the service's code, and what to do about it where that is known.
fn explained(code: &str) -> String {
    match code {
        "CouldNotDetermineMessageSource" => format!(
            ": {code} (a message was sent to this queue rather than dead-lettered: name a destination with --to)"
        ),
        "AWS.SimpleQueueService.NonExistentQueue" => {
            format!(
                ": {code} (the queue that a message came from, or is to go to, is deleted: create it, or name another)"
            )
        }
        _ => format!(": {code}"),
    }
}

/// The newest task, once it has ended.
async fn ended(client: &Client, source_arn: &str) -> Result<ListMessageMoveTasksResultEntry, Failure> {
    loop {
        let newest = tasks(client, source_arn, 1).await?.into_iter().next();
        match newest {
            Some(task) if matches!(task.status.as_deref(), Some("RUNNING" | "CANCELLING")) => {}
            Some(task) => return Ok(task),
            None => return Err(Failure::new(format!("{} has forgotten the move task", client.endpoint()))),
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The latest tasks out of a queue, newest first.
pub(super) async fn tasks(
    client: &Client,
    source_arn: &str,
    max: i64,
) -> Result<Vec<ListMessageMoveTasksResultEntry>, Failure> {
    let request = ListMessageMoveTasksRequest { source_arn: source_arn.to_owned(), max_results: Some(max) };
    Ok(client.list_message_move_tasks(request).await?.results)
}
