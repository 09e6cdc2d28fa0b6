//! The requests that busy callers make, lists of messages and of receipts, written from what they are about without a copy of it.
//!
//! They are what `serde` writes of the same shapes, which the tests hold them to. An entry's id is its place in the list.

use crate::{
    json::{Object, object, text},
    sqs::{MessageAttributeValue, SendMessageRequest},
};
use std::collections::BTreeMap;

/// What an entry has in JSON beside its texts, about.
const BESIDE_BYTES: usize = 64;

/// The body of a `SendMessageBatch` with these messages.
pub fn send_batch_json<'a>(
    queue_url: &str,
    messages: impl ExactSizeIterator<Item = &'a SendMessageRequest> + Clone,
) -> Vec<u8> {
    let bytes = messages.clone().map(|message| message.message_body.len() * 9 / 8).sum();
    list(queue_url, messages, bytes, |entry, message| {
        entry.text("MessageBody", &message.message_body);
        if let Some(seconds) = message.delay_seconds {
            entry.member("DelaySeconds").extend_from_slice(seconds.to_string().as_bytes());
        }
        attributes(entry, "MessageAttributes", &message.message_attributes);
        attributes(entry, "MessageSystemAttributes", &message.message_system_attributes);
        entry.optional("MessageDeduplicationId", message.message_deduplication_id.as_ref());
        entry.optional("MessageGroupId", message.message_group_id.as_ref());
    })
}

/// The body of a `DeleteMessageBatch` with these receipt handles.
pub fn delete_batch_json(queue_url: &str, receipt_handles: &[String]) -> Vec<u8> {
    let bytes = receipt_handles.iter().map(String::len).sum();
    list(queue_url, receipt_handles.iter(), bytes, |entry, handle| entry.text("ReceiptHandle", handle))
}

fn list<T>(
    queue_url: &str,
    entries: impl ExactSizeIterator<Item = T>,
    bytes: usize,
    write: impl Fn(&mut Object<'_>, T),
) -> Vec<u8> {
    let mut body = Vec::with_capacity(queue_url.len() + 64 + bytes + entries.len() * BESIDE_BYTES);
    object(&mut body, |request| {
        request.text("QueueUrl", queue_url);
        let out = request.member("Entries");
        out.push(b'[');
        for (place, entry) in entries.enumerate() {
            if place > 0 {
                out.push(b',');
            }
            object(out, |members| {
                id(members.member("Id"), place);
                write(members, entry);
            });
        }
        out.push(b']');
    });
    body
}

/// A place as an id: its digits in quotes.
fn id(out: &mut Vec<u8>, place: usize) {
    out.push(b'"');
    let mut unit = 1;
    while place / unit >= 10 {
        unit *= 10;
    }
    while unit > 0 {
        // A digit.
        out.push(b'0' + (place / unit % 10) as u8);
        unit /= 10;
    }
    out.push(b'"');
}

fn attributes(entry: &mut Object<'_>, name: &'static str, attributes: &BTreeMap<String, MessageAttributeValue>) {
    if attributes.is_empty() {
        return;
    }
    let out = entry.member(name);
    out.push(b'{');
    for (number, (name, value)) in attributes.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        text(out, name);
        out.push(b':');
        // Texts and bytes, into memory that takes all of it: there is no way to fail.
        let outcome = serde_json::to_writer(&mut *out, value);
        debug_assert!(outcome.is_ok(), "{outcome:?}");
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqs::{
        Blob, DeleteMessageBatchRequest, DeleteMessageBatchRequestEntry, SendMessageBatchRequest,
        SendMessageBatchRequestEntry,
    };

    #[test]
    fn lists_are_written_as_serde_writes_their_shapes() {
        let text = MessageAttributeValue {
            data_type: "String".into(),
            string_value: Some("\"v\"".into()),
            ..Default::default()
        };
        let bytes = MessageAttributeValue {
            data_type: "Binary".into(),
            binary_value: Some(Blob(vec![0, 255])),
            ..Default::default()
        };
        let plain = SendMessageRequest { message_body: "{\"a\":\"ü\\n\"}\n".into(), ..Default::default() };
        let full = SendMessageRequest {
            message_body: "b".repeat(100),
            delay_seconds: Some(-3),
            message_attributes: [("n\"".to_owned(), text.clone()), ("o".to_owned(), bytes)].into(),
            message_system_attributes: [("s".to_owned(), text)].into(),
            message_deduplication_id: Some("d".into()),
            message_group_id: Some("g".into()),
            ..Default::default()
        };
        for count in [0, 1, 2, 10, 11, 100, 101] {
            let messages: Vec<&SendMessageRequest> = [&plain, &full].into_iter().cycle().take(count).collect();
            let entry = |(id, message): (usize, &&SendMessageRequest)| SendMessageBatchRequestEntry {
                id: id.to_string(),
                message_body: message.message_body.clone(),
                delay_seconds: message.delay_seconds,
                message_attributes: message.message_attributes.clone(),
                message_system_attributes: message.message_system_attributes.clone(),
                message_deduplication_id: message.message_deduplication_id.clone(),
                message_group_id: message.message_group_id.clone(),
            };
            let entries = messages.iter().enumerate().map(entry).collect();
            let shape = SendMessageBatchRequest { queue_url: "u\\".into(), entries };
            let written = String::from_utf8(send_batch_json("u\\", messages.into_iter())).unwrap();
            assert_eq!(written, serde_json::to_string(&shape).unwrap());

            let handles: Vec<String> = (0..count).map(|number| format!("r\"{number}")).collect();
            let entry = |(id, handle): (usize, &String)| DeleteMessageBatchRequestEntry {
                id: id.to_string(),
                receipt_handle: handle.clone(),
            };
            let entries = handles.iter().enumerate().map(entry).collect();
            let shape = DeleteMessageBatchRequest { queue_url: "u".into(), entries };
            let written = String::from_utf8(delete_batch_json("u", &handles)).unwrap();
            assert_eq!(written, serde_json::to_string(&shape).unwrap());
        }
    }
}
