//! SQS on the wire.

mod blob;
mod message_shapes;
mod queue_shapes;

use crate::{Error, Incoming, Protocol, RemoteError};
use bytes::Bytes;
use std::collections::BTreeMap;

pub use blob::Blob;
pub use message_shapes::*;
pub use queue_shapes::*;

/// A request, whatever protocol it came by.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // one per action
pub enum Request {
    AddPermission(AddPermissionRequest),
    CancelMessageMoveTask(CancelMessageMoveTaskRequest),
    ChangeMessageVisibility(ChangeMessageVisibilityRequest),
    ChangeMessageVisibilityBatch(ChangeMessageVisibilityBatchRequest),
    CreateQueue(CreateQueueRequest),
    DeleteMessage(DeleteMessageRequest),
    DeleteMessageBatch(DeleteMessageBatchRequest),
    DeleteQueue(DeleteQueueRequest),
    GetQueueAttributes(GetQueueAttributesRequest),
    GetQueueUrl(GetQueueUrlRequest),
    ListDeadLetterSourceQueues(ListDeadLetterSourceQueuesRequest),
    ListMessageMoveTasks(ListMessageMoveTasksRequest),
    ListQueueTags(ListQueueTagsRequest),
    ListQueues(ListQueuesRequest),
    PurgeQueue(PurgeQueueRequest),
    ReceiveMessage(ReceiveMessageRequest),
    RemovePermission(RemovePermissionRequest),
    SendMessage(SendMessageRequest),
    SendMessageBatch(SendMessageBatchRequest),
    SetQueueAttributes(SetQueueAttributesRequest),
    StartMessageMoveTask(StartMessageMoveTaskRequest),
    TagQueue(TagQueueRequest),
    UntagQueue(UntagQueueRequest),
}

/// The result of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // one per action
pub enum Response {
    AddPermission,
    CancelMessageMoveTask(CancelMessageMoveTaskResult),
    ChangeMessageVisibility,
    ChangeMessageVisibilityBatch(ChangeMessageVisibilityBatchResult),
    CreateQueue(CreateQueueResult),
    DeleteMessage,
    DeleteMessageBatch(DeleteMessageBatchResult),
    DeleteQueue,
    GetQueueAttributes(GetQueueAttributesResult),
    GetQueueUrl(GetQueueUrlResult),
    ListDeadLetterSourceQueues(ListDeadLetterSourceQueuesResult),
    ListMessageMoveTasks(ListMessageMoveTasksResult),
    ListQueueTags(ListQueueTagsResult),
    ListQueues(ListQueuesResult),
    PurgeQueue,
    ReceiveMessage(ReceiveMessageResult),
    RemovePermission,
    SendMessage(SendMessageResult),
    SendMessageBatch(SendMessageBatchResult),
    SetQueueAttributes,
    StartMessageMoveTask(StartMessageMoveTaskResult),
    TagQueue,
    UntagQueue,
}

/// Reads a request. A Query call to a queue's URL gets that URL's path as its `queue_url` where it names none.
///
/// # Errors
/// AWS's: `InvalidAction` (Query) or `UnknownOperationException` (JSON), `MissingParameter`, `SerializationException`,
/// `InvalidParameterValue`, `MalformedQueryString`.
pub fn parse(protocol: Protocol, incoming: &Incoming<'_>) -> Result<Request, Error> {
    let _ = (protocol, incoming);
    Err(Error::internal_failure())
}

/// Writes the reply to a request that came by `protocol`.
///
/// JSON errors carry `x-amzn-query-error` always, not only where the request had `x-amzn-query-mode: true`: AWS
/// documents it so, and SDKs of 2023 and 2024 read the one without sending the other.
pub fn render(protocol: Protocol, request_id: &str, outcome: &Result<Response, Error>) -> http::Response<Bytes> {
    let _ = (protocol, request_id, outcome);
    http::Response::new(Bytes::new())
}

/// A request as a client sends it: the action (`X-Amz-Target: AmazonSQS.<action>`) and the JSON body.
pub fn request_json(request: &Request) -> (&'static str, Vec<u8>) {
    let _ = request;
    ("", Vec::new())
}

/// The reply to a client's `action`.
///
/// # Errors
/// What the service says went wrong, or that the reply can't be read.
pub fn response_json(action: &str, status: u16, body: &[u8]) -> Result<Response, RemoteError> {
    let _ = (action, status, body);
    Err(RemoteError { code: String::new(), message: String::new(), status })
}

/// `MD5OfMessageBody`: lower-case hex.
pub fn message_md5(body: &str) -> String {
    let _ = body;
    String::new()
}

/// `MD5OfMessageAttributes` and `MD5OfMessageSystemAttributes`: lower-case hex; `None` where there are none.
pub fn attributes_md5(attributes: &BTreeMap<String, MessageAttributeValue>) -> Option<String> {
    let _ = attributes;
    None
}
