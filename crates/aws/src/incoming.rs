//! A request as it arrived, and which service it is for.

use http::{HeaderMap, Method, Uri};

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
    let _ = incoming;
    None
}
