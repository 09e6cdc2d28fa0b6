//! SQS on the wire.
//!
//! [`parse`] and [`render`] are a server's side, [`request_json`] and [`response_json`] (or [`result_json`]) a client's, which
//! speaks JSON only.
//! Strings arrive as they were sent, empty ones included: whether a value is one that SQS takes is not known here.

mod action;
mod blob;
mod json;
mod md5;
mod message_shapes;
mod query;
mod queue_shapes;
mod xml;

use crate::{Error, Incoming, Protocol, reply};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};

pub use action::{Action, Request, Response};
pub use blob::Blob;
pub use json::{delete_batch_json, request_json, response_json, result_json, send_batch_json};
pub use md5::{attributes_md5, message_md5};
pub use message_shapes::*;
pub use queue_shapes::*;

/// The header that names a JSON call's action.
pub const TARGET_HEADER: HeaderName = HeaderName::from_static("x-amz-target");
/// What stands before the action in [`TARGET_HEADER`].
pub const TARGET_PREFIX: &str = "AmazonSQS.";
/// The content type of JSON calls and replies.
pub const JSON_CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// Reads a request. A Query call to a queue's URL gets that URL's path as its `queue_url` where it names none.
///
/// # Errors
/// AWS's: `InvalidAction` (`UnknownOperationException` in JSON), `MissingAction`, `MissingParameter`,
/// `SerializationException`, `InvalidParameterValue`, `MalformedQueryString`.
pub fn parse(protocol: Protocol, incoming: &Incoming<'_>) -> Result<Request, Error> {
    match protocol {
        Protocol::Json => json::parse(incoming),
        Protocol::Query => query::parse(incoming),
    }
}

/// Writes the reply to a request that came by `protocol`.
///
/// JSON errors carry `x-amzn-query-error` always, not only where the request had `x-amzn-query-mode: true`: AWS
/// documents it so, and SDKs of 2023 and 2024 read the one without sending the other.
pub fn render(protocol: Protocol, request_id: &str, outcome: &Result<Response, Error>) -> http::Response<Bytes> {
    match (protocol, outcome) {
        (Protocol::Json, Ok(response)) => reply::json(StatusCode::OK, request_id, json::body(response)),
        (Protocol::Json, Err(error)) => {
            let mut reply = reply::json(error.code.status(), request_id, json::error_body(error));
            let both = format!("{};{}", error.code.query_code(), error.code.fault().as_str());
            if let Ok(both) = HeaderValue::try_from(both) {
                reply.headers_mut().insert("x-amzn-query-error", both);
            }
            reply
        }
        (Protocol::Query, Ok(response)) => reply::xml(StatusCode::OK, request_id, xml::body(response, request_id)),
        (Protocol::Query, Err(error)) => {
            let body = crate::xml::error(xml::NAMESPACE, request_id, error);
            reply::xml(error.code.status(), request_id, body)
        }
    }
}

#[cfg(test)]
mod tests;
