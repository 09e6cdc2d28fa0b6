//! A message to a queue.

use super::{
    invalid_input, queue_url,
    template::{AttributeTemplate, MessageTemplate},
};
use crate::{InvalidDefinition, TargetDefinition, placeholders::Placeholders};
use afterward_names::{QueueAddress, ScheduleAddress, limits};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A queue and what is sent to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct QueueTarget {
    pub(crate) queue: QueueAddress,
    pub(crate) message: MessageTemplate,
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
        schedule: &ScheduleAddress,
        definition: &TargetDefinition,
    ) -> Result<QueueTarget, InvalidDefinition> {
        let group = definition.sqs.as_ref().and_then(|parameters| parameters.message_group_id.clone());
        if queue.name.is_fifo() && group.is_none() {
            return Err(InvalidDefinition::Parameter(
                "A FIFO queue without SqsParameters.MessageGroupId",
                definition.arn.clone(),
            ));
        }
        let body = definition.input.clone().filter(|input| !input.is_empty());
        QueueTarget { queue, message: MessageTemplate { body, group, ..MessageTemplate::default() } }
            .checked(schedule, definition)
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
        if send.delay_seconds.is_some_and(|seconds| !limits::DELAY_S.contains(&seconds)) {
            return Err(wrong("DelaySeconds is 0 to 900".into()));
        }
        let message = MessageTemplate {
            body: Some(send.message_body),
            group: send.message_group_id,
            deduplication_id: send.message_deduplication_id,
            delay_ms: send.delay_seconds.map(|seconds| seconds * 1000),
            attributes: attributes(send.message_attributes).map_err(wrong)?,
            system_attributes: attributes(send.message_system_attributes).map_err(wrong)?,
        };
        QueueTarget { queue, message }.checked(schedule, definition)
    }

    /// The same, if its message can be sent once its keywords are filled in.
    fn checked(
        self,
        schedule: &ScheduleAddress,
        definition: &TargetDefinition,
    ) -> Result<QueueTarget, InvalidDefinition> {
        match self.message.filled(&Placeholders::of(schedule)) {
            Ok(_) => Ok(self),
            Err(why) => Err(invalid_input(definition, why)),
        }
    }
}

fn attributes(given: BTreeMap<String, UniversalAttribute>) -> Result<Vec<AttributeTemplate>, String> {
    let attributes = given.into_iter().map(|(name, UniversalAttribute { data_type, string_value, binary_value })| {
        let binary = binary_value.map(|text| STANDARD.decode(text)).transpose();
        let binary = binary.map_err(|_| format!("attribute {name}: BinaryValue is not base64"))?;
        Ok(AttributeTemplate { name, data_type, string: string_value, binary })
    });
    attributes.collect()
}
