//! The gateway itself: a request in, a response out.

use crate::{
    Settings, admin, browser,
    caller::Callers,
    http::Peer,
    jobs,
    metrics::{Counters, Outcome},
    reply,
    request_id::RequestIds,
    route::Route,
    scheduler::{self, Repeats},
    sqs, sts,
};
use afterward_aws::{Code, Error, Incoming, scheduler as scheduler_wire, sqs as wire};
use afterward_broker::Broker;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use std::{sync::Arc, time::Instant};

const NO_ROOM: &str = "Too many large requests are being read at the moment. Send this one again.";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// HTTP in front of a broker. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) broker: Broker,
    pub(crate) settings: Settings,
    pub(crate) callers: Callers,
    pub(crate) counters: Counters,
    pub(crate) repeats: Repeats,
    request_ids: RequestIds,
}

/// What every service gets with a request.
pub(crate) struct Exchange<'a> {
    pub(crate) gateway: &'a Inner,
    pub(crate) incoming: Incoming<'a>,
    pub(crate) request_id: &'a str,
    /// Who waits for the answer, if that is known.
    pub(crate) peer: Option<&'a Peer>,
}

/// Why a request's body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is larger than the settings allow.
    TooLarge,
    /// There are too many large ones at the moment.
    NoRoom,
}

impl Exchange<'_> {
    /// Returns when nothing more comes from who waits for the answer: it may have gone.
    pub(crate) async fn peer_left(&self) {
        match self.peer {
            Some(peer) => peer.left().await,
            None => std::future::pending().await,
        }
    }
}

impl Gateway {
    /// A gateway to this broker.
    pub fn new(broker: Broker, settings: Settings) -> Gateway {
        let callers = Callers::new(&settings.credentials);
        let (counters, repeats, request_ids) = (Counters::default(), Repeats::default(), RequestIds::new());
        Gateway { inner: Arc::new(Inner { broker, settings, callers, counters, repeats, request_ids }) }
    }

    /// How it is set up.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn broker(&self) -> &Broker {
        &self.inner.broker
    }

    /// Answers a request, whatever service it is for.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.answer(request, None).await
    }

    /// The same for somebody who may go away meanwhile.
    pub(crate) async fn answer(&self, request: Request<Bytes>, peer: Option<&Peer>) -> Response<Bytes> {
        let began = Instant::now();
        let (head, body) = request.into_parts();
        let request_id = self.inner.request_ids.next();
        let incoming = Incoming { method: &head.method, uri: &head.uri, headers: &head.headers, body: &body };
        let exchange = Exchange { gateway: &self.inner, incoming, request_id: &request_id, peer };
        let route = Route::of(&incoming);
        let (outcome, response) = match route {
            route if let Some(message) = self.inner.foreign(&incoming, route) => refused(&exchange, route, message),
            Route::Sqs(protocol) => sqs::serve(&exchange, protocol).await,
            Route::Scheduler => scheduler::serve(&exchange).await,
            Route::Sts => sts::serve(&exchange),
            Route::Jobs(rest) => jobs::serve(&exchange, rest).await,
            Route::Admin(rest) => admin::serve(&exchange, rest).await,
            Route::Welcome => welcome(),
            Route::Uncallable => uncallable(&incoming),
            Route::Nowhere => nowhere(&incoming),
        };
        self.inner.counters.count(&outcome, began.elapsed());
        finished(response, &request_id)
    }

    /// Whether a request's body is worth keeping: of one that can't be of anybody known, it is not.
    pub(crate) fn listens_to(&self, head: &Parts) -> bool {
        let incoming = Incoming { method: &head.method, uri: &head.uri, headers: &head.headers, body: &[] };
        let is_public = || self.inner.settings.jobs.public && matches!(Route::of(&incoming), Route::Jobs(_));
        self.inner.callers.may_know(&incoming) || is_public()
    }

    /// Answers a request whose body was not read.
    pub(crate) fn unread(&self, head: &Parts, why: Unread) -> Response<Bytes> {
        let request_id = self.inner.request_ids.next();
        let incoming = Incoming { method: &head.method, uri: &head.uri, headers: &head.headers, body: &[] };
        let exchange = Exchange { gateway: &self.inner, incoming, request_id: &request_id, peer: None };
        let limit_bytes = self.inner.settings.limits.body_bytes;
        let response = match (Route::of(&incoming), why) {
            (Route::Sqs(protocol), Unread::TooLarge) => sqs::too_large(protocol, &request_id, limit_bytes),
            (Route::Sqs(protocol), Unread::NoRoom) => {
                wire::render(protocol, &request_id, &Err(Error::service_unavailable(NO_ROOM)))
            }
            (Route::Scheduler, Unread::TooLarge) => {
                scheduler_wire::render(&request_id, &Err(Error::request_entity_too_large(limit_bytes)))
            }
            (Route::Scheduler, Unread::NoRoom) => {
                scheduler_wire::render(&request_id, &Err(Error::service_unavailable(NO_ROOM)))
            }
            (Route::Jobs(_), Unread::TooLarge) => jobs::too_large(&exchange),
            (Route::Jobs(_), Unread::NoRoom) => jobs::unavailable(&exchange, NO_ROOM),
            (_, Unread::TooLarge) => reply::error(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLarge",
                &format!("The request's body must be at most {limit_bytes} bytes long."),
            ),
            (_, Unread::NoRoom) => reply::error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", NO_ROOM),
        };
        finished(response, &request_id)
    }
}

