//! The gateway itself: a request in, a response out.

use crate::{
    Settings, admin, browser,
    caller::Callers,
    http::{
        Peer,
        room::{Full, Room, SMALL_BYTES, Share},
    },
    jobs,
    metrics::{Counters, Outcome, Scrapes},
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
use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

const NO_ROOM: &str = "Too many large requests are being read at the moment. Send this one again.";

/// What somebody is told for whose reply there was no room.
pub(crate) const NO_ROOM_TO_REPLY: &str = "Too many large replies are going out at the moment, to clients that may be slow to \
     take them. Ask again, or for less at a time; limits.replies_bytes says how much there may be.";

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
    pub(crate) scrapes: Scrapes,
    /// For large replies.
    pub(crate) replies: Arc<Room>,
    request_ids: RequestIds,
}

/// What every service gets with a request.
pub(crate) struct Exchange<'a> {
    pub(crate) gateway: &'a Inner,
    pub(crate) incoming: Incoming<'a>,
    pub(crate) request_id: &'a str,
    /// Who waits for the answer, if that is known.
    pub(crate) peer: Option<&'a Peer>,
    /// The share that the reply has of the room for large ones, where it was taken before there was a reply.
    share: OnceLock<Share>,
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

    /// A share of the room for large replies; of nothing, to begin with.
    pub(crate) fn share(&self) -> Share {
        self.gateway.replies.share()
    }

    /// The reply will have this share. What is more than it takes is given back then.
    pub(crate) fn reply_with(&self, share: Share) {
        // Nobody takes two for one reply; the second would be dropped, and the reply counted as it goes out.
        let _second = self.share.set(share);
    }
}

impl Gateway {
    /// A gateway to this broker.
    pub fn new(broker: Broker, settings: Settings) -> Gateway {
        let callers = Callers::new(&settings.credentials);
        let limits = &settings.limits;
        // Before their clients give up, whose patience is often that for a body.
        let replies = Room::new(limits.replies_bytes, limits.body / 2);
        let (counters, repeats, scrapes) = (Counters::default(), Repeats::default(), Scrapes::default());
        let request_ids = RequestIds::new();
        Gateway {
            inner: Arc::new(Inner { broker, settings, callers, counters, repeats, scrapes, replies, request_ids }),
        }
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
        let share = OnceLock::new();
        let mut exchange = Exchange { gateway: &self.inner, incoming, request_id: &request_id, peer, share };
        let route = Route::of(&incoming);
        let (mut outcome, mut response) = match route {
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
        if response.body().len() > SMALL_BYTES {
            let held = hold(&mut exchange, response);
            response = held.unwrap_or_else(|Full| {
                outcome = outcome.but(Code::ServiceUnavailable.query_code());
                unavailable(&exchange, route, NO_ROOM_TO_REPLY)
            });
        }
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
        let share = OnceLock::new();
        let exchange = Exchange { gateway: &self.inner, incoming, request_id: &request_id, peer: None, share };
        let route = Route::of(&incoming);
        let response = match why {
            Unread::TooLarge => too_large(&exchange, route, self.inner.settings.limits.body_bytes),
            Unread::NoRoom => unavailable(&exchange, route, NO_ROOM),
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

/// The answer to a request whose body is larger than the settings allow.
fn too_large(exchange: &Exchange<'_>, route: Route<'_>, limit_bytes: usize) -> Response<Bytes> {
    match route {
        Route::Sqs(protocol) => sqs::too_large(protocol, exchange.request_id, limit_bytes),
        Route::Scheduler => {
            scheduler_wire::render(exchange.request_id, &Err(Error::request_entity_too_large(limit_bytes)))
        }
        Route::Jobs(_) => jobs::too_large(exchange),
        _ => reply::error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            &format!("The request's body must be at most {limit_bytes} bytes long."),
        ),
    }
}

/// The answer to a request that can't be answered for now: 503, in the words of its service.
fn unavailable(exchange: &Exchange<'_>, route: Route<'_>, why: &str) -> Response<Bytes> {
    let id = exchange.request_id;
    match route {
        Route::Sqs(protocol) => wire::render(protocol, id, &Err(Error::service_unavailable(why))),
        Route::Scheduler => scheduler_wire::render(id, &Err(Error::service_unavailable(why))),
        Route::Jobs(_) => jobs::unavailable(exchange, why),
        _ => reply::error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", why),
    }
}

/// Has a large reply take its share until the system has all of it. Where the share was not taken before the reply was
/// made, it is to be had at once: nothing is waited for with the reply in memory.
fn hold(exchange: &mut Exchange<'_>, response: Response<Bytes>) -> Result<Response<Bytes>, Full> {
    let bytes = response.body().len();
    let mut share = exchange.share.take().unwrap_or_else(|| exchange.share());
    share.try_cover(bytes)?;
    share.shrink(bytes);
    Ok(response.map(|body| share.hold(body)))
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
