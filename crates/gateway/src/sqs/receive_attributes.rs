//! Which attributes a receive returns.

use super::{batched, message::sequence_number};
use afterward_aws::{
    Error,
    sqs::{Blob, MessageAttributeValue},
};
use afterward_broker::{Attribute, AttributeValue, Received};
use std::{borrow::Cow, collections::BTreeMap};

/// `MessageSystemAttributeName` of the model, but for `All`, and two of ours.
const NAMES: [&str; 11] = [
    "AfterwardAfter",
    "AfterwardBatch",
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
];

/// The system attributes that are wanted: a flag for each of [`NAMES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SystemAttributes([bool; NAMES.len()]);

impl SystemAttributes {
    /// Those that a request names: `AttributeNames` is what older SDKs say, `MessageSystemAttributeNames` what newer
    /// ones do. An unknown name is an error.
    pub(super) fn asked_for(older: &[String], newer: &[String]) -> Result<SystemAttributes, Error> {
        let mut wanted = SystemAttributes([false; NAMES.len()]);
        for name in older.iter().chain(newer) {
            match NAMES.iter().position(|known| known == name) {
                Some(at) => wanted.0[at] = true,
                None if name == "All" => wanted = SystemAttributes([true; NAMES.len()]),
                None => return Err(Error::invalid_attribute_name(name)),
            }
        }
        Ok(wanted)
    }

    /// Those of a message that are wanted and that it has.
    pub(super) fn of(&self, received: &Received, fifo: bool) -> BTreeMap<Cow<'static, str>, String> {
        // One by one: to collect a map sorts a list first.
        let mut attributes = BTreeMap::new();
        for (name, _) in NAMES.iter().zip(self.0).filter(|(_, wanted)| *wanted) {
            if let Some(value) = value(name, received, fifo) {
                attributes.insert(Cow::Borrowed(*name), value);
            }
        }
        attributes
    }
}

fn value(name: &str, received: &Received, fifo: bool) -> Option<String> {
    let (delivery, content) = (&received.delivery, &received.message.content);
    match name {
        "AfterwardAfter" => batched::after(delivery.batch.as_ref()).map(ToString::to_string),
        "AfterwardBatch" => batched::batch(delivery.batch.as_ref()).map(ToString::to_string),
        "ApproximateFirstReceiveTimestamp" => Some(delivery.first_received_ms.to_string()),
        "ApproximateReceiveCount" => Some(delivery.receive_count.to_string()),
        "AWSTraceHeader" => content.trace_header.as_ref().map(ToString::to_string),
        "DeadLetterQueueSourceArn" => delivery.source.as_ref().map(ToString::to_string),
        "MessageDeduplicationId" => content.deduplication_id.as_ref().map(ToString::to_string),
        "MessageGroupId" => received.message.group.as_ref().map(ToString::to_string),
        "SenderId" => Some(content.sender.to_string()),
        "SentTimestamp" => Some(delivery.sent_ms.to_string()),
        "SequenceNumber" => fifo.then(|| sequence_number(delivery.order)),
        _ => None,
    }
}

/// Which message attributes are wanted: `All` and `.*` are all of them, `prefix.*` those that begin with `prefix.`, and
/// anything else is a name. A request may name as many as fit into it, so names and prefixes are in order and looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AttributeFilter {
    all: bool,
    prefixes: Vec<String>,
    names: Vec<String>,
}

impl AttributeFilter {
    pub(super) fn of(patterns: &[String]) -> AttributeFilter {
        let mut filter = AttributeFilter { all: false, prefixes: Vec::new(), names: Vec::new() };
        for pattern in patterns {
            match pattern.strip_suffix(".*") {
                Some("") => filter.all = true,
                Some(prefix) => filter.prefixes.push(format!("{prefix}.")),
                None if pattern == "All" => filter.all = true,
                None => filter.names.push(pattern.clone()),
            }
        }
        for listed in [&mut filter.names, &mut filter.prefixes] {
            listed.sort_unstable();
            listed.dedup();
        }
        filter
    }

    fn wants(&self, name: &str) -> bool {
        let has = |listed: &[String], text: &str| listed.binary_search_by(|entry| entry.as_str().cmp(text)).is_ok();
        // Every prefix ends with a dot.
        let mut prefixes = name.match_indices('.').map(|(dot, _)| name.get(..=dot).unwrap_or_default());
        self.all || has(&self.names, name) || prefixes.any(|prefix| has(&self.prefixes, prefix))
    }

    /// Those of the attributes that are wanted, as the wire has them.
    pub(super) fn apply(&self, attributes: Vec<Attribute>) -> BTreeMap<String, MessageAttributeValue> {
        let wanted = attributes.into_iter().filter(|attribute| self.wants(&attribute.name));
        wanted.map(|attribute| (attribute.name.to_string(), on_the_wire(attribute))).collect()
    }
}

fn on_the_wire(attribute: Attribute) -> MessageAttributeValue {
    let (string_value, binary_value) = match attribute.value {
        AttributeValue::String(text) => (Some(text.into()), None),
        AttributeValue::Binary(bytes) => (None, Some(Blob(bytes.to_vec()))),
    };
    MessageAttributeValue {
        string_value,
        binary_value,
        data_type: attribute.data_type.into(),
        ..MessageAttributeValue::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_attributes_are_chosen_by_name_by_prefix_or_all() {
        let names = ["order", "order.id", "order.at", "orders", "x"];
        for (patterns, chosen) in [
            (vec![], vec![]),
            (vec!["All"], names.to_vec()),
            (vec![".*"], names.to_vec()),
            (vec!["x"], vec!["x"]),
            (vec!["order.*"], vec!["order.id", "order.at"]),
            (vec!["order", "nothing"], vec!["order"]),
            (vec!["x", "order.id", "order", "x", "order.id"], vec!["order", "order.id", "x"]),
            (vec!["z.*", "order.*", "a.*", "order.*"], vec!["order.id", "order.at"]),
        ] {
            let patterns: Vec<String> = patterns.into_iter().map(String::from).collect();
            let filter = AttributeFilter::of(&patterns);
            let kept: Vec<&str> = names.into_iter().filter(|name| filter.wants(name)).collect();
            assert_eq!(kept, chosen, "{patterns:?}");
        }
    }

    #[test]
    fn system_attributes_are_asked_for_by_either_parameter() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let all = SystemAttributes([true; NAMES.len()]);
        assert_eq!(SystemAttributes::asked_for(&names(&["All"]), &[]), Ok(all));
        assert_eq!(SystemAttributes::asked_for(&[], &names(&["SenderId", "All"])), Ok(all));
        let error = SystemAttributes::asked_for(&names(&["Policy"]), &[]).unwrap_err();
        assert_eq!(error.message, "Unknown Attribute Policy.");
    }
}
