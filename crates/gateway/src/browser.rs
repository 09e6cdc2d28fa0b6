//! Keeps pages in browsers away from a server that asks nobody for a signature.
//!
//! Whoever runs such a server on their machine runs a browser there, too, and a page of any site can send requests to
//! 127.0.0.1. It doesn't get to read the replies, but a form is enough to purge a queue. And a page whose own name is
//! made to point to 127.0.0.1 once it is loaded (DNS rebinding) reads the replies as well.
//!
//! Browsers say where a request comes from, in headers that pages can't change: `Sec-Fetch-Site` to 127.0.0.1 and
//! localhost, and `Origin` with everything but a GET of the page's own site. For that GET there is the `Host`: no page can
//! make one up that is not a public name. Other clients send none of these headers, and are not looked at further.

use afterward_aws::Incoming;
use http::{HeaderMap, HeaderName, Method, header::HOST, header::ORIGIN};
use std::net::{Ipv4Addr, Ipv6Addr};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Names that nobody can register: a page that is called by one is one of the user's own.
const PRIVATE_DOMAINS: [&str; 5] = [".localhost", ".internal", ".local", ".test", ".home.arpa"];

/// Why the request is refused if it is a foreign page's; `None` if it isn't, or `may_call` says that pages of its origin
/// may call.
pub(crate) fn refusal(incoming: &Incoming<'_>, may_call: impl Fn(&[u8]) -> bool) -> Option<String> {
    let headers = incoming.headers;
    let origin = headers.get(ORIGIN).map(|origin| origin.as_bytes());
    if origin.is_some_and(may_call) {
        return None;
    }
    let is_foreign = match (headers.get(FETCH_SITE).map(|site| site.as_bytes()), origin) {
        // Browsers send this header to no site that could be somebody else's under another name.
        (Some(b"same-origin" | b"none"), _) => false,
        (Some(_), _) => true,
        (None, Some(origin)) => !(is_private(host(incoming)) && is_origin_of(origin, host(incoming))),
        (None, None) => matches!(*incoming.method, Method::GET | Method::HEAD) && !is_private(host(incoming)),
    };
    is_foreign.then(|| explain(headers, host(incoming)))
}

fn explain(headers: &HeaderMap, host: &str) -> String {
    let by = match headers.get(ORIGIN) {
        Some(origin) => format!("by a page of {}", String::from_utf8_lossy(origin.as_bytes())),
        None if headers.contains_key(FETCH_SITE) => "by a page of another site".to_owned(),
        None => format!("with GET by the public name {host}"),
    };
    format!(
        "This server was called {by}. As long as it has no credentials configured, it answers no pages in browsers but \
         those in jobs.cors_origins, which may call /jobs. Call it as 127.0.0.1 or localhost from a program, or configure \
         credentials."
    )
}

/// The name that the server is called by, with its port.
fn host<'a>(incoming: &Incoming<'a>) -> &'a str {
    match incoming.headers.get(HOST) {
        Some(host) => std::str::from_utf8(host.as_bytes()).unwrap_or("?."),
        None => incoming.uri.authority().map_or("", |authority| authority.as_str()),
    }
}

/// Whether pages called by this name are the user's own: an address, a name without a domain, or one in a domain that is
/// nobody's.
fn is_private(host: &str) -> bool {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name.parse::<Ipv4Addr>().is_ok()
        || !name.contains('.')
        || PRIVATE_DOMAINS.iter().any(|domain| name.ends_with(domain))
}

fn is_origin_of(origin: &[u8], host: &str) -> bool {
    let authority = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_stranger_could_have_are_told_from_those_of_the_users_own() {
        for host in [
            "127.0.0.1:4566",
            "[::1]:4566",
            "localhost",
            "LOCALHOST.:4566",
            "sqs.eu-west-1.localhost:4566",
            "host.docker.internal:4566",
            "queues:4566",
            "laptop.local",
            "",
        ] {
            assert!(is_private(host), "{host}");
        }
        for host in
            ["evil.example", "127.0.0.1.evil.example:4566", "localhost.evil.example", "[evil.example]", "internal.x"]
        {
            assert!(!is_private(host), "{host}");
        }
    }
}
