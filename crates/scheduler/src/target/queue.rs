//! A message to a queue.

use super::{invalid_input, queue_url};
use crate::{InvalidDefinition, TargetDefinition, placeholders::Placeholders};
use afterward_broker::{Attribute, AttributeValue};
use afterward_names::{DeduplicationId, GroupId, QueueAddress, ScheduleAddress, limits};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A queue and what is sent to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct QueueTarget {
    pub(crate) queue: QueueAddress,
    pub(crate) message: MessageTemplate,
}

/// A message in which keywords may still stand.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct MessageTemplate {
    /// `None`: the default notification.
    pub(crate) body: Option<String>,
    pub(crate) group: Option<GroupId>,
    pub(crate) deduplication_id: Option<String>,
    pub(crate) delay_ms: Option<u64>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) trace_header: Option<String>,
}

/// The input of `aws-sdk:sqs:sendMessage`: SendMessage's parameters.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct UniversalSend {
    queue_url: String,
    message_body: String,
    delay_seconds: Option<u64>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
    #[serde(default)]
    message_attributes: BTreeMap<String, UniversalAttribute>,
    #[serde(default)]
    message_system_attributes: BTreeMap<String, UniversalAttribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UniversalAttribute {
    data_type: String,
    string_value: Option<String>,
    binary_value: Option<String>,
}

impl QueueTarget {
    /// The queue is the target itself, and the input the message's body.
    pub(super) fn templated(
        queue: QueueAddress,
        definition: &TargetDefinition,
    ) -> Result<QueueTarget, InvalidDefinition> {
        let group = definition.sqs.as_ref().and_then(|parameters| parameters.message_group_id.as_deref());
        if queue.name.is_fifo() && group.is_none() {
            return Err(InvalidDefinition::Parameter(
                "A FIFO queue without SqsParameters.MessageGroupId",
                definition.arn.clone(),
            ));
        }
        let wrong = |_| InvalidDefinition::Parameter("This MessageGroupId", definition.arn.clone());
        let group = group.map(str::parse).transpose().map_err(wrong)?;
        let body = definition.input.clone().filter(|input| !input.is_empty());
        checked_body(definition, body.as_deref().unwrap_or("default"))?;
        Ok(QueueTarget { queue, message: MessageTemplate { body, group, ..MessageTemplate::default() } })
    }

    /// The input is the whole of SendMessage's parameters.
    pub(super) fn universal(
        schedule: &ScheduleAddress,
        definition: &TargetDefinition,
    ) -> Result<QueueTarget, InvalidDefinition> {
        let wrong = |why: String| invalid_input(definition, why);
        let input = definition.input.as_deref().unwrap_or_default();
        let send: UniversalSend = serde_json::from_str(input)
            .map_err(|error| wrong(format!("it is not the JSON of SendMessage's parameters: {error}")))?;
        let queue = queue_url::queue(&send.queue_url, schedule)
            .ok_or_else(|| wrong(format!("{} is not the URL of a queue", send.queue_url)))?;
        if let Some(id) = &send.message_deduplication_id
            && Placeholders::any().fill(id).parse::<DeduplicationId>().is_err()
        {
            return Err(wrong("MessageDeduplicationId is 1 to 128 letters, digits and punctuation characters".into()));
        }
        if send.delay_seconds.is_some_and(|seconds| !limits::DELAY_S.contains(&seconds)) {
            return Err(wrong("DelaySeconds is 0 to 900".into()));
        }
        checked_body(definition, &send.message_body)?;
        let group = send.message_group_id.as_deref().map(str::parse).transpose();
        let message = MessageTemplate {
            group: group
                .map_err(|_| wrong("MessageGroupId is 1 to 128 letters, digits and punctuation characters".into()))?,
            trace_header: trace_header(send.message_system_attributes).map_err(wrong)?,
            attributes: attributes(send.message_attributes).map_err(wrong)?,
            body: Some(send.message_body),
            deduplication_id: send.message_deduplication_id,
            delay_ms: send.delay_seconds.map(|seconds| seconds * 1000),
        };
        Ok(QueueTarget { queue, message })
    }
}

/// What SendMessage says of bodies: not empty, at most 1 MiB, and of XML 1.0's characters.
fn checked_body(definition: &TargetDefinition, body: &str) -> Result<(), InvalidDefinition> {
    let forbidden = |c: char| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
    match body {
        "" => Err(invalid_input(definition, "the message's body is empty")),
        _ if body.len() > limits::MESSAGE_BYTES => {
            Err(invalid_input(definition, "the message is larger than 1048576 bytes"))
        }
        _ if body.contains(forbidden) => {
            Err(invalid_input(definition, "the message has a control character, which SQS does not take"))
        }
        _ => Ok(()),
    }
}

fn attributes(given: BTreeMap<String, UniversalAttribute>) -> Result<Vec<Attribute>, String> {
    if given.len() > limits::MESSAGE_ATTRIBUTES {
        return Err(format!("a message has at most {} attributes", limits::MESSAGE_ATTRIBUTES));
    }
    given.into_iter().map(|(name, attribute)| checked_attribute(name, attribute)).collect()
}

fn checked_attribute(name: String, attribute: UniversalAttribute) -> Result<Attribute, String> {
    let named = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if name.is_empty() || name.len() > 256 || !name.bytes().all(named) {
        return Err(format!("\"{name}\" is not the name of an attribute"));
    }
    let kind = attribute.data_type.split('.').next().unwrap_or_default();
    let value = match (kind, attribute.string_value, attribute.binary_value) {
        ("String", Some(text), None) if !text.is_empty() => AttributeValue::String(text.into()),
        ("Number", Some(text), None) if text.parse::<f64>().is_ok() => AttributeValue::String(text.into()),
        ("Binary", None, Some(text)) => {
            let bytes = STANDARD.decode(text).map_err(|_| format!("attribute {name}: BinaryValue is not base64"))?;
            AttributeValue::Binary(bytes.into())
        }
        _ => return Err(format!("attribute {name}: DataType and value don't go together")),
    };
    Ok(Attribute { name: name.into(), data_type: attribute.data_type.into(), value })
}

fn trace_header(mut given: BTreeMap<String, UniversalAttribute>) -> Result<Option<String>, String> {
    let header = given.remove("AWSTraceHeader");
    match given.keys().next() {
        Some(other) => Err(format!("{other} is not a system attribute that can be sent")),
        None => Ok(header.and_then(|attribute| attribute.string_value)),
    }
}
