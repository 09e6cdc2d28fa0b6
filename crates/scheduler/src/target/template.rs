//! A message in which keywords may still stand.

use crate::placeholders::Placeholders;
use afterward_broker::{Attribute, AttributeValue};
use afterward_names::{
    DeduplicationId, GroupId, limits,
    message_text::{GivenValue, check_attribute, check_characters, check_system_attribute},
};

/// What is sent, but for its keywords. They are filled in wherever a text stands, as they are in all of a target's input.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct MessageTemplate {
    /// `None`: the default notification.
    pub(crate) body: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) deduplication_id: Option<String>,
    pub(crate) delay_ms: Option<u64>,
    pub(crate) attributes: Vec<AttributeTemplate>,
    pub(crate) system_attributes: Vec<AttributeTemplate>,
}

/// An attribute in which keywords may still stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct AttributeTemplate {
    pub(crate) name: String,
    pub(crate) data_type: String,
    pub(crate) string: Option<String>,
    pub(crate) binary: Option<Vec<u8>>,
}

/// A message that can be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Filled {
    /// `None`: the default notification.
    pub(crate) body: Option<String>,
    pub(crate) group: Option<GroupId>,
    pub(crate) deduplication_id: Option<DeduplicationId>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) trace_header: Option<Box<str>>,
}

impl MessageTemplate {
    /// The message with what its keywords stand for.
    ///
    /// # Errors
    /// SendMessage would not take it; what is wrong.
    pub(crate) fn filled(&self, placeholders: &Placeholders) -> Result<Filled, String> {
        let fill = |text: &String| placeholders.fill(text);
        let not_an_id = |name| format!("{name} is 1 to 128 letters, digits and punctuation characters");
        let body = self.body.as_ref().map(fill);
        if let Some(body) = &body {
            check_body(body)?;
        }
        if self.attributes.len() > limits::MESSAGE_ATTRIBUTES {
            return Err(format!("a message has at most {} attributes", limits::MESSAGE_ATTRIBUTES));
        }
        let (group, id) = (self.group.as_ref().map(fill), self.deduplication_id.as_ref().map(fill));
        Ok(Filled {
            body,
            group: group.map(|text| text.parse()).transpose().map_err(|_| not_an_id("MessageGroupId"))?,
            deduplication_id: id
                .map(|text| text.parse())
                .transpose()
                .map_err(|_| not_an_id("MessageDeduplicationId"))?,
            attributes: self.attributes.iter().map(|of| of.filled(placeholders)).collect::<Result<_, _>>()?,
            trace_header: self.trace_header(placeholders)?,
        })
    }

    fn trace_header(&self, placeholders: &Placeholders) -> Result<Option<Box<str>>, String> {
        let mut header = None;
        for attribute in &self.system_attributes {
            let AttributeTemplate { name, data_type, string, binary } = attribute.with_keywords_filled(placeholders);
            let given = GivenValue { data_type: &data_type, string: string.as_deref(), binary: binary.as_deref() };
            check_system_attribute(&name, given).map_err(|wrong| wrong.to_string())?;
            header = string.map(Into::into);
        }
        Ok(header)
    }
}

impl AttributeTemplate {
    fn with_keywords_filled(&self, placeholders: &Placeholders) -> AttributeTemplate {
        AttributeTemplate {
            name: placeholders.fill(&self.name),
            data_type: placeholders.fill(&self.data_type),
            string: self.string.as_ref().map(|text| placeholders.fill(text)),
            binary: self.binary.clone(),
        }
    }

    fn filled(&self, placeholders: &Placeholders) -> Result<Attribute, String> {
        let AttributeTemplate { name, data_type, string, binary } = self.with_keywords_filled(placeholders);
        let given = GivenValue { data_type: &data_type, string: string.as_deref(), binary: binary.as_deref() };
        check_attribute(&name, given).map_err(|wrong| wrong.to_string())?;
        let value = match string {
            Some(text) => AttributeValue::String(text.into()),
            None => AttributeValue::Binary(binary.unwrap_or_default().into()),
        };
        Ok(Attribute { name: name.into(), data_type: data_type.into(), value })
    }
}

/// What SendMessage says of bodies: not empty, at most 1 MiB, and of XML 1.0's characters.
fn check_body(body: &str) -> Result<(), String> {
    match body {
        "" => Err("the message's body is empty".to_owned()),
        _ if body.len() > limits::MESSAGE_BYTES => {
            Err(format!("the message is larger than {} bytes", limits::MESSAGE_BYTES))
        }
        _ => check_characters(body, "the message body").map_err(|wrong| wrong.to_string()),
    }
}
