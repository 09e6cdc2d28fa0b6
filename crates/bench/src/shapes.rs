//! The JSON of the few actions that are measured: requests as text, answers as borrowed structures.
//!
//! They are the benchmark's own, written from the service's reference and not shared with the server: a mistake in the
//! server's shapes must not be a mistake of its client, too.

use serde::Deserialize;
use std::{borrow::Cow, fmt::Write};

/// What the bare server calls every message's digest.
pub(crate) const CANNED_MD5: &str = "fafb00f5732ab283681e124bf8747ed1";

/// Stands where a message's group is written.
pub(crate) const GROUP: &str = "group-________";

#[derive(Deserialize)]
pub(crate) struct Sent<'a> {
    #[serde(borrow, rename = "MessageId")]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow, rename = "MD5OfMessageBody")]
    pub(crate) md5: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(crate) struct SentEntry<'a> {
    #[serde(borrow, rename = "Id")]
    pub(crate) entry: Cow<'a, str>,
    #[serde(borrow, rename = "MessageId")]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow, rename = "MD5OfMessageBody")]
    pub(crate) md5: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(crate) struct SentBatch<'a> {
    #[serde(borrow, default, rename = "Successful")]
    pub(crate) successful: Vec<SentEntry<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Received<'a> {
    #[serde(borrow, default, rename = "Messages")]
    pub(crate) messages: Option<Vec<Message<'a>>>,
}

#[derive(Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(borrow, rename = "Body")]
    pub(crate) body: Cow<'a, str>,
    #[serde(borrow, rename = "MD5OfBody")]
    pub(crate) md5: Cow<'a, str>,
    #[serde(borrow, rename = "ReceiptHandle")]
    pub(crate) receipt: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(crate) struct Deleted {
    #[serde(default, rename = "Successful")]
    pub(crate) successful: Vec<serde::de::IgnoredAny>,
}

/// SendMessage; `grouped` leaves a place for the message's group.
pub(crate) fn send(queue_url: &str, body: &str, grouped: bool) -> String {
    format!(r#"{{"QueueUrl":"{queue_url}","MessageBody":"{body}"{}}}"#, group(grouped))
}

/// SendMessageBatch of `count` entries, named by their numbers from 0.
pub(crate) fn send_batch(queue_url: &str, body: &str, grouped: bool, count: usize) -> String {
    let entry = |at: usize| format!(r#"{{"Id":"{at}","MessageBody":"{body}"{}}}"#, group(grouped));
    let entries: Vec<String> = (0..count).map(entry).collect();
    format!(r#"{{"QueueUrl":"{queue_url}","Entries":[{}]}}"#, entries.join(","))
}

fn group(grouped: bool) -> String {
    if grouped { format!(r#","MessageGroupId":"{GROUP}""#) } else { String::new() }
}

/// ReceiveMessage.
pub(crate) fn receive(queue_url: &str, max: usize, wait_s: u32, visibility_s: Option<u32>) -> String {
    let mut json = format!(r#"{{"QueueUrl":"{queue_url}","MaxNumberOfMessages":{max},"WaitTimeSeconds":{wait_s}"#);
    if let Some(seconds) = visibility_s {
        let _ = write!(json, r#","VisibilityTimeout":{seconds}"#);
    }
    json.push('}');
    json
}

/// DeleteMessage, into `out`.
pub(crate) fn delete(queue_url: &str, receipt: &str, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(br#"{"QueueUrl":""#);
    out.extend_from_slice(queue_url.as_bytes());
    out.extend_from_slice(br#"","ReceiptHandle":"#);
    quote(receipt, out);
    out.push(b'}');
}

/// DeleteMessageBatch, into `out`.
pub(crate) fn delete_batch<'a>(queue_url: &str, receipts: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(br#"{"QueueUrl":""#);
    out.extend_from_slice(queue_url.as_bytes());
    out.extend_from_slice(br#"","Entries":["#);
    for (at, receipt) in receipts.enumerate() {
        out.extend_from_slice(if at > 0 { b",{\"Id\":\"" } else { b"{\"Id\":\"" });
        out.extend_from_slice(at.to_string().as_bytes());
        out.extend_from_slice(br#"","ReceiptHandle":"#);
        quote(receipt, out);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

/// A JSON string. Receipt handles are opaque: other servers' may hold anything.
fn quote(text: &str, out: &mut Vec<u8>) {
    if text.bytes().all(|byte| byte >= b' ' && !matches!(byte, b'"' | b'\\')) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
    }
}
