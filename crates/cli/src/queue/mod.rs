//! `afterward queue …`: one module per command.
//!
//! Every command works against any SQS endpoint, Amazon's included, but `peek`, which looks at messages without
//! receiving them: that is an API of our own. Tables are for people; `--json` is for scripts and keeps its shape.

mod create;
mod ls;
mod peek;
mod purge;
mod receive;
mod redrive;
mod rm;
mod send;
mod stat;

use crate::{
    failure::Failure,
    target::{self, Target},
};
use afterward::sqs::{Client, GetQueueAttributesRequest};
use clap::{Args, Subcommand};
use std::collections::BTreeMap;

/// Work with queues.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  afterward queue create jobs --dead-letter-queue jobs-dlq
  afterward queue send jobs '{\"task\":\"resize\"}'
  afterward queue peek jobs                 look without receiving
  afterward queue redrive jobs-dlq          send dead letters back to where they came from")]
pub(crate) struct QueueArgs {
    #[command(subcommand)]
    command: QueueCommand,
    /// Answer with JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Subcommand)]
enum QueueCommand {
    /// List queues with what is in them
    Ls(ls::Ls),
    /// Create a queue, with a dead-letter queue if you like
    Create(create::Create),
    /// Delete queues
    Rm(rm::Rm),
    /// Show all about a queue: counts, settings, tags, dead letters, move tasks
    Stat(stat::Stat),
    /// Send a message, or each line of standard input as one
    Send(send::Send),
    /// Receive messages: they become invisible to others until their visibility timeout ends
    Receive(receive::Receive),
    /// Look at messages without receiving them (Afterward only)
    Peek(peek::Peek),
    /// Delete all messages of a queue
    Purge(purge::Purge),
    /// Move the messages of a dead-letter queue back to where they came from
    Redrive(redrive::Redrive),
}

pub(crate) async fn run(args: QueueArgs) -> Result<(), Failure> {
    let QueueArgs { command, target, json } = args;
    match command {
        QueueCommand::Ls(ls) => ls::run(&ls, &target.client()?, json).await,
        QueueCommand::Create(create) => create::run(create, &target.client()?, json).await,
        QueueCommand::Rm(rm) => rm::run(&rm, &target, json).await,
        QueueCommand::Stat(stat) => stat::run(&stat, &target.client_for(&stat.queue)?, json).await,
        QueueCommand::Send(send) => send::run(&send, &target.client_for(&send.queue)?, json).await,
        QueueCommand::Receive(receive) => receive::run(&receive, &target.client_for(&receive.queue)?, json).await,
        QueueCommand::Peek(_) if target.is_amazon() => Err(peek::not_on_amazon()),
        QueueCommand::Peek(peek) => peek::run(&peek, &target.client_for(&peek.queue)?, json).await,
        QueueCommand::Purge(purge) => purge::run(&purge, &target.client_for(&purge.queue)?, json).await,
        QueueCommand::Redrive(redrive) => redrive::run(&redrive, &target.client_for(&redrive.queue)?, json).await,
    }
}

/// All attributes of a queue.
async fn attributes(client: &Client, url: &str) -> Result<BTreeMap<String, String>, Failure> {
    let request = GetQueueAttributesRequest { queue_url: url.to_owned(), attribute_names: vec!["All".to_owned()] };
    Ok(client.get_queue_attributes(request).await?.attributes)
}

/// The ARN of a queue that is given by name, URL or ARN.
async fn arn(client: &Client, queue: &str) -> Result<String, Failure> {
    if queue.starts_with("arn:") {
        return Ok(queue.to_owned());
    }
    let url = target::queue_url(client, queue).await?;
    let mut attributes = attributes(client, &url).await?;
    attributes
        .remove("QueueArn")
        .ok_or_else(|| Failure::new(format!("{} did not say the ARN of `{queue}`", client.endpoint())))
}

/// The three counts of a queue.
struct Counts {
    visible: u64,
    in_flight: u64,
    delayed: u64,
}

impl Counts {
    fn of(attributes: &BTreeMap<String, String>) -> Counts {
        let number = |name: &str| attributes.get(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        Counts {
            visible: number("ApproximateNumberOfMessages"),
            in_flight: number("ApproximateNumberOfMessagesNotVisible"),
            delayed: number("ApproximateNumberOfMessagesDelayed"),
        }
    }

    fn total(&self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }
}

/// The dead-letter queue's ARN and the receives that a redrive policy allows.
fn redrive_policy(attributes: &BTreeMap<String, String>) -> Option<(String, u64)> {
    let policy: serde_json::Value = serde_json::from_str(attributes.get("RedrivePolicy")?).ok()?;
    let receives = &policy["maxReceiveCount"];
    let receives = receives.as_u64().or_else(|| receives.as_str()?.parse().ok())?;
    Some((policy["deadLetterTargetArn"].as_str()?.to_owned(), receives))
}
