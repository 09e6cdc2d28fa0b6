//! What can be wrong with a call to the front door.

use crate::reply;
use afterward_broker::Unavailable;
use afterward_names::limits;
use bytes::Bytes;
use http::{Method, Response, StatusCode};

/// Why a call failed: `{"error":{"code":…,"message":…}}`.
#[derive(Debug)]
pub(super) struct JobError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl JobError {
    pub(super) fn into_response(self) -> Response<Bytes> {
        reply::error(self.status, self.code, &self.message)
    }
}

pub(super) fn bad_request(code: &'static str, message: impl Into<String>) -> JobError {
    JobError { status: StatusCode::BAD_REQUEST, code, message: message.into() }
}

pub(super) fn too_large() -> JobError {
    JobError {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        code: "JobTooLarge",
        message: format!(
            "A job is at most {} bytes long. Store what is larger elsewhere and send where it is.",
            limits::MESSAGE_BYTES
        ),
    }
}

pub(super) fn unavailable(unavailable: Unavailable) -> JobError {
    JobError { status: StatusCode::SERVICE_UNAVAILABLE, code: "ServiceUnavailable", message: unavailable.reason }
}

/// The broker said what it never says to this: a fault of ours.
pub(super) fn internal() -> JobError {
    JobError {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        code: "InternalFailure",
        message: "The server could not make sense of its own answer.".into(),
    }
}

pub(super) fn not_allowed(method: &Method, rest: &str) -> JobError {
    let message = if rest.is_empty() {
        format!("{method} /jobs is not a thing to do: POST a JSON object to it.")
    } else {
        format!("{method} /jobs/ID is not a thing to do: GET it.")
    };
    JobError { status: StatusCode::METHOD_NOT_ALLOWED, code: "MethodNotAllowed", message }
}
