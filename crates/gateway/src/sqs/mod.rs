//! SQS: from a typed request to the broker and back, one file per action or small family.
//!
//! Each action checks what AWS checks, with AWS's codes and words ([`afterward_aws::Error`]), says the rest to the broker
//! as a command or a read, and turns the reply into AWS's result. Codes and words are those of the API reference and of
//! the service itself; where the two differ, the service's.

mod attributes;
mod batch;
mod batched;
mod call;
mod change_visibility;
mod characters;
mod create_queue;
mod dead_letter_sources;
mod delete_message;
mod delete_queue;
mod entries;
mod get_queue_attributes;
mod get_queue_url;
mod job;
mod list_queues;
mod message;
mod message_attributes;
mod move_handle;
mod move_tasks;
mod page;
mod permissions;
mod policy;
mod progress;
mod purge_queue;
mod receive_attributes;
mod receive_message;
mod receiving;
mod refusal;
mod send_message;
mod set_queue_attributes;
mod tags;
mod unique;

pub(crate) use afterward_names::message_text::first_forbidden as first_forbidden_character;
pub(crate) use message::sequence_number;

use crate::{gateway::Exchange, metrics::Outcome};
use afterward_aws::{
    Error, Protocol,
    sqs::{self as wire, Request, Response},
};
use bytes::Bytes;
use call::Call;

/// Answers an SQS call.
pub(crate) async fn serve(exchange: &Exchange<'_>, protocol: Protocol) -> (Outcome, http::Response<Bytes>) {
    let mut action = "Unknown";
    let result = answer(exchange, protocol, &mut action).await;
    let code = result.as_ref().err().map_or("200", |error| error.code.query_code());
    (Outcome::of("sqs", action, code), wire::render(protocol, exchange.request_id, &result))
}

/// The answer to a request that is too large to read.
pub(crate) fn too_large(protocol: Protocol, request_id: &str, limit_bytes: usize) -> http::Response<Bytes> {
    wire::render(protocol, request_id, &Err(Error::request_entity_too_large(limit_bytes)))
}

async fn answer(exchange: &Exchange<'_>, protocol: Protocol, action: &mut &'static str) -> Result<Response, Error> {
    let caller = exchange.gateway.callers.identify(&exchange.incoming, Some("sqs"))?;
    let request = wire::parse(protocol, &exchange.incoming)?;
    *action = name_of(&request);
    perform(&Call::new(exchange, caller, protocol), request).await
}

async fn perform(call: &Call<'_>, request: Request) -> Result<Response, Error> {
    match request {
        Request::AddPermission(request) => permissions::add(call, request).await,
        Request::CancelMessageMoveTask(request) => move_tasks::cancel(call, request).await,
        Request::ChangeMessageVisibility(request) => change_visibility::one(call, request).await,
        Request::ChangeMessageVisibilityBatch(request) => change_visibility::batch(call, request).await,
        Request::CreateQueue(request) => create_queue::create_queue(call, request).await,
        Request::DeleteMessage(request) => delete_message::one(call, request).await,
        Request::DeleteMessageBatch(request) => delete_message::batch(call, request).await,
        Request::DeleteQueue(request) => delete_queue::delete_queue(call, request).await,
        Request::GetQueueAttributes(request) => get_queue_attributes::get_queue_attributes(call, request).await,
        Request::GetQueueUrl(request) => get_queue_url::get_queue_url(call, request).await,
        Request::ListDeadLetterSourceQueues(request) => dead_letter_sources::list(call, request).await,
        Request::ListMessageMoveTasks(request) => move_tasks::list(call, request).await,
        Request::ListQueueTags(request) => tags::list(call, request).await,
        Request::ListQueues(request) => list_queues::list_queues(call, request).await,
        Request::PurgeQueue(request) => purge_queue::purge_queue(call, request).await,
        Request::ReceiveMessage(request) => receive_message::receive_message(call, request).await,
        Request::RemovePermission(request) => permissions::remove(call, request).await,
        Request::SendMessage(request) => send_message::one(call, request).await,
        Request::SendMessageBatch(request) => send_message::batch(call, request).await,
        Request::SetQueueAttributes(request) => set_queue_attributes::set_queue_attributes(call, request).await,
        Request::StartMessageMoveTask(request) => move_tasks::start(call, request).await,
        Request::TagQueue(request) => tags::tag(call, request).await,
        Request::UntagQueue(request) => tags::untag(call, request).await,
    }
}

/// The action's name.
fn name_of(request: &Request) -> &'static str {
    match request {
        Request::AddPermission(_) => "AddPermission",
        Request::CancelMessageMoveTask(_) => "CancelMessageMoveTask",
        Request::ChangeMessageVisibility(_) => "ChangeMessageVisibility",
        Request::ChangeMessageVisibilityBatch(_) => "ChangeMessageVisibilityBatch",
        Request::CreateQueue(_) => "CreateQueue",
        Request::DeleteMessage(_) => "DeleteMessage",
        Request::DeleteMessageBatch(_) => "DeleteMessageBatch",
        Request::DeleteQueue(_) => "DeleteQueue",
        Request::GetQueueAttributes(_) => "GetQueueAttributes",
        Request::GetQueueUrl(_) => "GetQueueUrl",
        Request::ListDeadLetterSourceQueues(_) => "ListDeadLetterSourceQueues",
        Request::ListMessageMoveTasks(_) => "ListMessageMoveTasks",
        Request::ListQueueTags(_) => "ListQueueTags",
        Request::ListQueues(_) => "ListQueues",
        Request::PurgeQueue(_) => "PurgeQueue",
        Request::ReceiveMessage(_) => "ReceiveMessage",
        Request::RemovePermission(_) => "RemovePermission",
        Request::SendMessage(_) => "SendMessage",
        Request::SendMessageBatch(_) => "SendMessageBatch",
        Request::SetQueueAttributes(_) => "SetQueueAttributes",
        Request::StartMessageMoveTask(_) => "StartMessageMoveTask",
        Request::TagQueue(_) => "TagQueue",
        Request::UntagQueue(_) => "UntagQueue",
    }
}
