//! Queues as a state machine: what may be sent, who may hold it until when, where it goes when it keeps failing. And
//! schedules: what is due when, and what is sent as it runs.
//!
//! [`State::decide`] looks at the state and a command and says what happens, as [`Event`]s and a reply, or refuses;
//! [`State::apply`] makes it so, and is total: an event that was logged applies. Only events are logged, and replaying
//! them in order gives the same state. What `decide` chose (keys, leases, times, destinations) is in the event, so
//! that a later release replays it the same way.
//!
//! Time moves only through [`State::advance`], which fires what came due (delays, leases, retention, deduplication
//! windows) in the order of due times. These transitions follow from the state and the time alone, so they are not
//! logged: advancing in many steps or in one gives the same state.
//!
//! Invariants:
//! - no IO, no clock, no randomness: the time and random bits come in as arguments;
//! - bodies are not in here: a message is its [`Location`] in the log and what ordering, deduplication and redrive need;
//! - no work per command grows with the number of messages (logarithms aside); exceptions: purging and deleting a
//!   queue, and changing a FIFO queue's delay, which is retroactive.
//!
//! Where to look: `decide` holds the rules, a room per family of commands; `apply` makes events so, with `standing` as the
//! one place where a message's indexes change together; `queue`, `groups` and `line` are those indexes, `slab` and `sides`
//! the messages themselves; `pick` says in which order they are delivered and `fair` which tenants wait; `compaction`
//! writes state forward and `definitions` bounds what of it is written at once; `schedules` holds what is due when, `batches` what waits for what. What a message costs is decided by `packed`, its entry, and by `sorted`, which keeps slots in
//! order; `cells`, `chains` and `vacancies` hold what is numbered, none of them ever copying itself to grow.
//!
//! This crate knows nothing of AWS's shapes, the log's bytes, threads or waiting callers.

mod apply;
mod attempts;
mod attributes;
mod batches;
mod cells;
mod chains;
mod command;
mod compaction;
mod decide;
mod dedup;
mod definitions;
mod directory;
mod event;
mod fair;
mod finished;
mod groups;
mod line;
mod memory;
mod moves;
mod packed;
mod pick;
mod queue;
mod refusal;
mod reply;
mod schedules;
mod sides;
mod slab;
mod sorted;
mod standing;
mod state;
mod timers;
mod vacancies;
mod view;
mod views;

pub use attributes::{
    AttributeChanges, DeduplicationScope, Encryption, FifoAttributes, QueueAttributes, RedriveAllowPolicy,
    RedrivePolicy, ThroughputLimit,
};
pub use batches::BatchTie;
pub use command::{
    Batched, Command, CreateQueue, Dedup, NewMessage, NextRun, Receive, RunSchedule, ScheduleRead, Send, SetAttributes,
    StartMove,
};
pub use definitions::DEFINITIONS_BYTES;
pub use event::{
    Event, KeptDedup, KeptFinished, KeptKey, KeptMessage, KeptQueue, LeasedMessage, MessageSent, MoveFailure,
    MoveOutcome, ScheduleGroupPut, SchedulePut, Tags,
};
pub use memory::Memory;
pub use refusal::Refusal;
pub use reply::{Decision, Delivery, Reply, SentMessage};
pub use state::State;
pub use view::{
    Counts, Cursor, Forward, JobView, MessageView, MoveView, QueueView, ScheduleGroupView, ScheduleView, Standing,
};

/// Which incarnation of a queue: never used again after the queue is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub u32);

/// Where a message's state is kept: a slot, and how often it has been used before (wrapping).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey {
    /// The slot.
    pub slot: u32,
    /// The slot's generation.
    pub generation: u16,
}

impl MessageKey {
    /// The key as 48 bits, as a message id carries it.
    pub fn as_u64(self) -> u64 {
        u64::from(self.slot) << 16 | u64::from(self.generation)
    }

    /// The key that [`Self::as_u64`] gave.
    pub fn from_u64(bits: u64) -> MessageKey {
        MessageKey { slot: (bits >> 16) as u32, generation: bits as u16 }
    }
}

/// Where a schedule's state is kept, and which of the slot's users it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleId {
    /// The slot.
    pub slot: u32,
    /// What tells it from earlier users of the slot.
    pub generation: u32,
}

impl ScheduleId {
    /// The id as a number.
    pub fn as_u64(self) -> u64 {
        u64::from(self.slot) << 32 | u64::from(self.generation)
    }

    /// The id that [`Self::as_u64`] gave.
    pub fn from_u64(bits: u64) -> ScheduleId {
        ScheduleId { slot: (bits >> 32) as u32, generation: bits as u32 }
    }
}

/// Which incarnation of a schedule group: never used again after the group is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleGroupId(pub u64);

/// One receive's claim on one message: unique over the life of the partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub u64);

/// What a receipt handle stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeaseRef {
    /// The queue received from.
    pub queue: QueueId,
    /// The message.
    pub message: MessageKey,
    /// The claim.
    pub lease: LeaseId,
}

/// Where a record's bytes are in the log: the batch's position, and the record's place within the batch's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The batch's position.
    pub position: u64,
    /// Where the record starts in the payload.
    pub offset_bytes: u32,
    /// How long the record is.
    pub length_bytes: u32,
}
