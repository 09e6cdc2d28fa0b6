//! The 23 actions: their names, and which shapes go in and out.

use super::{message_shapes::*, queue_shapes::*};
use serde::Serialize as _;

macro_rules! actions {
    ($($name:ident($request:ident) -> $($result:ident)?;)*) => {
        /// What a request asks for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // AWS's names
        pub enum Action {
            $($name,)*
        }

        impl Action {
            /// Every action there is.
            pub const ALL: &'static [Action] = &[$(Action::$name),*];

            /// AWS's name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Action::$name => stringify!($name),)*
                }
            }

            /// The action of this name.
            pub fn named(name: &str) -> Option<Action> {
                match name {
                    $(stringify!($name) => Some(Action::$name),)*
                    _ => None,
                }
            }
        }

        /// A request, whatever protocol it came by.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs)] // one per action
        pub enum Request {
            $($name($request),)*
        }

        impl Request {
            /// The action it asks for.
            pub fn action(&self) -> Action {
                match self {
                    $(Request::$name(_) => Action::$name,)*
                }
            }

            /// Reads an action's request.
            pub(super) fn deserialize<'de, D>(action: Action, deserializer: D) -> Result<Request, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                match action {
                    $(Action::$name => <$request as serde::Deserialize>::deserialize(deserializer).map(Request::$name),)*
                }
            }

            /// Writes the shape alone; the action goes elsewhere.
            pub(super) fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Request::$name(request) => request.serialize(serializer),)*
                }
            }
        }

        /// The result of an action.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs)] // one per action
        pub enum Response {
            $($name $(($result))?,)*
        }

        impl Response {
            /// Reads an action's result.
            pub(super) fn deserialize<'de, D>(action: Action, deserializer: D) -> Result<Response, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                match action {
                    $(Action::$name => actions!(@read deserializer, $name $($result)?),)*
                }
            }

            /// The action it is of.
            pub fn action(&self) -> Action {
                match self {
                    $(Response::$name { .. } => Action::$name,)*
                }
            }

            /// Whether the action has a result at all.
            pub(super) fn has_result(&self) -> bool {
                match self {
                    $(Response::$name { .. } => actions!(@has $($result)?),)*
                }
            }

            /// Writes the shape alone; an action without one writes the empty object.
            pub(super) fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(actions!(@pattern result, $name $($result)?) => actions!(@write serializer, result $($result)?),)*
                }
            }
        }
    };

    (@read $deserializer:ident, $name:ident $result:ident) => {
        <$result as serde::Deserialize>::deserialize($deserializer).map(Response::$name)
    };
    (@read $deserializer:ident, $name:ident) => {
        <serde::de::IgnoredAny as serde::Deserialize>::deserialize($deserializer).map(|_| Response::$name)
    };
    (@has $result:ident) => { true };
    (@has) => { false };
    (@pattern $binding:ident, $name:ident $result:ident) => { Response::$name($binding) };
    (@pattern $binding:ident, $name:ident) => { Response::$name };
    (@write $serializer:ident, $binding:ident $result:ident) => { $binding.serialize($serializer) };
    (@write $serializer:ident, $binding:ident) => { Nothing {}.serialize($serializer) };
}

/// The result of the actions that have none.
#[derive(serde::Serialize)]
struct Nothing {}

actions! {
    AddPermission(AddPermissionRequest) -> ;
    CancelMessageMoveTask(CancelMessageMoveTaskRequest) -> CancelMessageMoveTaskResult;
    ChangeMessageVisibility(ChangeMessageVisibilityRequest) -> ;
    ChangeMessageVisibilityBatch(ChangeMessageVisibilityBatchRequest) -> ChangeMessageVisibilityBatchResult;
    CreateQueue(CreateQueueRequest) -> CreateQueueResult;
    DeleteMessage(DeleteMessageRequest) -> ;
    DeleteMessageBatch(DeleteMessageBatchRequest) -> DeleteMessageBatchResult;
    DeleteQueue(DeleteQueueRequest) -> ;
    GetQueueAttributes(GetQueueAttributesRequest) -> GetQueueAttributesResult;
    GetQueueUrl(GetQueueUrlRequest) -> GetQueueUrlResult;
    ListDeadLetterSourceQueues(ListDeadLetterSourceQueuesRequest) -> ListDeadLetterSourceQueuesResult;
    ListMessageMoveTasks(ListMessageMoveTasksRequest) -> ListMessageMoveTasksResult;
    ListQueueTags(ListQueueTagsRequest) -> ListQueueTagsResult;
    ListQueues(ListQueuesRequest) -> ListQueuesResult;
    PurgeQueue(PurgeQueueRequest) -> ;
    ReceiveMessage(ReceiveMessageRequest) -> ReceiveMessageResult;
    RemovePermission(RemovePermissionRequest) -> ;
    SendMessage(SendMessageRequest) -> SendMessageResult;
    SendMessageBatch(SendMessageBatchRequest) -> SendMessageBatchResult;
    SetQueueAttributes(SetQueueAttributesRequest) -> ;
    StartMessageMoveTask(StartMessageMoveTaskRequest) -> StartMessageMoveTaskResult;
    TagQueue(TagQueueRequest) -> ;
    UntagQueue(UntagQueueRequest) -> ;
}
