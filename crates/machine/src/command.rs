//! What can be asked of the state.

use crate::{AttributeChanges, LeaseRef, ScheduleId};
use afterward_names::{AccountId, BatchId, GroupId, QueueAddress, QueueArn, ScheduleAddress, ScheduleGroupAddress};
use std::collections::BTreeMap;

/// One request for a change. Reads go to the state directly.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the variants' fields say what they are
pub enum Command {
    CreateQueue(CreateQueue),
    DeleteQueue {
        queue: QueueAddress,
    },
    SetAttributes(SetAttributes),
    /// Adds tags to those there are.
    Tag {
        queue: QueueAddress,
        tags: BTreeMap<Box<str>, Box<str>>,
    },
    Untag {
        queue: QueueAddress,
        keys: Vec<Box<str>>,
    },
    /// Removes all messages. `cooldown`: refuse within 60 seconds of the last purge.
    Purge {
        queue: QueueAddress,
        cooldown: bool,
    },
    Send(Send),
    Receive(Receive),
    /// Removes the message that the lease is on.
    Delete {
        queue: QueueAddress,
        lease: LeaseRef,
    },
    /// The same by one who has not done what the message asks for, and will not: its job ends as dropped. A text that says why may
    /// be logged beside the event.
    Drop {
        queue: QueueAddress,
        lease: LeaseRef,
    },
    /// Makes the lease end `timeout_ms` from now; 0 gives the message back. `failure`: whether the caller attached an
    /// error text, which is then logged beside the event.
    ChangeVisibility {
        queue: QueueAddress,
        lease: LeaseRef,
        timeout_ms: u64,
        failure: bool,
    },
    /// Gives the message back that the lease is on, and was not begun: it is visible `timeout_ms` from now, the receive does not
    /// count, and the lease is over at once.
    HandBack {
        queue: QueueAddress,
        lease: LeaseRef,
        timeout_ms: u64,
    },
    /// The same by one who could not give the message to anybody, however late: where the lease is over and nobody has been
    /// given another, the message stays visible, and the receive does not count.
    TakeBack {
        queue: QueueAddress,
        lease: LeaseRef,
        timeout_ms: u64,
    },
    /// Moves the message that the lease is on to the dead-letter queue, however often it was received. `failure`: as with
    /// [`Command::ChangeVisibility`].
    DeadLetter {
        queue: QueueAddress,
        lease: LeaseRef,
        failure: bool,
    },
    /// Lets the next messages join the line that were held by batches that are over; the broker sends it while
    /// [`crate::State::has_held_to_release`].
    ReleaseHeld,
    StartMove(StartMove),
    /// Ends a running move task; `task` is the number from its start.
    CancelMove {
        account: AccountId,
        task: u64,
    },
    /// Moves what the running tasks may move by now; the broker sends it when [`crate::State::next_move_ms`] comes.
    RunMoves,
    /// Makes a group of schedules.
    CreateScheduleGroup {
        group: ScheduleGroupAddress,
        tags: BTreeMap<Box<str>, Box<str>>,
    },
    /// Deletes a group and its schedules: at once if they are few, else in rounds ([`Command::SweepScheduleGroups`]).
    DeleteScheduleGroup {
        group: ScheduleGroupAddress,
    },
    /// Adds tags to those there are.
    TagScheduleGroup {
        group: ScheduleGroupAddress,
        tags: BTreeMap<Box<str>, Box<str>>,
    },
    UntagScheduleGroup {
        group: ScheduleGroupAddress,
        keys: Vec<Box<str>>,
    },
    /// Deletes the next schedules of groups that are being deleted; the broker sends it while
    /// [`crate::State::has_groups_to_sweep`].
    SweepScheduleGroups,
    /// Makes a schedule. The definition goes to the log beside the event.
    CreateSchedule {
        schedule: ScheduleAddress,
        definition_bytes: usize,
        next_ms: Option<u64>,
    },
    /// Gives a schedule another definition.
    UpdateSchedule {
        schedule: ScheduleAddress,
        definition_bytes: usize,
        next_ms: Option<u64>,
        /// Only if it is still so; else [`crate::Refusal::StaleRun`]. `None`: whatever it is.
        as_read: Option<ScheduleRead>,
    },
    DeleteSchedule {
        schedule: ScheduleAddress,
    },
    RunSchedule(RunSchedule),
    /// Sets the partition's secret, once, when the log is new.
    Found {
        secret: [u8; 32],
    },
}

