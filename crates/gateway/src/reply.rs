//! Responses of the services that are ours: JSON and text.

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE},
};
use serde::Serialize;

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorText<'a>,
}

#[derive(Serialize)]
struct ErrorText<'a> {
    code: &'a str,
    message: &'a str,
}

fn with(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// `body` as JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    // What is serialised here are structs of texts and numbers, which always can be.
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    with(status, "application/json", bytes.into())
}

/// `{"error":{"code":…,"message":…}}`.
pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Response<Bytes> {
    json(status, &ErrorBody { error: ErrorText { code, message } })
}

/// Has a 405 name the methods that the path does take, as RFC 9110 wants it.
pub(crate) fn name_methods(response: &mut Response<Bytes>, methods: &'static str) {
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    }
}

/// Plain text.
pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Bytes> {
    with(status, "text/plain; charset=utf-8", text.into())
}

/// The text format of Prometheus.
pub(crate) fn prometheus(text: String) -> Response<Bytes> {
    with(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text.into())
}
