//! Why a command is refused.

use thiserror::Error;

/// Why a command changes nothing. The gateway gives each AWS's code and wording.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum Refusal {
    #[error("there is no such queue")]
    NoSuchQueue,
    #[error("a queue of this name exists with another value for {attribute}")]
    QueueExists { attribute: &'static str },
    #[error("a queue of this name was deleted less than 60 seconds ago")]
    QueueDeletedRecently,
    #[error("this queue was purged less than 60 seconds ago")]
    PurgeInProgress,
    #[error("{attribute}: {reason}")]
    InvalidAttribute { attribute: &'static str, reason: &'static str },
    #[error("at most 50 tags")]
    TooManyTags,
    #[error("the policy has changed meanwhile")]
    PolicyChanged,
    #[error("the message is larger than the queue's {maximum_bytes} bytes")]
    MessageTooLong { maximum_bytes: u32 },
    #[error("a FIFO queue's message needs a group id")]
    GroupMissing,
    #[error("a FIFO queue's message needs a deduplication id, or the queue content-based deduplication")]
    DeduplicationMissing,
    #[error("a deduplication id is for FIFO queues")]
    DeduplicationNotAllowed,
    #[error("a FIFO queue's delay is the queue's own")]
    DelayNotAllowed,
    /// Longer than SQS knows, and longer than the message is kept.
    #[error("the delay ends when the queue no longer keeps the message: at most {retention_ms} ms")]
    DelayBeyondRetention { retention_ms: u64 },
    #[error("the idempotency key was used with another body")]
    IdempotencyConflict,
    #[error("a receive request attempt id is for FIFO queues")]
    AttemptNotAllowed,
    #[error("too many messages of this queue are in flight")]
    OverLimit,
    #[error("the receipt handle is of another queue")]
    LeaseOfAnotherQueue,
    /// FIFO: deleting or changing with a lease that has ended.
    #[error("the receipt handle has expired")]
    LeaseExpired,
    /// ChangeMessageVisibility of a message that nobody holds.
    #[error("the message is not in flight")]
    NotInFlight,
    /// Together with what it has lasted, a lease may last twelve hours.
    #[error("the visibility timeout goes beyond twelve hours from the receive")]
    LeaseTooLong,
    #[error("the dead-letter queue refuses this source queue")]
    RedriveDenied,
    #[error("the source queue is not a dead-letter queue")]
    NotADeadLetterQueue,
    #[error("there is no such destination queue")]
    NoSuchDestination,
    #[error("the queues are of different kinds")]
    DestinationKindDiffers,
    #[error("a move task is already running on this queue")]
    MoveRunning,
    #[error("at most 100 move tasks may run at a time")]
    TooManyMoves,
    #[error("there is no such move task")]
    NoSuchMove,
    #[error("the move task is not running")]
    MoveNotRunning,
    /// Queues, move tasks and groups of schedules, with their tags and policies: see [`crate::DEFINITIONS_BYTES`].
    #[error("queues and schedule groups, with their tags and policies, take all the room that there is for them")]
    TooManyDefinitions,
    #[error("there is no such schedule")]
    NoSuchSchedule,
    #[error("a schedule of this name exists in its group")]
    ScheduleExists,
    #[error("there is no such schedule group")]
    NoSuchScheduleGroup,
    #[error("a schedule group of this name exists")]
    ScheduleGroupExists,
    #[error("the schedule group is being deleted")]
    ScheduleGroupDeleting,
    #[error("the default schedule group can't be deleted")]
    DefaultScheduleGroup,
    #[error("at most 200 tags on a schedule group")]
    TooManyScheduleGroupTags,
    #[error("the schedule's definition is larger than {maximum_bytes} bytes")]
    DefinitionTooLong { maximum_bytes: usize },
    /// RunSchedule and UpdateSchedule: it was changed, has run or is deleted since it was read.
    #[error("the schedule has changed since it was read")]
    StaleRun,
    /// RunSchedule: one of the sends (`number`, from 0) is refused, so nothing of the run has happened.
    #[error("send {number} of the run: {refusal}")]
    SendRefused { number: usize, refusal: Box<Refusal> },
}
