//! `afterward queue stat`

use super::{Counts, attributes, redrive::tasks, redrive_policy};
use crate::{
    failure::Failure,
    output,
    target::{queue_name, queue_url},
    units,
};
use afterward::sqs::{
    Client, ListDeadLetterSourceQueuesRequest, ListMessageMoveTasksResultEntry, ListQueueTagsRequest,
};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  afterward queue stat jobs\n  afterward queue stat jobs --json")]
pub(super) struct Stat {
    /// Name or URL
    pub(super) queue: String,
}

#[derive(Serialize)]
struct Report {
    name: String,
    url: String,
    attributes: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    dead_letter_sources: Vec<String>,
    move_tasks: Vec<ListMessageMoveTasksResultEntry>,
}

pub(super) async fn run(stat: &Stat, client: &Client, json: bool) -> Result<(), Failure> {
    let url = queue_url(client, &stat.queue).await?;
    let attributes = attributes(client, &url).await?;
    let tags = client.list_queue_tags(ListQueueTagsRequest { queue_url: url.clone() }).await?.tags;
    let dead_letter_sources = sources(client, &url).await?;
    // Only a dead-letter queue can have move tasks; asking for those of another is an error on Amazon.
    let move_tasks = match (dead_letter_sources.is_empty(), attributes.get("QueueArn")) {
        (false, Some(arn)) => tasks(client, arn, 10).await?,
        _ => Vec::new(),
    };
    let name = queue_name(&url).to_owned();
    let report = Report { name, url, attributes, tags, dead_letter_sources, move_tasks };
    match json {
        true => output::say_json(&report)?,
        false => output::say(&report.told())?,
    }
    Ok(())
}

async fn sources(client: &Client, url: &str) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    let mut next_token = None;
    loop {
        let request = ListDeadLetterSourceQueuesRequest {
            queue_url: url.to_owned(),
            next_token: next_token.take(),
            max_results: Some(1000),
        };
        let page = client.list_dead_letter_source_queues(request).await?;
        names.extend(page.queue_urls.iter().map(|url| queue_name(url).to_owned()));
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(names);
        }
    }
}

impl Report {
    fn told(&self) -> String {
        let counts = Counts::of(&self.attributes);
        let duration = |name: &str| self.number(name).map_or_else(|| "–".to_owned(), units::spoken);
        let mut lines = vec![
            ("name", self.name.clone()),
            ("URL", self.url.clone()),
            ("ARN", self.attributes.get("QueueArn").cloned().unwrap_or_default()),
            ("kind", self.kind()),
            ("visible", counts.visible.to_string()),
            ("in flight", counts.in_flight.to_string()),
            ("delayed", counts.delayed.to_string()),
            ("visibility timeout", duration("VisibilityTimeout")),
            ("delay", duration("DelaySeconds")),
            ("receives wait", duration("ReceiveMessageWaitTimeSeconds")),
            ("retention", duration("MessageRetentionPeriod")),
            ("largest message", self.number("MaximumMessageSize").map_or_else(String::new, |n| format!("{n} bytes"))),
        ];
        if let Some((arn, receives)) = redrive_policy(&self.attributes) {
            let after = units::count(receives, "receive");
            lines.push(("dead letters to", format!("{} after {after}", queue_name(&arn))));
        }
        if !self.dead_letter_sources.is_empty() {
            lines.push(("dead letters of", self.dead_letter_sources.join(", ")));
        }
        lines.extend(self.tags.iter().map(|(key, value)| ("tag", format!("{key} = {value}"))));
        lines.extend(self.move_tasks.iter().map(|task| ("move task", told_task(task))));
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        lines.iter().map(|(name, value)| format!("{name:width$}  {value}")).collect::<Vec<_>>().join("\n")
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.attributes.get(name)?.parse().ok()
    }

    fn kind(&self) -> String {
        let says = |name: &str, value: &str| self.attributes.get(name).is_some_and(|text| text == value);
        match (says("FifoQueue", "true"), says("ContentBasedDeduplication", "true")) {
            (false, _) => "standard".to_owned(),
            (true, false) => "FIFO".to_owned(),
            (true, true) => "FIFO, deduplication by content".to_owned(),
        }
    }
}

fn told_task(task: &ListMessageMoveTasksResultEntry) -> String {
    let moved = task.approximate_number_of_messages_moved.unwrap_or(0);
    let of = task.approximate_number_of_messages_to_move.map_or_else(String::new, |total| format!(" of {total}"));
    let status = task.status.as_deref().unwrap_or("?").to_lowercase();
    let to = task.destination_arn.as_deref().map_or_else(|| "its sources".to_owned(), |arn| queue_name(arn).to_owned());
    format!("{status}: {moved}{of} moved to {to}")
}
