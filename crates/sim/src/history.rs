//! What clients ask and what they are told: all that the checker knows of the broker.

use afterward_machine::{LeaseRef, Refusal, ScheduleId};
use afterward_names::MessageId;

/// The number of a call, in the order of asking.
pub type CallId = usize;

/// Which of the scenario's queues.
pub type QueueIndex = usize;

/// Which of the run's schedules.
pub type ScheduleIndex = usize;

/// How many schedules a run has.
pub const SCHEDULES: usize = 4;

/// A schedule as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenSchedule {
    /// Which.
    pub schedule: ScheduleIndex,
    /// Which of that name.
    pub id: ScheduleId,
    /// Which of its definitions, as the broker counts.
    pub revision: u64,
    /// The call that defined it, as its definition says.
    pub definition: CallId,
    /// When it is due.
    pub next_ms: Option<u64>,
}

/// One run of a schedule, of which a send is the part that consumers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// The schedule as its runner has read it.
    pub of: SeenSchedule,
    /// When it is due next, later than it was; `None`: it is deleted.
    pub next_ms: Option<u64>,
}

/// What becomes of a schedule otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduling {
    /// It is made, due then.
    Create(Option<u64>),
    /// It is defined anew, due then.
    Update(Option<u64>),
    /// It is deleted.
    Delete,
}

/// SendMessage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// The queue.
    pub queue: QueueIndex,
    /// A body that no other send has.
    pub body: String,
    /// The message's own delay.
    pub delay_ms: Option<u64>,
    /// The message group.
    pub group: Option<u8>,
    /// The deduplication id; on a standard queue, the idempotency key.
    pub dedup: Option<u32>,
    /// With an idempotency key: of the body. The same key with another one is refused.
    pub fingerprint: u64,
    /// What it has to do with a batch of the queue.
    pub batch: Option<Batch>,
    /// It is sent by this run of a schedule, or not at all.
    pub tick: Option<Tick>,
}

/// What a message has to do with a batch, by the batch's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// It is one of it.
    In(u8),
    /// It waits for it.
    After(u8),
}

/// ReceiveMessage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiving {
    /// The queue.
    pub queue: QueueIndex,
    /// At most so many.
    pub max: usize,
    /// The lease's length; `None`: the queue's.
    pub visibility_ms: Option<u64>,
    /// How long it waits for a message.
    pub wait_ms: u64,
    /// `ReceiveRequestAttemptId`: the same one gives the same messages. Such a receive does not wait.
    pub attempt: Option<u32>,
}

/// How long an idempotency key is remembered.
pub const IDEMPOTENCY_MS: u64 = 120_000;

/// What of a queue can be set anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long a new message is invisible.
    pub delay_ms: u64,
    /// How long a lease lasts.
    pub visibility_ms: u64,
    /// How long a message is kept.
    pub retention_ms: u64,
    /// How many receives a message gets, where there is a dead-letter queue.
    pub max_receive_count: u32,
}

/// What a holder says along with a visibility change. The words name the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remark {
    /// Nothing.
    Nothing,
    /// Why it failed: that stays with the message.
    Failed,
    /// How far it is: that is gone with the attempt, and with the owner.
    Progress,
    /// That it has not begun: the receive does not count, and the lease is over.
    Unbegun,
    /// That nobody has seen anything of it. As `Unbegun`; and where the lease was over before and nobody has got another, the
    /// receive does not count either, and the message stays as it is.
    Undelivered,
}

/// What a consumer holds of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Received from there.
    pub queue: QueueIndex,
    /// What the receipt handle stands for.
    pub lease: LeaseRef,
    /// The message's id.
    pub id: MessageId,
}

/// One request of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// SendMessage.
    Send(Sending),
    /// ReceiveMessage.
    Receive(Receiving),
    /// DeleteMessage.
    Delete(Held),
    /// ChangeMessageVisibility, to so many milliseconds.
    Change(Held, u64, Remark),
    /// The holder gives the message up for good; whether it says why.
    DeadLetter(Held, bool),
    /// PurgeQueue.
    Purge(QueueIndex),
    /// StartMessageMoveTask: this dead-letter queue's messages go back, at most so many a second.
    Move(QueueIndex, Option<u32>),
    /// CancelMessageMoveTask, of the task with this number.
    Cancel(u64),
    /// SetQueueAttributes.
    Set(QueueIndex, Settings),
    /// DeleteQueue.
    Remove(QueueIndex),
    /// CreateQueue, as it was at first.
    Create(QueueIndex),
    /// CreateSchedule, UpdateSchedule or DeleteSchedule.
    Schedule(ScheduleIndex, Scheduling),
}

/// What a call was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To a send.
    Sent {
        /// The message's id.
        id: MessageId,
        /// Its place in line.
        order: u64,
    },
    /// To a receive.
    Received(Vec<Seen>),
    /// To anything else.
    Done,
    /// The rules are against it: nothing has happened.
    Refused(Refusal),
    /// Nobody knows whether it has happened.
    Unavailable,
}

/// A message as a consumer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its lease and id.
    pub held: Held,
    /// Its body.
    pub body: String,
    /// Its group.
    pub group: Option<u8>,
    /// Its place in line.
    pub order: u64,
    /// When it was sent.
    pub sent_ms: u64,
    /// When it was first received.
    pub first_received_ms: u64,
    /// How often it was received, this time included.
    pub receive_count: u32,
    /// The queue that dead-lettered it.
    pub source: Option<QueueIndex>,
    /// The call that said last why it failed, as it is shown to people; outer `None`: that could not be read yet.
    pub failure: Option<Option<CallId>>,
}
