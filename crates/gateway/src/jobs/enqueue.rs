//! `POST /jobs`: takes a job in and answers once it is durable.

use super::{
    admit,
    failure::{self, JobError, bad_request},
};
use crate::{digest, gateway::Exchange, parameters::Parameters, queue_url::Origin, reply, sqs};
use afterward_broker::{
    Content,
    machine::{Dedup, Refusal, Reply, Send},
};
use afterward_names::{MessageId, limits};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::LOCATION};
use serde::Serialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// How long an `Idempotency-Key` is remembered: a day.
const IDEMPOTENCY_MS: u64 = 86_400_000;

#[derive(Serialize)]
struct Accepted<'a> {
    id: String,
    queue: &'a str,
    status_url: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    duplicate: bool,
}

/// Stores the body, byte for byte, as a message; 202 when it is durable.
pub(super) async fn enqueue(exchange: &Exchange<'_>) -> Result<Response<Bytes>, JobError> {
    admit(exchange)?;
    let body = exchange.incoming.body;
    check_body(body)?;
    let delay_ms = delay_ms(exchange)?;
    let dedup = idempotency(exchange)?;
    let queue = exchange.gateway.settings.jobs.queue.clone();
    let size_bytes = body.len() as u32;
    let sender = queue.account.to_string().into();
    let send = Send { queue, size_bytes, delay_ms, group: None, dedup, job: true, batch: None };
    let content = Content {
        body: Bytes::copy_from_slice(body),
        body_md5: digest::md5(body),
        attributes: Vec::new(),
        sender,
        deduplication_id: None,
        trace_header: None,
    };
    match exchange.gateway.broker.send_one(send, content).await.map_err(failure::unavailable)? {
        Ok(Reply::Sent { id, duplicate, .. }) => Ok(accepted(exchange, id, duplicate)),
        Ok(_) => Err(failure::internal()),
        Err(refusal) => Err(explain(exchange, &refusal)),
    }
}

fn accepted(exchange: &Exchange<'_>, id: MessageId, duplicate: bool) -> Response<Bytes> {
    let path = format!("/jobs/{id}");
    let status_url = Origin::of(exchange.incoming.headers).join(&path);
    let queue = exchange.gateway.settings.jobs.queue.name.as_str();
    let mut response =
        reply::json(StatusCode::ACCEPTED, &Accepted { id: id.to_string(), queue, status_url, duplicate });
    if let Ok(location) = HeaderValue::from_str(&path) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn explain(exchange: &Exchange<'_>, refusal: &Refusal) -> JobError {
    let queue = &exchange.gateway.settings.jobs.queue;
    match refusal {
        Refusal::NoSuchQueue => JobError {
            status: StatusCode::NOT_FOUND,
            code: "QueueDoesNotExist",
            message: format!(
                "There is no queue `{0}` in region {1} to put jobs into. Create it: afterward queue create {0}",
                queue.name, queue.region
            ),
        },
        Refusal::IdempotencyConflict => JobError {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            code: "IdempotencyKeyReused",
            message: "This Idempotency-Key came with another body before. Give each job a key of its own.".into(),
        },
        Refusal::MessageTooLong { maximum_bytes } => JobError {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            code: "JobTooLarge",
            message: format!("The queue `{}` takes jobs of at most {maximum_bytes} bytes.", queue.name),
        },
        Refusal::DelayBeyondRetention { retention_ms } => bad_request(
            "InvalidParameter",
            format!(
                "delay_seconds, or jobs.delay_seconds where the request has none, must be less than {}: so long the queue \
                 `{}` keeps a job, its delay included. For later, set the queue's MessageRetentionPeriod (14 days at \
                 most), or make a schedule.",
                retention_ms / 1000,
                queue.name
            ),
        ),
        refusal => bad_request("Refused", refusal.to_string()),
    }
}

/// A job is a JSON object of at most 1 MiB, with no character that SQS forbids in a message.
fn check_body(body: &[u8]) -> Result<(), JobError> {
    if body.len() > limits::MESSAGE_BYTES {
        return Err(failure::too_large());
    }
    let not_json = |message: String| bad_request("InvalidJson", message);
    let text = std::str::from_utf8(body).map_err(|error| {
        let (line, column) = place(&body[..error.valid_up_to()]);
        not_json(format!("The body is not UTF-8 at line {line}, column {column}."))
    })?;
    if text.trim_ascii().is_empty() {
        return Err(not_json("The body is empty; a job is a JSON object.".into()));
    }
    // Keys and values are looked through and thrown away: what is stored are the bytes.
    if let Err(error) = serde_json::from_str::<BTreeMap<IgnoredKey, IgnoredAny>>(text) {
        return Err(not_json(explain_json(&error, text)));
    }
    match sqs::first_forbidden_character(text) {
        None => Ok(()),
        Some(c) => Err(bad_request(
            "InvalidMessageContents",
            format!("The body has the character #x{:x}, which no message may have.", u32::from(c)),
        )),
    }
}

/// A key of an object, not kept: all are the same, so that the map has one entry however many keys come.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct IgnoredKey;

impl<'de> serde::Deserialize<'de> for IgnoredKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| IgnoredKey)
    }
}