/// CreateQueue. Creating a queue that is there, with no attribute that differs, answers with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateQueue {
    /// Its address.
    pub queue: QueueAddress,
    /// What differs from the defaults.
    pub attributes: AttributeChanges,
    /// Its tags.
    pub tags: BTreeMap<Box<str>, Box<str>>,
    /// Refuse a name that was deleted within the last 60 seconds.
    pub cooldown: bool,
}

/// SetQueueAttributes, AddPermission and RemovePermission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAttributes {
    /// The queue.
    pub queue: QueueAddress,
    /// What to change.
    pub attributes: AttributeChanges,
    /// Only if the policy still reads so (outer `None`: whatever it reads); else [`crate::Refusal::PolicyChanged`].
    pub expected_policy: Option<Option<Box<str>>>,
}

/// SendMessage, without the content, which goes to the log beside the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// The queue.
    pub queue: QueueAddress,
    /// Body and attributes together, as SQS counts a message's size.
    pub size_bytes: u32,
    /// How long the message is invisible at first; `None`: the queue's delay. FIFO queues refuse one of their own
    /// per message unless it is 0; one beyond SQS's 15 minutes must end before the queue's retention does.
    pub delay_ms: Option<u64>,
    /// The message group.
    pub group: Option<GroupId>,
    /// What makes this send the same as an earlier one.
    pub dedup: Option<Dedup>,
    /// Whether the front door took it in: its end is then remembered for a while (job status).
    pub job: bool,
    /// What it has to do with a batch of the queue.
    pub batch: Option<Batched>,
}

/// What a message that is sent shall have to do with a batch of its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Batched {
    /// It is one of the batch.
    In(BatchId),
    /// It becomes visible, after its own delay, when none of the batch is in the queue.
    After(BatchId),
}

/// How a send is recognised when it comes again. Within the window the earlier send's reply is given, and nothing new
/// is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dedup {
    /// A FIFO queue's deduplication id (`explicit`), or the SHA-256 of the body, first 16 bytes of the SHA-256 of
    /// either. The queue's scope is mixed in by `decide`.
    Fifo {
        /// The digest of the id; `None` asks for content-based deduplication.
        id: Option<[u8; 16]>,
        /// The digest of the body, present if `id` is not.
        body: Option<[u8; 16]>,
    },
    /// The front door's `Idempotency-Key`, on any queue.
    Idempotency {
        /// The first 16 bytes of the key's SHA-256.
        key: [u8; 16],
        /// Of the body: the same key with another body is refused.
        fingerprint: u64,
        /// How long the key is remembered.
        window_ms: u64,
    },
}

/// ReceiveMessage. It never waits; waiting is the broker's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receive {
    /// The queue.
    pub queue: QueueAddress,
    /// At most so many. From the eleventh on, none is added once the records of those before it take more than a mebibyte.
    pub max: usize,
    /// `None`: the queue's visibility timeout.
    pub visibility_timeout_ms: Option<u64>,
    /// FIFO: the first 16 bytes of the SHA-256 of `ReceiveRequestAttemptId`; the same one within 5 minutes gives the
    /// same messages, while none of them has been deleted or changed.
    pub attempt: Option<[u8; 16]>,
}

/// StartMessageMoveTask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartMove {
    /// The dead-letter queue to empty.
    pub source: QueueArn,
    /// Where to; `None`: each message to the queue it came from.
    pub destination: Option<QueueArn>,
    /// `None`: as fast as it goes.
    pub max_per_s: Option<u32>,
}

/// One run of a schedule: all it sends and what becomes of it, or, when something has changed since it was read, or one
/// of the sends is refused, nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSchedule {
    /// Which schedule.
    pub schedule: ScheduleId,
    /// By which of its definitions.
    pub revision: u64,
    /// When it was due, as it was read.
    pub due_ms: Option<u64>,
    /// What becomes of it.
    pub next: NextRun,
    /// What it sends, in this order.
    pub sends: Vec<NewMessage>,
}

/// A schedule as it was read: what changes whenever it is defined anew or runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleRead {
    /// Which of its definitions.
    pub revision: u64,
    /// When it was next due.
    pub next_ms: Option<u64>,
}

/// What becomes of a schedule that has run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextRun {
    /// It is due again then.
    At(u64),
    /// It stays, and is not due any more.
    Never,
    /// It is deleted.
    Delete,
}

/// One of several messages that one decision sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// As it would be sent alone.
    pub send: Send,
    /// Bits for its id.
    pub random: u64,
}
