//! The state, and what can be read off it.

use crate::{Command, Decision, Event, Location, MessageKey, MoveOutcome, QueueAttributes, QueueId, Refusal, Tags};
use afterward_names::{AccountId, MessageId, QueueAddress, QueueArn, QueueName, Region};

/// Everything that a partition knows.
#[derive(Debug, Default)]
pub struct State {}

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
    /// `ApproximateNumberOfMessagesDelayed`.
    pub delayed: u64,
    /// `ApproximateNumberOfMessagesNotVisible`.
    pub in_flight: u64,
    /// When the oldest message was sent, of those not deleted.
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
    /// The queue that dead-lettered it.
    pub source: Option<QueueArn>,
    /// Where its content is.
    pub location: Location,
    /// Where the text of its last failure is.
    pub failure: Option<Location>,
    /// When retention ends it.
    pub expires_ms: u64,
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
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum JobView {
    /// Its message, or its copy in a dead-letter queue, exists. Dead: `message.source` is set.
    Present(MessageView),
    /// Its message was deleted by a consumer.
    Succeeded { receive_count: u32, finished_ms: u64, queue: QueueId },
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

/// Where a walk over a queue's messages goes on: after the message sent then, in that slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// Sent when.
    pub sent_ms: u64,
    /// In which slot.
    pub slot: u32,
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

#[allow(clippy::todo, unused_variables, missing_docs)]
impl State {
    /// An empty partition.
    pub fn new() -> State {
        State::default()
    }

    /// The time that the state stands at.
    pub fn now_ms(&self) -> u64 {
        todo!()
    }

    /// Moves time to `now_ms` (never back) and fires what came due.
    pub fn advance(&mut self, now_ms: u64) {
        todo!()
    }

    /// When [`Self::advance`] next has something to fire that may make a message visible or a count change.
    pub fn next_due_ms(&self) -> Option<u64> {
        todo!()
    }

    /// When [`Command::RunMoves`] next has something to move.
    pub fn next_move_ms(&self) -> Option<u64> {
        todo!()
    }

    /// What `command` does at the state's time; `random` are bits for a message id.
    ///
    /// # Errors
    /// A [`Refusal`], and nothing changes.
    pub fn decide(&self, command: &Command, random: u64) -> Result<Decision, Refusal> {
        todo!()
    }

    /// Makes `event` so; its record is at `at`. Total: an event about what is not there changes nothing.
    pub fn apply(&mut self, event: &Event, at: Location) {
        todo!()
    }

    /// Queues in which a message has become receivable since the last call, each once.
    pub fn take_woken(&mut self) -> Vec<QueueId> {
        todo!()
    }

    /// Whether a receive from this queue would find something.
    pub fn is_receivable(&self, queue: QueueId) -> bool {
        todo!()
    }

    /// The partition's secret, once founded.
    pub fn secret(&self) -> Option<&[u8; 32]> {
        todo!()
    }

    /// The queue at an address.
    pub fn queue_at(&self, address: &QueueAddress) -> Option<QueueView<'_>> {
        todo!()
    }

    /// The queue with an id.
    pub fn queue(&self, id: QueueId) -> Option<QueueView<'_>> {
        todo!()
    }

    /// All queues.
    pub fn all_queues(&self) -> impl Iterator<Item = QueueView<'_>> {
        std::iter::empty()
    }

    /// The queues of an account and region whose names start with `prefix`, in order, after `after`.
    pub fn queues<'a>(
        &'a self,
        account: AccountId,
        region: &Region,
        prefix: &'a str,
        after: Option<&QueueName>,
    ) -> impl Iterator<Item = QueueView<'a>> {
        std::iter::empty()
    }

    /// The queues whose redrive policy names `queue`, in the order of their addresses.
    pub fn dead_letter_sources<'a>(&'a self, queue: &'a QueueArn) -> impl Iterator<Item = QueueView<'a>> {
        std::iter::empty()
    }

    /// The move tasks of a source queue, newest first: those running and at most ten ended ones.
    pub fn moves(&self, source: &QueueArn) -> Vec<MoveView> {
        todo!()
    }

    /// A message.
    pub fn message(&self, key: MessageKey) -> Option<MessageView> {
        todo!()
    }

    /// A queue's messages by the time they were sent, after `after`. Each step costs a logarithm.
    pub fn messages(&self, queue: QueueId, after: Option<Cursor>) -> impl Iterator<Item = MessageView> {
        std::iter::empty()
    }

    /// What became of the job with this id, at first or after a redrive.
    pub fn job(&self, id: MessageId) -> Option<JobView> {
        todo!()
    }

    /// How many messages there are in all.
    pub fn message_count(&self) -> u64 {
        todo!()
    }

    /// What the state still needs of the record `event` at `at`: to be logged again before that record is trimmed.
    pub fn forward(&self, event: &Event, at: Location) -> Vec<Forward> {
        todo!()
    }

    /// The secret, counters, queues and move tasks as events. A replay may start at a batch that holds these: later
    /// events need no earlier definition.
    pub fn definitions(&self) -> Vec<Event> {
        todo!()
    }
}
