//! What real clients send is understood: see `captured/README.md`.
#![allow(clippy::unwrap_used)] // helpers of tests, outside of #[test] functions

use afterward_aws::sigv4::{Credential, Verifier, peek};
use afterward_aws::sqs::{Action, Request, parse};
use afterward_aws::{Code, Incoming, Protocol, Service, service_of};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use std::collections::BTreeMap;

const JSON: &str = include_str!("captured/json.txt");
const QUERY: &str = include_str!("captured/query.txt");
const PRESIGNED: &str = include_str!("captured/presigned.txt");
const STS: &str = include_str!("captured/sts.txt");

struct Captured {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Captured {
    fn incoming(&self) -> Incoming<'_> {
        Incoming { method: &self.method, uri: &self.uri, headers: &self.headers, body: &self.body }
    }

    /// When it was signed, Unix milliseconds. The captures are all of one day.
    fn signed_ms(&self) -> u64 {
        let header = self.headers.get("x-amz-date").map(|date| date.to_str().unwrap().to_owned());
        let date =
            header.unwrap_or_else(|| self.uri.query().unwrap().split_once("X-Amz-Date=").unwrap().1[..16].to_owned());
        const MIDNIGHT_S: u64 = 1_795_219_200;
        let clock = date.strip_prefix("20261121T").unwrap();
        let number = |from: usize| clock[from..from + 2].parse::<u64>().unwrap();
        (MIDNIGHT_S + number(0) * 3600 + number(2) * 60 + number(4)) * 1000
    }
}

fn captured(text: &str) -> Vec<Captured> {
    text.split_terminator("\n====\n")
        .map(|request| {
            let (head, body) = request.split_once("\n\n").unwrap();
            let mut lines = head.lines();
            let (method, uri) = lines.next().unwrap().split_once(' ').unwrap();
            let headers = lines.map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
            });
            Captured {
                method: method.parse().unwrap(),
                uri: uri.parse().unwrap(),
                headers: headers.collect(),
                body: body.as_bytes().to_vec(),
            }
        })
        .collect()
}

fn requests(protocol: Protocol, text: &str) -> BTreeMap<&'static str, Request> {
    captured(text)
        .iter()
        .map(|captured| parse(protocol, &captured.incoming()).unwrap())
        .map(|request| (request.action().name(), request))
        .collect()
}

#[test]
fn every_action_means_the_same_in_both_protocols() {
    let (json, query) = (requests(Protocol::Json, JSON), requests(Protocol::Query, QUERY));
    for action in Action::ALL {
        let name = action.name();
        assert!(json.contains_key(name), "{name} is captured");
        assert_eq!(json.get(name), query.get(name), "{name}");
    }
    assert_eq!(Action::ALL.len(), 23);
}

#[test]
fn a_message_arrives_as_it_was_sent() {
    let Some(Request::SendMessage(send)) = requests(Protocol::Query, QUERY).remove("SendMessage") else {
        panic!("there is a SendMessage");
    };
    assert_eq!(send.queue_url, "http://localhost:4599/123456789012/orders");
    assert_eq!(send.message_body, "{\"a\": \"b c+d&e=f%\"}\r\n\t<é€𝄞>\\");
    assert_eq!(send.delay_seconds, Some(5));
    assert_eq!(send.message_attributes["Blob"].binary_value.as_ref().unwrap().0, b"\x00\x01\xff+/=");
    assert_eq!(send.message_attributes["Trace"].string_value.as_deref(), Some("a b+c&d=é €\"<>\n"));
    assert_eq!(send.message_attributes["Weight"].data_type, "Number.int");
    assert_eq!(send.message_system_attributes.len(), 1);
    assert_eq!(send.message_group_id.as_deref(), Some("g-1"));
    assert_eq!(send.message_deduplication_id.as_deref(), Some("d-1"));
}

#[test]
fn a_batch_of_ten_keeps_its_order() {
    let Some(Request::SendMessageBatch(batch)) = requests(Protocol::Query, QUERY).remove("SendMessageBatch") else {
        panic!("there is a SendMessageBatch");
    };
    let ids: Vec<&str> = batch.entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, ["one", "two", "n3", "n4", "n5", "n6", "n7", "n8", "n9", "n10"]);
}

#[test]
fn requests_find_their_service_and_protocol() {
    for (text, service) in [
        (JSON, Service::Sqs(Protocol::Json)),
        (QUERY, Service::Sqs(Protocol::Query)),
        (PRESIGNED, Service::Sqs(Protocol::Query)),
        (STS, Service::Sts),
    ] {
        for request in captured(text) {
            assert_eq!(service_of(&request.incoming()), Some(service), "{}", request.uri);
        }
    }
}

#[test]
fn every_signature_is_right_for_fifteen_minutes_and_for_nothing_else() {
    let credential = |secret: &str| Credential {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: secret.into(),
        session_token: None,
    };
    let verifier = Verifier::new([credential("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")]);
    let stranger = Verifier::new([credential("another")]);
    for (text, service) in [(JSON, "sqs"), (QUERY, "sqs"), (PRESIGNED, "sqs"), (STS, "sts")] {
        for mut request in captured(text) {
            let now_ms = request.signed_ms();
            let caller = verifier.verify(&request.incoming(), Some(service), now_ms).unwrap();
            assert_eq!(caller.access_key_id.as_deref(), Some("AKIDEXAMPLE"));
            assert_eq!(caller.region.as_deref(), Some("eu-central-1"));
            assert_eq!(peek(&request.incoming()), caller);

            let refused = |verifier: &Verifier, request: &Captured, service, now_ms| {
                verifier.verify(&request.incoming(), Some(service), now_ms).unwrap_err().code
            };
            assert_eq!(refused(&stranger, &request, service, now_ms), Code::SignatureDoesNotMatch);
            assert_eq!(refused(&verifier, &request, "sns", now_ms), Code::SignatureDoesNotMatch);
            let late = refused(&verifier, &request, service, now_ms + 901_000);
            assert!(matches!(late, Code::SignatureDoesNotMatch | Code::RequestExpired), "{late:?}");
            assert_eq!(refused(&verifier, &request, service, now_ms - 901_000), Code::SignatureDoesNotMatch);
            request.body.push(b' ');
            assert_eq!(refused(&verifier, &request, service, now_ms), Code::SignatureDoesNotMatch);
        }
    }
}
