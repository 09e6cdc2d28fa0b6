//! Query requests, by POST and by GET: whole requests as text.
//!
//! Whatever is read means the same in JSON, and a form means the same in the query string as in the body.

use crate::{memory, request::Request, sqs_json};
use afterward_aws::{
    Incoming, Protocol, service_of,
    sqs::{parse, render},
    sts,
};
use http::{HeaderMap, Method, Uri};

/// Any bytes.
pub fn run(input: &[u8]) {
    let Some(request) = Request::read(input) else { return };
    let incoming = request.incoming();
    let parsed = memory::within((1 << 20) + 256 * input.len(), || {
        let _ = (service_of(&incoming), sts::parse(&incoming));
        parse(Protocol::Query, &incoming)
    });
    match &parsed {
        Ok(read) => {
            assert_eq!(&sqs_json::again(read), read, "in JSON");
            same_by_get(&request, read);
        }
        Err(error) => {
            let reply = render(Protocol::Query, "id", &Err(error.clone()));
            assert!(reply.status().is_client_error(), "{reply:?}");
            well_formed(reply.body());
        }
    }
}

/// A form alone, moved to the query string of a GET.
fn same_by_get(request: &Request, read: &afterward_aws::sqs::Request) {
    let is_form = request.headers.is_empty() && request.uri.query().is_none() && !request.body.is_empty();
    let Ok(form) = std::str::from_utf8(&request.body) else { return };
    let Ok(uri) = format!("{}?{form}", request.uri.path()).parse::<Uri>() else { return };
    // A `#` would end the query string, and so would what the URI's own grammar leaves out.
    if !is_form || uri.query() != Some(form) {
        return;
    }
    let headers = HeaderMap::new();
    let incoming = Incoming { method: &Method::GET, uri: &uri, headers: &headers, body: b"" };
    assert_eq!(parse(Protocol::Query, &incoming).as_ref(), Ok(read), "by GET");
}

/// XML whose tags match, with nothing in it that XML does not allow.
pub(crate) fn well_formed(xml: &[u8]) {
    let text = std::str::from_utf8(xml).expect("XML is UTF-8 here");
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(allowed), "a character that XML can't hold: {text:?}");
    let mut open = Vec::new();
    for tag in text.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag ends");
        assert!(text.split('&').skip(1).all(|entity| entity.contains(';')), "a bare &: {text:?}");
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "{text}"),
            None if tag.starts_with('?') || tag.ends_with('/') => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "{text}");
}
