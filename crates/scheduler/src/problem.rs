//! Why a call of a target failed, and whether it may go better another time.

use afterward_broker::machine::Refusal;

/// A failed call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    /// ERROR_CODE of a dead-letter event.
    pub(crate) code: String,
    /// ERROR_MESSAGE of a dead-letter event: what happened, for people.
    pub(crate) message: String,
    /// Whether it may go better another time.
    pub(crate) passes: bool,
}

impl Problem {
    /// That may go better another time.
    pub(crate) fn passing(code: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem { code: code.into(), message: message.into(), passes: true }
    }

    /// That will not.
    pub(crate) fn lasting(code: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem { code: code.into(), message: message.into(), passes: false }
    }

    /// A message was refused. A queue that is not there may be made yet; all else is the message's or the schedule's
    /// fault.
    pub(crate) fn of_refusal(refusal: &Refusal) -> Problem {
        match refusal {
            Refusal::NoSuchQueue => {
                Problem::passing("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
            }
            Refusal::MessageTooLong { .. } => Problem::lasting("InvalidParameterValue", refusal.to_string()),
            Refusal::GroupMissing => Problem::lasting("MissingParameter", refusal.to_string()),
            other => Problem::lasting("InvalidParameterValue", other.to_string()),
        }
    }
}
