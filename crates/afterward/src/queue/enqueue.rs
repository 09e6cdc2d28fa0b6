//! Putting one message into a queue.

use super::Queue;
use crate::{Attribute, Error, sqs};
use std::{collections::BTreeMap, fmt, pin::Pin, time::Duration};

/// The longest delay that SQS takes: 15 minutes.
const LONGEST_DELAY: Duration = Duration::from_secs(900);

/// A message about to be sent; see [`Queue::enqueue`].
#[derive(Debug)]
#[must_use = "a message is sent when this is awaited"]
pub struct Enqueue {
    queue: Queue,
    message_type: &'static str,
    body: Result<String, serde_json::Error>,
    delay: Option<Duration>,
    group: Option<String>,
    deduplication_id: Option<String>,
    attributes: BTreeMap<String, Attribute>,
}

/// What a service calls a message, from its sending to its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Enqueue {
    pub(super) fn new(queue: Queue, message_type: &'static str, body: Result<String, serde_json::Error>) -> Enqueue {
        let attributes = BTreeMap::new();
        Enqueue { queue, message_type, body, delay: None, group: None, deduplication_id: None, attributes }
    }

    /// Keeps the message from workers for this long, up to 15 minutes; rounded up to whole seconds. A FIFO queue has one
    /// delay for all its messages and takes none here.
    pub fn delay(mut self, delay: Duration) -> Enqueue {
        self.delay = Some(delay);
        self
    }

    /// The message's group. A FIFO queue needs one, and hands out the messages of a group in order; a standard queue keeps
    /// a group with many messages from starving the others.
    pub fn group(mut self, group: impl Into<String>) -> Enqueue {
        self.group = Some(group.into());
        self
    }

    /// The deduplication id: a FIFO queue takes one message of an id in five minutes. For FIFO queues only; needed there
    /// unless the queue deduplicates by content.
    pub fn dedup(mut self, id: impl Into<String>) -> Enqueue {
        self.deduplication_id = Some(id.into());
        self
    }

    /// A message attribute: up to ten of them travel beside the body.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<Attribute>) -> Enqueue {
        self.attributes.insert(name.into(), value.into());
        self
    }

    async fn send(self) -> Result<MessageId, Error> {
        let client = self.queue.client().clone();
        let result = client.send_message(self.into_request()?).await?;
        let id = result
            .message_id
            .ok_or_else(|| Error::Refused(format!("{} took a message and did not say its id", client.endpoint())))?;
        Ok(MessageId(id))
    }

    /// The request, or why there can be none.
    fn into_request(self) -> Result<sqs::SendMessageRequest, Error> {
        self.check()?;
        let message_type = self.message_type;
        Ok(sqs::SendMessageRequest {
            queue_url: self.queue.url().to_owned(),
            message_body: self.body.map_err(|source| Error::Payload { message_type, source })?,
            delay_seconds: self.delay.map(seconds_up),
            message_attributes: self.attributes.into_iter().map(|(name, value)| (name, value.into_wire())).collect(),
            message_deduplication_id: self.deduplication_id,
            message_group_id: self.group,
            ..Default::default()
        })
    }

    fn check(&self) -> Result<(), Error> {
        let name = self.queue.name();
        let refuse = |why: String| Err(Error::Refused(why));
        match (self.queue.is_fifo(), self.delay) {
            (_, Some(delay)) if delay > LONGEST_DELAY => {
                refuse(format!("a delay of {delay:?} is too long: SQS takes 15 minutes at most"))
            }
            (true, Some(_)) => refuse(format!(
                "`{name}` is a FIFO queue, which has one delay for all its messages (its DelaySeconds): leave out .delay()"
            )),
            (true, _) if self.group.is_none() => {
                refuse(format!("`{name}` is a FIFO queue, where each message belongs to a group: add .group(…)"))
            }
            (false, _) if self.deduplication_id.is_some() => {
                refuse(format!("`{name}` is not a FIFO queue and can't deduplicate: leave out .dedup(…)"))
            }
            _ => Ok(()),
        }
    }
}

impl IntoFuture for Enqueue {
    type Output = Result<MessageId, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Whole seconds, rounded up: never sooner than asked.
pub(super) fn seconds_up(duration: Duration) -> i64 {
    let more = u64::from(duration.subsec_nanos() > 0);
    i64::try_from(duration.as_secs().saturating_add(more)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, sqs::tests::client};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, Message)]
    #[message(type = "tick")]
    struct Tick;

    /// Not JSON: its keys are no strings.
    #[derive(Serialize, Deserialize, Message)]
    #[message(type = "odd")]
    struct Odd(BTreeMap<(u8, u8), u8>);

    fn queue(name: &str) -> Queue {
        Queue::with_client(client("http://127.0.0.1:1"), format!("http://127.0.0.1:1/000000000000/{name}"))
    }

    #[test]
    fn a_message_is_sent_with_all_that_was_said() {
        let enqueue = queue("jobs").enqueue(&Tick).delay(Duration::from_millis(1500)).group("g").attribute("n", 3);
        let request = enqueue.into_request().unwrap();
        assert_eq!(request.queue_url, "http://127.0.0.1:1/000000000000/jobs");
        assert_eq!(request.message_body, r#"{"type":"tick","payload":null}"#);
        assert_eq!((request.delay_seconds, request.message_group_id.as_deref()), (Some(2), Some("g")));
        assert_eq!(request.message_attributes["n"].data_type, "Number");
    }

    #[test]
    fn what_no_queue_would_take_is_refused_before_it_is_sent() {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        for (enqueue, words) in [
            (queue("jobs").enqueue(&Tick).delay(minutes(16)), "15 minutes at most"),
            (queue("jobs").enqueue(&Tick).dedup("x"), "not a FIFO queue"),
            (queue("jobs.fifo").enqueue(&Tick), "add .group(…)"),
            (queue("jobs.fifo").enqueue(&Tick).group("g").delay(minutes(1)), "one delay for all"),
            (queue("jobs").enqueue(&Odd([((1, 2), 3)].into())), "of type `odd` can't be written"),
        ] {
            let error = enqueue.into_request().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert!(queue("jobs").enqueue(&Tick).delay(minutes(15)).into_request().is_ok());
        assert!(queue("jobs.fifo").enqueue(&Tick).group("g").dedup("x").into_request().is_ok());
    }
}
