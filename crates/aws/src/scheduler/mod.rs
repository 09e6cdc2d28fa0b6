//! EventBridge Scheduler on the wire: rest-json, 12 actions.
//!
//! [`parse`] and [`render`] are a server's side, [`request_http`] and [`response_http`] a client's. What is read has
//! the members, lengths, patterns and ranges of AWS's model; whether a schedule expression or an ARN makes sense is not
//! known here.

mod action;
mod group_shapes;
mod model;
mod pattern;
mod schedule_shapes;
mod timestamp;

use crate::{Code, Error, Incoming, RemoteError, rest};
use bytes::Bytes;
use http::Method;

pub use action::{Action, Request, Response};
pub use group_shapes::*;
pub use schedule_shapes::*;
pub use timestamp::Timestamp;

/// The service's name in a signature's scope.
pub const SIGNING_NAME: &str = "scheduler";
/// The content type of requests and replies.
pub const CONTENT_TYPE: &str = "application/json";
/// The header of a reply that names an error.
pub const ERROR_TYPE_HEADER: &str = "x-amzn-errortype";

/// Whether a path is one of Scheduler's.
pub fn is_path(path: &str) -> bool {
    ["/schedules", "/schedule-groups", "/tags/"].iter().any(|known| match path.strip_prefix(known) {
        Some(rest) => rest.is_empty() || rest.starts_with('/') || known.ends_with('/'),
        None => false,
    })
}

/// Reads a request.
///
/// # Errors
/// AWS's: `UnknownOperationException`, `SerializationException`, `ValidationException`.
pub fn parse(incoming: &Incoming<'_>) -> Result<Request, Error> {
    let (method, path) = (incoming.method, incoming.uri.path());
    let action = Action::called(method, path).ok_or_else(|| {
        let message = format!("EventBridge Scheduler has no action at {method} {path}.");
        Error::new(Code::InvalidAction, message)
    })?;
    Request::read(action, incoming)
}

/// Writes the reply to a request.
pub fn render(request_id: &str, outcome: &Result<Response, Error>) -> http::Response<Bytes> {
    match outcome {
        Ok(response) => response.reply(request_id),
        Err(error) => rest::error(request_id, error),
    }
}

/// A request as a client sends it: the method, the path with its query string, and the JSON body.
pub fn request_http(request: &Request) -> (Method, String, Vec<u8>) {
    request.write()
}

/// The reply to a client's `action`; `error_type` is the reply's [`ERROR_TYPE_HEADER`].
///
/// # Errors
/// What the service says went wrong; or, with the code `UnreadableReply`, that the reply is not one of Scheduler's: a
/// proxy's, perhaps.
pub fn response_http(
    action: Action,
    status: u16,
    error_type: Option<&str>,
    body: &[u8],
) -> Result<Response, RemoteError> {
    let unreadable = |message: String| RemoteError { code: "UnreadableReply".to_owned(), message, status };
    if (200..300).contains(&status) {
        let body = if body.is_empty() { b"{}" } else { body };
        return Response::read(action, body)
            .map_err(|error| unreadable(format!("the reply to {} can't be read: {error}", action.name())));
    }
    let members: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: &[&str]| names.iter().find_map(|name| members.get(name)?.as_str());
    match error_type.or_else(|| text(&["__type", "code", "Code"])) {
        Some(name) => {
            let message = text(&["Message", "message"]).unwrap_or_default().to_owned();
            Err(RemoteError { code: rest::error_code(name).to_owned(), message, status })
        }
        None => {
            let start = String::from_utf8_lossy(body.get(..200).unwrap_or(body)).trim().to_owned();
            Err(unreadable(format!("HTTP {status}, and not in Scheduler's words: {start:?}")))
        }
    }
}

#[cfg(test)]
mod tests;
