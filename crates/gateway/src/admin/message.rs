//! A message as a peek shows it.

use crate::{progress, time::rfc3339};
use afterward_broker::{
    Attribute, AttributeValue, Progress, StoredMessage,
    machine::{BatchTie, MessageView, Standing},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use std::collections::BTreeMap;

/// A message, and why it is being delivered or isn't.
#[derive(Debug, Serialize)]
pub(super) struct Peeked {
    id: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    receive_count: u32,
    sent_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_received_at: Option<String>,
    /// Nothing ends what is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// The batch that it is one of.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<String>,
    /// The batch that it was sent after.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deduplication_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_queue: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<progress::Shown>,
    size_bytes: usize,
    /// About how much of a reply it takes.
    #[serde(skip)]
    pub(super) reply_bytes: usize,
    body: String,
    body_is_cut: bool,
    attributes: BTreeMap<String, Shown>,
}

/// What is known of a message beside its state and content.
pub(super) struct Told {
    /// Why it failed last.
    pub(super) last_error: Option<String>,
    /// How far its holder is.
    pub(super) progress: Option<Progress>,
}

/// An attribute; a binary value in base64.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(rename = "type")]
    data_type: String,
    value: String,
}

impl Peeked {
    pub(super) fn of(
        view: &MessageView,
        stored: StoredMessage,
        told: Told,
        fifo: bool,
        max_body_bytes: usize,
    ) -> Peeked {
        let (state, until_ms) = match view.standing {
            Standing::Ready => ("ready", None),
            Standing::Delayed { until_ms } => ("delayed", Some(until_ms)),
            Standing::Leased { until_ms } => ("leased", Some(until_ms)),
            Standing::BehindGroup => ("behind_group", None),
            Standing::Held => ("held", None),
        };
        let (batch, after) = match &view.batch {
            None => (None, None),
            Some(BatchTie::In(id)) => (Some(id.to_string()), None),
            Some(BatchTie::Held(id) | BatchTie::After(id)) => (None, Some(id.to_string())),
        };
        let content = stored.content;
        let attribute_bytes: usize = content.attributes.iter().map(size_bytes).sum();
        let whole = String::from_utf8_lossy(&content.body);
        let cut = whole.floor_char_boundary(max_body_bytes);
        Peeked {
            id: view.id.to_string(),
            state,
            until: until_ms.map(rfc3339),
            receive_count: view.receive_count,
            sent_at: rfc3339(view.sent_ms),
            first_received_at: view.first_received_ms.map(rfc3339),
            expires_at: view.expires_ms.map(rfc3339),
            group: stored.group.map(|group| group.to_string()),
            batch,
            after,
            deduplication_id: content.deduplication_id.as_ref().map(ToString::to_string),
            sequence_number: fifo.then(|| crate::sqs::sequence_number(view.order)),
            source_queue: view.source.as_ref().map(ToString::to_string),
            last_error: told.last_error,
            progress: told.progress.as_ref().map(progress::Shown::of),
            size_bytes: content.body.len() + attribute_bytes,
            reply_bytes: cut + attribute_bytes,
            body: whole[..cut].into(),
            body_is_cut: cut < whole.len(),
            attributes: content.attributes.into_iter().map(shown).collect(),
        }
    }
}

/// What the attribute counts for in the message's size.
fn size_bytes(attribute: &Attribute) -> usize {
    let value = match &attribute.value {
        AttributeValue::String(text) => text.len(),
        AttributeValue::Binary(bytes) => bytes.len(),
    };
    attribute.name.len() + attribute.data_type.len() + value
}

fn shown(attribute: Attribute) -> (String, Shown) {
    let value = match attribute.value {
        AttributeValue::String(text) => text.into(),
        AttributeValue::Binary(bytes) => STANDARD.encode(&bytes),
    };
    (attribute.name.into(), Shown { data_type: attribute.data_type.into(), value })
}
