//! What has happened: the only thing that is logged.

use crate::{BatchTie, LeaseId, MessageKey, QueueAttributes, QueueId, ScheduleGroupId, ScheduleId};
use afterward_names::{GroupId, MessageId, QueueAddress, QueueArn, ScheduleGroupAddress, ScheduleName};
use std::collections::BTreeMap;

/// A change of the state. Each is logged with its time; `apply` gets the time and the record's location too.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // named after what happened
pub enum Event {
    /// The partition's secret, for receipt handles.
    Founded {
        secret: [u8; 32],
    },
    QueueCreated {
        queue: QueueId,
        address: QueueAddress,
        attributes: QueueAttributes,
        tags: Tags,
    },
    QueueDeleted {
        queue: QueueId,
    },
    /// All attributes as they are from now on.
    AttributesSet {
        queue: QueueId,
        attributes: QueueAttributes,
    },
    /// All tags as they are from now on.
    TagsSet {
        queue: QueueId,
        tags: Tags,
    },
    Purged {
        queue: QueueId,
    },
    /// The content is in the same record.
    Sent(MessageSent),
    Leased {
        queue: QueueId,
        until_ms: u64,
        messages: Vec<LeasedMessage>,
        attempt: Option<[u8; 16]>,
    },
    Deleted {
        message: MessageKey,
    },
    /// Deleted by a consumer that has not done what it asks for, and will not. Why may be told in the same record.
    Dropped {
        message: MessageKey,
    },
    /// The lease ends at `until_ms`; at or before the event's time, the message is visible again. With `failure`, an
    /// error text is in the same record.
    VisibilityChanged {
        message: MessageKey,
        until_ms: u64,
        failure: bool,
    },
    /// Its holder had not begun the message: the receive does not count, and the lease is over. At or before the event's time,
    /// the message is visible again at once, else at `until_ms`. One that is visible already stays so.
    HandedBack {
        message: MessageKey,
        until_ms: u64,
    },
    /// A message that was received too often went to its dead-letter queue. `order`: its new place in line.
    DeadLettered {
        message: MessageKey,
        to: QueueId,
        order: u64,
    },
    /// A message that its batch held joins the line, as newly sent. `order`: its place there.
    Released {
        message: MessageKey,
        order: u64,
    },
    MoveStarted {
        task: u64,
        source: QueueArn,
        destination: Option<QueueArn>,
        max_per_s: Option<u32>,
        to_move: u64,
    },
    /// A move task moved a message: it is as newly sent, to `to`.
    Redriven {
        task: u64,
        message: MessageKey,
        to: QueueId,
        order: u64,
    },
    MoveEnded {
        task: u64,
        outcome: MoveOutcome,
    },
    /// Compaction wrote state forward so that older batches can be trimmed.
    QueueKept(KeptQueue),
    MessageKept(KeptMessage),
    DedupKept(KeptDedup),
    FinishedKept(KeptFinished),
    /// A receive attempt that may still be repeated.
    AttemptKept {
        queue: QueueId,
        attempt: [u8; 16],
        expires_ms: u64,
        messages: Vec<LeasedMessage>,
    },
    /// A move task, running or ended. Times are milliseconds since 1970; `moved` counts so far.
    MoveKept {
        task: u64,
        source: QueueArn,
        destination: Option<QueueArn>,
        max_per_s: Option<u32>,
        to_move: u64,
        moved: u64,
        started_ms: u64,
        outcome: Option<MoveOutcome>,
    },
    /// A queue of this name was deleted then: within the cool-down, the name rests.
    DeletionKept {
        address: QueueAddress,
        deleted_ms: u64,
    },
    /// The counters that never run back: the next queue id, order, lease and move task.
    CountersKept {
        queue: u32,
        order: u64,
        lease: u64,
        task: u64,
    },
    /// A group of schedules is so from now on.
    ScheduleGroupPut(ScheduleGroupPut),
    /// A group is gone, and with it what schedules it still had.
    ScheduleGroupDeleted {
        group: ScheduleGroupId,
    },
    /// A schedule is so from now on. The definition is in the same record.
    SchedulePut(SchedulePut),
    /// A schedule ran; it is next due at `next_ms`, or never again.
    ScheduleRan {
        schedule: ScheduleId,
        next_ms: Option<u64>,
    },
    ScheduleDeleted {
        schedule: ScheduleId,
    },
}

/// A group of schedules: made, changed, or written forward, it is all of its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleGroupPut {
    /// Which one.
    pub group: ScheduleGroupId,
    /// Its address.
    pub address: ScheduleGroupAddress,
    /// Its tags.
    pub tags: Tags,
    /// When it was made.
    pub created_ms: u64,
    /// When it was last changed.
    pub modified_ms: u64,
    /// It goes as soon as its schedules are gone, and takes no more of them.
    pub deleting: bool,
}

