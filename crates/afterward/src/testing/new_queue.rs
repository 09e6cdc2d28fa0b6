//! A queue for a test.

use crate::{Queue, sqs};
use serde_json::json;
use std::{collections::BTreeMap, pin::Pin, time::Duration};

/// How often a message is received before it is a dead letter, unless set.
const MAX_RECEIVES: u32 = 3;
/// What the longest retention is, in seconds: dead letters are to outlive what they came from.
const FORTNIGHT: &str = "1209600";

/// A queue about to be looked up, and made where it is not there; see [`Broker::queue`](super::Broker::queue). A queue that
/// is there already keeps its settings.
#[derive(Debug, Clone)]
#[must_use = "a queue is made when this is awaited"]
pub struct NewQueue {
    client: sqs::Client,
    name: String,
    max_receives: Option<u32>,
    attributes: BTreeMap<String, String>,
}

impl NewQueue {
    pub(super) fn new(client: sqs::Client, name: String) -> NewQueue {
        NewQueue { client, name, max_receives: Some(MAX_RECEIVES), attributes: BTreeMap::new() }
    }

    /// How often a message is received before it goes to the dead-letter queue: 3 unless set.
    pub fn max_receives(mut self, count: u32) -> NewQueue {
        self.max_receives = Some(count.max(1));
        self
    }

    /// Without a dead-letter queue.
    pub fn without_dead_letters(mut self) -> NewQueue {
        self.max_receives = None;
        self
    }

    /// How long a message that was received stays out of sight; 30 s unless set.
    pub fn visibility_timeout(self, timeout: Duration) -> NewQueue {
        self.attribute("VisibilityTimeout", timeout.as_secs().to_string())
    }

    /// Any attribute of SQS's `CreateQueue`.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> NewQueue {
        self.attributes.insert(name.into(), value.into());
        self
    }

    async fn make(mut self) -> Result<Queue, sqs::Error> {
        let lookup = sqs::GetQueueUrlRequest { queue_name: self.name.clone(), ..Default::default() };
        match self.client.get_queue_url(lookup).await {
            Ok(found) => return Ok(Queue::with_client(self.client, found.queue_url.unwrap_or_default())),
            Err(error) if error.is_queue_missing() => {}
            Err(error) => return Err(error),
        }
        if let Some(count) = self.max_receives {
            let retention = BTreeMap::from([("MessageRetentionPeriod".to_owned(), FORTNIGHT.to_owned())]);
            let dead = create(&self.client, &dead_letters_of(&self.name), retention).await?;
            let arn = arn_of(&self.client, &dead).await?;
            let policy = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": count });
            self.attributes.insert("RedrivePolicy".to_owned(), policy.to_string());
        }
        let url = create(&self.client, &self.name, self.attributes).await?;
        Ok(Queue::with_client(self.client, url))
    }
}

/// What the dead-letter queue of a queue is called: `jobs-dlq`, `jobs-dlq.fifo`.
fn dead_letters_of(name: &str) -> String {
    match name.strip_suffix(".fifo") {
        Some(stem) => format!("{stem}-dlq.fifo"),
        None => format!("{name}-dlq"),
    }
}

async fn create(
    client: &sqs::Client,
    name: &str,
    mut attributes: BTreeMap<String, String>,
) -> Result<String, sqs::Error> {
    if name.ends_with(".fifo") {
        attributes.insert("FifoQueue".to_owned(), "true".to_owned());
    }
    let request = sqs::CreateQueueRequest { queue_name: name.to_owned(), attributes, ..Default::default() };
    Ok(client.create_queue(request).await?.queue_url.unwrap_or_default())
}

async fn arn_of(client: &sqs::Client, url: &str) -> Result<String, sqs::Error> {
    let names = vec!["QueueArn".to_owned()];
    let request = sqs::GetQueueAttributesRequest { queue_url: url.to_owned(), attribute_names: names };
    Ok(client.get_queue_attributes(request).await?.attributes.remove("QueueArn").unwrap_or_default())
}

impl IntoFuture for NewQueue {
    type Output = Queue;
    type IntoFuture = Pin<Box<dyn Future<Output = Queue> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let name = self.name.clone();
            self.make().await.unwrap_or_else(|error| panic!("the queue `{name}` could not be made: {error}"))
        })
    }
}
