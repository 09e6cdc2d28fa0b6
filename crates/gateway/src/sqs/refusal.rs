//! The state's refusals in AWS's words.

use afterward_aws::{Code, Error};
use afterward_broker::machine::Refusal;

/// What a caller is told of a refusal, where the action has nothing more exact to say.
pub(super) fn error(refusal: &Refusal) -> Error {
    match refusal {
        Refusal::NoSuchQueue => Error::queue_does_not_exist(),
        Refusal::QueueExists { attribute } => Error::new(
            Code::QueueNameExists,
            format!("A queue already exists with the same name and a different value for attribute {attribute}"),
        ),
        Refusal::QueueDeletedRecently => Error::new(
            Code::QueueDeletedRecently,
            "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
        ),
        Refusal::PurgeInProgress => {
            Error::new(Code::PurgeQueueInProgress, "Only one PurgeQueue operation is allowed every 60 seconds.")
        }
        // A parameter of StartMessageMoveTask, not an attribute.
        Refusal::InvalidAttribute { attribute: "DestinationArn", reason } => Error::invalid_parameter_value(*reason),
        Refusal::InvalidAttribute { attribute, reason } => Error::new(
            Code::InvalidAttributeValue,
            format!("Invalid value for the parameter {attribute}. Reason: {reason}"),
        ),
        Refusal::TooManyTags => Error::invalid_parameter_value("Too many tags added for the queue: at most 50."),
        Refusal::TooManyDefinitions => Error::new(
            Code::OverLimit,
            "Queues and schedule groups, with their tags and policies, take the 64 MiB that this server has for them. Delete \
             queues that are not needed, or tags and policies of others.",
        ),
        Refusal::PolicyChanged => Error::service_unavailable("The policy is being changed by others. Try again."),
        Refusal::MessageTooLong { maximum_bytes } => message_too_long(*maximum_bytes),
        Refusal::GroupMissing => Error::missing_parameter("MessageGroupId"),
        Refusal::DeduplicationMissing => Error::invalid_parameter_value(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        ),
        Refusal::DeduplicationNotAllowed => wrong_kind("MessageDeduplicationId"),
        Refusal::DelayNotAllowed => wrong_kind("DelaySeconds"),
        Refusal::AttemptNotAllowed => wrong_kind("ReceiveRequestAttemptId"),
        Refusal::OverLimit => Error::new(
            Code::OverLimit,
            "The maximum number of in flight messages is reached. Delete messages, or let their visibility time out.",
        ),
        Refusal::LeaseOfAnotherQueue => {
            Error::new(Code::ReceiptHandleIsInvalid, "The input receipt handle is of another queue.")
        }
        Refusal::LeaseExpired => Error::invalid_parameter_value("The receipt handle has expired."),
        Refusal::NotInFlight => Error::new(
            Code::MessageNotInflight,
            "Message does not exist or is not available for visibility timeout change.",
        ),
        Refusal::LeaseTooLong => Error::invalid_parameter_value(
            "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
        ),
        Refusal::RedriveDenied => {
            Error::invalid_parameter_value("The dead-letter queue's RedriveAllowPolicy denies this source queue.")
        }
        Refusal::NotADeadLetterQueue => {
            Error::invalid_parameter_value("Source queue must be configured as a Dead Letter Queue.")
        }
        Refusal::NoSuchDestination => {
            not_found("The resource that you specified for the DestinationArn parameter doesn't exist.")
        }
        Refusal::DestinationKindDiffers => {
            Error::invalid_parameter_value("Source and destination queues must be of the same type.")
        }
        Refusal::MoveRunning => Error::invalid_parameter_value(
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
        ),
        Refusal::TooManyMoves => Error::new(
            Code::OverLimit,
            "The maximum of 100 active message move tasks is reached. Wait until one of them has ended, or cancel one.",
        ),
        Refusal::NoSuchMove => not_found("Task does not exist."),
        Refusal::MoveNotRunning => Error::new(Code::UnsupportedOperation, "Only active tasks can be cancelled."),
        // Only the front door gives idempotency keys and longer delays, and explains these itself.
        Refusal::IdempotencyConflict | Refusal::DelayBeyondRetention { .. } => Error::internal_failure(),
        // Schedules are refused in the scheduler's words.
        Refusal::NoSuchSchedule
        | Refusal::ScheduleExists
        | Refusal::NoSuchScheduleGroup
        | Refusal::ScheduleGroupExists
        | Refusal::ScheduleGroupDeleting
        | Refusal::DefaultScheduleGroup
        | Refusal::TooManyScheduleGroupTags
        | Refusal::DefinitionTooLong { .. }
        | Refusal::StaleRun
        | Refusal::SendRefused { .. } => Error::internal_failure(),
    }
}

/// A message larger than its queue takes.
pub(super) fn message_too_long(maximum_bytes: u32) -> Error {
    Error::invalid_parameter_value(format!(
        "One or more parameters are invalid. Reason: Message must be shorter than {maximum_bytes} bytes."
    ))
}

/// Something named by an ARN or a handle that isn't there.
pub(super) fn not_found(message: &str) -> Error {
    Error::new(Code::ResourceNotFound, message)
}

fn wrong_kind(parameter: &str) -> Error {
    Error::invalid_parameter_value(format!(
        "The request includes the parameter {parameter}, which is not valid for this queue type."
    ))
}

/// A value that this kind of queue does not take.
pub(super) fn wrong_kind_of_queue(value: &str, parameter: &str) -> Error {
    Error::invalid_value(value, parameter, "The request includes a parameter that is not valid for this queue type")
}
