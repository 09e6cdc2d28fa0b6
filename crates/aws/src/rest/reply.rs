//! Replies: a status, a JSON body, and for an error its name in a header.

use crate::Error;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// A result.
pub(crate) fn reply(request_id: &str, result: &impl Serialize) -> Response<Bytes> {
    // Our shapes are structs of texts, numbers and lists, which always can be written.
    with(StatusCode::OK, request_id, serde_json::to_vec(result).unwrap_or_default())
}

/// An error.
pub(crate) fn error(request_id: &str, error: &Error) -> Response<Bytes> {
    let body = serde_json::json!({ "Message": error.message });
    let mut response = with(error.code.status(), request_id, body.to_string().into_bytes());
    response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(error.code.shape()));
    response
}

fn with(status: StatusCode, request_id: &str, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    // An id that no header can hold is the caller's slip, and no reason to lose the reply.
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The error's name in `x-amzn-errortype`, which may have a namespace before it and a URL behind it.
pub(crate) fn error_code(header: &str) -> &str {
    let name = header.split(':').next().unwrap_or(header);
    name.rsplit('#').next().unwrap_or(name).trim()
}
