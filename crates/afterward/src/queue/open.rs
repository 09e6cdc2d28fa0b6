//! Finding a queue by its name.

use super::Queue;
use crate::{Error, sqs};
use std::{collections::BTreeMap, pin::Pin};

/// A queue about to be looked up; see [`Queue::named`].
#[derive(Debug)]
#[must_use = "a queue is looked up when this is awaited"]
pub struct OpenQueue {
    name: String,
    client: Option<sqs::Client>,
    create: bool,
}

impl OpenQueue {
    pub(super) fn new(name: String) -> OpenQueue {
        OpenQueue { name, client: None, create: false }
    }

    /// Looks it up with this client instead of one made from the environment.
    pub fn client(mut self, client: sqs::Client) -> OpenQueue {
        self.client = Some(client);
        self
    }

    /// Makes the queue where there is none of this name, with the service's defaults; as FIFO where the name ends in
    /// `.fifo`. Settings, such as a dead-letter queue, are [`sqs::Client::create_queue`]'s.
    pub fn create_if_missing(mut self) -> OpenQueue {
        self.create = true;
        self
    }

    async fn open(self) -> Result<Queue, Error> {
        let client = match self.client {
            Some(client) => client,
            None => sqs::Client::from_env()?,
        };
        let lookup = sqs::GetQueueUrlRequest { queue_name: self.name.clone(), ..Default::default() };
        let url = match client.get_queue_url(lookup).await {
            Ok(found) => found.queue_url,
            Err(error) if self.create && error.is_queue_missing() => create(&client, &self.name).await?,
            Err(error) => return Err(error.into()),
        };
        let url = url.ok_or_else(|| {
            Error::Refused(format!("{} did not say what the URL of the queue `{}` is", client.endpoint(), self.name))
        })?;
        Ok(Queue::with_client(client, url))
    }
}

async fn create(client: &sqs::Client, name: &str) -> Result<Option<String>, sqs::Error> {
    let mut attributes = BTreeMap::new();
    if name.ends_with(".fifo") {
        attributes.insert("FifoQueue".to_owned(), "true".to_owned());
    }
    let request = sqs::CreateQueueRequest { queue_name: name.to_owned(), attributes, ..Default::default() };
    Ok(client.create_queue(request).await?.queue_url)
}

impl IntoFuture for OpenQueue {
    type Output = Result<Queue, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}
