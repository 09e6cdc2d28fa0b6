//! What is in a queue, looked at without receiving.
//!
//! By the server's admin API, so the queue has to be an Afterward server's. What waits as a one-time schedule (a delay of more
//! than 15 minutes, any delay on a FIFO queue) counts as in the queue: that is how whoever enqueued it sees it.

use super::{schedules, time};
use crate::{
    Attribute, Delivery, Error, Message, Queue, Raw, Source, SourceError,
    envelope::Envelope,
    sqs::{self, Blob, MessageAttributeValue},
};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt, time::SystemTime};

/// How much of a body a failure shows.
const SHOWN_CHARS: usize = 200;

/// A message in a queue.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Enqueued<M = Raw> {
    /// The message.
    pub message: M,
    /// Its id, as [`Context::message_id`](crate::Context::message_id) has it.
    pub message_id: String,
    /// Whether it can be handled.
    pub standing: Standing,
    /// How often it was received.
    pub attempts: u32,
    /// Its message group, where it has one.
    pub group: Option<String>,
    /// The batch that it is one of, where it is.
    pub batch: Option<String>,
    /// The batch that it was sent after, where it was.
    pub completes: Option<String>,
    /// Its message attributes.
    pub attributes: BTreeMap<String, Attribute>,
    /// Why its last attempt failed, where one did.
    pub last_error: Option<String>,
}

/// Whether a message can be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// Now.
    Ready,
    /// Not before this, as whoever enqueued it asked.
    Delayed {
        /// The broker's time.
        until: SystemTime,
    },
    /// Not before this: it is being handled, or waits for its next attempt.
    Leased {
        /// The broker's time.
        until: SystemTime,
    },
    /// When those before it in its group are done (FIFO).
    BehindGroup,
    /// When nothing of the batch is left that it was sent after.
    Held,
}

impl<M> Enqueued<M> {
    fn with<N>(self, message: N) -> Enqueued<N> {
        let Enqueued { message_id, standing, attempts, group, batch, completes, attributes, last_error, .. } = self;
        Enqueued { message, message_id, standing, attempts, group, batch, completes, attributes, last_error }
    }

    /// Until when it is delayed, if it is.
    pub fn delayed_until(&self) -> Option<SystemTime> {
        match self.standing {
            Standing::Delayed { until } => Some(until),
            _ => None,
        }
    }
}

/// All messages of a type that are in the queue, in the order of their sending; those that wait as schedules come last.
///
/// # Panics
/// When one of them can't be read as `M`; when the queue can't be looked into.
pub async fn enqueued<M: Message>(queue: &Queue) -> Vec<Enqueued<M>> {
    of_type(everything(queue).await)
}

/// All that is in the queue, whatever it is.
///
/// # Panics
/// When the queue can't be looked into.
pub async fn everything(queue: &Queue) -> Vec<Enqueued> {
    let mut found = match peek(queue, queue.name()).await {
        Ok(found) => found,
        Err(error) => refuse(queue, &error),
    };
    match schedules::of(queue).await {
        Ok(scheduled) => found.extend(scheduled),
        Err(error) => refuse(queue, &error),
    }
    let mut contents = Vec::new();
    for found in found {
        contents.push(whole(queue, found).await);
    }
    contents
}

/// What is in the queue's dead-letter queue: [`last_error`](Enqueued::last_error) says why.
///
/// # Panics
/// When the queue has no dead-letter queue; when that can't be looked into.
pub async fn dead_letters(queue: &Queue) -> Vec<Enqueued> {
    let redrive = match queue.redrive().await {
        Ok(Some(redrive)) => redrive,
        Ok(None) => panic!("the queue `{}` has no dead-letter queue", queue.name()),
        Err(SourceError::Refused(error) | SourceError::LeaseLost(error) | SourceError::Unavailable(error)) => {
            panic!("the queue `{}` did not say where its dead letters are: {error}", queue.name())
        }
    };
    match peek(queue, redrive.dead_letter_queue()).await {
        Ok(found) => found,
        Err(error) => refuse(queue, &error),
    }
}

fn refuse(queue: &Queue, error: &Error) -> ! {
    panic!("the queue `{}` can't be looked into, which needs an Afterward server: {error}", queue.name())
}

/// Those of a type.
pub(super) fn of_type<M: Message>(contents: Vec<Enqueued>) -> Vec<Enqueued<M>> {
    let ours = contents.into_iter().filter(|found| found.message.message_type.as_deref() == Some(M::TYPE));
    ours.map(|found| {
        let body = &found.message.body;
        let payload = Envelope::open(body).and_then(|envelope| body.get(envelope.payload_in(body)?));
        match serde_json::from_str(payload.unwrap_or("null")) {
            Ok(message) => found.with(message),
            Err(error) => panic!("a message of type `{}` can't be read as such: {error}\n  {found}", M::TYPE),
        }
    })
    .collect()
}

