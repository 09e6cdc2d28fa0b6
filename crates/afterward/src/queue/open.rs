//! Finding a queue: by its name, by a tag of it, or as the environment says.

use super::{Queue, tagged::Tag};
use crate::{
    Error,
    sqs::{self, Environment, SettingsError, retry::Backoff},
};
use std::{collections::BTreeMap, pin::Pin, time::Duration};
use tokio::time::{Instant, sleep};

/// How the name of a FIFO queue ends.
const FIFO: &str = ".fifo";
/// How long a look-up waits for its server: those that start together are not up together.
const PATIENCE: Duration = Duration::from_secs(30);
/// The waits between its attempts: the first, and what they grow to.
const WAIT_FIRST: Duration = Duration::from_millis(500);
const WAIT_LONGEST: Duration = Duration::from_secs(2);

/// A queue about to be looked up; see [`Queue::named`], [`Queue::tagged`] and [`Queue::from_env`].
#[derive(Debug)]
#[must_use = "a queue is looked up when this is awaited"]
pub struct OpenQueue {
    by: Result<By, SettingsError>,
    client: Option<sqs::Client>,
    create: Option<Creation>,
    patience: Duration,
}

/// How a queue is made.
#[derive(Debug, Clone, Copy)]
enum Creation {
    Plain,
    /// With a dead-letter queue, which takes what was received so often.
    DeadLetters(u32),
}

/// What is known of the queue.
#[derive(Debug, PartialEq, Eq)]
enum By {
    Name(String),
    Url(String),
    /// `true`: what was found once is believed from then on.
    Tag(Tag, bool),
}

impl OpenQueue {
    fn by(by: Result<By, SettingsError>) -> OpenQueue {
        OpenQueue { by, client: None, create: None, patience: PATIENCE }
    }

    pub(super) fn named(name: String) -> OpenQueue {
        OpenQueue::by(Ok(By::Name(name)))
    }

    pub(super) fn tagged(name: String, value: String) -> OpenQueue {
        OpenQueue::by(Ok(By::Tag(Tag { name, value, prefix: None }, false)))
    }

    pub(super) fn from_env() -> OpenQueue {
        OpenQueue::by(said_by(&Environment { variable: &|name| std::env::var(name).ok() }))
    }

    /// Looks it up with this client instead of one made from the environment.
    pub fn client(mut self, client: sqs::Client) -> OpenQueue {
        self.client = Some(client);
        self
    }

    /// Makes the queue where there is none of this name, with the service's defaults; as FIFO where the name ends in
    /// `.fifo`. It has no dead-letter queue, so a worker can put what fails for good nowhere and tries it again for ever:
    /// [`create_with_dead_letters`](OpenQueue::create_with_dead_letters) makes one, too. Other settings are
    /// [`sqs::Client::create_queue`]'s. Only a queue that is looked up by its name can be made.
    pub fn create_if_missing(mut self) -> OpenQueue {
        self.create = Some(Creation::Plain);
        self
    }

    /// The same, and a queue that is made has a dead-letter queue, `NAME-dlq` (`NAME-dlq.fifo` of a FIFO queue), which is made
    /// if it is missing: what was received `max_receives` times (1 to 1,000) and not deleted goes there. A queue that is
    /// there already stays as it is.
    pub fn create_with_dead_letters(mut self, max_receives: u32) -> OpenQueue {
        self.create = Some(Creation::DeadLetters(max_receives));
        self
    }

    /// What the name of a queue that is looked up by its tag has to start with.
    pub fn prefix(mut self, prefix: impl Into<String>) -> OpenQueue {
        if let Ok(By::Tag(tag, _)) = &mut self.by {
            tag.prefix = Some(prefix.into());
        }
        self
    }

