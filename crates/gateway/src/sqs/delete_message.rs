//! DeleteMessage and DeleteMessageBatch.

use super::{
    batch::{self, Failures},
    call::{Call, unavailable_error, unexpected},
    entries, refusal,
};
use afterward_aws::{
    Error,
    sqs::{
        DeleteMessageBatchRequest, DeleteMessageBatchResult, DeleteMessageBatchResultEntry, DeleteMessageRequest,
        Response,
    },
};
use afterward_broker::machine::{Command, LeaseRef, Refusal, Reply};
use afterward_names::QueueAddress;

/// The header `x-afterward-error`, our extension, says that the message is deleted though it has not been handled, and why: its
/// job is not told to have succeeded.
pub(super) async fn one(call: &Call<'_>, request: DeleteMessageRequest) -> Result<Response, Error> {
    let queue = call.queue(&request.queue_url)?;
    let handle = &request.receipt_handle;
    let lease = lease(call, &queue, handle).await?;
    if let Some(why) = call.failure() {
        let undone = (Command::Drop { queue: queue.clone(), lease }, Some(why));
        let outcomes = execute_all(call, queue, vec![undone]).await?;
        let refused = outcomes.into_iter().find_map(Result::err);
        return refused.map_or(Ok(Response::DeleteMessage), |refusal| Err(explain(&refusal, handle)));
    }
    match call.execute(Command::Delete { queue, lease }, |refusal| explain(&refusal, handle)).await? {
        Reply::Done => Ok(Response::DeleteMessage),
        reply => Err(unexpected(&reply)),
    }
}

pub(super) async fn batch(call: &Call<'_>, request: DeleteMessageBatchRequest) -> Result<Response, Error> {
    let queue = call.queue(&request.queue_url)?;
    let ids = request.entries.iter().map(|entry| entry.id.as_str());
    batch::check(ids, entries::most(call)?, "DeleteMessageBatchRequestEntry")?;
    let mut failures = Failures::default();
    let (mut entries, mut commands) =
        (Vec::with_capacity(request.entries.len()), Vec::with_capacity(request.entries.len()));
    for entry in request.entries {
        match call.broker().receipts().lease(&entry.receipt_handle) {
            Ok(lease) => {
                commands.push((Command::Delete { queue: queue.clone(), lease }, None));
                entries.push(entry);
            }
            Err(_) => failures.push(entry.id, Error::receipt_handle_is_invalid(&entry.receipt_handle)),
        }
    }
    let outcomes = execute_all(call, queue, commands).await?;
    let mut successful = Vec::with_capacity(entries.len());
    for (entry, outcome) in entries.into_iter().zip(outcomes) {
        match outcome {
            Ok(_) => successful.push(DeleteMessageBatchResultEntry { id: entry.id }),
            Err(refusal) => failures.push(entry.id, explain(&refusal, &entry.receipt_handle)),
        }
    }
    Ok(Response::DeleteMessageBatch(DeleteMessageBatchResult { successful, failed: failures.into_entries() }))
}

/// The lease that a handle stands for. A queue that isn't there is the graver fault, and is named first.
pub(super) async fn lease(call: &Call<'_>, queue: &QueueAddress, handle: &str) -> Result<LeaseRef, Error> {
    match call.broker().receipts().lease(handle) {
        Ok(lease) => Ok(lease),
        Err(_) => {
            call.read_queue(queue.clone(), |_| ()).await?;
            Err(Error::receipt_handle_is_invalid(handle))
        }
    }
}

/// Executes the commands of a batch on one queue, which has to be there even if no entry is worth executing.
pub(super) async fn execute_all(
    call: &Call<'_>,
    queue: QueueAddress,
    commands: Vec<(Command, Option<String>)>,
) -> Result<Vec<Result<Reply, Refusal>>, Error> {
    if commands.is_empty() {
        return call.read_queue(queue, |_| Vec::new()).await;
    }
    let outcomes = call.broker().execute_all(commands).await.map_err(unavailable_error)?;
    if outcomes.iter().any(|outcome| matches!(outcome, Err(Refusal::NoSuchQueue))) {
        return Err(Error::queue_does_not_exist());
    }
    Ok(outcomes)
}

/// What is said of a handle that was given out, and is no good any more.
pub(super) fn explain(refusal: &Refusal, handle: &str) -> Error {
    match refusal {
        Refusal::LeaseExpired => Error::invalid_value(handle, "ReceiptHandle", "The receipt handle has expired."),
        Refusal::LeaseOfAnotherQueue => Error::receipt_handle_is_invalid(handle),
        _ => refusal::error(refusal),
    }
}
