//! `afterward queue receive`

use crate::{failure::Failure, output, target::queue_url, units};
use afterward::sqs::{Client, DeleteMessageRequest, Message, ReceiveMessageRequest};
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  afterward queue receive jobs
  afterward queue receive jobs --max 10 --wait 20s --delete
  afterward queue receive jobs --visibility-timeout 5m --json

A received message is invisible to others until its visibility timeout ends, and its receive count grows.
To look without touching, use `afterward queue peek`.")]
pub(super) struct Receive {
    /// Name or URL
    pub(super) queue: String,
    /// At most so many, 1 to 10
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..=10))]
    max: i64,
    /// How long to wait for one, in whole seconds: 0 to 20s
    #[arg(long, value_name = "DURATION", value_parser = units::seconds)]
    wait: Option<i64>,
    /// How long they are invisible to others, in whole seconds: 0 to 12h
    #[arg(long, value_name = "DURATION", value_parser = units::seconds)]
    visibility_timeout: Option<i64>,
    /// Delete what is received, once it is printed
    #[arg(long)]
    delete: bool,
}

pub(super) async fn run(receive: &Receive, client: &Client, json: bool) -> Result<(), Failure> {
    let queue_url = queue_url(client, &receive.queue).await?;
    let request = ReceiveMessageRequest {
        queue_url: queue_url.clone(),
        attribute_names: vec!["All".to_owned()],
        message_attribute_names: vec!["All".to_owned()],
        max_number_of_messages: Some(receive.max),
        visibility_timeout: receive.visibility_timeout,
        wait_time_seconds: receive.wait,
        ..ReceiveMessageRequest::default()
    };
    let messages = client.receive_message(request).await?.messages;
    match json {
        true => output::say_json(&messages)?,
        false if messages.is_empty() => output::complain("No message."),
        false => {
            for message in &messages {
                let text = told(message, receive.delete);
                output::say(&if output::is_terminal() { harmless(&text) } else { text })?;
            }
        }
    }
    if receive.delete {
        for message in &messages {
            let receipt_handle = message.receipt_handle.clone().unwrap_or_default();
            client.delete_message(DeleteMessageRequest { queue_url: queue_url.clone(), receipt_handle }).await?;
        }
    }
    Ok(())
}

/// What a message holds can't move a person's cursor or colour their terminal: control characters are shown as `�`.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}

fn told(message: &Message, deleted: bool) -> String {
    let attribute = |name: &str| message.attributes.get(name).map(String::as_str);
    let mut head = vec![message.message_id.clone().unwrap_or_default()];
    if let Some(count) = attribute("ApproximateReceiveCount") {
        head.push(format!("receive {count}"));
    }
    if let Some(group) = attribute("MessageGroupId") {
        head.push(format!("group {group}"));
    }
    if let Some(source) = attribute("DeadLetterQueueSourceArn") {
        head.push(format!("dead letter of {}", crate::target::queue_name(source)));
    }
    let mut lines = vec![head.join(" · ")];
    for (name, value) in &message.message_attributes {
        let shown = value.string_value.clone().unwrap_or_else(|| "(binary)".to_owned());
        lines.push(format!("  {name}: {shown} ({})", value.data_type));
    }
    lines.extend(message.body.as_deref().unwrap_or_default().lines().map(|line| format!("  {line}")));
    if !deleted {
        lines.push(format!("  receipt handle: {}", message.receipt_handle.as_deref().unwrap_or_default()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_a_message_don_t_reach_the_terminal() {
        assert_eq!(harmless("a\u{9b}31mb\u{85}\r\n\tü"), "a\u{fffd}31mb\u{fffd}\u{fffd}\n\tü");
    }
}
