//! The results that busy queues write, member by member.
//!
//! They are what `serde` writes of the same shapes, which the tests hold them to; the rest of the results is left to it.

use crate::{
    json::{Object, array, object},
    sqs::{BatchResultErrorEntry, Message, Response, SendMessageBatchResultEntry, SendMessageResult},
};
use serde::Serialize;

/// Writes the result, if it is one of these.
pub(super) fn write(out: &mut Vec<u8>, response: &Response) -> bool {
    match response {
        Response::SendMessage(result) => object(out, |object| sent(object, result)),
        Response::SendMessageBatch(result) => batch(out, &result.successful, sent_entry, &result.failed),
        Response::ReceiveMessage(result) => object(out, |object| list(object, "Messages", &result.messages, message)),
        Response::DeleteMessageBatch(result) => {
            batch(out, &result.successful, |entry, deleted| entry.text("Id", &deleted.id), &result.failed);
        }
        Response::ChangeMessageVisibilityBatch(result) => {
            batch(out, &result.successful, |entry, changed| entry.text("Id", &changed.id), &result.failed);
        }
        _ => return false,
    }
    true
}

fn batch<T>(
    out: &mut Vec<u8>,
    successful: &[T],
    entry: impl Fn(&mut Object<'_>, &T),
    failed: &[BatchResultErrorEntry],
) {
    object(out, |object| {
        list(object, "Successful", successful, entry);
        if !failed.is_empty() {
            by_serde(object.member("Failed"), failed);
        }
    });
}

/// Objects; left out where there are none.
fn list<T>(object: &mut Object<'_>, name: &'static str, elements: &[T], write: impl Fn(&mut Object<'_>, &T)) {
    if !elements.is_empty() {
        array(object.member(name), elements, |out, element| {
            crate::json::object(out, |object| write(object, element));
        });
    }
}

fn sent(object: &mut Object<'_>, result: &SendMessageResult) {
    object.optional("MD5OfMessageBody", result.md5_of_message_body.as_ref());
    object.optional("MD5OfMessageAttributes", result.md5_of_message_attributes.as_ref());
    object.optional("MD5OfMessageSystemAttributes", result.md5_of_message_system_attributes.as_ref());
    object.optional("MessageId", result.message_id.as_ref());
    object.optional("SequenceNumber", result.sequence_number.as_ref());
}

fn sent_entry(object: &mut Object<'_>, entry: &SendMessageBatchResultEntry) {
    object.text("Id", &entry.id);
    object.text("MessageId", &entry.message_id);
    object.text("MD5OfMessageBody", &entry.md5_of_message_body);
    object.optional("MD5OfMessageAttributes", entry.md5_of_message_attributes.as_ref());
    object.optional("MD5OfMessageSystemAttributes", entry.md5_of_message_system_attributes.as_ref());
    object.optional("SequenceNumber", entry.sequence_number.as_ref());
}

fn message(object: &mut Object<'_>, message: &Message) {
    object.optional("MessageId", message.message_id.as_ref());
    object.optional("ReceiptHandle", message.receipt_handle.as_ref());
    object.optional("MD5OfBody", message.md5_of_body.as_ref());
    object.optional("Body", message.body.as_ref());
    if !message.attributes.is_empty() {
        crate::json::object(object.member("Attributes"), |attributes| {
            message.attributes.iter().for_each(|(name, value)| attributes.entry(name, value));
        });
    }
    object.optional("MD5OfMessageAttributes", message.md5_of_message_attributes.as_ref());
    if !message.message_attributes.is_empty() {
        by_serde(object.member("MessageAttributes"), &message.message_attributes);
    }
}

fn by_serde(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    super::write(out, |out| value.serialize(out));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqs::{
        Blob, ChangeMessageVisibilityBatchResult, ChangeMessageVisibilityBatchResultEntry, DeleteMessageBatchResult,
        DeleteMessageBatchResultEntry, MessageAttributeValue, ReceiveMessageResult, SendMessageBatchResult,
    };
    use std::collections::BTreeMap;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn sends() -> [Response; 4] {
        let entry = SendMessageBatchResultEntry {
            id: "a".into(),
            message_id: "b".into(),
            md5_of_message_body: "c".into(),
            ..SendMessageBatchResultEntry::default()
        };
        let full = SendMessageBatchResultEntry {
            md5_of_message_attributes: some("d"),
            md5_of_message_system_attributes: some("e"),
            sequence_number: some("f"),
            ..entry.clone()
        };
        let failed =
            BatchResultErrorEntry { id: "\"".into(), sender_fault: true, code: "x".into(), message: some("\n") };
        [
            Response::SendMessage(SendMessageResult::default()),
            Response::SendMessage(SendMessageResult {
                md5_of_message_body: some("a"),
                md5_of_message_attributes: some("b"),
                md5_of_message_system_attributes: some("c"),
                message_id: some("d"),
                sequence_number: some("e"),
            }),
            Response::SendMessageBatch(SendMessageBatchResult::default()),
            Response::SendMessageBatch(SendMessageBatchResult {
                successful: vec![entry, full],
                failed: vec![failed.clone(), failed],
            }),
        ]
    }

    fn receives() -> [Response; 2] {
        let value = MessageAttributeValue {
            string_value: some("\u{1}"),
            binary_value: Some(Blob(vec![0, 255])),
            string_list_values: vec!["a".into()],
            binary_list_values: vec![Blob(vec![1])],
            data_type: "String".into(),
        };
        let full = Message {
            message_id: some("a"),
            receipt_handle: some("b"),
            md5_of_body: some("c"),
            body: some("{\"é\":\"\t\\\"}"),
            attributes: BTreeMap::from([("x".into(), "1".into()), ("y\"".into(), "\"2".into())]),
            md5_of_message_attributes: some("d"),
            message_attributes: BTreeMap::from([("n".into(), value.clone()), ("m".into(), value)]),
        };
        [
            Response::ReceiveMessage(ReceiveMessageResult::default()),
            Response::ReceiveMessage(ReceiveMessageResult { messages: vec![full.clone(), Message::default(), full] }),
        ]
    }

    fn batches() -> [Response; 3] {
        let failed = vec![BatchResultErrorEntry::default()];
        let deleted = DeleteMessageBatchResultEntry { id: "a".into() };
        let changed = ChangeMessageVisibilityBatchResultEntry { id: "a".into() };
        [
            Response::DeleteMessageBatch(DeleteMessageBatchResult { successful: Vec::new(), failed: failed.clone() }),
            Response::DeleteMessageBatch(DeleteMessageBatchResult { successful: vec![deleted; 2], failed: Vec::new() }),
            Response::ChangeMessageVisibilityBatch(ChangeMessageVisibilityBatchResult {
                successful: vec![changed],
                failed,
            }),
        ]
    }

    #[test]
    fn results_are_written_as_serde_writes_them() {
        for response in sends().into_iter().chain(receives()).chain(batches()) {
            let (mut ours, mut serdes) = (Vec::new(), Vec::new());
            assert!(write(&mut ours, &response), "{response:?}");
            crate::sqs::json::write(&mut serdes, |out| response.serialize(out));
            assert_eq!(String::from_utf8(ours).unwrap(), String::from_utf8(serdes).unwrap());
        }
        assert!(!write(&mut Vec::new(), &Response::DeleteMessage));
    }
}
