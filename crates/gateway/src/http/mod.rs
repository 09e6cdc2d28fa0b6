//! HTTP/1.1: connections, their limits, and the way from a socket to [`Gateway::handle`] and back.
//!
//! Invariants:
//! - what a client sends is bounded before it is kept: heads at 64 KiB, bodies at the configured size, connections in
//!   number; large bodies only of senders who may be known, where credentials are configured;
//! - what a client makes us wait for is bounded in time, and costs no timer per request: each connection keeps a
//!   [`pulse::Pulse`], and one task looks at all of them now and then;
//! - a drain loses no request that was begun.
//!
//! Nothing here knows a service.

mod body;
mod listening;
mod pulse;
mod stream;
mod threads;
mod watch;

pub use listening::Listening;

use crate::Gateway;
use body::BodyError;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header::CONNECTION};
use http_body_util::Full;
use hyper::body::Incoming;
use pulse::{Phase, Pulse};
use std::convert::Infallible;

const BROKEN_BODY: &str =
    "The body ended before its Content-Length, or its chunks can't be read. Send it again, whole.";

/// One request on a connection.
async fn exchange(
    gateway: &Gateway,
    pulse: &Pulse,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    pulse.enter(Phase::Body);
    let (head, mut body) = request.into_parts();
    let limit_bytes = gateway.settings().limits.body_bytes;
    if body::may_be_large(&body) && !gateway.listens_to(&head) {
        let is_past = body::pass_over(&head.headers, &mut body, limit_bytes).await;
        pulse.enter(Phase::Working);
        let mut response = gateway.handle(Request::from_parts(head, Bytes::new())).await;
        if !is_past {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        pulse.enter(Phase::Writing);
        return Ok(response.map(Full::new));
    }
    let body = body::read(&head.headers, body, limit_bytes).await;
    pulse.enter(Phase::Working);
    let response = match body {
        Ok(body) => gateway.handle(Request::from_parts(head, body)).await,
        Err(BodyError::TooLarge) => gateway.too_large(&Request::from_parts(head, Bytes::new())),
        // The connection is gone or talks nonsense; hyper closes it after this.
        Err(BodyError::Broken) => crate::reply::error(http::StatusCode::BAD_REQUEST, "BadRequest", BROKEN_BODY),
    };
    pulse.enter(Phase::Writing);
    Ok(response.map(Full::new))
}
