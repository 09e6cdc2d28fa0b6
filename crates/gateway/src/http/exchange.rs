//! One request on a connection, from its head to its reply.

use super::{
    Peer,
    body::{self, BodyError},
    framing::Fault,
    pulse::{Phase, Pulse},
    room::Room,
};
use crate::{Gateway, gateway::Unread, reply};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header::CONNECTION, request::Parts};
use http_body_util::Full;
use hyper::body::Incoming;
use std::{convert::Infallible, sync::Arc};

const BROKEN_BODY: &str =
    "The body ended before its Content-Length, or its chunks can't be read. Send it again, whole.";

/// What a connection's requests are answered with.
pub(super) struct Line {
    pub(super) gateway: Gateway,
    pub(super) room: Arc<Room>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) peer: Peer,
}

impl Line {
    /// Answers a request.
    pub(super) async fn exchange(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        self.pulse.enter(Phase::Body);
        let (head, body) = request.into_parts();
        let response = if let Some(fault) = Fault::of(&head, &body) {
            Box::pin(self.refuse(&head, body, fault)).await
        } else if body::may_be_large(&body) {
            Box::pin(self.answer_large(head, body)).await
        } else {
            match body::read(body).await {
                Ok(body) => self.answer(head, body).await,
                Err(error) => self.without(&head, error),
            }
        };
        self.pulse.enter(Phase::Writing);
        Ok(response.map(Full::new))
    }

    async fn answer(&self, head: Parts, body: Bytes) -> Response<Bytes> {
        self.pulse.enter(Phase::Working);
        self.gateway.answer(Request::from_parts(head, body), Some(&self.peer)).await
    }

    /// Where credentials are configured, a large body is read only of somebody who may be known.
    async fn answer_large(&self, head: Parts, mut body: Incoming) -> Response<Bytes> {
        let limit_bytes = self.gateway.settings().limits.body_bytes;
        if !self.gateway.listens_to(&head) {
            let is_past = body::pass_over(&head.headers, &mut body, limit_bytes).await;
            let response = self.answer(head, Bytes::new()).await;
            return if is_past { response } else { last(response) };
        }
        // Held until the request has been answered.
        let mut share = self.room.share();
        match body::read_large(&head.headers, &mut body, limit_bytes, &mut share, &self.pulse).await {
            Ok(body) => self.answer(head, body).await,
            Err(error) => {
                drop(share);
                self.without(&head, error)
            }
        }
    }

    async fn refuse(&self, head: &Parts, mut body: Incoming, fault: Fault) -> Response<Bytes> {
        body::pass_over(&head.headers, &mut body, self.gateway.settings().limits.body_bytes).await;
        last(fault.into_response())
    }

    /// The answer to a request whose body is not to be had.
    fn without(&self, head: &Parts, error: BodyError) -> Response<Bytes> {
        last(match error {
            BodyError::TooLarge => self.gateway.unread(head, Unread::TooLarge),
            BodyError::NoRoom => self.gateway.unread(head, Unread::NoRoom),
            BodyError::Broken => reply::error(StatusCode::BAD_REQUEST, "BadRequest", BROKEN_BODY),
        })
    }
}

/// The last response on its connection: what follows can't be understood, or is the rest of what was refused.
fn last(mut response: Response<Bytes>) -> Response<Bytes> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
