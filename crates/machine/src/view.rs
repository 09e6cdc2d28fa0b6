//! What can be read off the state: the shapes of the answers.

use crate::slab::{Entry, Place};
use crate::{BatchTie, Event, Location, MessageKey, MoveOutcome, QueueAttributes, QueueId, ScheduleId, Tags};
use afterward_names::{MessageId, QueueAddress, QueueArn, ScheduleAddress, ScheduleGroupAddress};

/// A queue, for reading.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct QueueView<'a> {
    pub id: QueueId,
    pub address: &'a QueueAddress,
    pub attributes: &'a QueueAttributes,
    pub tags: &'a Tags,
    pub created_ms: u64,
    pub modified_ms: u64,
    pub counts: Counts,
}

/// How many messages of a queue are where: exact, as of the state's time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Visible: `ApproximateNumberOfMessages`. On FIFO queues those behind a blocked group count, as on AWS.
    pub visible: u64,
    /// `ApproximateNumberOfMessagesDelayed`. What waits for a batch counts, too.
    pub delayed: u64,
    /// `ApproximateNumberOfMessagesNotVisible`.
    pub in_flight: u64,
    /// When the oldest message was sent, of those not deleted and not held.
    pub oldest_sent_ms: Option<u64>,
}

/// A message, for reading.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct MessageView {
    pub key: MessageKey,
    /// As it stands now.
    pub id: MessageId,
    pub queue: QueueId,
    pub standing: Standing,
    pub order: u64,
    pub sent_ms: u64,
    pub first_received_ms: Option<u64>,
    pub receive_count: u32,
    /// How many of these receives were in the queues that dead-lettered it.
    pub received_elsewhere: u32,
    /// The queue that dead-lettered it.
    pub source: Option<QueueArn>,
    /// Where its content is.
    pub location: Location,
    /// Where the text of its last failure is.
    pub failure: Option<Location>,
    /// When retention ends it; nothing that is held does it end.
    pub expires_ms: Option<u64>,
    /// What it has to do with a batch.
    pub batch: Option<BatchTie>,
}

impl MessageView {
    /// Where a walk over its queue's messages goes on after it.
    pub fn cursor(&self) -> Cursor {
        let sent_ms = if self.standing == Standing::Held { Cursor::HELD_MS } else { self.sent_ms };
        Cursor { sent_ms, slot: self.key.slot }
    }
}

/// Why a message is, or is not, being delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Standing {
    Ready,
    Delayed {
        until_ms: u64,
    },
    Leased {
        until_ms: u64,
    },
    /// FIFO: another message of its group is in flight, or delayed before it.
    BehindGroup,
    /// It was sent after a batch that is not over.
    Held,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum JobView {
    /// It, or its copy in a dead-letter queue, exists. Dead: `message.source` is set.
    Present(MessageView),
    /// It was deleted by a consumer: remembered of jobs alone. `address`: its queue's, which may be gone since.
    Succeeded { receive_count: u32, finished_ms: u64, queue: QueueId, address: QueueAddress },
    /// The same by a consumer that said that it had not done it. `failure`: the record that may say why.
    Dropped { receive_count: u32, finished_ms: u64, queue: QueueId, address: QueueAddress, failure: Location },
}

impl JobView {
    /// Where the text of its last failure is, or may be.
    pub fn failure(&self) -> Option<Location> {
        match self {
            JobView::Present(message) => message.failure,
            JobView::Dropped { failure, .. } => Some(*failure),
            JobView::Succeeded { .. } => None,
        }
    }
}

/// A move task, for reading.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct MoveView {
    pub task: u64,
    pub source: QueueArn,
    pub destination: Option<QueueArn>,
    pub max_per_s: Option<u32>,
    pub to_move: u64,
    pub moved: u64,
    pub started_ms: u64,
    pub cancelling: bool,
    pub outcome: Option<MoveOutcome>,
}

/// A schedule, for reading.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ScheduleView {
    pub id: ScheduleId,
    pub revision: u64,
    pub address: ScheduleAddress,
    pub created_ms: u64,
    pub modified_ms: u64,
    /// When it is next due; `None`: never.
    pub next_ms: Option<u64>,
    /// Where its definition is.
    pub location: Location,
}

/// A group of schedules, for reading.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ScheduleGroupView {
    pub address: ScheduleGroupAddress,
    pub tags: Tags,
    /// 0 for a default group that was never used.
    pub created_ms: u64,
    pub modified_ms: u64,
    pub deleting: bool,
    pub schedules: u64,
}

/// Where a walk over a queue's messages goes on: after the message sent then, in that slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// Sent when.
    pub sent_ms: u64,
    /// In which slot.
    pub slot: u32,
}

impl Cursor {
    /// What is held comes after all that was sent.
    const HELD_MS: u64 = u64::MAX;

    pub(crate) fn of(entry: &Entry, slot: u32) -> Cursor {
        let sent_ms = if entry.place == Place::Held { Cursor::HELD_MS } else { entry.sent_ms };
        Cursor { sent_ms, slot }
    }
}

/// State to write forward before the record that holds it is trimmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// The event to log. For a `MessageKept`, the content is that of the record at `content`.
    pub event: Event,
    /// The record whose content goes along.
    pub content: Option<Location>,
    /// The record whose error text goes along.
    pub error: Option<Location>,
}
