//! SQS on the wire.

mod blob;
mod message_shapes;
mod queue_shapes;

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
