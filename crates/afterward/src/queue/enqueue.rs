//! Putting one message into a queue: what is said of it.

use super::{Queue, completion::Tied, fitting::is_small, later::marks, outgoing::Outgoing, unique::Unique};
use crate::{Attribute, Error, sqs, sqs::service::now_ms};
use afterward_timetable::{END_OF_TIME_MS, LAST_YEAR};
use std::{
    collections::BTreeMap,
    fmt,
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const DAY_MS: u64 = 86_400_000;

/// A message about to be sent; see [`Queue::enqueue`].
#[derive(Debug)]
#[must_use = "a message is sent when this is awaited"]
pub struct Enqueue {
    pub(super) queue: Queue,
    pub(super) message_type: &'static str,
    pub(super) body: Result<String, serde_json::Error>,
    start: Start,
    group: Option<String>,
    deduplication_id: Option<String>,
    attributes: BTreeMap<String, Attribute>,
    pub(super) unique: Option<Unique>,
    pub(super) batch: Option<Tied>,
}

/// From when on a message may be handled.
#[derive(Debug, Clone, Copy)]
enum Start {
    /// By the queue's own delay, if it has one.
    Unsaid,
    After(Duration),
    At(SystemTime),
}

/// What a message is called, from its enqueueing to its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    pub(super) fn new(id: String) -> MessageId {
        MessageId(id)
    }

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
        Enqueue {
            queue,
            message_type,
            body,
            start: Start::Unsaid,
            group: None,
            deduplication_id: None,
            attributes: BTreeMap::new(),
            unique: None,
            batch: None,
        }
    }

    /// Whether nothing has to be looked into before it is sent: it is small, and nothing was said of when and with what.
    pub(super) fn is_plain(&self) -> bool {
        let is_small = self.attributes.is_empty() && self.body.as_ref().is_ok_and(|body| is_small(body.len()));
        is_small && matches!(self.start, Start::Unsaid) && self.unique.is_none() && self.batch.is_none()
    }

    pub(super) fn tied(mut self, tied: Tied) -> Enqueue {
        self.batch = Some(tied);
        self
    }

    /// Keeps the message from workers for this long, from when it is sent; rounded up to whole seconds.
    ///
    /// A standard queue keeps delays of up to 15 minutes itself. Longer ones, and all on a FIFO queue (where the message joins
    /// its group when it is due), are schedules on an Afterward server; elsewhere the message waits in the queue, and workers
    /// that receive it early send it on. [`Queue::scheduler`] has the choice.
    ///
    /// On an Afterward server, the messages that wait for a group of a FIFO queue join it in the order in which they are due, by
    /// whole seconds, and of those that are due together, the one first that was enqueued first; also when all are late because
    /// the server was away. One that can't be sent then loses its place and holds up no other. Elsewhere there is no such order:
    /// each message that is sent on waits in a group of its own, so as not to hold up its group, and Amazon's scheduler promises
    /// none. So it is everywhere for a message that is too long for a schedule, which takes 256 KiB.
    ///
    /// What the queue would not take is refused before it is scheduled. Should the queue take it no more when it is due, because
    /// its settings have changed, it goes to the queue's dead-letter queue, as the request that would have sent it; a FIFO
    /// queue's is none that a scheduler can send to, so there it is only logged.
    pub fn delay(mut self, delay: Duration) -> Enqueue {
        self.start = Start::After(delay);
        self
    }

    /// Keeps the message from workers until this time, as [`delay`](Enqueue::delay) does. A time that has passed is now.
    pub fn at(mut self, time: SystemTime) -> Enqueue {
        self.start = Start::At(time);
        self
    }

    /// The message's group. A FIFO queue needs one, and hands out the messages of a group in order; a standard queue keeps
    /// a group with many messages from starving the others.
    pub fn group(mut self, group: impl Into<String>) -> Enqueue {
        self.group = Some(group.into());
        self
    }

    /// The deduplication id: a FIFO queue takes one message of an id in five minutes. For FIFO queues only; needed there
    /// unless the queue deduplicates by content. A message that waits as a schedule is compared when it is due.
    pub fn dedup(mut self, id: impl Into<String>) -> Enqueue {
        self.deduplication_id = Some(id.into());
        self
    }

    /// Makes the job unique among those of its type: while the key is remembered, which is five minutes unless
    /// [`unique_for`](Enqueue::unique_for) says otherwise, another message of the same key is not taken, and what is returned
    /// is the id of the first. On FIFO queues, and on every queue of an Afterward server; refused elsewhere.
    pub fn unique(mut self, key: impl Into<String>) -> Enqueue {
        self.unique.get_or_insert_default().key = Some(key.into());
        self
    }

    /// How long a unique job's key is remembered, up to seven days; without [`unique`](Enqueue::unique), the payload is the
    /// key. Anything but five minutes needs an Afterward server.
    pub fn unique_for(mut self, window: Duration) -> Enqueue {
        self.unique.get_or_insert_default().window = Some(window);
        self
    }

    /// A message attribute: up to ten of them travel beside the body. Names that start with `afterward.` are Afterward's own:
    /// a message that waits as a schedule has one of those, one that waits in a queue two, and three on a FIFO queue; where a
    /// [tally queue](Queue::tally) keeps batches, a job of one has one, and a completion two.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<Attribute>) -> Enqueue {
        self.attributes.insert(name.into(), value.into());
        self
    }

    async fn send(self) -> Result<MessageId, Error> {
        Outgoing::prepare(self).await?.send().await
    }

    /// What time it is by the clock that the message's time is compared with, in milliseconds since 1970.
    pub(super) async fn now_ms(&self) -> u64 {
        match self.start {
            // Where nobody says, it is no server whose clock a test moves.
            Start::At(_) => self.queue.clock_ms().await.unwrap_or_else(|_| now_ms()),
            Start::Unsaid | Start::After(_) => now_ms(),
        }
    }

    /// When the message is due, in milliseconds since 1970; `None` if nothing was said of it, or it is due already.
    pub(super) fn due_ms(&self, now_ms: u64) -> Option<u64> {
        let due_ms = match self.start {
            Start::Unsaid => return None,
            Start::After(delay) => now_ms.saturating_add(whole_ms(delay)),
            Start::At(time) => time.duration_since(UNIX_EPOCH).map_or(0, whole_ms),
        };
        (due_ms > now_ms).then_some(due_ms)
    }

    /// The delay that was asked for, where it was one.
    pub(super) fn delay_asked(&self) -> Option<Duration> {
        match self.start {
            Start::After(delay) => Some(delay),
            Start::Unsaid | Start::At(_) => None,
        }
    }

    /// What a standard queue is told in seconds: also that there is to be no delay, where the queue has one of its own.
    pub(super) fn delay_seconds(&self, now_ms: u64) -> Option<i64> {
        match self.start {
            Start::Unsaid => None,
            Start::After(delay) => Some(seconds_up(delay)),
            // Down to the millisecond, as clocks tell it: a request takes longer than what that loses.
            Start::At(time) => {
                let due = time.duration_since(UNIX_EPOCH).unwrap_or_default();
                let due = Duration::new(due.as_secs(), due.subsec_millis() * 1_000_000);
                Some(seconds_up(due.saturating_sub(Duration::from_millis(now_ms))))
            }
        }
    }

    /// The request as it is for a message that need not wait, with its type; or why there can be none.
    pub(super) fn into_request(self) -> Result<sqs::SendMessageRequest, Error> {
        self.check()?;
        let message_type = self.message_type;
        Ok(sqs::SendMessageRequest {
            queue_url: self.queue.url().to_owned(),
            message_body: self.body.map_err(|source| Error::Payload { message_type, source })?,
            message_attributes: self.attributes.into_iter().map(|(name, value)| (name, value.into_wire())).collect(),
            message_deduplication_id: self.deduplication_id,
            message_group_id: self.group,
            ..Default::default()
        })
    }

    fn check(&self) -> Result<(), Error> {
        let name = self.queue.name();
        let refuse = |why: String| Err(Error::Refused(why));
        if let Some(reserved) = self.attributes.keys().find(|name| name.starts_with(marks::PREFIX)) {
            return refuse(format!(
                "the attribute `{reserved}`: names that start with `{}` are reserved for Afterward's own attributes",
                marks::PREFIX
            ));
        }
        if let Some(why) = too_late(&self.start, now_ms()) {
            return refuse(why);
        }
        match self.queue.is_fifo() {
            true if self.group.is_none() => {
                refuse(format!("`{name}` is a FIFO queue, where each message belongs to a group: add .group(…)"))
            }
            true if self.deduplication_id.is_some() && self.unique.is_some() => {
                refuse("a message is unique by .dedup(…) or by .unique(…), not by both".to_owned())
            }
            false if self.deduplication_id.is_some() => refuse(format!(
                "`{name}` is not a FIFO queue and can't deduplicate: leave out .dedup(…); .unique(…) works on an Afterward \
                 server"
            )),
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

/// Why a message can't start then: no schedule is due later than the last year of timetables, wherever it waits.
fn too_late(start: &Start, now_ms: u64) -> Option<String> {
    let due_ms = match start {
        Start::Unsaid => return None,
        Start::After(delay) => now_ms.saturating_add(whole_ms(*delay)),
        Start::At(time) => time.duration_since(UNIX_EPOCH).map_or(0, whole_ms),
    };
    let longest_days = END_OF_TIME_MS.saturating_sub(now_ms) / DAY_MS;
    (due_ms >= END_OF_TIME_MS).then(|| {
        format!(
            "the message would be due after the year {LAST_YEAR}, the last one of schedules: from now, the longest delay is \
             {longest_days} days"
        )
    })
}

/// Whole seconds, rounded up: never sooner than asked.
pub(super) fn seconds_up(duration: Duration) -> i64 {
    let more = u64::from(duration.subsec_nanos() > 0);
    i64::try_from(duration.as_secs().saturating_add(more)).unwrap_or(i64::MAX)
}

/// Whole milliseconds, rounded up.
fn whole_ms(duration: Duration) -> u64 {
    let more = u128::from(!duration.subsec_nanos().is_multiple_of(1_000_000));
    u64::try_from(duration.as_millis() + more).unwrap_or(u64::MAX)
}
