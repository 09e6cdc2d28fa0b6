//! What a message that waits carries beside its body, so that any Afterward worker knows until when, and for what.

use crate::{queue::received::Received, sqs::MessageAttributeValue};
use std::collections::BTreeMap;

type Attributes = BTreeMap<String, MessageAttributeValue>;

/// Names of attributes that start so are Afterward's own.
pub(in crate::queue) const PREFIX: &str = "afterward.";
/// Not to be handled before this, in milliseconds since 1970.
pub(in crate::queue) const DUE: &str = "afterward.due";
/// The id that the message was given first: sent on, it gets a new one from the service each time.
pub(in crate::queue) const ID: &str = "afterward.id";
/// FIFO: the group that the message joins when it is due. Until then it waits in a group of its own, and blocks nobody.
pub(in crate::queue) const GROUP: &str = "afterward.group";

/// A received message's marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::queue) struct Marks {
    pub(in crate::queue) due_ms: u64,
    pub(in crate::queue) group: Option<String>,
}

impl Marks {
    /// The marks of a message that was told to wait; `None` for all others.
    pub(in crate::queue) fn of(message: &Received) -> Option<Marks> {
        let text = |name: &str| message.message_attributes.get(name)?.string_value.clone();
        Some(Marks { due_ms: text(DUE)?.parse().ok()?, group: text(GROUP) })
    }
}

/// The id that a message was given first, where it is not the one that it has now.
pub(in crate::queue) fn first_id(message: &Received) -> Option<&str> {
    message.message_attributes.get(ID)?.string_value.as_deref()
}

/// Adds an attribute with a text.
pub(in crate::queue) fn set_text(attributes: &mut Attributes, name: &str, text: String) {
    set(attributes, name, "String", text);
}

/// Adds an attribute with a number.
pub(in crate::queue) fn set_number(attributes: &mut Attributes, name: &str, number: u64) {
    set(attributes, name, "Number", number.to_string());
}

fn set(attributes: &mut Attributes, name: &str, data_type: &str, value: String) {
    let data_type = data_type.to_owned();
    let value = MessageAttributeValue { data_type, string_value: Some(value), ..MessageAttributeValue::default() };
    attributes.insert(name.to_owned(), value);
}
