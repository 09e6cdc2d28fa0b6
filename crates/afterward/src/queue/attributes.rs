//! What a queue says of itself that sending depends on. Asked once, and only when it is needed.

use super::Queue;
use crate::{Error, sqs};
use afterward_names::limits;
use std::{collections::BTreeMap, time::Duration};

/// What SQS took in one message before it took a mebibyte, and what many servers take still: the limit where the queue does
/// not say.
const OLD_MESSAGE_BYTES: usize = 256 * 1024;

/// A queue's settings, as far as they matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attributes {
    /// Whether the queue said them; else they are the usual ones.
    pub(super) known: bool,
    /// How long a message is kept.
    pub(super) retention: Duration,
    /// The largest message.
    pub(super) maximum_message_bytes: usize,
    /// After how many receives a message goes to the dead-letter queue, where there is one.
    pub(super) max_receive_count: Option<u32>,
    /// That queue's ARN.
    pub(super) dead_letter_arn: Option<String>,
    /// Whether it is a FIFO queue that knows a message again by its body.
    pub(super) content_deduplication: bool,
}

impl Default for Attributes {
    fn default() -> Attributes {
        Attributes {
            known: false,
            retention: Duration::from_secs(limits::DEFAULT_RETENTION_S),
            maximum_message_bytes: OLD_MESSAGE_BYTES,
            max_receive_count: None,
            dead_letter_arn: None,
            content_deduplication: false,
        }
    }
}

impl Attributes {
    fn of(said: &BTreeMap<String, String>) -> Attributes {
        let unless_said = Attributes::default();
        let number = |name: &str| said.get(name).and_then(|text| text.parse::<u64>().ok());
        let policy: serde_json::Value =
            said.get("RedrivePolicy").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        // AWS takes the number as a number and as text.
        let count = &policy["maxReceiveCount"];
        let count = count.as_u64().or_else(|| count.as_str().and_then(|text| text.parse().ok()));
        Attributes {
            known: true,
            retention: number("MessageRetentionPeriod").map_or(unless_said.retention, Duration::from_secs),
            maximum_message_bytes: number("MaximumMessageSize")
                .and_then(|bytes| usize::try_from(bytes).ok())
                .unwrap_or(unless_said.maximum_message_bytes),
            max_receive_count: count.and_then(|count| u32::try_from(count).ok()),
            dead_letter_arn: policy["deadLetterTargetArn"].as_str().map(str::to_owned),
            content_deduplication: said.get("ContentBasedDeduplication").is_some_and(|text| text == "true"),
        }
    }
}

impl Queue {
    /// The queue's settings. Who may send need not be allowed to ask for them: then they are taken to be the usual ones.
    pub(super) async fn attributes(&self) -> Attributes {
        self.attributes_or_why_not().await.unwrap_or_default()
    }

    /// The same, for what is left to others to send: there has to be such a queue, and it has to answer.
    pub(super) async fn attributes_or_why_not(&self) -> Result<Attributes, Error> {
        let asked = self.0.attributes.get_or_try_init(|| async {
            let mut names = vec!["MessageRetentionPeriod", "MaximumMessageSize", "RedrivePolicy"];
            if self.is_fifo() {
                // A standard queue may not know it.
                names.push("ContentBasedDeduplication");
            }
            let request = sqs::GetQueueAttributesRequest {
                queue_url: self.url().to_owned(),
                attribute_names: names.into_iter().map(str::to_owned).collect(),
            };
            match self.client().get_queue_attributes(request).await {
                Ok(said) => Ok(Attributes::of(&said.attributes)),
                Err(error) if error.is_transient() || error.is_insecure() || error.is_queue_missing() => Err(error),
                Err(error) => {
                    tracing::debug!(queue = self.name(), %error, "the queue's settings are taken to be the usual ones");
                    Ok(Attributes::default())
                }
            }
        });
        Ok(asked.await?.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_as_usual() {
        let said = |pairs: &[(&str, &str)]| {
            Attributes::of(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        assert_eq!(said(&[]), Attributes { known: true, ..Attributes::default() });
        assert_eq!(said(&[("RedrivePolicy", r#"{"maxReceiveCount":"3"}"#)]).max_receive_count, Some(3));
        let all = said(&[
            ("MessageRetentionPeriod", "60"),
            ("MaximumMessageSize", "1048576"),
            ("RedrivePolicy", r#"{"deadLetterTargetArn":"a","maxReceiveCount":1}"#),
        ]);
        assert_eq!((all.retention, all.maximum_message_bytes), (Duration::from_secs(60), 1024 * 1024));
        assert_eq!((all.max_receive_count, all.dead_letter_arn.as_deref()), (Some(1), Some("a")));
    }
}
