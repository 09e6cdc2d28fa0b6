//! A queue, to put messages into and to work from.

mod attributes;
mod batch;
mod completion;
mod dead_letter;
mod deletes;
mod enqueue;
mod enqueue_all;
mod entries;
mod fitting;
mod later;
mod lists;
mod open;
mod outgoing;
mod receipt;
mod received;
mod sends;
mod settings;
mod source;
mod tagged;
pub(crate) mod tally;
mod ticks;
mod unique;

#[cfg(test)]
mod tests;

pub use completion::Batch;
pub use enqueue::{Enqueue, MessageId};
pub use enqueue_all::{EnqueueAll, ToEnqueue};
pub use later::Scheduler;
pub use open::OpenQueue;

use crate::{Error, Message, message::checked_type, sqs};
use attributes::Attributes;
use dead_letter::SentLetters;
use deletes::Deletes;
use later::{Known, SendingOn};
use lists::Lists;
use sends::Sends;
use settings::Settings;
use std::{fmt, sync::Arc};
use tally::Tallies;
use ticks::SentUntil;
use tokio::sync::OnceCell;

/// A queue of any SQS endpoint. Cheap to clone; clones share their connections.
///
/// ```no_run
/// # use afterward::Queue;
/// # async fn example() -> Result<(), afterward::Error> {
/// let by_environment = Queue::from_env().await?;
/// let by_url = Queue::from_url("https://sqs.eu-west-1.amazonaws.com/123456789012/jobs")?;
/// let by_name = Queue::named("jobs").await?;
/// let by_tag = Queue::tagged("Deployment", "main").await?;
/// let made_when_missing = Queue::named("orders.fifo").create_with_dead_letters(5).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Queue(Arc<Inner>);

struct Inner {
    client: sqs::Client,
    url: String,
    name: String,
    settings: Settings,
    deletes: Deletes,
    sending_on: SendingOn,
    known: Known,
    lists: Lists,
    sends: Sends,
    sent_until: SentUntil,
    letters: SentLetters,
    tallies: Tallies,
    attributes: OnceCell<Attributes>,
}

impl Queue {
    /// The queue with this URL, at the endpoint that the URL names, whatever endpoint the environment names. Sends
    /// nothing.
    ///
    /// # Errors
    /// The text is not a queue's URL, or there are no credentials for its host.
    pub fn from_url(url: &str) -> Result<Queue, Error> {
        Ok(Queue::from_url_by(url)?)
    }

    fn from_url_by(url: &str) -> Result<Queue, sqs::SettingsError> {
        let (endpoint, _) = sqs::Endpoint::of_queue_url(url)?;
        let client = sqs::Client::builder().endpoint(endpoint.as_str()).build()?;
        Ok(Queue::with_client(client, url))
    }

    /// The queue with this URL, reached by `client` at the client's endpoint, whatever host the URL names. Sends nothing.
    pub fn with_client(client: sqs::Client, url: impl Into<String>) -> Queue {
        Queue::with_settings(client, url.into(), Settings::default())
    }

    fn with_settings(client: sqs::Client, url: String, settings: Settings) -> Queue {
        let name = url.trim_end_matches('/').rsplit('/').next().unwrap_or(&url).to_owned();
        let lists = Lists::default();
        Queue(Arc::new(Inner {
            deletes: Deletes::new(client.clone(), url.clone(), lists.clone()),
            sending_on: SendingOn::default(),
            known: Known::default(),
            lists,
            sends: Sends::default(),
            sent_until: SentUntil::default(),
            letters: SentLetters::default(),
            tallies: Tallies::default(),
            attributes: OnceCell::new(),
            client,
            url,
            name,
            settings,
        }))
    }

    /// The queue with this name at the endpoint that the environment names (see [`sqs`]), else at the local server.
    /// Awaiting what this returns looks it up, and again for 30 s where its server is away: see
    /// [`patience`](OpenQueue::patience).
    pub fn named(name: impl Into<String>) -> OpenQueue {
        OpenQueue::named(name.into())
    }

    /// The one queue that has this tag, among all that the account has in the region. Awaiting what this returns looks
    /// through them (`ListQueues` and `ListQueueTags`): a [prefix](OpenQueue::prefix) of their names makes that less work.
    ///
    /// ```no_run
    /// # use afterward::Queue;
    /// # async fn example() -> Result<(), afterward::Error> {
    /// let queue = Queue::tagged("LetsGoDeployment", "main").prefix("letsgo-").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn tagged(name: impl Into<String>, value: impl Into<String>) -> OpenQueue {
        OpenQueue::tagged(name.into(), value.into())
    }

    /// The queue that the environment names: by its URL in `AFTERWARD_QUEUE_URL`, else by a tag of it in
    /// `AFTERWARD_QUEUE_TAG` (`Name=Value`), where the queues' names may have to start with `AFTERWARD_QUEUE_PREFIX`. What
    /// was found by tag is remembered as long as the process lives.
    pub fn from_env() -> OpenQueue {
        OpenQueue::from_env()
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