/// The message with its payload, where that is elsewhere (a claim check).
async fn whole(queue: &Queue, mut found: Enqueued) -> Enqueued {
    let mut delivery = Delivery::new(&*found.message_id, "", &*found.message.body);
    if queue.is_whole(&delivery) {
        return found;
    }
    delivery.attributes.clone_from(&found.attributes);
    match queue.body(&delivery).await {
        Ok(Some(body)) => found.message = raw(body),
        Ok(None) => {}
        Err(error) => panic!("the payload of a message can't be fetched: {error}\n  {found}"),
    }
    found
}

/// A body, with the type that its envelope names.
pub(super) fn raw(body: String) -> Raw {
    let message_type = Envelope::open(&body).map(|envelope| envelope.message_type.into_owned());
    Raw { body, message_type }
}

/// A page of the admin API's `/_afterward/queues/NAME/messages`.
#[derive(Deserialize)]
struct Page {
    messages: Vec<Peeked>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Peeked {
    id: String,
    state: String,
    until: Option<String>,
    receive_count: u32,
    group: Option<String>,
    batch: Option<String>,
    after: Option<String>,
    last_error: Option<String>,
    body: String,
    attributes: BTreeMap<String, Shown>,
}

#[derive(Deserialize)]
struct Shown {
    #[serde(rename = "type")]
    data_type: String,
    value: String,
}

/// What is in the queue of this name beside `queue`.
async fn peek(queue: &Queue, name: &str) -> Result<Vec<Enqueued>, Error> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/_afterward/queues/{name}/messages?limit=100{cursor}");
        let reply = queue.client().get(&path).await?;
        let page: Page = serde_json::from_slice(reply.body())
            .map_err(|error| Error::Refused(format!("`{path}` was answered by something else: {error}")))?;
        found.extend(page.messages.into_iter().map(Peeked::into_enqueued));
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(found),
        }
    }
}

impl Peeked {
    fn into_enqueued(self) -> Enqueued {
        let until = self.until.as_deref().and_then(time::parse);
        let standing = match (&*self.state, until) {
            ("delayed", Some(until)) => Standing::Delayed { until },
            ("leased", Some(until)) => Standing::Leased { until },
            ("behind_group", _) => Standing::BehindGroup,
            ("held", _) => Standing::Held,
            _ => Standing::Ready,
        };
        let attributes = self.attributes.into_iter().filter_map(|(name, shown)| Some((name, shown.into_attribute()?)));
        Enqueued {
            message: raw(self.body),
            message_id: self.id,
            standing,
            attempts: self.receive_count,
            group: self.group,
            batch: self.batch,
            completes: self.after,
            attributes: users(attributes),
            last_error: self.last_error,
        }
    }
}

impl Shown {
    fn into_attribute(self) -> Option<Attribute> {
        let is_binary = self.data_type.starts_with("Binary");
        let binary_value = match is_binary {
            // A JSON string of base64, as on SQS's own wire.
            true => Some(serde_json::from_value::<Blob>(self.value.clone().into()).ok()?),
            false => None,
        };
        Attribute::from_wire(MessageAttributeValue {
            data_type: self.data_type,
            string_value: (!is_binary).then_some(self.value),
            binary_value,
            ..sqs::MessageAttributeValue::default()
        })
    }
}

/// The attributes that are not Afterward's own.
pub(super) fn users(attributes: impl Iterator<Item = (String, Attribute)>) -> BTreeMap<String, Attribute> {
    attributes.filter(|(name, _)| !name.starts_with("afterward.")).collect()
}

impl fmt::Display for Enqueued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message.message_type {
            Some(name) => write!(f, "`{name}`")?,
            None => f.write_str("(no envelope)")?,
        }
        write!(f, " {}, {}", self.message_id, self.standing)?;
        if let Some(group) = &self.group {
            write!(f, ", group `{group}`")?;
        }
        if let Some(error) = &self.last_error {
            write!(f, ", failed {} times: {error}", self.attempts)?;
        }
        let body: String = self.message.body.chars().take(SHOWN_CHARS).collect();
        let rest = if body.len() < self.message.body.len() { "…" } else { "" };
        write!(f, "\n      {body}{rest}")
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Standing::Ready => f.write_str("ready"),
            Standing::Delayed { until } => write!(f, "delayed until {}", time::format(*until)),
            Standing::Leased { until } => write!(f, "leased until {}", time::format(*until)),
            Standing::BehindGroup => f.write_str("behind others of its group"),
            Standing::Held => f.write_str("held until its batch is over"),
        }
    }
}