    /// How long to look again for a server that is away before that is an error: 30 s unless set. After the first look a warning
    /// is logged. A look itself takes what the client allows it ([`Builder::timeout`](sqs::Builder::timeout) for each of
    /// [`Builder::attempts`](sqs::Builder::attempts)): no time where the connection is refused, more where nothing answers.
    /// `Duration::ZERO` suits what somebody waits for, such as the answer to a request; `Duration::MAX` a worker that is to
    /// wait as long as it takes. A queue that is known by its URL is not looked up, and needs no patience.
    pub fn patience(mut self, patience: Duration) -> OpenQueue {
        self.patience = patience;
        self
    }

    async fn open(self) -> Result<Queue, Error> {
        let by = self.by?;
        if let By::Url(url) = by {
            let in_variable = |SettingsError(why)| SettingsError(format!("AFTERWARD_QUEUE_URL: {why}"));
            sqs::Endpoint::of_queue_url(&url).map_err(in_variable)?;
            return match self.client {
                Some(client) => Ok(Queue::with_client(client, url)),
                None => Ok(Queue::from_url_by(&url)?),
            };
        }
        let client = match self.client {
            Some(client) => client,
            None => sqs::Client::from_env()?,
        };
        let url = by.wait_for(&client, self.create, self.patience).await?;
        Ok(Queue::with_client(client, url))
    }
}

impl By {
    /// [`look_up`](By::look_up) until it is known whether there is such a queue, or for so long.
    async fn wait_for(
        &self,
        client: &sqs::Client,
        create: Option<Creation>,
        patience: Duration,
    ) -> Result<String, Error> {
        let start = Instant::now();
        let mut backoff = Backoff::new(WAIT_FIRST, WAIT_LONGEST);
        let mut told = false;
        loop {
            let error = match self.look_up(client, create).await {
                Err(Error::Sqs(error)) if error.is_transient() => error,
                outcome => return outcome,
            };
            let wait = backoff.wait();
            if start.elapsed().saturating_add(wait) > patience {
                return Err(error.into());
            }
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(%error, ?patience, "a queue can't be looked up yet: its server is waited for");
            }
            sleep(wait).await;
        }
    }

    /// The queue's URL.
    async fn look_up(&self, client: &sqs::Client, create: Option<Creation>) -> Result<String, Error> {
        match self {
            By::Url(url) => Ok(url.clone()),
            By::Name(name) => of_name(client, name, create).await,
            By::Tag(tag, true) => tag.find_once(client).await,
            By::Tag(tag, false) => tag.find(client).await,
        }
    }
}

/// The queue that the environment names.
fn said_by(environment: &Environment<'_>) -> Result<By, SettingsError> {
    if let Some(url) = environment.first(&["AFTERWARD_QUEUE_URL"]) {
        return Ok(By::Url(url));
    }
    let Some(text) = environment.first(&["AFTERWARD_QUEUE_TAG"]) else {
        return Err(SettingsError(
            "the environment names no queue: set AFTERWARD_QUEUE_URL to its URL, or AFTERWARD_QUEUE_TAG to a tag of it, as \
             Name=Value"
                .to_owned(),
        ));
    };
    let mut tag = Tag::parse(&text)
        .ok_or_else(|| SettingsError(format!("AFTERWARD_QUEUE_TAG is `{text}`, and has to be Name=Value")))?;
    tag.prefix = environment.first(&["AFTERWARD_QUEUE_PREFIX"]);
    Ok(By::Tag(tag, true))
}

async fn of_name(client: &sqs::Client, name: &str, create: Option<Creation>) -> Result<String, Error> {
    let lookup = sqs::GetQueueUrlRequest { queue_name: name.to_owned(), ..Default::default() };
    let url = match (client.get_queue_url(lookup).await, create) {
        (Ok(found), _) => found.queue_url,
        (Err(error), Some(creation)) if error.is_queue_missing() => create_named(client, name, creation).await?,
        (Err(error), _) if error.is_queue_missing() => return Err(error.with_hint(looked_for(client)).into()),
        (Err(error), _) => return Err(error.into()),
    };
    url.ok_or_else(|| unsaid(client, "URL", name))
}

