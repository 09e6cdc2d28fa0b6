//! `afterward queue rm`

use super::{Counts, attributes};
use crate::{
    failure::Failure,
    output,
    target::{Target, queue_name, queue_url},
    units,
};
use afterward::sqs::{Client, DeleteQueueRequest};
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  afterward queue rm jobs\n  afterward queue rm jobs jobs-dlq --force")]
pub(super) struct Rm {
    /// Names or URLs
    #[arg(required = true, value_name = "QUEUE")]
    queues: Vec<String>,
    /// Also if there are messages in it: they are lost
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(rm: &Rm, target: &Target, json: bool) -> Result<(), Failure> {
    let mut deleted = Vec::new();
    for queue in &rm.queues {
        let client = target.client_for(queue)?;
        deleted.push(delete(&client, queue, rm.force).await?);
        if !json {
            output::say(&format!("deleted {}", queue_name(queue)))?;
        }
    }
    if json {
        output::say_json(&serde_json::json!({ "deleted": deleted }))?;
    }
    Ok(())
}

async fn delete(client: &Client, queue: &str, force: bool) -> Result<String, Failure> {
    let url = queue_url(client, queue).await?;
    let messages = Counts::of(&attributes(client, &url).await?).total();
    if messages > 0 && !force {
        let held = units::count(messages, "message");
        return Err(Failure::new(format!(
            "{queue} holds {held}, which would be lost. Add --force to delete it all the same."
        )));
    }
    client.delete_queue(DeleteQueueRequest { queue_url: url.clone() }).await?;
    Ok(url)
}
