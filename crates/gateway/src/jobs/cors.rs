//! Which pages in browsers may call the front door.
//!
//! A page of another origin may call if its origin is configured. Browsers ask first (`OPTIONS`), and read the answer
//! of the call itself only if that allows it too. Nothing here keeps anybody out; without credentials, `browser` does.

use crate::{Jobs, gateway::Exchange};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
    },
};

/// The answer to a browser's question; [`allow`] adds whether the page's origin is among those that may.
pub(super) fn preflight() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, GET, OPTIONS"));
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static(
            "content-type, idempotency-key, authorization, x-amz-date, x-amz-content-sha256, x-amz-security-token",
        ),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

/// Says in the response whether the page may read it.
pub(super) fn allow(exchange: &Exchange<'_>, response: &mut Response<Bytes>) {
    let allowed = &exchange.gateway.settings.jobs.cors_origins;
    if allowed.is_empty() {
        return;
    }
    let headers = response.headers_mut();
    // The answer differs by origin, which whoever keeps it in between has to know.
    headers.insert(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = allowed_origin(exchange.incoming.headers, allowed) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("location, retry-after"));
    }
}

fn allowed_origin(headers: &HeaderMap, allowed: &[String]) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    if is_among(allowed, b"*") {
        return Some(HeaderValue::from_static("*"));
    }
    is_among(allowed, origin.as_bytes()).then(|| origin.clone())
}

/// Whether pages of this origin may call the front door.
pub(crate) fn may_call(jobs: &Jobs, origin: &[u8]) -> bool {
    is_among(&jobs.cors_origins, b"*") || is_among(&jobs.cors_origins, origin)
}

fn is_among(allowed: &[String], origin: &[u8]) -> bool {
    allowed.iter().any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(origin))
}
