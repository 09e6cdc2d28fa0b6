//! What RFC 9112 has a server refuse, and hyper lets through: heads from which two readers could make two requests.

use crate::reply;
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode, Version,
    header::{HOST, TRANSFER_ENCODING},
    request::Parts,
};
use hyper::body::{Body, Incoming};

/// Why a request is not taken for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// HTTP/1.1 without a `Host`.
    NoHost,
    /// More than one.
    Hosts,
    /// One that is no host.
    BadHost,
    /// `chunked` more than once.
    ChunkedTwice,
    /// A transfer coding besides `chunked`.
    Coding,
}

impl Fault {
    /// What is wrong with a request, if anything is.
    pub(super) fn of(head: &Parts, body: &Incoming) -> Option<Fault> {
        host_fault(head).or_else(|| {
            // Only chunks are of a length that nobody knows.
            if body.size_hint().exact().is_some() { None } else { coding_fault(&head.headers) }
        })
    }

    pub(super) fn into_response(self) -> Response<Bytes> {
        let bad = StatusCode::BAD_REQUEST;
        let (status, code, message) = match self {
            Fault::NoHost => (bad, "BadRequest", "A request by HTTP/1.1 has a Host header, and this one has none."),
            Fault::Hosts => (bad, "BadRequest", "The request has more than one Host header. Send one."),
            Fault::BadHost => (bad, "BadRequest", "The Host header is not a host, with or without a port."),
            Fault::ChunkedTwice => (bad, "BadRequest", "The body is said to be chunked twice. Chunk it once."),
            Fault::Coding => (
                StatusCode::NOT_IMPLEMENTED,
                "NotImplemented",
                "The only Transfer-Encoding that is understood here is chunked.",
            ),
        };
        reply::error(status, code, message)
    }
}

fn host_fault(head: &Parts) -> Option<Fault> {
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_host(host.as_bytes()) => None,
        (Some(_), None) => Some(Fault::BadHost),
        (Some(_), Some(_)) => Some(Fault::Hosts),
        (None, _) => (head.version == Version::HTTP_11).then_some(Fault::NoHost),
    }
}

/// `uri-host [":" port]` of RFC 9110, section 7.2. Without looking whether what stands in brackets is an address.
fn is_host(text: &[u8]) -> bool {
    let (name_is_good, rest) = match text.split_first() {
        Some((b'[', after)) => match after.iter().position(|&byte| byte == b']') {
            Some(end) => (after[..end].iter().all(|&byte| is_of_name(byte) || byte == b':'), &after[end + 1..]),
            None => return false,
        },
        _ => {
            let end = text.iter().position(|&byte| byte == b':').unwrap_or(text.len());
            (text[..end].iter().all(|&byte| is_of_name(byte)), &text[end..])
        }
    };
    let port_is_good = match rest.split_first() {
        None => true,
        Some((b':', port)) => port.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    };
    name_is_good && port_is_good
}

/// Whether a registered name may have this byte (RFC 3986, section 3.2.2).
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte)
}

fn coding_fault(headers: &HeaderMap) -> Option<Fault> {
    let text = |line: &HeaderValue| line.to_str().map(str::to_ascii_lowercase);
    let mut chunked = 0;
    for line in headers.get_all(TRANSFER_ENCODING) {
        let Ok(line) = text(line) else { return Some(Fault::Coding) };
        for coding in line.split(',').map(str::trim).filter(|coding| !coding.is_empty()) {
            if coding != "chunked" {
                return Some(Fault::Coding);
            }
            chunked += 1;
        }
    }
    (chunked > 1).then_some(Fault::ChunkedTwice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (host, good) in [
            ("localhost", true),
            ("127.0.0.1:4566", true),
            ("[::1]:4566", true),
            ("queue.example.com:", true),
            ("", true),
            ("a b", false),
            ("a/b", false),
            ("user@host", false),
            ("a:b", false),
            ("a:1:2", false),
            ("::1", false),
            ("[::1", false),
            ("[::1]x", false),
            ("h\u{e9}", false),
        ] {
            assert_eq!(is_host(host.as_bytes()), good, "{host:?}");
        }
    }

    #[test]
    fn codings() {
        for (lines, fault) in [
            (&["chunked"][..], None),
            (&["Chunked, "], None),
            (&["chunked, chunked"], Some(Fault::ChunkedTwice)),
            (&["chunked", "chunked"], Some(Fault::ChunkedTwice)),
            (&["gzip, chunked"], Some(Fault::Coding)),
            (&["gzip", "chunked"], Some(Fault::Coding)),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(TRANSFER_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(coding_fault(&headers), fault, "{lines:?}");
        }
    }
}
