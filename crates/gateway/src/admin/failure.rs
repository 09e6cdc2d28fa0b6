//! What can be wrong with an admin call.

use crate::{gateway::NO_ROOM_TO_REPLY, reply};
use afterward_broker::Unavailable;
use bytes::Bytes;
use http::{Method, Response, StatusCode};

/// Why a call failed: `{"error":{"code":…,"message":…}}`.
#[derive(Debug)]
pub(super) struct AdminError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl AdminError {
    pub(super) fn into_response(self) -> Response<Bytes> {
        reply::error(self.status, self.code, &self.message)
    }
}

pub(super) fn invalid(message: impl Into<String>) -> AdminError {
    AdminError { status: StatusCode::BAD_REQUEST, code: "InvalidParameter", message: message.into() }
}

pub(super) fn not_found(path: &str) -> AdminError {
    let message = format!(
        "There is nothing at {path}. There are /_afterward/health, /_afterward/ready, /_afterward/metrics, \
         /_afterward/clock, /_afterward/queues/NAME/messages and /_afterward/schedules/GROUP/NAME/run."
    );
    AdminError { status: StatusCode::NOT_FOUND, code: "NotFound", message }
}

pub(super) fn no_queue(name: &str) -> AdminError {
    AdminError {
        status: StatusCode::NOT_FOUND,
        code: "QueueDoesNotExist",
        message: format!("There is no queue `{name}`."),
    }
}

/// `methods`: those that do something there, as in `GET, HEAD`.
pub(super) fn not_allowed(method: &Method, methods: &str) -> AdminError {
    let message = format!("{method} does nothing here: {methods}.");
    AdminError { status: StatusCode::METHOD_NOT_ALLOWED, code: "MethodNotAllowed", message }
}

pub(super) fn no_schedule(group: &str, name: &str) -> AdminError {
    AdminError {
        status: StatusCode::NOT_FOUND,
        code: "ScheduleDoesNotExist",
        message: format!("There is no schedule `{name}` in the group `{group}`."),
    }
}

pub(super) fn unusable_schedule(group: &str, name: &str, why: &str) -> AdminError {
    let message = format!("The schedule `{name}` of the group `{group}` can't be run: {why}");
    AdminError { status: StatusCode::CONFLICT, code: "ScheduleUnusable", message }
}

pub(super) fn no_runner() -> AdminError {
    let message = "The program that embeds this server keeps schedules, but does not run them.".into();
    AdminError { status: StatusCode::NOT_IMPLEMENTED, code: "NotSupported", message }
}

pub(super) fn clock_is_not_manual() -> AdminError {
    let message = "The time of this server is the machine's, and nobody can move it. For tests, start one whose clock \
                   stands still until it is moved: afterward serve --clock manual";
    AdminError { status: StatusCode::CONFLICT, code: "ClockIsNotManual", message: message.into() }
}

pub(super) fn clock_is_later(now: &str, asked: &str) -> AdminError {
    let message = format!("It is {now} already, and time does not run back to {asked}. Start a server with new data.");
    AdminError { status: StatusCode::CONFLICT, code: "ClockIsLater", message }
}

pub(super) fn unavailable(unavailable: Unavailable) -> AdminError {
    AdminError { status: StatusCode::SERVICE_UNAVAILABLE, code: "ServiceUnavailable", message: unavailable.reason }
}

/// There is no room for what would have to be read.
pub(super) fn no_room() -> AdminError {
    let message = NO_ROOM_TO_REPLY.into();
    AdminError { status: StatusCode::SERVICE_UNAVAILABLE, code: "ServiceUnavailable", message }
}

/// The signature is missing or wrong.
pub(super) fn unsigned(error: afterward_aws::Error) -> AdminError {
    AdminError { status: error.code.status(), code: error.code.query_code(), message: error.message }
}
