//! What an answer says of the messages of its request.
//!
//! The rules are those of a Lambda event source with `ReportBatchItemFailures`
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>): a list of failures names the messages
//! that come again; a list that makes no sense fails them all, for what it meant is unknown. Where the answer has no such
//! list, its status alone counts.

use http::StatusCode;
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

/// Judges the answer to a request with the messages `ids`.
pub(super) fn of(status: StatusCode, body: &[u8], ids: &[&str]) -> Verdict {
    if !status.is_success() {
        return Verdict::None(refused(status, body));
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(members)) => members.get("batchItemFailures").map_or(Verdict::Done, |list| listed(list, ids)),
        // `ok`, a number, nothing at all: a handler that says 200 and reports no failures.
        _ => Verdict::Done,
    }
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
    let text = String::from_utf8_lossy(body);
    let text: String = text.trim().chars().take(QUOTED_CHARS).collect();
    if text.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_which_messages_come_again() {
        let some = |ids: &[&str]| Verdict::Some(ids.iter().map(|&id| id.to_owned()).collect());
        for (body, expected) in [
            ("", Verdict::Done),
            ("ok", Verdict::Done),
            ("null", Verdict::Done),
            (r#"{"statusCode":200}"#, Verdict::Done),
            (r#"{"batchItemFailures":[]}"#, Verdict::Done),
            (r#"{"batchItemFailures":null}"#, Verdict::Done),
            (r#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#, some(&["a"])),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"a"},{"itemIdentifier":"b"}]}"#,
                some(&["a", "b"]),
            ),
        ] {
            assert_eq!(of(StatusCode::OK, body.as_bytes(), &["a", "b"]), expected, "{body}");
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
        ] {
            match of(StatusCode::OK, body.as_bytes(), &["a", "b"]) {
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
            assert_eq!(of(status, body.as_bytes(), &["a"]), Verdict::None(expected));
        }
    }
}