impl Inner {
    /// Why the request is refused, if it comes from a page in a browser that has no business here. Where callers sign,
    /// no page can make a request that does it harm.
    fn foreign(&self, incoming: &Incoming<'_>, route: Route<'_>) -> Option<String> {
        if self.callers.are_verified() {
            return None;
        }
        match route {
            Route::Jobs(_) if *incoming.method == Method::OPTIONS => None,
            Route::Jobs(_) => browser::refusal(incoming, |origin| jobs::may_call(&self.settings.jobs, origin)),
            Route::Sqs(_) | Route::Scheduler | Route::Sts | Route::Uncallable => browser::refusal(incoming, |_| false),
            Route::Admin(rest) if !admin::is_open(rest) => browser::refusal(incoming, |_| false),
            Route::Admin(_) | Route::Welcome | Route::Nowhere => None,
        }
    }
}

/// The answer to a page that has no business here.
fn refused(exchange: &Exchange<'_>, route: Route<'_>, message: String) -> (Outcome, Response<Bytes>) {
    let code = Code::AccessDenied;
    let (service, response) = match route {
        Route::Sqs(protocol) => ("sqs", wire::render(protocol, exchange.request_id, &Err(Error::new(code, message)))),
        Route::Scheduler => ("scheduler", scheduler_wire::render(exchange.request_id, &Err(Error::new(code, message)))),
        Route::Sts => ("sts", afterward_aws::sts::render(exchange.request_id, &Err(Error::new(code, message)))),
        Route::Jobs(_) => ("jobs", reply::error(code.status(), code.query_code(), &message)),
        _ => ("admin", reply::error(code.status(), code.query_code(), &message)),
    };
    (Outcome::of(service, "Unknown", code.query_code()), response)
}

/// What every response carries.
fn finished(mut response: Response<Bytes>, request_id: &str) -> Response<Bytes> {
    let status = response.status();
    let headers = response.headers_mut();
    if !headers.contains_key(REQUEST_ID)
        && let Ok(id) = HeaderValue::from_str(request_id)
    {
        headers.insert(REQUEST_ID, id);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn welcome() -> (Outcome, Response<Bytes>) {
    let text = "Afterward, a durable queue server that speaks Amazon SQS and EventBridge Scheduler.\n\n\
                Point an AWS SDK or the AWS CLI at this address (--endpoint-url), or POST a JSON object to /jobs.\n\
                Health: /_afterward/health  Readiness: /_afterward/ready  Metrics: /_afterward/metrics\n";
    (Outcome::of("http", "Welcome", "200"), reply::text(StatusCode::OK, text))
}

fn uncallable(incoming: &Incoming<'_>) -> (Outcome, Response<Bytes>) {
    let message = format!("AWS calls come by POST or GET; {} calls nothing.", incoming.method);
    let mut response = reply::error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", &message);
    reply::name_methods(&mut response, "GET, POST");
    (Outcome::of("http", "Unknown", "MethodNotAllowed"), response)
}

fn nowhere(incoming: &Incoming<'_>) -> (Outcome, Response<Bytes>) {
    let message = format!(
        "There is nothing at {} {}. SQS calls name their action in the header X-Amz-Target or the parameter Action; \
         jobs go to /jobs; the rest is under /_afterward/.",
        incoming.method,
        incoming.uri.path(),
    );
    (Outcome::of("http", "Unknown", "NotFound"), reply::error(StatusCode::NOT_FOUND, "NotFound", &message))
}
