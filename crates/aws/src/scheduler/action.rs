//! The 12 actions: their names, where they are called, and which shapes go in and out.

use super::{group_shapes::*, model, schedule_shapes::*};
use crate::{Error, Incoming, rest};
use bytes::Bytes;
use http::Method;

macro_rules! actions {
    ($($name:ident = $operation:ident($request:ident) -> $($result:ident)?;)*) => {
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

            fn operation(self) -> &'static rest::Operation {
                match self {
                    $(Action::$name => &model::$operation,)*
                }
            }
        }

        /// A request.
        #[derive(Debug, Clone, PartialEq)]
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

            pub(super) fn read(action: Action, incoming: &Incoming<'_>) -> Result<Request, Error> {
                match action {
                    $(Action::$name => rest::read::<$request>(&model::$operation, incoming).map(Request::$name),)*
                }
            }

            pub(super) fn write(&self) -> (Method, String, Vec<u8>) {
                match self {
                    $(Request::$name(request) => rest::write(&model::$operation, request),)*
                }
            }
        }

        /// The result of an action.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs)] // one per action
        pub enum Response {
            $($name $(($result))?,)*
        }

        impl Response {
            pub(super) fn read(action: Action, body: &[u8]) -> Result<Response, serde_json::Error> {
                match action {
                    $(Action::$name => actions!(@read body, $name $($result)?),)*
                }
            }

            pub(super) fn reply(&self, request_id: &str) -> http::Response<Bytes> {
                match self {
                    $(actions!(@pattern result, $name $($result)?) => actions!(@reply request_id, result $($result)?),)*
                }
            }

            /// The action it is of.
            pub fn action(&self) -> Action {
                match self {
                    $(Response::$name { .. } => Action::$name,)*
                }
            }
        }
    };

    (@read $body:ident, $name:ident $result:ident) => { serde_json::from_slice::<$result>($body).map(Response::$name) };
    (@read $body:ident, $name:ident) => {
        serde_json::from_slice::<serde::de::IgnoredAny>($body).map(|_| Response::$name)
    };
    (@pattern $binding:ident, $name:ident $result:ident) => { Response::$name($binding) };
    (@pattern $binding:ident, $name:ident) => { Response::$name };
    (@reply $id:ident, $binding:ident $result:ident) => { rest::reply($id, $binding) };
    (@reply $id:ident, $binding:ident) => { rest::reply($id, &Nothing {}) };
}

/// The result of the actions that have none.
#[derive(serde::Serialize)]
struct Nothing {}

actions! {
    CreateSchedule = CREATE_SCHEDULE(ScheduleInput) -> ScheduleOutput;
    CreateScheduleGroup = CREATE_SCHEDULE_GROUP(CreateScheduleGroupInput) -> CreateScheduleGroupOutput;
    DeleteSchedule = DELETE_SCHEDULE(DeleteScheduleInput) -> ;
    DeleteScheduleGroup = DELETE_SCHEDULE_GROUP(DeleteScheduleGroupInput) -> ;
    GetSchedule = GET_SCHEDULE(GetScheduleInput) -> GetScheduleOutput;
    GetScheduleGroup = GET_SCHEDULE_GROUP(GetScheduleGroupInput) -> ScheduleGroup;
    ListScheduleGroups = LIST_SCHEDULE_GROUPS(ListScheduleGroupsInput) -> ListScheduleGroupsOutput;
    ListSchedules = LIST_SCHEDULES(ListSchedulesInput) -> ListSchedulesOutput;
    ListTagsForResource = LIST_TAGS_FOR_RESOURCE(ListTagsForResourceInput) -> ListTagsForResourceOutput;
    TagResource = TAG_RESOURCE(TagResourceInput) -> ;
    UntagResource = UNTAG_RESOURCE(UntagResourceInput) -> ;
    UpdateSchedule = UPDATE_SCHEDULE(ScheduleInput) -> ScheduleOutput;
}

impl Action {
    /// The action that is called by this method at this path.
    pub fn called(method: &Method, path: &str) -> Option<Action> {
        let is_called = |action: &&Action| {
            let operation = action.operation();
            operation.method == *method
                && match operation.path.ends_with('/') {
                    true => path.len() > operation.path.len() && path.starts_with(operation.path),
                    // SDKs of some languages end the path of a list with a slash.
                    false => path.strip_suffix('/').unwrap_or(path) == operation.path,
                }
        };
        Action::ALL.iter().find(is_called).copied()
    }
}
