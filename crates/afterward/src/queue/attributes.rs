//! What a queue says of itself that sending depends on. Asked once, and only when it is needed.

use super::Queue;
use crate::sqs;
use afterward_names::limits;
use std::{collections::BTreeMap, time::Duration};

/// What SQS took in one message before it took a mebibyte, and what many servers take still: the limit where the queue does
/// not say.
const OLD_MESSAGE_BYTES: usize = 256 * 1024;

/// A queue's settings, as far as they matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attributes {
    /// How long a message is kept.
    pub(super) retention: Duration,
    /// The largest message.
    pub(super) maximum_message_bytes: usize,
    /// After how many receives a message goes to the dead-letter queue, where there is one.
    pub(super) max_receive_count: Option<u32>,
    /// Whether it is a FIFO queue that knows a message again by its body.
    pub(super) content_deduplication: bool,
}

impl Default for Attributes {
    fn default() -> Attributes {
        Attributes {
            retention: Duration::from_secs(limits::DEFAULT_RETENTION_S),
            maximum_message_bytes: OLD_MESSAGE_BYTES,
            max_receive_count: None,
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
            retention: number("MessageRetentionPeriod").map_or(unless_said.retention, Duration::from_secs),
            maximum_message_bytes: number("MaximumMessageSize")
                .and_then(|bytes| usize::try_from(bytes).ok())
                .unwrap_or(unless_said.maximum_message_bytes),
            max_receive_count: count.and_then(|count| u32::try_from(count).ok()),
            content_deduplication: said.get("ContentBasedDeduplication").is_some_and(|text| text == "true"),
        }
    }
}

impl Queue {
    /// The queue's settings. Who may send need not be allowed to ask for them: then they are taken to be the usual ones.
    pub(super) async fn attributes(&self) -> Attributes {
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
                Err(error) if error.is_transient() => Err(error),
                Err(error) => {
                    tracing::debug!(queue = self.name(), %error, "the queue's settings are taken to be the usual ones");
                    Ok(Attributes::default())
                }
            }
        });
        asked.await.copied().unwrap_or_default()
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
        assert_eq!(said(&[]), Attributes::default());
        assert_eq!(said(&[("RedrivePolicy", r#"{"maxReceiveCount":"3"}"#)]).max_receive_count, Some(3));
        let all = said(&[
            ("MessageRetentionPeriod", "60"),
            ("MaximumMessageSize", "1048576"),
            ("RedrivePolicy", r#"{"deadLetterTargetArn":"a","maxReceiveCount":1}"#),
        ]);
        assert_eq!((all.retention, all.maximum_message_bytes), (Duration::from_secs(60), 1024 * 1024));
        assert_eq!(all.max_receive_count, Some(1));
    }
}
