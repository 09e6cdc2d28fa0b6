//! A method per action.

use super::{error::Failure, *};

/// Methods for actions that answer with something, then methods for those that answer with nothing.
macro_rules! actions {
    (
        results { $($(#[$doc:meta])* $method:ident: $action:ident($request:ident) -> $result:ident;)* }
        nothing { $($(#[$empty_doc:meta])* $empty_method:ident: $empty_action:ident($empty_request:ident);)* }
    ) => {
        impl Client {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// The service refused, or could not be reached.
                pub async fn $method(&self, request: $request) -> Result<$result, Error> {
                    match self.call(&Request::$action(request), HeaderMap::new()).await? {
                        Response::$action(result) => Ok(result),
                        other => Err(self.mixed_up(stringify!($action), &other)),
                    }
                }
            )*
            $(
                $(#[$empty_doc])*
                ///
                /// # Errors
                /// The service refused, or could not be reached.
                pub async fn $empty_method(&self, request: $empty_request) -> Result<(), Error> {
                    match self.call(&Request::$empty_action(request), HeaderMap::new()).await? {
                        Response::$empty_action => Ok(()),
                        other => Err(self.mixed_up(stringify!($empty_action), &other)),
                    }
                }
            )*
        }
    };
}

actions! {
    results {
        /// `CancelMessageMoveTask`: stops a move task; what it has moved stays moved.
        cancel_message_move_task: CancelMessageMoveTask(CancelMessageMoveTaskRequest) -> CancelMessageMoveTaskResult;
        /// `ChangeMessageVisibilityBatch`: sets the visibility timeouts of up to ten received messages. Failures are in the result.
        change_message_visibility_batch: ChangeMessageVisibilityBatch(ChangeMessageVisibilityBatchRequest) -> ChangeMessageVisibilityBatchResult;
        /// `CreateQueue`: makes a queue, or answers with the URL of the one that is just so already.
        create_queue: CreateQueue(CreateQueueRequest) -> CreateQueueResult;
        /// `DeleteMessageBatch`: deletes up to ten received messages. Failures are in the result.
        delete_message_batch: DeleteMessageBatch(DeleteMessageBatchRequest) -> DeleteMessageBatchResult;
        /// `GetQueueAttributes`: settings and counters of a queue.
        get_queue_attributes: GetQueueAttributes(GetQueueAttributesRequest) -> GetQueueAttributesResult;
        /// `GetQueueUrl`: the URL of the queue with this name.
        get_queue_url: GetQueueUrl(GetQueueUrlRequest) -> GetQueueUrlResult;
        /// `ListDeadLetterSourceQueues`: the queues whose dead-letter queue this is.
        list_dead_letter_source_queues: ListDeadLetterSourceQueues(ListDeadLetterSourceQueuesRequest) -> ListDeadLetterSourceQueuesResult;
        /// `ListMessageMoveTasks`: the latest move tasks out of a dead-letter queue.
        list_message_move_tasks: ListMessageMoveTasks(ListMessageMoveTasksRequest) -> ListMessageMoveTasksResult;
        /// `ListQueueTags`: the tags of a queue.
        list_queue_tags: ListQueueTags(ListQueueTagsRequest) -> ListQueueTagsResult;
        /// `ListQueues`: the URLs of the queues whose names start with a prefix, by pages.
        list_queues: ListQueues(ListQueuesRequest) -> ListQueuesResult;
        /// `ReceiveMessage`: takes up to ten messages on lease, and waits for them where asked to.
        receive_message: ReceiveMessage(ReceiveMessageRequest) -> ReceiveMessageResult;
        /// `SendMessage`: puts a message into a queue.
        send_message: SendMessage(SendMessageRequest) -> SendMessageResult;
        /// `SendMessageBatch`: puts up to ten messages into a queue. Failures are in the result.
        send_message_batch: SendMessageBatch(SendMessageBatchRequest) -> SendMessageBatchResult;
        /// `StartMessageMoveTask`: moves a dead-letter queue's messages back to where they came from, or elsewhere.
        start_message_move_task: StartMessageMoveTask(StartMessageMoveTaskRequest) -> StartMessageMoveTaskResult;
    }
    nothing {
        /// `AddPermission`: adds a statement to the queue's policy.
        add_permission: AddPermission(AddPermissionRequest);
        /// `ChangeMessageVisibility`: sets the visibility timeout of a received message, from now.
        change_message_visibility: ChangeMessageVisibility(ChangeMessageVisibilityRequest);
        /// `DeleteMessage`: deletes a received message.
        delete_message: DeleteMessage(DeleteMessageRequest);
        /// `DeleteQueue`: deletes a queue with all that is in it.
        delete_queue: DeleteQueue(DeleteQueueRequest);
        /// `PurgeQueue`: deletes all messages of a queue.
        purge_queue: PurgeQueue(PurgeQueueRequest);
        /// `RemovePermission`: removes a statement from the queue's policy.
        remove_permission: RemovePermission(RemovePermissionRequest);
        /// `SetQueueAttributes`: changes settings of a queue.
        set_queue_attributes: SetQueueAttributes(SetQueueAttributesRequest);
        /// `TagQueue`: adds tags to a queue.
        tag_queue: TagQueue(TagQueueRequest);
        /// `UntagQueue`: removes tags from a queue.
        untag_queue: UntagQueue(UntagQueueRequest);
    }
}

impl Client {
    /// The decoder answered for another action: only a defect can do that.
    fn mixed_up(&self, action: &str, other: &Response) -> Error {
        let kind = ErrorKind::BadReply(format!("expected a result of {action}, read {other:?}"));
        Error::new(self.endpoint(), action, 1, Failure::from(kind))
    }
}
