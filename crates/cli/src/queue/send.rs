//! `afterward queue send`

use crate::{failure::Failure, output, target::queue_url, units};
use afterward::sqs::{
    Client, MessageAttributeValue, SendMessageBatchRequest, SendMessageBatchRequestEntry, SendMessageRequest,
};
use clap::Args;
use std::{
    collections::BTreeMap,
    io::{self, BufRead, Read},
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  afterward queue send jobs '{\"task\":\"resize\"}'
  afterward queue send jobs hello --delay 30s --attribute tenant=blue --attribute size:Number=3
  afterward queue send orders.fifo '{}' --group customer-7 --dedup order-123
  echo body | afterward queue send jobs -
  afterward queue send jobs --lines < bodies.txt")]
pub(super) struct Send {
    /// Name or URL
    pub(super) queue: String,
    /// The body; `-` reads it from standard input
    #[arg(required_unless_present = "lines", conflicts_with = "lines")]
    body: Option<String>,
    /// Send each line of standard input as a message; empty lines are left out
    #[arg(long)]
    lines: bool,
    /// How long it is invisible at first, in whole seconds: 0 to 15m
    #[arg(long, value_name = "DURATION", value_parser = units::seconds)]
    delay: Option<i64>,
    /// Message group
    #[arg(long, value_name = "ID")]
    group: Option<String>,
    /// Deduplication id (FIFO queues)
    #[arg(long, value_name = "ID", conflicts_with = "lines")]
    dedup: Option<String>,
    /// A message attribute; NAME:TYPE=VALUE for types other than String
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = attribute)]
    attributes: Vec<(String, MessageAttributeValue)>,
}

/// `name=value` or `name:Type=value`.
fn attribute(text: &str) -> Result<(String, MessageAttributeValue), String> {
    let (name, value) = units::pair(text)?;
    let (name, kind) = match name.split_once(':') {
        Some((name, kind)) => (name.to_owned(), kind.to_owned()),
        None => (name, "String".to_owned()),
    };
    if kind.starts_with("Binary") {
        return Err(format!("`{text}`: binary attributes can't be given on a command line"));
    }
    Ok((name, MessageAttributeValue { data_type: kind, string_value: Some(value), ..MessageAttributeValue::default() }))
}

pub(super) async fn run(send: &Send, client: &Client, json: bool) -> Result<(), Failure> {
    let queue_url = queue_url(client, &send.queue).await?;
    if send.lines {
        return lines(send, client, queue_url, json).await;
    }
    let mut body = send.body.clone().unwrap_or_default();
    if body == "-" {
        body.clear();
        std::io::stdin().lock().read_to_string(&mut body).map_err(unreadable)?;
    }
    let sent = client
        .send_message(SendMessageRequest {
            queue_url,
            message_body: body,
            delay_seconds: send.delay,
            message_attributes: send.attributes.iter().cloned().collect(),
            message_group_id: send.group.clone(),
            message_deduplication_id: send.dedup.clone(),
            ..SendMessageRequest::default()
        })
        .await?;
    match json {
        true => output::say_json(&sent)?,
        false => output::say(&sent.message_id.unwrap_or_default())?,
    }
    Ok(())
}

/// Why standard input could not be read.
fn unreadable(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::InvalidData => Failure::new(
            "standard input is not UTF-8, and the body of a message is text. Encode the data first, with base64 for instance",
        ),
        _ => Failure::new(format!("standard input can't be read: {error}")),
    }
}

/// Messages of one batch request, and the bytes that fit into one with room for attributes.
const BATCH: usize = 10;
const BATCH_BYTES: usize = 1024 * 1024;

async fn lines(send: &Send, client: &Client, queue_url: String, json: bool) -> Result<(), Failure> {
    let attributes: BTreeMap<String, MessageAttributeValue> = send.attributes.iter().cloned().collect();
    let overhead: usize = attributes.iter().map(|(name, value)| name.len() + value_bytes(value)).sum();
    let mut batch: Vec<String> = Vec::new();
    let mut bytes = 0;
    let mut sent = 0_u64;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(unreadable)?;
        if line.is_empty() {
            continue;
        }
        let size = line.len() + overhead;
        if batch.len() == BATCH || (bytes + size > BATCH_BYTES && !batch.is_empty()) {
            sent += flush(send, client, &queue_url, &attributes, std::mem::take(&mut batch), sent).await?;
            bytes = 0;
        }
        bytes += size;
        batch.push(line);
    }
    if !batch.is_empty() {
        sent += flush(send, client, &queue_url, &attributes, batch, sent).await?;
    }
    match json {
        true => output::say_json(&serde_json::json!({ "sent": sent }))?,
        false => output::say(&format!("sent {}", units::count(sent, "message")))?,
    }
    Ok(())
}

fn value_bytes(value: &MessageAttributeValue) -> usize {
    value.data_type.len() + value.string_value.as_ref().map_or(0, String::len)
}

async fn flush(
    send: &Send,
    client: &Client,
    queue_url: &str,
    attributes: &BTreeMap<String, MessageAttributeValue>,
    bodies: Vec<String>,
    before: u64,
) -> Result<u64, Failure> {
    let entry = |(at, message_body): (usize, String)| SendMessageBatchRequestEntry {
        id: at.to_string(),
        message_body,
        delay_seconds: send.delay,
        message_attributes: attributes.clone(),
        message_group_id: send.group.clone(),
        ..SendMessageBatchRequestEntry::default()
    };
    let entries = bodies.into_iter().enumerate().map(entry).collect();
    let done = client.send_message_batch(SendMessageBatchRequest { queue_url: queue_url.to_owned(), entries }).await?;
    if let Some(refused) = done.failed.first() {
        let line = before + refused.id.parse::<u64>().unwrap_or(0) + 1;
        let reason = refused.message.as_deref().unwrap_or(&refused.code);
        let sent = before + done.successful.len() as u64;
        return Err(Failure::new(format!(
            "non-empty line {line} was refused: {reason} ({sent} sent before or beside it)"
        )));
    }
    Ok(done.successful.len() as u64)
}
