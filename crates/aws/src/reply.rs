//! The HTTP around a reply: status, content type, request id.

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};

const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");
const XML: HeaderValue = HeaderValue::from_static("text/xml");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// A reply in AWS JSON 1.0.
pub(crate) fn json(status: StatusCode, request_id: &str, body: Vec<u8>) -> Response<Bytes> {
    reply(status, JSON, request_id, body.into())
}

/// A reply in Query's XML.
pub(crate) fn xml(status: StatusCode, request_id: &str, body: String) -> Response<Bytes> {
    reply(status, XML, request_id, body.into())
}

fn reply(status: StatusCode, content_type: HeaderValue, request_id: &str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    // An id that no header can hold is the caller's slip, and no reason to lose the reply.
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}
