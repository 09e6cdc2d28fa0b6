//! HTTP requests to targets.
//!
//! 2xx is success. What may pass (no connection, no answer in time, 408, 425, 429 and 5xx) is tried again by whoever
//! asks; redirects are not followed, and like all other statuses they are an answer that won't change.

use crate::{
    problem::Problem,
    reach::{HttpTargets, OutOfReach, Resolver},
    target::Request,
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use std::{error::Error, time::Duration};

/// How long a request may take until its answer begins.
const LONGEST: Duration = Duration::from_secs(30);
/// How long the rest of an answer is then waited for. It is of no account: where it takes longer, the connection is closed.
const REST: Duration = Duration::from_secs(1);
/// A host that has not taken the connection by then is away.
const CONNECT: Duration = Duration::from_secs(5);
/// Shorter than the idle timeouts of common servers, so that we close first.
const IDLE: Duration = Duration::from_secs(30);
/// More than that of an answer is not read, and its connection not used again.
const ANSWER_BYTES: usize = 64 * 1024;
/// So much of an answer is told of a failure.
const EXCERPT_CHARS: usize = 200;

/// The way to the web.
pub(crate) struct Web {
    pool: Pool,
    targets: HttpTargets,
}

/// A client with a pool of connections.
enum Pool {
    /// For both kinds of address.
    Any(Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>),
    /// Where the system has no certificates to trust.
    Plain(Client<HttpConnector<Resolver>, Full<Bytes>>, String),
}

impl Web {
    pub(crate) fn new(targets: HttpTargets) -> Web {
        let mut connector = HttpConnector::new_with_resolver(Resolver::new(targets));
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        // The provider is named, because a program that also links another one has no default.
        let tls = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider());
        let pool = match tls {
            Ok(tls) => {
                connector.enforce_http(false);
                Pool::Any(pool().build(tls.https_or_http().enable_http1().wrap_connector(connector)))
            }
            Err(error) => Pool::Plain(pool().build(connector), error.to_string()),
        };
        Web { pool, targets }
    }

    /// Makes a request. How its answer begins decides: a call that was taken is not made again because the rest is slow.
    pub(crate) async fn call(&self, request: Request) -> Result<(), Problem> {
        let request = built(request);
        self.targets.check(request.uri().host().unwrap_or_default()).map_err(|why| out_of_reach(&why))?;
        let answer = async {
            match &self.pool {
                Pool::Any(client) => Ok(client.request(request).await),
                Pool::Plain(_, why) if request.uri().scheme_str() == Some("https") => {
                    let why = format!("the system has no certificates to trust for https: {why}");
                    Err(Problem::passing("NoCertificates", why))
                }
                Pool::Plain(client, _) => Ok(client.request(request).await),
            }
        };
        let answer = match tokio::time::timeout(LONGEST, answer).await {
            Ok(answer) => answer?.map_err(|error| {
                if let Some(why) = reason(&error) {
                    return out_of_reach(why);
                }
                let code = if error.is_connect() { "ConnectionFailed" } else { "ConnectionBroken" };
                Problem::passing(code, causes(&error))
            })?,
            Err(_) => return Err(Problem::passing("TimedOut", format!("no answer came within {LONGEST:?}"))),
        };
        let status = answer.status();
        // Read to the end, so that the connection can be used again.
        let rest = Limited::new(answer.into_body(), ANSWER_BYTES).collect();
        let rest = tokio::time::timeout(REST, rest).await;
        if status.is_success() {
            return Ok(());
        }
        let body = rest.ok().and_then(Result::ok).map(|body| body.to_bytes());
        Err(of_status(status, &body.unwrap_or_default()))
    }
}

fn built(Request { method, url, mut headers, body }: Request) -> http::Request<Full<Bytes>> {
    let agent = HeaderValue::from_static(concat!("afterward/", env!("CARGO_PKG_VERSION")));
    headers.entry(header::USER_AGENT).or_insert(agent);
    let mut built = http::Request::new(Full::from(body));
    (*built.method_mut(), *built.uri_mut(), *built.headers_mut()) = (method, url, headers);
    built
}

/// The name led nowhere that may be reached, if that is why a request failed.
fn reason<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a OutOfReach> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let of_resolver = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let found = of_resolver.and_then(|inner| inner.downcast_ref::<OutOfReach>());
        if found.is_some() {
            return found;
        }
        cause = error.source();
    }
    None
}

/// Only the server's operator can change that.
fn out_of_reach(why: &OutOfReach) -> Problem {
    Problem::lasting("OutOfReach", why.to_string())
}

fn of_status(status: StatusCode, body: &[u8]) -> Problem {
    let passes = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
    let text = String::from_utf8_lossy(body);
    let excerpt: String = text.trim().chars().take(EXCERPT_CHARS).collect();
    let colon = if excerpt.is_empty() { "" } else { ": " };
    Problem { code: format!("HTTP_{}", status.as_u16()), message: format!("answered {status}{colon}{excerpt}"), passes }
}

fn pool() -> hyper_util::client::legacy::Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_idle_timeout(IDLE).pool_timer(TokioTimer::new());
    builder
}

/// An error with all that caused it.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
