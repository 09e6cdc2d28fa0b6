//! ReceiveMessage.

use super::{
    call::{Call, unavailable_error},
    entries,
    message::not_an_id,
    receive_attributes::{AttributeFilter, SystemAttributes},
    receiving::{self, NoMessages},
    refusal,
};
use crate::{digest, gateway::NO_ROOM_TO_REPLY};
use afterward_aws::{
    Error,
    sqs::{self as wire, Message, ReceiveMessageRequest, ReceiveMessageResult, Response},
};
use afterward_broker::{
    Failure, Received,
    machine::{Receive, Refusal},
};
use afterward_names::{DeduplicationId, limits};
use bytes::Bytes;
use std::time::Duration;

pub(super) async fn receive_message(call: &Call<'_>, request: ReceiveMessageRequest) -> Result<Response, Error> {
    let queue = call.queue(&request.queue_url)?;
    let fifo = queue.name.is_fifo();
    let system = SystemAttributes::asked_for(&request.attribute_names, &request.message_system_attribute_names)?;
    let filter = AttributeFilter::of(&request.message_attribute_names);
    let wait = wait(request.wait_time_seconds)?;
    let receive = Receive {
        queue,
        max: maximum(request.max_number_of_messages, entries::most(call)?)?,
        visibility_timeout_ms: request.visibility_timeout.map(visibility_timeout_ms).transpose()?,
        attempt: request.receive_request_attempt_id.as_deref().map(attempt).transpose()?,
    };
    let received = receiving::receive(call, &receive, wait).await.map_err(|none| match none {
        NoMessages::Failed(Failure::Refused(Refusal::AttemptNotAllowed)) => refusal::wrong_kind_of_queue(
            request.receive_request_attempt_id.as_deref().unwrap_or_default(),
            "ReceiveRequestAttemptId",
        ),
        NoMessages::Failed(Failure::Refused(refusal)) => refusal::error(&refusal),
        NoMessages::Failed(Failure::Unavailable(unavailable)) => unavailable_error(unavailable),
        NoMessages::NoRoom => Error::service_unavailable(NO_ROOM_TO_REPLY),
    })?;
    let messages = received.into_iter().map(|received| message(call, received, &system, &filter, fifo)).collect();
    Ok(Response::ReceiveMessage(ReceiveMessageResult { messages }))
}

fn message(
    call: &Call<'_>,
    received: Received,
    system: &SystemAttributes,
    filter: &AttributeFilter,
    fifo: bool,
) -> Message {
    let attributes = system.of(&received, fifo);
    let Received { delivery, message } = received;
    let content = message.content;
    let message_attributes = filter.apply(content.attributes);
    Message {
        message_id: Some(delivery.id.to_string()),
        receipt_handle: Some(call.broker().receipts().handle(delivery.lease)),
        md5_of_body: Some(digest::hex(&content.body_md5)),
        // Bodies come in as UTF-8, and the log gives back what it was given.
        body: Some(text(content.body)),
        attributes,
        md5_of_message_attributes: wire::attributes_md5(&message_attributes),
        message_attributes,
    }
}

/// Bytes as text, without a copy where they are UTF-8 and nobody else's.
fn text(bytes: Bytes) -> String {
    String::from_utf8(bytes.into()).unwrap_or_else(|wrong| String::from_utf8_lossy(wrong.as_bytes()).into_owned())
}

fn maximum(asked: Option<i64>, most: usize) -> Result<usize, Error> {
    let Some(asked) = asked else { return Ok(1) };
    usize::try_from(asked).ok().filter(|count| (1..=most).contains(count)).ok_or_else(|| {
        let reason = format!("Must be between 1 and {most}, if provided.");
        Error::invalid_value(asked, "MaxNumberOfMessages", reason)
    })
}

/// `None`: as long as the queue says.
fn wait(asked: Option<i64>) -> Result<Option<Duration>, Error> {
    let Some(asked) = asked else { return Ok(None) };
    let fits = u64::try_from(asked).ok().filter(|seconds| limits::RECEIVE_WAIT_S.contains(seconds));
    fits.map(|seconds| Some(Duration::from_secs(seconds)))
        .ok_or_else(|| Error::invalid_value(asked, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided."))
}

/// A visibility timeout that a request gives, in seconds.
pub(super) fn visibility_timeout_ms(asked: i64) -> Result<u64, Error> {
    let fits = u64::try_from(asked).ok().filter(|seconds| limits::VISIBILITY_TIMEOUT_S.contains(seconds));
    fits.map(|seconds| seconds * 1000)
        .ok_or_else(|| Error::invalid_value(asked, "VisibilityTimeout", "Must be >= 0 and <= 43200, if provided."))
}

/// The attempt's id follows the rules of deduplication ids.
fn attempt(text: &str) -> Result<[u8; 16], Error> {
    let id: DeduplicationId = text.parse().map_err(|_| not_an_id(text, "ReceiveRequestAttemptId"))?;
    Ok(digest::half_sha256(id.as_str().as_bytes()))
}