/// A schedule: made, changed, or written forward, it is all of its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulePut {
    /// Which one.
    pub schedule: ScheduleId,
    /// Which of its definitions.
    pub revision: u64,
    /// Its group.
    pub group: ScheduleGroupId,
    /// Its name.
    pub name: ScheduleName,
    /// When it was made.
    pub created_ms: u64,
    /// When it was last defined.
    pub modified_ms: u64,
    /// When it is next due; `None`: never.
    pub next_ms: Option<u64>,
}

/// A queue's tags.
pub type Tags = BTreeMap<Box<str>, Box<str>>;

/// A new message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageSent {
    /// Its queue.
    pub queue: QueueId,
    /// Its id, which holds its key.
    pub id: MessageId,
    /// Its place in line: counted over the partition. On FIFO queues it is the sequence number.
    pub order: u64,
    /// When it becomes visible; at or before the event's time: at once.
    pub visible_ms: u64,
    /// Its group.
    pub group: Option<GroupId>,
    /// The deduplication entry that it makes.
    pub dedup: Option<KeptKey>,
    /// Whether its end is remembered.
    pub job: bool,
    /// What it has to do with a batch. If it is held, `visible_ms` says how long it is delayed once it isn't.
    pub batch: Option<BatchTie>,
}

/// A deduplication key and how long it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptKey {
    /// Scope and id, digested.
    pub key: [u8; 16],
    /// Until when.
    pub expires_ms: u64,
    /// Of the body, where the same key with another body is refused; else 0.
    pub fingerprint: u64,
}

/// A message of a receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeasedMessage {
    /// Which.
    pub message: MessageKey,
    /// The claim.
    pub lease: LeaseId,
}

/// How a move task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveOutcome {
    /// Nothing was left to move.
    Completed,
    /// CancelMessageMoveTask.
    Cancelled,
    /// It could not go on.
    Failed(MoveFailure),
}

/// Why a move task could not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveFailure {
    /// The queue that a message came from, or is to go to, or the source itself, is deleted.
    QueueGone,
    /// A message was sent to the dead-letter queue rather than dead-lettered, and the task names no destination.
    SourceUnknown,
}

/// A queue written forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptQueue {
    /// Its incarnation.
    pub queue: QueueId,
    /// Its address.
    pub address: QueueAddress,
    /// Its attributes.
    pub attributes: QueueAttributes,
    /// Its tags.
    pub tags: Tags,
    /// When it was created.
    pub created_ms: u64,
    /// When its attributes were last set.
    pub modified_ms: u64,
    /// When it was last purged, or 0.
    pub purged_ms: u64,
}

/// A message written forward: all of its state. The content, and the last error if there is one, are in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMessage {
    /// Its queue now.
    pub queue: QueueId,
    /// Its id at first.
    pub id: MessageId,
    /// Its place in line.
    pub order: u64,
    /// When it was sent, or last redriven.
    pub sent_ms: u64,
    /// Its group.
    pub group: Option<GroupId>,
    /// Whether its end is remembered.
    pub job: bool,
    /// How often it has been received.
    pub receive_count: u32,
    /// How many of these were in earlier queues of a chain of dead-letter queues.
    pub received_elsewhere: u32,
    /// When it was first received, or 0.
    pub first_received_ms: u64,
    /// When the last lease began, or 0 when there was none: what the twelve hours of a lease count from.
    pub received_ms: u64,
    /// The last lease, which holds the message if `leased`; 0 when there was none.
    pub lease: LeaseId,
    /// Delayed or leased until then; at or before now: visible since then.
    pub visible_ms: u64,
    /// Whether `visible_ms` ends a lease rather than a delay.
    pub leased: bool,
    /// The queue that dead-lettered it.
    pub source: Option<QueueArn>,
    /// How often it has been redriven.
    pub redrives: u16,
    /// Whether an error text is in the record.
    pub failure: bool,
    /// What it has to do with a batch. A message that is held has neither lease nor receives, and its delay is from `sent_ms` to `visible_ms`.
    pub batch: Option<BatchTie>,
}

/// A deduplication entry written forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptDedup {
    /// The key.
    pub key: KeptKey,
    /// The message it stands for.
    pub id: MessageId,
    /// That message's place in line.
    pub order: u64,
}

/// A finished job written forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFinished {
    /// The id at first.
    pub id: MessageId,
    /// How often it was received.
    pub receive_count: u32,
    /// When it was deleted.
    pub finished_ms: u64,
    /// Its queue's incarnation.
    pub queue: QueueId,
    /// That queue's address, where it has been deleted since: nothing else of it may be in the log any more.
    pub gone: Option<QueueAddress>,
    /// It was dropped rather than done. Why may be told in the same record.
    pub dropped: bool,
}
