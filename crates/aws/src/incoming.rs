//! A request as it arrived, and which service it is for.

use crate::{query, sigv4, sqs, sts};
use http::{HeaderMap, Method, Uri, header::CONTENT_TYPE};

/// A request whose body has been read, borrowed from the HTTP server.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)] // HTTP's own words
pub struct Incoming<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// How an SQS call is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON 1.0, named by `X-Amz-Target`: what SDKs speak since November 2023.
    Json,
    /// AWS Query: form parameters in, XML out.
    Query,
}

/// The service that a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Amazon SQS.
    Sqs(Protocol),
    /// AWS STS, of which there is `GetCallerIdentity`.
    Sts,
}

/// The service and protocol of a request: by its `X-Amz-Target`, else by the `Action` of a Query call. `None` where
/// there is neither, and where the target is another service's.
pub fn service_of(incoming: &Incoming<'_>) -> Option<Service> {
    if let Some(target) = incoming.headers.get(sqs::TARGET_HEADER) {
        return target.as_bytes().starts_with(sqs::TARGET_PREFIX.as_bytes()).then_some(Service::Sqs(Protocol::Json));
    }
    let content_type = incoming.headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    if content_type.starts_with(b"application/x-amz-json-1.0") {
        // JSON that names no operation: SQS is the one to say so.
        return Some(Service::Sqs(Protocol::Json));
    }
    let action = query::action(incoming)?;
    let is_sts = action == sts::GET_CALLER_IDENTITY || sigv4::scope_names(incoming, "sts");
    Some(if is_sts { Service::Sts } else { Service::Sqs(Protocol::Query) })
}
