//! SQS requests in JSON: the action's name on the first line, the body behind it.
//!
//! Whatever is read can be written and read again, and means the same when an old SDK sends it as a form.

use crate::{form::Form, memory, request::part};
use afterward_aws::{
    Incoming, Protocol, service_of,
    sqs::{Request, TARGET_HEADER, TARGET_PREFIX, parse, render, request_json},
};
use http::{HeaderMap, HeaderValue, Method, Uri};
use serde_json::Value;

/// More than that, Query refuses.
const MOST_PARAMETERS: usize = 4096;

/// Any bytes.
pub fn run(input: &[u8]) {
    let (action, body) = part(input, b"\n").unwrap_or((input, b""));
    let Ok(target) = HeaderValue::from_bytes(&[TARGET_PREFIX.as_bytes(), action].concat()) else { return };
    let headers = HeaderMap::from_iter([(TARGET_HEADER, target)]);
    let uri = Uri::from_static("/");
    let incoming = Incoming { method: &Method::POST, uri: &uri, headers: &headers, body };
    let parsed = memory::within((1 << 20) + 64 * body.len(), || {
        let _ = service_of(&incoming);
        parse(Protocol::Json, &incoming)
    });
    match parsed {
        Ok(request) => {
            assert_eq!(again(&request), request, "read, written and read again");
            same_as_a_form(&request);
        }
        Err(error) => {
            let reply = render(Protocol::Json, "id", &Err(error));
            assert!(reply.status().is_client_error(), "{reply:?}");
            assert!(serde_json::from_slice::<Value>(reply.body()).is_ok(), "{reply:?}");
        }
    }
}

/// What a server reads of what a client writes.
pub(crate) fn again(request: &Request) -> Request {
    let (action, body) = request_json(request);
    let target = HeaderValue::try_from(format!("{TARGET_PREFIX}{action}"));
    let headers = HeaderMap::from_iter(target.map(|target| (TARGET_HEADER, target)));
    let uri = Uri::from_static("/");
    let incoming = Incoming { method: &Method::POST, uri: &uri, headers: &headers, body: &body };
    parse(Protocol::Json, &incoming).expect("a request that was written can be read")
}

/// A form can't say that a list or map is there and empty, nor more than [`MOST_PARAMETERS`].
fn same_as_a_form(request: &Request) {
    let (action, body) = request_json(request);
    let members: Value = serde_json::from_slice(&body).expect("what was written is JSON");
    let has_empty = members.as_object().is_some_and(|members| members.values().any(is_empty));
    let form = Form::of(action, &members);
    if has_empty || form.parameters > MOST_PARAMETERS {
        return;
    }
    let headers = HeaderMap::new();
    let uri = Uri::from_static("/");
    let incoming = Incoming { method: &Method::POST, uri: &uri, headers: &headers, body: form.text.as_bytes() };
    let query = parse(Protocol::Query, &incoming);
    assert_eq!(query.as_ref(), Ok(request), "as a form: {}", form.text);
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty)
}
