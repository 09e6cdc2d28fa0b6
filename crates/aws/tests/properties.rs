//! What must hold for any bytes whatever.
#![allow(clippy::unwrap_used)] // helpers of tests, outside of #[test] functions

use afterward_aws::sigv4::{Credential, Signer, Verifier, peek};
use afterward_aws::sqs::{
    Action, Blob, MessageAttributeValue, Request, SendMessageBatchRequest, SendMessageBatchRequestEntry,
    SendMessageRequest, parse, request_json, response_json,
};
use afterward_aws::{Incoming, Protocol, service_of, sts};
use http::{HeaderMap, HeaderValue, Method, Uri};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn target(action: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-target", format!("AmazonSQS.{action}").parse().unwrap());
    headers
}

fn any_attribute() -> impl Strategy<Value = MessageAttributeValue> {
    (of(any::<String>()), of(vec(any::<u8>(), 0..20)), vec(any::<String>(), 0..3), "[a-zA-Z.]{0,10}").prop_map(
        |(string_value, bytes, string_list_values, data_type)| MessageAttributeValue {
            string_value,
            binary_value: bytes.map(Blob),
            string_list_values,
            binary_list_values: Vec::new(),
            data_type,
        },
    )
}

fn any_entry() -> impl Strategy<Value = SendMessageBatchRequestEntry> {
    let attributes = || btree_map(any::<String>(), any_attribute(), 0..4);
    let texts = (any::<String>(), any::<String>(), of(any::<String>()), of(any::<String>()));
    (texts, of(any::<i64>()), attributes(), attributes()).prop_map(
        |((id, message_body, deduplication_id, group_id), delay_seconds, attributes, system)| {
            SendMessageBatchRequestEntry {
                id,
                message_body,
                delay_seconds,
                message_attributes: attributes,
                message_system_attributes: system,
                message_deduplication_id: deduplication_id,
                message_group_id: group_id,
            }
        },
    )
}

/// Query as an old SDK would write it.
#[derive(Default)]
struct Form(String);

impl Form {
    fn add(&mut self, key: &str, value: &str) {
        let encoded: String = value
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' => char::from(byte).to_string(),
                b' ' => "+".to_owned(),
                byte => format!("%{byte:02X}"),
            })
            .collect();
        self.0.push_str(&format!("&{key}={encoded}"));
    }

    fn entry(&mut self, prefix: &str, entry: &SendMessageBatchRequestEntry) {
        self.add(&format!("{prefix}MessageBody"), &entry.message_body);
        let texts = [
            ("DelaySeconds", entry.delay_seconds.map(|seconds| seconds.to_string())),
            ("MessageDeduplicationId", entry.message_deduplication_id.clone()),
            ("MessageGroupId", entry.message_group_id.clone()),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                self.add(&format!("{prefix}{name}"), &text);
            }
        }
        self.attributes(&format!("{prefix}MessageAttribute"), &entry.message_attributes);
        self.attributes(&format!("{prefix}MessageSystemAttribute"), &entry.message_system_attributes);
    }

    fn attributes(&mut self, name: &str, attributes: &BTreeMap<String, MessageAttributeValue>) {
        // Numbered backwards: it is the numbers that count, not where they stand.
        for (number, (key, value)) in attributes.iter().enumerate().rev() {
            let prefix = format!("{name}.{}", number + 1);
            self.add(&format!("{prefix}.Name"), key);
            self.add(&format!("{prefix}.Value.DataType"), &value.data_type);
            if let Some(text) = &value.string_value {
                self.add(&format!("{prefix}.Value.StringValue"), text);
            }
            if let Some(Blob(bytes)) = &value.binary_value {
                let text = serde_json::to_value(Blob(bytes.clone())).unwrap();
                self.add(&format!("{prefix}.Value.BinaryValue"), text.as_str().unwrap());
            }
            for (number, text) in value.string_list_values.iter().enumerate() {
                self.add(&format!("{prefix}.Value.StringListValue.{}", number + 1), text);
            }
        }
    }
}

fn both_ways(request: &Request, form: &str) -> (Request, Request) {
    let (action, body) = request_json(request);
    let (method, uri) = (Method::POST, Uri::from_static("/"));
    let headers = target(action);
    let json = parse(Protocol::Json, &Incoming { method: &method, uri: &uri, headers: &headers, body: &body }).unwrap();
    let body = format!("Action={action}{form}").into_bytes();
    let headers = HeaderMap::new();
    let query = parse(Protocol::Query, &Incoming { method: &method, uri: &uri, headers: &headers, body: &body });
    (json, query.unwrap())
}