/// Where a queue was looked for that is not there: another region's and another account's queues are as good as none.
fn looked_for(client: &sqs::Client) -> String {
    let account = match client.access_key_id() {
        Some(id) if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) => {
            format!("of account {id} (the access key)")
        }
        Some(id) => format!("of the account of the access key {id}"),
        None => "of the account of the keys".to_owned(),
    };
    format!(
        "it was looked for in region {}, among the queues {account}; .create_if_missing() and .create_with_dead_letters(…) \
         make one",
        client.region()
    )
}

fn unsaid(client: &sqs::Client, what: &str, name: &str) -> Error {
    Error::Refused(format!("{} did not say what the {what} of the queue `{name}` is", client.endpoint()))
}

async fn create_named(client: &sqs::Client, name: &str, creation: Creation) -> Result<Option<String>, Error> {
    let mut attributes = BTreeMap::new();
    if name.ends_with(FIFO) {
        attributes.insert("FifoQueue".to_owned(), "true".to_owned());
    }
    if let Creation::DeadLetters(max_receives) = creation {
        let arn = dead_letters_of(client, name).await?;
        let policy = serde_json::json!({ "deadLetterTargetArn": arn, "maxReceiveCount": max_receives });
        attributes.insert("RedrivePolicy".to_owned(), policy.to_string());
    }
    let request = sqs::CreateQueueRequest { queue_name: name.to_owned(), attributes, ..Default::default() };
    Ok(client.create_queue(request).await?.queue_url)
}

/// The ARN of the dead-letter queue that goes with this name.
async fn dead_letters_of(client: &sqs::Client, name: &str) -> Result<String, Error> {
    let dead = match name.strip_suffix(FIFO) {
        Some(stem) => format!("{stem}-dlq{FIFO}"),
        None => format!("{name}-dlq"),
    };
    let queue_url = Box::pin(of_name(client, &dead, Some(Creation::Plain))).await?;
    let wanted = sqs::GetQueueAttributesRequest { queue_url, attribute_names: vec!["QueueArn".to_owned()] };
    let mut told = client.get_queue_attributes(wanted).await?.attributes;
    told.remove("QueueArn").ok_or_else(|| unsaid(client, "ARN", &dead))
}

impl IntoFuture for OpenQueue {
    type Output = Result<Queue, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_a_queue_by_its_url_or_by_a_tag() {
        let said = |variables: &[(&str, &str)]| {
            let get =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            said_by(&Environment { variable: &get }).map_err(|error| error.to_string())
        };
        let url = ("AFTERWARD_QUEUE_URL", "http://h/1/jobs");
        let tag = |value: &str, prefix: Option<&str>| {
            By::Tag(Tag { name: "Deployment".into(), value: value.into(), prefix: prefix.map(str::to_owned) }, true)
        };
        assert_eq!(said(&[url, ("AFTERWARD_QUEUE_TAG", "a=b")]), Ok(By::Url("http://h/1/jobs".into())));
        assert_eq!(said(&[("AFTERWARD_QUEUE_TAG", "Deployment=main")]), Ok(tag("main", None)));
        assert_eq!(
            said(&[("AFTERWARD_QUEUE_TAG", "Deployment = a=b"), ("AFTERWARD_QUEUE_PREFIX", "letsgo-")]),
            Ok(tag("a=b", Some("letsgo-")))
        );
        assert!(said(&[]).unwrap_err().contains("set AFTERWARD_QUEUE_URL"));
        let mistaken = OpenQueue::by(Ok(By::Url("http://127.0.0.1:4777".into())));
        let error =
            tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(mistaken.open()).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with("AFTERWARD_QUEUE_URL: `http://127.0.0.1:4777` is not a queue's URL"), "{error}");
        assert!(error.contains("AFTERWARD_URL"), "{error}");
        assert!(said(&[("AFTERWARD_QUEUE_TAG", "main")]).unwrap_err().contains("has to be Name=Value"));
    }
}