fn explain_json(error: &serde_json::Error, text: &str) -> String {
    use serde_json::error::Category;
    if error.classify() == Category::Data {
        let first = text.trim_ascii_start().chars().next().unwrap_or(' ');
        let found = match first {
            '[' => "an array",
            '"' => "a text",
            't' | 'f' => "true or false",
            'n' => "null",
            _ => "a number",
        };
        return format!("The body is {found}; a job is a JSON object, as {{\"task\":\"resize\"}}.");
    }
    // The parser's own text ends in the place.
    format!("The body is not valid JSON: {error}.")
}

/// Line and column (in characters) behind these bytes, both from 1.
fn place(before: &[u8]) -> (usize, usize) {
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let lines = before.iter().filter(|b| **b == b'\n').count();
    (lines + 1, String::from_utf8_lossy(&before[line_start..]).chars().count() + 1)
}

/// The delay that the request or else the configuration gives; `None`: the queue's own.
fn delay_ms(exchange: &Exchange<'_>) -> Result<Option<u64>, JobError> {
    const KNOWN: &str = "delay_seconds";
    let parameters = Parameters::of(exchange.incoming.uri);
    if let Some(unknown) = parameters.unknown(&[KNOWN]) {
        return Err(bad_request(
            "UnknownParameter",
            format!("There is no parameter `{unknown}` here, only `{KNOWN}`."),
        ));
    }
    if let Some(repeated) = parameters.repeated() {
        return Err(bad_request("InvalidParameter", format!("The parameter `{repeated}` is given more than once.")));
    }
    let Some(text) = parameters.get(KNOWN) else { return Ok(exchange.gateway.settings.jobs.delay_ms) };
    // How long it may be is the queue's to say; no queue keeps anything longer than this.
    match text.parse().ok().filter(|seconds| limits::LONG_DELAY_S.contains(seconds)) {
        Some(seconds) => Ok(Some(seconds * 1000)),
        None => {
            let message = format!(
                "delay_seconds is a whole number of seconds from 0 to less than the queue's retention period, which is \
                 {} at most, not `{text}`.",
                limits::RETENTION_S.end()
            );
            Err(bad_request("InvalidParameter", message))
        }
    }
}

fn idempotency(exchange: &Exchange<'_>) -> Result<Option<Dedup>, JobError> {
    let Some(key) = exchange.incoming.headers.get("idempotency-key") else { return Ok(None) };
    if key.is_empty() || key.len() > 255 {
        return Err(bad_request("InvalidIdempotencyKey", "An Idempotency-Key is 1 to 255 characters long."));
    }
    let of_body = digest::half_sha256(exchange.incoming.body);
    let (first, _) = of_body.split_at(8);
    Ok(Some(Dedup::Idempotency {
        key: digest::half_sha256(key.as_bytes()),
        fingerprint: first.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte)),
        window_ms: IDEMPOTENCY_MS,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_is_no_job_is_refused_with_its_place() {
        for (body, code, says) in [
            (&b"{\"a\":1}"[..], None, ""),
            (b" {\"a\":{\"b\":[1,2,{}]},\"a\":2}\n", None, ""),
            (b"{}", None, ""),
            (b"", Some("InvalidJson"), "empty"),
            (b" \n ", Some("InvalidJson"), "empty"),
            (b"{\"a\":1,}", Some("InvalidJson"), "line 1 column 8"),
            (b"{\n  \"a\": x\n}", Some("InvalidJson"), "expected value at line 2 column 8"),
            (b"{\"a\":1} x", Some("InvalidJson"), "trailing characters at line 1 column 9"),
            (b"{\"a\":\n\xff}", Some("InvalidJson"), "line 2, column 1"),
            (b"[1]", Some("InvalidJson"), "an array"),
            (b"\"x\"", Some("InvalidJson"), "a text"),
            (b"null", Some("InvalidJson"), "null"),
            (b"7", Some("InvalidJson"), "a number"),
            ("{\"a\":\"\u{ffff}\"}".as_bytes(), Some("InvalidMessageContents"), "#xffff"),
        ] {
            let error = check_body(body).err();
            assert_eq!(error.as_ref().map(|error| error.code), code, "{:?}", String::from_utf8_lossy(body));
            if let Some(error) = error {
                assert!(error.message.contains(says), "{:?}: {}", String::from_utf8_lossy(body), error.message);
            }
        }
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(limits::MESSAGE_BYTES));
        assert_eq!(check_body(large.as_bytes()).unwrap_err().code, "JobTooLarge");
        let deep = "{\"a\":".repeat(100_000);
        assert_eq!(check_body(deep.as_bytes()).unwrap_err().code, "InvalidJson", "depth is bounded");
    }
}