proptest! {
    #[test]
    fn a_message_is_the_same_in_json_and_in_query(entry in any_entry(), queue_url in any::<String>()) {
        let mut form = Form::default();
        form.add("QueueUrl", &queue_url);
        form.entry("", &entry);
        let request = Request::SendMessage(SendMessageRequest {
            queue_url,
            message_body: entry.message_body,
            delay_seconds: entry.delay_seconds,
            message_attributes: entry.message_attributes,
            message_system_attributes: entry.message_system_attributes,
            message_deduplication_id: entry.message_deduplication_id,
            message_group_id: entry.message_group_id,
        });
        let (json, query) = both_ways(&request, &form.0);
        prop_assert_eq!(&json, &request);
        prop_assert_eq!(&query, &request);
    }

    #[test]
    fn a_batch_is_the_same_in_json_and_in_query(entries in vec(any_entry(), 0..12), queue_url in any::<String>()) {
        let mut form = Form::default();
        form.add("QueueUrl", &queue_url);
        for (number, entry) in entries.iter().enumerate() {
            let prefix = format!("SendMessageBatchRequestEntry.{}.", number + 1);
            form.add(&format!("{prefix}Id"), &entry.id);
            form.entry(&prefix, entry);
        }
        let request = Request::SendMessageBatch(SendMessageBatchRequest { queue_url, entries });
        let (json, query) = both_ways(&request, &form.0);
        prop_assert_eq!(&json, &request);
        prop_assert_eq!(&query, &request);
    }

    #[test]
    fn no_body_makes_a_parser_panic(action in 0..Action::ALL.len(), body in vec(any::<u8>(), 0..200)) {
        let action = Action::ALL[action].name();
        let (method, uri) = (Method::POST, Uri::from_static("/a/b"));
        let headers = target(action);
        let _ = parse(Protocol::Json, &Incoming { method: &method, uri: &uri, headers: &headers, body: &body });
        let _ = response_json(action, 200, &body);
        let _ = response_json(action, 400, &body);
        let headers = HeaderMap::new();
        let form = [format!("Action={action}&").as_bytes(), &body].concat();
        for body in [&body, &form] {
            let incoming = Incoming { method: &method, uri: &uri, headers: &headers, body };
            let _ = (service_of(&incoming), parse(Protocol::Query, &incoming), sts::parse(&incoming));
        }
    }

    #[test]
    fn no_form_makes_a_parser_panic(
        action in 0..Action::ALL.len(),
        form in "((Attribute|Entries|MessageAttribute|Tag|QueueUrl|X)(\\.(1|0|-1|99999999999|Name|Value|member|entry|)){0,4}=?(%|%C3|%41|\\+|a)?&){0,8}",
    ) {
        let body = format!("Action={}&{form}", Action::ALL[action].name()).into_bytes();
        let (method, uri, headers) = (Method::POST, Uri::from_static("/"), HeaderMap::new());
        let _ = parse(Protocol::Query, &Incoming { method: &method, uri: &uri, headers: &headers, body: &body });
    }

    #[test]
    fn no_signature_makes_the_verifier_panic(
        header in of("(AWS4-HMAC-SHA256|Basic|)( ?(Credential|SignedHeaders|Signature)=(AK(/[a-z0-9]{0,8}){0,6}|host|;|é|[0-9a-f]{64}),?){0,4}"),
        date in of("20[0-9]{6}T[0-9]{6}Z|[A-Z][a-z]{2}, [0-9]{2} Aug 2015 [0-9:]{0,8} GMT|é*"),
        query in "((X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature)|a)=[A-Za-z0-9%/-]{0,20}&){0,6}",
    ) {
        let uri: Uri = format!("/a%2?{query}").parse().unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in [("authorization", header), ("x-amz-date", date.clone()), ("date", date)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
        }
        let incoming = Incoming { method: &Method::GET, uri: &uri, headers: &headers, body: b"" };
        let credential =
            Credential { access_key_id: "AK".into(), secret_access_key: "secret".into(), session_token: None };
        let _ = peek(&incoming);
        let _ = Verifier::new([credential]).verify(&incoming, None, 1_440_938_160_000);
    }

    #[test]
    fn what_the_signer_signs_the_verifier_believes(
        path in "(/[a-zA-Z0-9%._~-]{0,8}){0,4}",
        query in of("([a-zA-Z0-9%+._~-]{0,8}=?[a-zA-Z0-9%+._~-]{0,8}&?){0,4}"),
        body in vec(any::<u8>(), 0..100),
        secret in any::<String>(),
        token in of("[a-zA-Z0-9/+=]{1,40}"),
        now_s in 0u64..4_000_000_000,
    ) {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let uri: Uri = format!("http://localhost:4566{path}{query}").parse().unwrap();
        let credential = Credential {
            access_key_id: "AK".into(), secret_access_key: secret.clone(), session_token: token.clone(),
        };
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/x-amz-json-1.0"));
        let signer = Signer::new(credential.clone(), "us-east-1", "sqs");
        signer.sign(&Method::POST, &uri, &mut headers, &body, now_s * 1000);
        let incoming = Incoming { method: &Method::POST, uri: &uri, headers: &headers, body: &body };
        let caller = Verifier::new([credential]).verify(&incoming, Some("sqs"), now_s * 1000).unwrap();
        prop_assert_eq!(caller.access_key_id.as_deref(), Some("AK"));
        let other = Credential {
            access_key_id: "AK".into(), secret_access_key: format!("{secret}."), session_token: token,
        };
        prop_assert!(Verifier::new([other]).verify(&incoming, Some("sqs"), now_s * 1000).is_err());
    }
}
