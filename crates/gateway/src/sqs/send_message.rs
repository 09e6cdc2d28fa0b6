//! SendMessage and SendMessageBatch.

use super::{
    batch::{self, Failures},
    batched,
    call::{Call, unavailable_error},
    entries, job,
    message::{Draft, Outgoing},
    unique,
};
use afterward_aws::{
    Code, Error,
    sqs::{
        Response, SendMessageBatchRequest, SendMessageBatchResult, SendMessageBatchResultEntry, SendMessageRequest,
        SendMessageResult,
    },
};
use afterward_broker::machine::{Refusal, Reply, Send};
use afterward_names::limits;

pub(super) async fn one(call: &Call<'_>, request: SendMessageRequest) -> Result<Response, Error> {
    let queue = call.queue(&request.queue_url)?;
    let Outgoing { mut send, content, receipt } = Draft::from(request).checked(call, &queue, None)?;
    if let Some(dedup) = unique::asked(call)? {
        send.dedup = Some(dedup);
    }
    send.batch = batched::asked(call)?;
    send.job = job::asked(call)?;
    let outcome = call.broker().send_one(send, content).await.map_err(unavailable_error)?;
    receipt.result(outcome).map(Response::SendMessage)
}

pub(super) async fn batch(call: &Call<'_>, request: SendMessageBatchRequest) -> Result<Response, Error> {
    let queue = call.queue(&request.queue_url)?;
    unique::refuse_in_batch(call)?;
    let (batched, job) = (batched::asked(call)?, job::asked(call)?);
    let ids = request.entries.iter().map(|entry| entry.id.as_str());
    batch::check(ids, entries::most(call)?, "SendMessageBatchRequestEntry")?;
    let drafts: Vec<(String, Draft)> =
        request.entries.into_iter().map(|mut entry| (std::mem::take(&mut entry.id), Draft::from(entry))).collect();
    check_size(&drafts)?;
    let body_md5s = Draft::body_md5s(drafts.iter().map(|(_, draft)| draft));

    let mut failures = Failures::default();
    let (mut receipts, mut sends) = (Vec::with_capacity(drafts.len()), Vec::with_capacity(drafts.len()));
    for ((id, draft), body_md5) in drafts.into_iter().zip(body_md5s) {
        match draft.checked(call, &queue, Some(body_md5)) {
            Ok(Outgoing { send, content, receipt }) => {
                receipts.push((id, receipt));
                sends.push((Send { batch: batched.clone(), job, ..send }, content));
            }
            Err(error) => failures.push(id, error),
        }
    }
    let outcomes = if sends.is_empty() {
        // All entries are wrong; that there is no such queue is said all the same.
        call.read_queue(queue, |_| ()).await?;
        Vec::new()
    } else {
        call.broker().send(sends).await.map_err(unavailable_error)?
    };
    if outcomes.iter().any(|outcome| matches!(outcome, Err(Refusal::NoSuchQueue))) {
        return Err(Error::queue_does_not_exist());
    }
    let mut successful = Vec::with_capacity(receipts.len());
    for ((id, receipt), outcome) in receipts.into_iter().zip::<Vec<Result<Reply, Refusal>>>(outcomes) {
        match receipt.result(outcome) {
            Ok(result) => successful.push(entry(id, result)),
            Err(error) => failures.push(id, error),
        }
    }
    Ok(Response::SendMessageBatch(SendMessageBatchResult { successful, failed: failures.into_entries() }))
}

/// All messages of a batch together are at most as large as one message may be.
fn check_size(drafts: &[(String, Draft)]) -> Result<(), Error> {
    let size_bytes: usize = drafts.iter().map(|(_, draft)| draft.size_bytes()).sum();
    if size_bytes <= limits::MESSAGE_BYTES {
        return Ok(());
    }
    let message = format!(
        "Batch requests cannot be longer than {} bytes. You have sent {size_bytes} bytes.",
        limits::MESSAGE_BYTES
    );
    Err(Error::new(Code::BatchRequestTooLong, message))
}

fn entry(id: String, result: SendMessageResult) -> SendMessageBatchResultEntry {
    SendMessageBatchResultEntry {
        id,
        message_id: result.message_id.unwrap_or_default(),
        md5_of_message_body: result.md5_of_message_body.unwrap_or_default(),
        md5_of_message_attributes: result.md5_of_message_attributes,
        md5_of_message_system_attributes: result.md5_of_message_system_attributes,
        sequence_number: result.sequence_number,
    }
}
