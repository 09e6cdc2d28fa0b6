//! Signatures, in headers and in presigned URLs: a request as text, and perhaps a second one.
//!
//! - One request: a verifier that knows another secret never believes it; one that knows the secret of AWS's documentation
//!   believes it only if it means what one of the captured requests means, for those alone were signed with it.
//! - Two: the first is signed, the second put in its place under the same signature. It is believed if, and only if, it
//!   means the same in all that is signed. What a request means is told here by plain values, not by the canonical text.

use crate::{
    memory,
    request::{Request, part, split},
};
use afterward_aws::sigv4::{Credential, Signer, Verifier, peek};
use http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use std::sync::LazyLock;

/// 2026-11-21 23:19:00, when the captured requests were signed, but for seconds.
const CAPTURED_MS: u64 = 1_795_303_140_000;
const CAPTURED: [&str; 4] = [
    include_str!("../../crates/aws/tests/captured/json.txt"),
    include_str!("../../crates/aws/tests/captured/query.txt"),
    include_str!("../../crates/aws/tests/captured/presigned.txt"),
    include_str!("../../crates/aws/tests/captured/sts.txt"),
];
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const PAYLOAD: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

static GENUINE: LazyLock<Vec<Meaning>> = LazyLock::new(|| {
    let requests = CAPTURED.iter().flat_map(|text| split(text.as_bytes()));
    let genuine = |text| {
        let request = Request::read(text).expect("a captured request");
        let verified = EXAMPLE.verify(&request.incoming(), None, CAPTURED_MS);
        assert!(verified.is_ok(), "{}: {verified:?}", request.uri);
        Meaning::of(&request)
    };
    requests.map(genuine).collect()
});
static EXAMPLE: LazyLock<Verifier> =
    LazyLock::new(|| Verifier::new([credential("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")]));
static STRANGER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new([credential("that nobody signed with")]));

fn credential(secret: &str) -> Credential {
    Credential { access_key_id: "AKIDEXAMPLE".to_owned(), secret_access_key: secret.to_owned(), session_token: None }
}

/// Any bytes.
pub fn run(input: &[u8]) {
    let (first, second) = part(input, crate::request::BETWEEN).map_or((input, None), |(a, b)| (a, Some(b)));
    let Some(request) = Request::read(first) else { return };
    memory::within((1 << 20) + 64 * input.len(), || match second.and_then(Request::read) {
        None => as_it_came(&request),
        Some(other) => replaced(request, other),
    });
}

fn as_it_came(request: &Request) {
    let incoming = request.incoming();
    LazyLock::force(&GENUINE);
    let claimed = peek(&incoming);
    assert!(STRANGER.verify(&incoming, None, CAPTURED_MS).is_err(), "forged");
    if let Ok(caller) = EXAMPLE.verify(&incoming, None, CAPTURED_MS) {
        assert_eq!(caller, claimed);
        assert!(EXAMPLE.may_verify(&incoming, CAPTURED_MS));
        assert!(GENUINE.contains(&Meaning::of(request)), "believed, and never signed");
    }
}

fn replaced(mut first: Request, mut second: Request) {
    first.headers.remove(PAYLOAD);
    let has_host = first.headers.contains_key("host") || first.uri.authority().is_some();
    let signer = Signer::new(credential("another secret"), "eu-central-1", "sqs");
    signer.sign(&first.method, &first.uri, &mut first.headers, &first.body, CAPTURED_MS);
    let verifier = Verifier::new([credential("another secret")]);
    let verified = verifier.verify(&first.incoming(), Some("sqs"), CAPTURED_MS);
    assert_eq!(verified.is_ok(), has_host, "{verified:?}");
    for name in [AUTHORIZATION, DATE] {
        second.headers.remove(&name);
        second.headers.extend(first.headers.get(&name).map(|value| (name.clone(), value.clone())));
    }
    let signs_target = first.headers.contains_key(TARGET);
    let (genuine, other) = (Meaning::of(&first), Meaning::of(&second));
    let same = genuine == other && (signs_target || !second.headers.contains_key(TARGET));
    let verified = verifier.verify(&second.incoming(), Some("sqs"), CAPTURED_MS);
    assert_eq!(verified.is_ok(), same && has_host, "{verified:?}\n{genuine:?}\n{other:?}");
    assert!(STRANGER.verify(&second.incoming(), None, CAPTURED_MS).is_err(), "forged");
}

/// All that a signature covers.
#[derive(Debug, PartialEq, Eq)]
struct Meaning {
    method: String,
    path: Vec<String>,
    ends_in_slash: bool,
    parameters: Vec<(Vec<u8>, Vec<u8>)>,
    headers: Vec<(String, Vec<u8>)>,
    /// `None` where the signer said that the body is not signed.
    body: Option<Vec<u8>>,
}

impl Meaning {
    fn of(request: &Request) -> Meaning {
        let (path, ends_in_slash) = path(request.uri.path());
        let unsigned = request.headers.get(PAYLOAD).is_some_and(|value| value == "UNSIGNED-PAYLOAD");
        let mut parameters: Vec<_> = pairs(request.uri.query().unwrap_or_default())
            .filter(|(name, _)| *name != "X-Amz-Signature")
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        parameters.sort();
        let names = signed_headers(request).unwrap_or_default();
        Meaning {
            method: request.method.to_string(),
            path,
            ends_in_slash,
            parameters,
            headers: names.split(';').map(|name| (name.to_owned(), header(request, name))).collect(),
            body: (!unsigned).then(|| request.body.clone()),
        }
    }
}

/// Segments, with `.` and `..` and nothing followed.
fn path(path: &str) -> (Vec<String>, bool) {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            ".." => drop(segments.pop()),
            "" | "." => {}
            segment => segments.push(segment.to_owned()),
        }
    }
    let ends_in_slash = !segments.is_empty() && path.ends_with('/');
    (segments, ends_in_slash)
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) => decoded.push(b' '),
            (byte, ..) => decoded.push(byte),
        }
        at += 1;
    }
    decoded
}

/// All values of a header, without needless spaces.
fn header(request: &Request, name: &str) -> Vec<u8> {
    let values: Vec<Vec<u8>> = request.headers.get_all(name).iter().map(|value| tidy(value.as_bytes())).collect();
    if values.is_empty() && name == "host" {
        return request.uri.authority().map_or(Vec::new(), |authority| authority.as_str().as_bytes().to_vec());
    }
    values.join(&b","[..])
}

fn tidy(value: &[u8]) -> Vec<u8> {
    let words: Vec<&[u8]> = value.trim_ascii().split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect();
    words.join(&b" "[..])
}

/// The names, from wherever the signature stands.
fn signed_headers(request: &Request) -> Option<String> {
    let by_header = |headers: &HeaderMap| {
        let text = headers.get(AUTHORIZATION)?.to_str().ok()?.to_owned();
        let names = text.split("SignedHeaders=").last()?.split(',').next()?;
        Some(names.trim().to_owned())
    };
    by_header(&request.headers).or_else(|| {
        let mut named = pairs(request.uri.query()?).filter(|(name, _)| *name == "X-Amz-SignedHeaders");
        String::from_utf8(decoded(named.by_ref().last()?.1)).ok()
    })
}
