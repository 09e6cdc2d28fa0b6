//! The event that AWS Lambda hands a function for messages of a queue, member for member
//! (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>).

use afterward::sqs::{Blob, Message, MessageAttributeValue};
use serde::Serialize;
use std::{borrow::Cow, collections::BTreeMap};

/// Where the messages come from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) queue_arn: String,
    pub(super) region: String,
}

/// The body of a request: `{"Records":[…]}`.
#[derive(Serialize)]
pub(super) struct Event<'a> {
    #[serde(rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    message_id: &'a str,
    receipt_handle: &'a str,
    body: &'a str,
    attributes: &'a BTreeMap<Cow<'static, str>, String>,
    message_attributes: BTreeMap<&'a str, Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5_of_message_attributes: Option<&'a str>,
    md5_of_body: &'a str,
    event_source: &'static str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: &'a str,
    aws_region: &'a str,
}

/// A message attribute. Lambda writes the two lists, which SQS does not fill, and leaves out the value that is not there.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Value<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<&'a Blob>,
    string_list_values: &'a [String],
    binary_list_values: &'a [Blob],
    data_type: &'a str,
}

impl<'a> Event<'a> {
    pub(super) fn of(messages: &'a [Message], origin: &'a Origin) -> Event<'a> {
        Event { records: messages.iter().map(|message| record(message, origin)).collect() }
    }
}

fn record<'a>(message: &'a Message, origin: &'a Origin) -> Record<'a> {
    let attributes = message.message_attributes.iter();
    Record {
        message_id: message.message_id.as_deref().unwrap_or_default(),
        receipt_handle: message.receipt_handle.as_deref().unwrap_or_default(),
        body: message.body.as_deref().unwrap_or_default(),
        attributes: &message.attributes,
        message_attributes: attributes.map(|(name, of)| (name.as_str(), value(of))).collect(),
        md5_of_message_attributes: message.md5_of_message_attributes.as_deref(),
        md5_of_body: message.md5_of_body.as_deref().unwrap_or_default(),
        event_source: "aws:sqs",
        event_source_arn: &origin.queue_arn,
        aws_region: &origin.region,
    }
}

fn value(of: &MessageAttributeValue) -> Value<'_> {
    Value {
        string_value: of.string_value.as_deref(),
        binary_value: of.binary_value.as_ref(),
        string_list_values: &of.string_list_values,
        binary_list_values: &of.binary_list_values,
        data_type: &of.data_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_the_record_that_a_function_knows() {
        let number =
            MessageAttributeValue { string_value: Some("7".into()), data_type: "Number".into(), ..Default::default() };
        let message = Message {
            message_id: Some("0a0b".into()),
            receipt_handle: Some("handle".into()),
            md5_of_body: Some("49f68a5c8493ec2c0bf489821c21fc3b".into()),
            body: Some("hi".into()),
            attributes: [("ApproximateReceiveCount".into(), "2".to_owned())].into(),
            message_attributes: [("n".to_owned(), number)].into(),
            ..Default::default()
        };
        let origin = Origin { queue_arn: "arn:aws:sqs:us-east-1:000000000000:jobs".into(), region: "us-east-1".into() };
        let written = serde_json::to_value(Event::of(&[message], &origin)).unwrap();
        let expected = serde_json::json!({"Records": [{
            "messageId": "0a0b",
            "receiptHandle": "handle",
            "body": "hi",
            "attributes": {"ApproximateReceiveCount": "2"},
            "messageAttributes": {
                "n": {"stringValue": "7", "stringListValues": [], "binaryListValues": [], "dataType": "Number"}
            },
            "md5OfBody": "49f68a5c8493ec2c0bf489821c21fc3b",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:jobs",
            "awsRegion": "us-east-1"
        }]});
        assert_eq!(written, expected);
    }
}
