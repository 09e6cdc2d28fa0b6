//! The queue that is forwarded.

use super::{Forward, LONGEST_RETRY_DELAY_S, batch::Batch, event::Origin};
use crate::{
    failure::Failure,
    output,
    target::{queue_name, queue_url},
};
use afterward::sqs::{
    ChangeMessageVisibilityBatchRequest, ChangeMessageVisibilityBatchRequestEntry, ChangeMessageVisibilityRequest,
    Client, DeleteMessageBatchRequest, DeleteMessageBatchRequestEntry, ERROR_HEADER, Error, GetQueueAttributesRequest,
    Message, ReceiveMessageRequest, Request, UNBEGUN_HEADER,
};
use http::{HeaderMap, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use std::time::Duration;

/// What a lease lasts beyond the longest request: for the delete after it.
const AFTERWARDS_S: i64 = 30;
/// How long a receive waits for a message.
const WAIT_S: i64 = 20;
/// Up to where the delay before a message comes again doubles.
const LONGEST_DOUBLED_DELAY_S: i64 = 900;
/// What is left aside of the twelve hours that a message is out of sight at most: the way to the server and back.
const WAY_S: i64 = 5;

/// A queue, and how its messages are taken and settled.
pub(super) struct Source {
    client: Client,
    url: String,
    origin: Origin,
    redrive: Option<Redrive>,
    batch_size: i64,
    lease_s: i64,
    retry_delay_s: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Redrive {
    dead_letter_target_arn: String,
    max_receive_count: u32,
}

impl Source {
    /// Looks the queue up.
    pub(super) async fn open(client: Client, forward: &Forward) -> Result<Source, Failure> {
        let url = queue_url(&client, &forward.queue).await?;
        let attribute_names = vec!["QueueArn".to_owned(), "RedrivePolicy".to_owned()];
        let asked = GetQueueAttributesRequest { queue_url: url.clone(), attribute_names };
        let attributes = client.get_queue_attributes(asked).await?.attributes;
        let queue_arn = attributes.get("QueueArn").cloned().unwrap_or_default();
        let region = queue_arn.split(':').nth(3).unwrap_or_else(|| client.region()).to_owned();
        let redrive = attributes.get("RedrivePolicy").and_then(|policy| serde_json::from_str(policy).ok());
        Ok(Source {
            client,
            url,
            origin: Origin { queue_arn, region },
            redrive,
            batch_size: forward.batch_size,
            lease_s: i64::try_from(forward.timeout.as_secs()).unwrap_or(LONGEST_DOUBLED_DELAY_S) + AFTERWARDS_S,
            retry_delay_s: forward.retry_delay,
        })
    }

    pub(super) fn name(&self) -> &str {
        queue_name(&self.url)
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What becomes of a message that keeps failing, as a sentence.
    pub(super) fn end_of_failures(&self) -> String {
        match &self.redrive {
            Some(redrive) => format!(
                "A message that is received {} times without success goes to `{}`.",
                redrive.max_receive_count,
                queue_name(&redrive.dead_letter_target_arn)
            ),
            None => "It has no dead-letter queue: a message that keeps failing comes again until its retention ends."
                .to_owned(),
        }
    }

    /// Takes messages on lease, waiting for the first.
    pub(super) async fn receive(&self) -> Result<Batch, Error> {
        let all = || vec!["All".to_owned()];
        let request = ReceiveMessageRequest {
            queue_url: self.url.clone(),
            // Both names of the one thing: older servers know only the first.
            attribute_names: all(),
            message_system_attribute_names: all(),
            message_attribute_names: all(),
            max_number_of_messages: Some(self.batch_size),
            visibility_timeout: Some(self.lease_s),
            wait_time_seconds: Some(WAIT_S),
            ..ReceiveMessageRequest::default()
        };
        Ok(Batch::of(self.client.receive_message(request).await?.messages))
    }

    /// How long messages are ours from a receive on.
    pub(super) fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_s.unsigned_abs())
    }

    /// Takes messages for a whole lease from now on. Answers the ids of those that can't be had, and why; where nobody
    /// answers, nothing is known of them, and that is said.
    pub(super) async fn extend(&self, held: &[Message]) -> Vec<(String, String)> {
        let entry = |(index, message): (usize, &Message)| ChangeMessageVisibilityBatchRequestEntry {
            id: index.to_string(),
            receipt_handle: message.receipt_handle.clone().unwrap_or_default(),
            visibility_timeout: Some(self.lease_s),
        };
        let entries = held.iter().enumerate().map(entry).collect();
        let request = ChangeMessageVisibilityBatchRequest { queue_url: self.url.clone(), entries };
        match self.client.change_message_visibility_batch(request).await {
            Ok(result) => {
                let lost = result.failed.into_iter().filter(|entry| entry.sender_fault);
                lost.map(|entry| (id_at(held, &entry.id), entry.message.unwrap_or(entry.code))).collect()
            }
            Err(error) => {
                output::complain(&format!("messages that wait for the endpoint can't be held on to: {error}"));
                Vec::new()
            }
        }
    }

    /// Deletes messages that are done. One that can't be deleted comes again, and that is said.
    pub(super) async fn delete(&self, done: &[Message]) {
        if done.is_empty() {
            return;
        }
        let entry = |(index, message): (usize, &Message)| DeleteMessageBatchRequestEntry {
            id: index.to_string(),
            receipt_handle: message.receipt_handle.clone().unwrap_or_default(),
        };
        let entries = done.iter().enumerate().map(entry).collect();
        let request = DeleteMessageBatchRequest { queue_url: self.url.clone(), entries };
        match self.client.delete_message_batch(request).await {
            Ok(result) => {
                for entry in result.failed {
                    let id = id_at(done, &entry.id);
                    let why = entry.message.unwrap_or(entry.code);
                    output::complain(&format!("{id} is done and can't be deleted, so it comes again: {why}"));
                }
            }
            Err(error) => {
                output::complain(&format!("a batch that is done can't be deleted, so it comes again: {error}"));
            }
        }
    }

    /// Makes a failed message visible again after `delay_s`, with the reason for `afterward queue peek`.
    pub(super) async fn retry(&self, message: &Message, delay_s: i64, why: &str) {
        let encoded = utf8_percent_encode(why, NON_ALPHANUMERIC).to_string();
        let reason = HeaderValue::try_from(encoded).map(|value| HeaderMap::from_iter([(ERROR_HEADER, value)]));
        self.let_go(message, delay_s, reason.unwrap_or_default()).await;
    }

    /// Makes a message that no endpoint has seen visible again at once. On an Afterward server its receive does not count.
    pub(super) async fn hand_back(&self, message: &Message) {
        let unbegun = HeaderMap::from_iter([(UNBEGUN_HEADER, HeaderValue::from_static("true"))]);
        self.let_go(message, 0, unbegun).await;
    }

    async fn let_go(&self, message: &Message, delay_s: i64, headers: HeaderMap) {
        let request = Request::ChangeMessageVisibility(ChangeMessageVisibilityRequest {
            queue_url: self.url.clone(),
            receipt_handle: message.receipt_handle.clone().unwrap_or_default(),
            visibility_timeout: delay_s,
        });
        if let Err(error) = self.client.call(&request, headers).await {
            let id = message.message_id.as_deref().unwrap_or_default();
            output::complain(&format!("{id} comes again when its lease ends, and not after {delay_s} s: {error}"));
        }
    }

    /// How long a message rests before it comes again, that has been `held` since its receive.
    pub(super) fn rest_s(&self, message: &Message, held: Duration) -> i64 {
        rest_s(self.retry_delay_s, receive_count(message)).min(hideable_s(held))
    }
}

/// How often a message has been received.
pub(super) fn receive_count(message: &Message) -> u32 {
    message.attributes.get("ApproximateReceiveCount").and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// The id of the message at an entry's place.
fn id_at(messages: &[Message], entry_id: &str) -> String {
    let message = entry_id.parse::<usize>().ok().and_then(|index| messages.get(index));
    message.and_then(|message| message.message_id.clone()).unwrap_or_default()
}

/// How much longer a message can be kept out of sight: what it was `held` counts towards the twelve hours, too.
fn hideable_s(held: Duration) -> i64 {
    let held_s = i64::try_from(held.as_secs()).unwrap_or(LONGEST_RETRY_DELAY_S);
    (LONGEST_RETRY_DELAY_S - WAY_S).saturating_sub(held_s).max(0)
}

fn rest_s(first_s: i64, receive_count: u32) -> i64 {
    let doublings = receive_count.saturating_sub(1).min(20);
    first_s.saturating_mul(1 << doublings).min(LONGEST_DOUBLED_DELAY_S.max(first_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_with_each_receive_up_to_a_quarter_of_an_hour() {
        for (first_s, receives, expected_s) in
            [(1, 1, 1), (1, 2, 2), (1, 5, 16), (1, 11, 900), (1, u32::MAX, 900), (0, 9, 0), (7200, 3, 7200)]
        {
            assert_eq!(rest_s(first_s, receives), expected_s, "{first_s} s, receive {receives}");
        }
    }

    #[test]
    fn a_message_is_out_of_sight_for_twelve_hours_in_all() {
        for (held_s, expected_s) in [(0, 43_195), (3_600, 39_595), (43_195, 0), (50_000, 0)] {
            assert_eq!(hideable_s(Duration::from_secs(held_s)), expected_s, "held for {held_s} s");
        }
    }
}
