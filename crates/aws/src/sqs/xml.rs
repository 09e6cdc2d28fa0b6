//! The Query protocol's results in XML: lists and maps flattened, by the element names of the SQS model of before
//! November 2023.

use super::*;
use crate::xml::{Writer, metadata};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::BTreeMap;

/// The namespace of every document.
pub(super) const NAMESPACE: &str = "http://queue.amazonaws.com/doc/2012-11-05/";

/// A result as XML.
pub(super) fn body(response: &Response, request_id: &str) -> String {
    let mut writer = Writer::new(text_bytes(response));
    let action = response.action().name();
    writer.root(&format!("{action}Response"), NAMESPACE, |writer| {
        if response.has_result() {
            writer.element(&format!("{action}Result"), |writer| result(writer, response));
        }
        metadata(writer, request_id);
    });
    writer.finish()
}

fn text_bytes(response: &Response) -> usize {
    match response {
        Response::ReceiveMessage(result) => result
            .messages
            .iter()
            .map(|message| 1024 + message.body.as_ref().map_or(0, |body| body.len() * 9 / 8))
            .sum(),
        _ => 0,
    }
}

fn result(writer: &mut Writer, response: &Response) {
    match response {
        Response::SendMessage(result) => sent(writer, result),
        Response::SendMessageBatch(result) => {
            for entry in &result.successful {
                writer.element("SendMessageBatchResultEntry", |writer| sent_entry(writer, entry));
            }
            failed(writer, &result.failed);
        }
        Response::ReceiveMessage(result) => {
            for received in &result.messages {
                writer.element("Message", |writer| message(writer, received));
            }
        }
        Response::DeleteMessageBatch(result) => {
            for entry in &result.successful {
                writer.element("DeleteMessageBatchResultEntry", |writer| writer.text("Id", &entry.id));
            }
            failed(writer, &result.failed);
        }
        Response::ChangeMessageVisibilityBatch(result) => {
            for entry in &result.successful {
                writer.element("ChangeMessageVisibilityBatchResultEntry", |writer| writer.text("Id", &entry.id));
            }
            failed(writer, &result.failed);
        }
        Response::CreateQueue(result) => writer.optional("QueueUrl", result.queue_url.as_ref()),
        Response::GetQueueUrl(result) => writer.optional("QueueUrl", result.queue_url.as_ref()),
        Response::GetQueueAttributes(result) => map(writer, "Attribute", "Name", &result.attributes),
        Response::ListQueueTags(result) => map(writer, "Tag", "Key", &result.tags),
        Response::ListQueues(result) => urls(writer, &result.queue_urls, result.next_token.as_ref()),
        Response::ListDeadLetterSourceQueues(result) => urls(writer, &result.queue_urls, result.next_token.as_ref()),
        Response::StartMessageMoveTask(result) => writer.optional("TaskHandle", result.task_handle.as_ref()),
        Response::CancelMessageMoveTask(result) => {
            writer.number("ApproximateNumberOfMessagesMoved", result.approximate_number_of_messages_moved);
        }
        Response::ListMessageMoveTasks(result) => {
            for task in &result.results {
                writer.element("ListMessageMoveTasksResultEntry", |writer| move_task(writer, task));
            }
        }
        // Those that have none.
        Response::AddPermission
        | Response::ChangeMessageVisibility
        | Response::DeleteMessage
        | Response::DeleteQueue
        | Response::PurgeQueue
        | Response::RemovePermission
        | Response::SetQueueAttributes
        | Response::TagQueue
        | Response::UntagQueue => {}
    }
}

fn sent(writer: &mut Writer, result: &SendMessageResult) {
    writer.optional("MessageId", result.message_id.as_ref());
    writer.optional("MD5OfMessageBody", result.md5_of_message_body.as_ref());
    writer.optional("MD5OfMessageAttributes", result.md5_of_message_attributes.as_ref());
    writer.optional("MD5OfMessageSystemAttributes", result.md5_of_message_system_attributes.as_ref());
    writer.optional("SequenceNumber", result.sequence_number.as_ref());
}

fn sent_entry(writer: &mut Writer, entry: &SendMessageBatchResultEntry) {
    writer.text("Id", &entry.id);
    writer.text("MessageId", &entry.message_id);
    writer.text("MD5OfMessageBody", &entry.md5_of_message_body);
    writer.optional("MD5OfMessageAttributes", entry.md5_of_message_attributes.as_ref());
    writer.optional("MD5OfMessageSystemAttributes", entry.md5_of_message_system_attributes.as_ref());
    writer.optional("SequenceNumber", entry.sequence_number.as_ref());
}

fn failed(writer: &mut Writer, entries: &[BatchResultErrorEntry]) {
    for entry in entries {
        writer.element("BatchResultErrorEntry", |writer| {
            writer.text("Id", &entry.id);
            writer.text("Code", &entry.code);
            writer.optional("Message", entry.message.as_ref());
            writer.text("SenderFault", if entry.sender_fault { "true" } else { "false" });
        });
    }
}

fn message(writer: &mut Writer, message: &Message) {
    writer.optional("MessageId", message.message_id.as_ref());
    writer.optional("ReceiptHandle", message.receipt_handle.as_ref());
    writer.optional("MD5OfBody", message.md5_of_body.as_ref());
    writer.optional("MD5OfMessageAttributes", message.md5_of_message_attributes.as_ref());
    writer.optional("Body", message.body.as_ref());
    map(writer, "Attribute", "Name", &message.attributes);
    for (name, value) in &message.message_attributes {
        writer.element("MessageAttribute", |writer| {
            writer.text("Name", name);
            writer.element("Value", |writer| attribute_value(writer, value));
        });
    }
}

fn attribute_value(writer: &mut Writer, value: &MessageAttributeValue) {
    writer.optional("StringValue", value.string_value.as_ref());
    if let Some(Blob(bytes)) = &value.binary_value {
        writer.text("BinaryValue", &STANDARD.encode(bytes));
    }
    for text in &value.string_list_values {
        writer.text("StringListValue", text);
    }
    for Blob(bytes) in &value.binary_list_values {
        writer.text("BinaryListValue", &STANDARD.encode(bytes));
    }
    writer.text("DataType", &value.data_type);
}

fn map(writer: &mut Writer, element: &str, key: &str, entries: &BTreeMap<impl AsRef<str>, String>) {
    for (name, value) in entries {
        writer.element(element, |writer| {
            writer.text(key, name.as_ref());
            writer.text("Value", value);
        });
    }
}

fn urls(writer: &mut Writer, urls: &[String], next_token: Option<&String>) {
    for url in urls {
        writer.text("QueueUrl", url);
    }
    writer.optional("NextToken", next_token);
}

fn move_task(writer: &mut Writer, task: &ListMessageMoveTasksResultEntry) {
    writer.optional("TaskHandle", task.task_handle.as_ref());
    writer.optional("Status", task.status.as_ref());
    writer.optional("SourceArn", task.source_arn.as_ref());
    writer.optional("DestinationArn", task.destination_arn.as_ref());
    writer.number("MaxNumberOfMessagesPerSecond", task.max_number_of_messages_per_second);
    writer.number("ApproximateNumberOfMessagesMoved", task.approximate_number_of_messages_moved);
    writer.number("ApproximateNumberOfMessagesToMove", task.approximate_number_of_messages_to_move);
    writer.optional("FailureReason", task.failure_reason.as_ref());
    writer.number("StartedTimestamp", task.started_timestamp);
}
