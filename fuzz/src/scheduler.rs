//! Requests to EventBridge Scheduler, as HTTP has them: method and path, and the body behind an empty line.
//!
//! Whatever is read can be written and read again; whatever is not is the sender's fault, and said in the protocol.

use crate::{memory, request::Request as Http};
use afterward_aws::{
    Incoming,
    scheduler::{Request, is_path, parse, render, request_http},
};
use http::{HeaderMap, Uri};
use serde_json::Value;

/// Any bytes.
pub fn run(input: &[u8]) {
    let Some(request) = Http::read(input) else { return };
    let incoming = request.incoming();
    let parsed = memory::within((1 << 20) + 64 * input.len(), || parse(&incoming));
    match parsed {
        Ok(read) => {
            assert!(is_path(request.uri.path()), "{} is not Scheduler's", request.uri);
            assert_eq!(again(&read), read, "read, written and read again");
        }
        Err(error) => {
            let reply = render("id", &Err(error));
            assert!(reply.status().is_client_error(), "{reply:?}");
            assert!(serde_json::from_slice::<Value>(reply.body()).is_ok(), "{reply:?}");
        }
    }
}

/// What a server reads of what a client writes.
fn again(request: &Request) -> Request {
    let (method, uri, body) = request_http(request);
    let uri = Uri::try_from(uri).expect("what was written is a path");
    let incoming = Incoming { method: &method, uri: &uri, headers: &HeaderMap::new(), body: &body };
    parse(&incoming).expect("a request that was written can be read")
}
