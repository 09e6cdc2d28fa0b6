//! `afterward queue ls`

use super::{Counts, attributes, redrive_policy};
use crate::{failure::Failure, output, table::Table, target::queue_name};
use afterward::sqs::{Client, ListQueuesRequest};
use clap::Args;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use tokio::{sync::Semaphore, task::JoinSet};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  afterward queue ls\n  afterward queue ls orders- --json\n  afterward queue ls --url aws --region eu-west-1"
)]
pub(super) struct Ls {
    /// Only queues whose names start so
    prefix: Option<String>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    url: String,
    fifo: bool,
    visible: u64,
    in_flight: u64,
    delayed: u64,
    dead_letter_queue: Option<String>,
}

/// Queues asked about at a time.
const AT_ONCE: usize = 16;

pub(super) async fn run(ls: &Ls, client: &Client, json: bool) -> Result<(), Failure> {
    let urls = urls(client, ls.prefix.as_deref()).await?;
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut asked = JoinSet::new();
    for (at, url) in urls.into_iter().enumerate() {
        let (client, places) = (client.clone(), Arc::clone(&places));
        asked.spawn(async move {
            let _place = places.acquire().await;
            (at, attributes(&client, &url).await.map(|attributes| row(url, &attributes)))
        });
    }
    let mut rows = BTreeMap::new();
    while let Some(answer) = asked.join_next().await {
        let (at, row) = answer.map_err(|error| Failure::new(format!("a look-up ended early: {error}")))?;
        rows.insert(at, row?);
    }
    let rows: Vec<Row> = rows.into_values().collect();
    if json {
        return Ok(output::say_json(&rows)?);
    }
    show(&rows, ls.prefix.as_deref())
}

async fn urls(client: &Client, prefix: Option<&str>) -> Result<Vec<String>, Failure> {
    let mut urls = Vec::new();
    let mut next_token = None;
    loop {
        let request = ListQueuesRequest {
            queue_name_prefix: prefix.map(str::to_owned),
            max_results: Some(1000),
            next_token: next_token.take(),
        };
        let page = client.list_queues(request).await?;
        urls.extend(page.queue_urls);
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(urls);
        }
    }
}

fn row(url: String, attributes: &BTreeMap<String, String>) -> Row {
    let Counts { visible, in_flight, delayed } = Counts::of(attributes);
    let dead_letter_queue = redrive_policy(attributes).map(|(arn, _)| queue_name(&arn).to_owned());
    let name = queue_name(&url).to_owned();
    Row { fifo: name.ends_with(".fifo"), name, url, visible, in_flight, delayed, dead_letter_queue }
}

fn show(rows: &[Row], prefix: Option<&str>) -> Result<(), Failure> {
    let mut table = Table::new(&["NAME", "VISIBLE", "IN FLIGHT", "DELAYED", "DEAD LETTERS TO"]);
    for row in rows {
        table.row([
            row.name.clone(),
            row.visible.to_string(),
            row.in_flight.to_string(),
            row.delayed.to_string(),
            row.dead_letter_queue.clone().unwrap_or_default(),
        ]);
    }
    if table.is_empty() {
        let which = prefix.map_or_else(String::new, |prefix| format!(" whose name starts with `{prefix}`"));
        output::complain(&format!("No queue{which}. Make one with `afterward queue create NAME`."));
        return Ok(());
    }
    Ok(table.print()?)
}
