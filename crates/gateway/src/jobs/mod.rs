//! The front door: `POST /jobs` takes work in and answers at once, `GET /jobs/ID` tells what became of it.
//!
//! A job is a message of one configured queue: whatever works that queue works the jobs. With credentials configured,
//! callers sign as for SQS, unless the front door is made public.

mod cors;
mod enqueue;
mod failure;
mod status;

pub(crate) use cors::may_call;

use crate::{gateway::Exchange, metrics::Outcome, reply};
use bytes::Bytes;
use failure::JobError;
use http::{Method, Response, StatusCode};

/// Answers a request to `/jobs`, or, with an id as `rest`, to `/jobs/ID`.
pub(crate) async fn serve(exchange: &Exchange<'_>, rest: &str) -> (Outcome, Response<Bytes>) {
    let (action, result) = match (exchange.incoming.method.clone(), rest) {
        (Method::OPTIONS, _) => ("Preflight", Ok(cors::preflight())),
        (Method::POST, "") => ("PostJob", enqueue::enqueue(exchange).await),
        (Method::GET | Method::HEAD, id) if !id.is_empty() => ("GetJob", status::status(exchange, id).await),
        (method, _) => ("Unknown", Err(failure::not_allowed(&method, rest))),
    };
    let code = match &result {
        Ok(response) if response.status() == StatusCode::ACCEPTED => "202",
        Ok(_) => "200",
        Err(error) => error.code,
    };
    let mut response = result.unwrap_or_else(JobError::into_response);
    reply::name_methods(&mut response, if rest.is_empty() { "POST, OPTIONS" } else { "GET, HEAD, OPTIONS" });
    cors::allow(exchange, &mut response);
    (Outcome::of("jobs", action, code), response)
}

/// The answer to a job that is too large to read.
pub(crate) fn too_large(exchange: &Exchange<'_>) -> Response<Bytes> {
    let mut response = failure::too_large().into_response();
    cors::allow(exchange, &mut response);
    response
}

/// The answer to a job that could not be read for now.
pub(crate) fn unavailable(exchange: &Exchange<'_>, reason: &str) -> Response<Bytes> {
    let mut response = reply::error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", reason);
    cors::allow(exchange, &mut response);
    response
}

/// Checks the signature, where one is called for; whose account it is in doesn't matter.
fn admit(exchange: &Exchange<'_>) -> Result<(), JobError> {
    if exchange.gateway.settings.jobs.public || !exchange.gateway.callers.are_verified() {
        return Ok(());
    }
    let refused = |error: afterward_aws::Error| JobError {
        status: error.code.status(),
        code: error.code.query_code(),
        message: error.message,
    };
    exchange.gateway.callers.identify(&exchange.incoming, None).map(|_| ()).map_err(refused)
}
