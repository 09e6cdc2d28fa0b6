//! What `decide` answers.

use crate::{BatchTie, Event, LeaseRef, Location, MessageKey, QueueId, ScheduleId};
use afterward_names::{MessageId, QueueArn};

/// What happens, and what to tell the caller once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// To log and apply, in order. Empty where nothing changes.
    pub events: Vec<Event>,
    /// For the caller.
    pub reply: Reply,
}

/// For the caller of a [`crate::Command`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Reply {
    /// Nothing more to say.
    Done,
    /// CreateQueue: the new queue, or the one that is there.
    Queue(QueueId),
    /// Send: the message's id and place in line. `duplicate`: it had been sent before, and those are of the first time.
    Sent {
        id: MessageId,
        order: u64,
        duplicate: bool,
    },
    /// ReceiveMessage: what is now leased to the caller. `more`: the command stopped at its bound of work (messages
    /// to dead-letter) before it had looked at everything; ask again.
    Received {
        deliveries: Vec<Delivery>,
        more: bool,
    },
    MoveStarted {
        task: u64,
    },
    /// CreateSchedule, UpdateSchedule: which schedule it is.
    Schedule(ScheduleId),
    /// RunSchedule: what became of its sends, in order.
    Ran(Vec<SentMessage>),
    /// CancelMessageMoveTask: how many had been moved.
    MoveCancelled {
        moved: u64,
    },
}

/// A message on its way to a consumer. Its content is at `location`, or wherever the state says when that is trimmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The claim.
    pub lease: LeaseRef,
    /// Which message.
    pub message: MessageKey,
    /// Its id as it stands now.
    pub id: MessageId,
    /// Where its content is.
    pub location: Location,
    /// Its place in line.
    pub order: u64,
    /// When it was sent.
    pub sent_ms: u64,
    /// When it was first received: now, if this is the first time.
    pub first_received_ms: u64,
    /// This receive included.
    pub receive_count: u32,
    /// The queue that dead-lettered it.
    pub source: Option<QueueArn>,
    /// What it has to do with a batch.
    pub batch: Option<BatchTie>,
}

/// One of several messages that were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentMessage {
    /// Its id.
    pub id: MessageId,
    /// Its place in line.
    pub order: u64,
    /// It had been sent before, and those are of the first time.
    pub duplicate: bool,
}
