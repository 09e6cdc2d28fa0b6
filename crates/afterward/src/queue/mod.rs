//! A queue, to put messages into and to work from.

mod deletes;
mod enqueue;
mod open;
mod source;

#[cfg(test)]
mod tests;

pub use enqueue::{Enqueue, MessageId};
pub use open::OpenQueue;

use crate::{Error, Message, message::checked_type, sqs};
use deletes::Deletes;
use std::{fmt, sync::Arc};

/// A queue of any SQS endpoint. Cheap to clone; clones share their connections.
///
/// ```no_run
/// # use afterward::Queue;
/// # async fn example() -> Result<(), afterward::Error> {
/// let by_url = Queue::from_url("https://sqs.eu-west-1.amazonaws.com/123456789012/jobs")?;
/// let by_name = Queue::named("jobs").await?;
/// let made_when_missing = Queue::named("orders.fifo").create_if_missing().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Queue(Arc<Inner>);

struct Inner {
    client: sqs::Client,
    url: String,
    name: String,
    deletes: Deletes,
}

impl Queue {
    /// The queue with this URL, at the endpoint that the URL names, whatever endpoint the environment names. Sends
    /// nothing.
    ///
    /// # Errors
    /// The text is not a queue's URL, or there are no credentials for its host.
    pub fn from_url(url: &str) -> Result<Queue, Error> {
        let (endpoint, _) = sqs::Endpoint::of_queue_url(url)?;
        let client = sqs::Client::builder().endpoint(endpoint.as_str()).build()?;
        Ok(Queue::with_client(client, url))
    }

    /// The queue with this URL, reached by `client` at the client's endpoint, whatever host the URL names. Sends nothing.
    pub fn with_client(client: sqs::Client, url: impl Into<String>) -> Queue {
        let url = url.into();
        let name = url.trim_end_matches('/').rsplit('/').next().unwrap_or(&url).to_owned();
        Queue(Arc::new(Inner { deletes: Deletes::new(client.clone(), url.clone()), client, url, name }))
    }

    /// The queue with this name at the endpoint that the environment names (see [`sqs`]), else at the local server.
    /// Awaiting what this returns looks it up.
    pub fn named(name: impl Into<String>) -> OpenQueue {
        OpenQueue::new(name.into())
    }

    /// Puts a message into the queue. Awaiting what this returns sends it.
    ///
    /// ```no_run
    /// # use afterward::{Message, Queue};
    /// # use serde::{Deserialize, Serialize};
    /// # use std::time::Duration;
    /// # #[derive(Serialize, Deserialize, Message)]
    /// # #[message(type = "order:new")]
    /// # struct OrderNew { order_id: String }
    /// # async fn example(queue: Queue) -> Result<(), afterward::Error> {
    /// let order = OrderNew { order_id: "123".into() };
    /// let id = queue.enqueue(&order).delay(Duration::from_secs(120)).await?;
    /// println!("{id}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn enqueue<M: Message>(&self, message: &M) -> Enqueue {
        let message_type = const { checked_type::<M>() };
        Enqueue::new(self.clone(), message_type, crate::envelope::seal(message))
    }

    /// The queue's URL.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The queue's name: the last part of its URL.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether it is a FIFO queue, which its name tells.
    pub fn is_fifo(&self) -> bool {
        self.0.name.ends_with(".fifo")
    }

    /// The client that reaches it.
    pub fn client(&self) -> &sqs::Client {
        &self.0.client
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Queue").field(&self.0.url).finish()
    }
}
