//! What an answer says of the messages of its request.
//!
//! The rules are those of a Lambda event source with `ReportBatchItemFailures`
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>): a list of failures names the messages
//! that come again; a list that makes no sense fails them all, for what it meant is unknown, and so does an answer that is
//! meant to be JSON and is not, such as one that is cut off. An empty list, `null` for it and an empty answer are success.
//! An endpoint of the web may answer with plain text, too: then its status alone counts.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header::CONTENT_TYPE};
use serde_json::Value;
use std::collections::BTreeSet;

/// How much of an answer is quoted as the reason of a failure.
const QUOTED_CHARS: usize = 300;

/// What becomes of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All of it is done.
    Done,
    /// These message ids failed; the rest is done.
    Some(BTreeSet<String>),
    /// Nothing counts as done: why.
    None(String),
}

impl Verdict {
    /// Judges the answer to a request with the messages `ids`.
    pub(super) fn of(answer: &Response<Bytes>, ids: &[&str]) -> Verdict {
        if !answer.status().is_success() {
            return Verdict::None(refused(answer.status(), answer.body()));
        }
        let body = answer.body().trim_ascii();
        // `ok`, or nothing at all: a handler that says 200 and reports no failures.
        if body.is_empty() || !(says_json(answer.headers()) || body.starts_with(b"{") || body.starts_with(b"[")) {
            return Verdict::Done;
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(members)) => {
                members.get("batchItemFailures").map_or(Verdict::Done, |list| listed(list, ids))
            }
            Ok(Value::Array(_)) => {
                Verdict::None("the answer is a list; failures go into {\"batchItemFailures\": […]}".to_owned())
            }
            Ok(_) => Verdict::Done,
            Err(error) => Verdict::None(format!("the answer is no JSON ({error}): {}", quoted(body))),
        }
    }
}

/// Whether the answer is to be read as JSON, by its content type.
fn says_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

fn listed(list: &Value, ids: &[&str]) -> Verdict {
    let entries = match list {
        Value::Null => return Verdict::Done,
        Value::Array(entries) => entries,
        other => return Verdict::None(format!("`batchItemFailures` is no list but {other}")),
    };
    let mut failed = BTreeSet::new();
    for entry in entries {
        match entry.get("itemIdentifier").and_then(Value::as_str) {
            Some(id) if ids.contains(&id) => failed.insert(id.to_owned()),
            Some(id) => {
                return Verdict::None(format!("`batchItemFailures` names `{id}`, which is no message of the batch"));
            }
            None => return Verdict::None(format!("an entry of `batchItemFailures` has no itemIdentifier: {entry}")),
        };
    }
    if failed.is_empty() { Verdict::Done } else { Verdict::Some(failed) }
}

fn refused(status: StatusCode, body: &[u8]) -> String {
    let text = quoted(body);
    if text.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {text}") }
}

fn quoted(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim().chars().take(QUOTED_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: StatusCode, kind: &str, body: &str, ids: &[&str]) -> Verdict {
        let answer = Response::builder().status(status).header(CONTENT_TYPE, kind);
        Verdict::of(&answer.body(Bytes::copy_from_slice(body.as_bytes())).unwrap(), ids)
    }

    const JSON: &str = "application/json; charset=utf-8";
    const TEXT: &str = "text/plain";

    #[test]
    fn an_answer_says_which_messages_come_again() {
        let some = |ids: &[&str]| Verdict::Some(ids.iter().map(|&id| id.to_owned()).collect());
        for (body, expected) in [
            ("", Verdict::Done),
            ("\n", Verdict::Done),
            ("\"ok\"", Verdict::Done),
            ("null", Verdict::Done),
            ("{}", Verdict::Done),
            (r#"{"statusCode":200}"#, Verdict::Done),
            (r#"{"batchItemFailures":[]}"#, Verdict::Done),
            (r#"{"batchItemFailures":null}"#, Verdict::Done),
            (r#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#, some(&["a"])),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"a"},{"itemIdentifier":"b"}]}"#,
                some(&["a", "b"]),
            ),
        ] {
            for kind in [JSON, TEXT] {
                assert_eq!(of(StatusCode::OK, kind, body, &["a", "b"]), expected, "{kind}: {body}");
            }
        }
        assert_eq!(of(StatusCode::OK, TEXT, "ok, {done}", &["a"]), Verdict::Done);
    }

    #[test]
    fn an_answer_that_is_cut_off_or_garbled_fails_them_all() {
        for (kind, body, words) in [
            (TEXT, r#"{"batchItemFailures":[{"itemIdentifier":""#, "is no JSON"),
            (JSON, r#"{"batchItemFailures":[{"itemIdentifier":"a"}]"#, "is no JSON"),
            (TEXT, " [{", "is no JSON"),
            (TEXT, "{'batchItemFailures': []}", "{'batchItemFailures': []}"),
            (JSON, "ok", "is no JSON (expected value at line 1 column 1): ok"),
            ("application/vnd.acme+JSON", "ok", "is no JSON"),
            (JSON, r#"{"batchItemFailures":[]}{}"#, "trailing characters"),
            (TEXT, r#"[{"itemIdentifier":"a"}]"#, "the answer is a list"),
            (JSON, "[]", "the answer is a list"),
        ] {
            match of(StatusCode::OK, kind, body, &["a", "b"]) {
                Verdict::None(why) => assert!(why.contains(words), "{why}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_list_that_makes_no_sense_fails_them_all() {
        for (body, words) in [
            (r#"{"batchItemFailures":"a"}"#, "is no list"),
            (r#"{"batchItemFailures":[{"itemIdentifier":"c"}]}"#, "no message of the batch"),
            (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, "no message of the batch"),
            (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, "has no itemIdentifier"),
            (r#"{"batchItemFailures":["a"]}"#, "has no itemIdentifier"),
            (r#"{"batchItemFailures":[{"ItemIdentifier":"a"}]}"#, "has no itemIdentifier"),
        ] {
            match of(StatusCode::OK, TEXT, body, &["a", "b"]) {
                Verdict::None(why) => assert!(why.contains(words), "{why}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_refusal_is_quoted_in_short() {
        let long = "x".repeat(1000);
        for (status, body, expected) in [
            (StatusCode::BAD_GATEWAY, "", "HTTP 502 Bad Gateway".to_owned()),
            (StatusCode::INTERNAL_SERVER_ERROR, " boom\n", "HTTP 500 Internal Server Error: boom".to_owned()),
            (StatusCode::FOUND, "", "HTTP 302 Found".to_owned()),
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                &long,
                format!("HTTP 500 Internal Server Error: {}", &long[..QUOTED_CHARS]),
            ),
        ] {
            assert_eq!(of(status, TEXT, body, &["a"]), Verdict::None(expected));
        }
    }
}
