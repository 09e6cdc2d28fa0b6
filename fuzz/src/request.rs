//! Requests as text: `METHOD URI`, headers, an empty line, the body; several are parted by `====` on a line of its own.
//!
//! The same as in `crates/aws/tests/captured`. What is no request is not an input: the HTTP library refuses it before any
//! of our parsers sees it.

use afterward_aws::Incoming;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

/// A request as it arrived.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // HTTP's own words
pub struct Request {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Parts requests from each other.
pub const BETWEEN: &[u8] = b"\n====\n";

impl Request {
    /// The request that `text` is, if it is one.
    pub fn read(text: &[u8]) -> Option<Request> {
        let (head, body) = part(text, b"\n\n").unwrap_or((text, b""));
        let mut lines = head.split(|byte| *byte == b'\n');
        let (method, uri) = part(lines.next()?, b" ")?;
        let headers = lines.map(|line| {
            let (name, value) = part(line, b": ").or_else(|| part(line, b":"))?;
            Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
        });
        let mut known = HeaderMap::new();
        for header in headers.take(100) {
            let (name, value) = header?;
            known.append(name, value);
        }
        let (method, uri) = (Method::from_bytes(method).ok()?, Uri::try_from(uri).ok()?);
        Some(Request { method, uri, headers: known, body: body.to_vec() })
    }

    /// As the parsers take it.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { method: &self.method, uri: &self.uri, headers: &self.headers, body: &self.body }
    }
}

/// The requests in `text`, as texts.
pub fn split(text: &[u8]) -> Vec<&[u8]> {
    let mut requests = Vec::new();
    let mut rest = text;
    while let Some((request, after)) = part(rest, BETWEEN) {
        requests.push(request);
        rest = after;
    }
    if !rest.is_empty() {
        requests.push(rest);
    }
    requests
}

/// What stands before and behind the first `mark`.
pub fn part<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(mark.len()).position(|window| window == mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}
