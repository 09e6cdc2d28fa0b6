//! ChangeMessageVisibility and ChangeMessageVisibilityBatch.

use super::{
    batch::{self, Failures},
    call::{Call, unavailable_error},
    delete_message::{execute_all, explain, lease},
    entries, progress,
    receive_message::visibility_timeout_ms,
    refusal,
};
use afterward_aws::{
    Code, Error,
    sqs::{
        ChangeMessageVisibilityBatchRequest, ChangeMessageVisibilityBatchRequestEntry,
        ChangeMessageVisibilityBatchResult, ChangeMessageVisibilityBatchResultEntry, ChangeMessageVisibilityRequest,
        Response,
    },
};
use afterward_broker::{
    Failure,
    machine::{Command, LeaseRef, Refusal},
};
use afterward_names::QueueAddress;

/// Our extension: moves the message to the dead-letter queue instead of making it visible.
const DEAD_LETTER: &str = "x-afterward-dead-letter";

/// Our extension: `true` says that the message is handed back by a consumer that has not begun it, so that the receive does not
/// count.
const UNBEGUN: &str = "x-afterward-unbegun";

/// The header `x-afterward-error` may say why the message is given back, or else `x-afterward-progress` how far its holder is,
/// or else `x-afterward-unbegun` that its holder has not begun it.
pub(super) async fn one(call: &Call<'_>, request: ChangeMessageVisibilityRequest) -> Result<Response, Error> {
    let queue = call.queue(&request.queue_url)?;
    let timeout_ms = visibility_timeout_ms(request.visibility_timeout)?;
    let lease = lease(call, &queue, &request.receipt_handle).await?;
    match change(call, queue, lease, timeout_ms).await {
        Ok(()) => Ok(Response::ChangeMessageVisibility),
        Err(Failure::Refused(refusal)) => {
            Err(explain_change(&refusal, &request.receipt_handle, request.visibility_timeout))
        }
        Err(Failure::Unavailable(unavailable)) => Err(unavailable_error(unavailable)),
    }
}

/// Whoever says why an attempt has failed, or gives up, has no progress any more. Whoever says that, or has progress, has begun:
/// where words contradict each other the receive counts, for a message that kills its consumers is to come to an end.
async fn change(call: &Call<'_>, queue: QueueAddress, lease: LeaseRef, timeout_ms: u64) -> Result<(), Failure> {
    let error = call.failure();
    let failure = error.is_some();
    let command = match call.header(DEAD_LETTER) {
        Some(_) => Command::DeadLetter { queue, lease, failure },
        None => match progress::told(call).filter(|_| !failure) {
            Some(progress) => return call.broker().report_progress(queue, lease, timeout_ms, progress).await,
            None if !failure && is_unbegun(call) => Command::HandBack { queue, lease, timeout_ms },
            None => Command::ChangeVisibility { queue, lease, timeout_ms, failure },
        },
    };
    let outcomes = call.broker().execute_all(vec![(command, error)]).await?;
    outcomes.into_iter().try_for_each(|outcome| outcome.map(drop).map_err(Failure::Refused))
}

/// Anything but `true` is ignored, as all of it is by Amazon.
fn is_unbegun(call: &Call<'_>) -> bool {
    call.header(UNBEGUN).is_some_and(|said| said.as_bytes().eq_ignore_ascii_case(b"true"))
}

pub(super) async fn batch(call: &Call<'_>, request: ChangeMessageVisibilityBatchRequest) -> Result<Response, Error> {
    let queue = call.queue(&request.queue_url)?;
    let ids = request.entries.iter().map(|entry| entry.id.as_str());
    batch::check(ids, entries::most(call)?, "ChangeMessageVisibilityBatchRequestEntry")?;
    let mut failures = Failures::default();
    let (mut entries, mut commands) = (Vec::new(), Vec::new());
    for entry in request.entries {
        match command(call, &queue, &entry) {
            Ok(command) => {
                commands.push((command, None));
                entries.push(entry);
            }
            Err(error) => failures.push(entry.id, error),
        }
    }
    let outcomes = execute_all(call, queue, commands).await?;
    let mut successful = Vec::new();
    for (entry, outcome) in entries.into_iter().zip(outcomes) {
        let seconds = entry.visibility_timeout.unwrap_or_default();
        match outcome {
            Ok(_) => successful.push(ChangeMessageVisibilityBatchResultEntry { id: entry.id }),
            Err(refusal) => failures.push(entry.id, explain_change(&refusal, &entry.receipt_handle, seconds)),
        }
    }
    let result = ChangeMessageVisibilityBatchResult { successful, failed: failures.into_entries() };
    Ok(Response::ChangeMessageVisibilityBatch(result))
}

fn command(
    call: &Call<'_>,
    queue: &QueueAddress,
    entry: &ChangeMessageVisibilityBatchRequestEntry,
) -> Result<Command, Error> {
    let handle = &entry.receipt_handle;
    let seconds = entry.visibility_timeout.ok_or_else(|| Error::missing_parameter("VisibilityTimeout"))?;
    let timeout_ms = visibility_timeout_ms(seconds)?;
    let lease = call.broker().receipts().lease(handle).map_err(|_| Error::receipt_handle_is_invalid(handle))?;
    Ok(Command::ChangeVisibility { queue: queue.clone(), lease, timeout_ms, failure: false })
}

fn explain_change(refusal: &Refusal, handle: &str, seconds: i64) -> Error {
    match refusal {
        Refusal::LeaseTooLong => Error::invalid_value(
            seconds,
            "VisibilityTimeout",
            "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
        ),
        Refusal::NoSuchDestination => {
            Error::new(Code::UnsupportedOperation, "The queue has no dead-letter queue to move the message to.")
        }
        Refusal::LeaseExpired | Refusal::LeaseOfAnotherQueue => explain(refusal, handle),
        _ => refusal::error(refusal),
    }
}
