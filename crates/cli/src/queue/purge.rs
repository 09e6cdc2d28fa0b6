//! `afterward queue purge`

use super::{Counts, attributes};
use crate::{
    failure::Failure,
    output,
    target::{queue_name, queue_url},
    units,
};
use afterward::sqs::{Client, PurgeQueueRequest};
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  afterward queue purge jobs")]
pub(super) struct Purge {
    /// Name or URL
    pub(super) queue: String,
}

pub(super) async fn run(purge: &Purge, client: &Client, json: bool) -> Result<(), Failure> {
    let url = queue_url(client, &purge.queue).await?;
    let messages = Counts::of(&attributes(client, &url).await?).total();
    client.purge_queue(PurgeQueueRequest { queue_url: url.clone() }).await?;
    match json {
        true => output::say_json(&serde_json::json!({ "purged": url, "messages": messages }))?,
        false => output::say(&format!("purged {}: it held {}", queue_name(&url), units::count(messages, "message")))?,
    }
    Ok(())
}
