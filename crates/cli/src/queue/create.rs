//! `afterward queue create`

use crate::{failure::Failure, output, units};
use afterward::sqs::{Client, CreateQueueRequest};
use clap::Args;
use std::collections::BTreeMap;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  afterward queue create mails
  afterward queue create images --dead-letter-queue images-dlq --receives 3 --visibility-timeout 1m
  afterward queue create orders.fifo --attribute ContentBasedDeduplication=true --tag team=blue

Durations are whole seconds, from 0: 30s, 5m, 2h or 4d. Messages are kept from 1m to 14d, and invisible up to 12h when \
received, up to 15m at first; a receive waits up to 20s.")]
pub(super) struct Create {
    /// Its name; one that ends in .fifo makes a FIFO queue
    name: String,
    /// Where messages go that were received too often; created if it is not there
    #[arg(long, value_name = "QUEUE")]
    dead_letter_queue: Option<String>,
    /// How many receives a message gets before it is dead-lettered
    #[arg(long, value_name = "N", default_value_t = 3, requires = "dead_letter_queue")]
    receives: u16,
    /// How long a received message is invisible to others, such as 30s or 5m
    #[arg(long, value_name = "DURATION", value_parser = units::seconds)]
    visibility_timeout: Option<i64>,
    /// How long messages are kept, such as 4d
    #[arg(long, value_name = "DURATION", value_parser = units::seconds)]
    retention: Option<i64>,
    /// How long each message is invisible at first
    #[arg(long, value_name = "DURATION", value_parser = units::seconds)]
    delay: Option<i64>,
    /// How long a receive waits for a message
    #[arg(long, value_name = "DURATION", value_parser = units::seconds)]
    wait: Option<i64>,
    /// Any attribute by SQS's name
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = units::pair)]
    attributes: Vec<(String, String)>,
    /// A tag
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = units::pair)]
    tags: Vec<(String, String)>,
}

pub(super) async fn run(create: Create, client: &Client, json: bool) -> Result<(), Failure> {
    let fifo = create.name.ends_with(".fifo");
    if let Some(dead) = create.dead_letter_queue.as_deref().filter(|dead| dead.ends_with(".fifo") != fifo) {
        return Err(Failure::new(format!(
            "{dead} can't hold the dead letters of {}: of the two, one is a FIFO queue and the other is not. {}",
            create.name,
            if fifo { "Its name has to end in .fifo, too" } else { "Take one whose name does not end in .fifo" }
        )));
    }
    let mut attributes: BTreeMap<String, String> = create.attributes.into_iter().collect();
    let mut set = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            attributes.insert(name.to_owned(), value);
        }
    };
    set("FifoQueue", fifo.then(|| "true".to_owned()));
    set("VisibilityTimeout", create.visibility_timeout.map(|s| s.to_string()));
    set("MessageRetentionPeriod", create.retention.map(|s| s.to_string()));
    set("DelaySeconds", create.delay.map(|s| s.to_string()));
    set("ReceiveMessageWaitTimeSeconds", create.wait.map(|s| s.to_string()));
    if let Some(dead) = &create.dead_letter_queue {
        let arn = dead_letter_arn(client, dead, fifo).await?;
        let policy = serde_json::json!({ "deadLetterTargetArn": arn, "maxReceiveCount": create.receives });
        set("RedrivePolicy", Some(policy.to_string()));
    }
    let request = CreateQueueRequest { queue_name: create.name, attributes, tags: create.tags.into_iter().collect() };
    let url = client.create_queue(request).await?.queue_url.unwrap_or_default();
    match json {
        true => output::say_json(&serde_json::json!({ "url": url }))?,
        false => output::say(&url)?,
    }
    Ok(())
}

/// The ARN of the dead-letter queue, which is created with the longest retention if it is not there.
async fn dead_letter_arn(client: &Client, name: &str, fifo: bool) -> Result<String, Failure> {
    if !name.starts_with("arn:") && !name.contains("://") {
        let lookup = afterward::sqs::GetQueueUrlRequest { queue_name: name.to_owned(), ..Default::default() };
        match client.get_queue_url(lookup).await {
            Ok(_) => {}
            Err(error) if error.is_queue_missing() => make_dead_letter_queue(client, name, fifo).await?,
            Err(error) => return Err(error.into()),
        }
    }
    super::arn(client, name).await
}

async fn make_dead_letter_queue(client: &Client, name: &str, fifo: bool) -> Result<(), Failure> {
    let mut attributes = BTreeMap::from([("MessageRetentionPeriod".to_owned(), "1209600".to_owned())]);
    if fifo {
        attributes.insert("FifoQueue".to_owned(), "true".to_owned());
    }
    let request = CreateQueueRequest { queue_name: name.to_owned(), attributes, ..CreateQueueRequest::default() };
    client.create_queue(request).await?;
    Ok(())
}
