//! What is ours beside SQS, under `/_afterward/`: health, readiness, metrics, a look at messages that takes nothing from
//! anybody, runs of schedules by hand, and the clock.
//!
//! Health, readiness and metrics are open to whoever can connect; all else is signed as SQS is where credentials are
//! configured, and shows the caller's account and region.

mod clock;
mod failure;
mod filter;
mod message;
mod peek;
mod run_schedule;

use crate::{gateway::Exchange, metrics, metrics::Outcome, reply};
use bytes::Bytes;
use failure::AdminError;
use http::{Response, StatusCode};
use serde::Serialize;

#[derive(Serialize)]
struct Status {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Answers a request to `/_afterward/REST`.
pub(crate) async fn serve(exchange: &Exchange<'_>, rest: &str) -> (Outcome, Response<Bytes>) {
    let parts = rest.split('/').collect::<Vec<_>>();
    let methods = match parts[..] {
        ["clock"] => "GET, HEAD, POST",
        ["schedules", _, _, "run"] => "POST",
        _ => "GET, HEAD",
    };
    if !methods.split(", ").any(|method| method == exchange.incoming.method.as_str()) {
        let error = failure::not_allowed(exchange.incoming.method, methods);
        let outcome = Outcome::of("admin", "Unknown", error.code);
        let mut response = error.into_response();
        reply::name_methods(&mut response, methods);
        return (outcome, response);
    }
    let (action, result) = match parts[..] {
        ["clock"] => ("Clock", clock::clock(exchange).await),
        ["health"] => ("Health", Ok(health())),
        ["ready"] => ("Ready", Ok(ready(exchange))),
        ["metrics"] => ("Metrics", Ok(reply::prometheus(metrics::exposition(exchange.gateway).await))),
        ["schedules", group, name, "run"] => ("RunSchedule", run_schedule::run(exchange, group, name).await),
        ["queues", name, "messages"] => ("Peek", peek::peek(exchange, name).await),
        _ => ("Unknown", Err(failure::not_found(exchange.incoming.uri.path()))),
    };
    let code = result.as_ref().err().map_or("200", |error| error.code);
    (Outcome::of("admin", action, code), result.unwrap_or_else(AdminError::into_response))
}

/// Whether anybody may ask for this.
pub(crate) fn is_open(rest: &str) -> bool {
    matches!(rest, "health" | "ready" | "metrics")
}

/// The process runs and answers.
fn health() -> Response<Bytes> {
    reply::json(StatusCode::OK, &Status { status: "ok", reason: None })
}

/// The partition takes calls.
fn ready(exchange: &Exchange<'_>) -> Response<Bytes> {
    match exchange.gateway.broker.trouble() {
        None => reply::json(StatusCode::OK, &Status { status: "ready", reason: None }),
        Some(reason) => {
            let status = Status { status: "unavailable", reason: Some(reason) };
            reply::json(StatusCode::SERVICE_UNAVAILABLE, &status)
        }
    }
}
