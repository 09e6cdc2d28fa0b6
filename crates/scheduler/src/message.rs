//! Messages as the broker takes them.

use crate::{execution::Execution, target::MessageTemplate};
use afterward_broker::{
    Content,
    machine::{Dedup, Send},
};
use afterward_names::{DeduplicationId, QueueAddress};
use bytes::Bytes;
use md5::Md5;
use sha2::{Digest, Sha256};

/// How long a standard queue remembers that it has been sent a message of an execution, where a crash may make us send
/// it again.
const REMEMBERED_MS: u64 = 86_400_000;

/// What a schedule's message says in its `attempt`.
///
/// # Errors
/// With its keywords filled in, SendMessage would not take it; what is wrong.
pub(crate) fn of_template(
    queue: &QueueAddress,
    template: &MessageTemplate,
    execution: &Execution,
    attempt: u32,
) -> Result<(Send, Content), String> {
    let filled = template.filled(&execution.placeholders(attempt))?;
    let body = filled.body.unwrap_or_else(|| execution.notification());
    let (mut send, mut content) = plain(queue, body, &execution.schedule.group.account.to_string());
    // A later attempt may follow one whose outcome nobody saw, so it is known again by what the first one said.
    let first = template.body.as_ref().map(|body| Bytes::from(execution.placeholders(1).fill(body)));
    (send.dedup, content.deduplication_id) =
        deduplication(queue, filled.deduplication_id.as_ref(), first.as_ref().unwrap_or(&content.body));
    send.delay_ms = template.delay_ms;
    send.group = filled.group;
    content.attributes = filled.attributes;
    content.trace_header = filled.trace_header;
    send.size_bytes += attributes_bytes(&content);
    Ok((send, content))
}

/// A message of nothing but a body.
pub(crate) fn plain(queue: &QueueAddress, body: String, sender: &str) -> (Send, Content) {
    let send = Send {
        queue: queue.clone(),
        size_bytes: u32::try_from(body.len()).unwrap_or(u32::MAX),
        delay_ms: None,
        group: None,
        dedup: None,
        job: false,
        batch: None,
    };
    let content = Content {
        body_md5: Md5::digest(&body).into(),
        body: Bytes::from(body),
        attributes: Vec::new(),
        sender: sender.into(),
        deduplication_id: None,
        trace_header: None,
    };
    (send, content)
}

/// Lets a standard queue take this message of `execution` once, however often it is sent and whatever its attempt's number
/// is. A FIFO queue sees to that itself.
pub(crate) fn only_once((send, _): &mut (Send, Content), execution: &Execution, purpose: &str) {
    if send.dedup.is_none() {
        let key = format!("{} {} {purpose}", execution.schedule.arn(), execution.id);
        send.dedup = Some(Dedup::Idempotency {
            key: half_sha256(key.as_bytes()),
            // An execution has one message for each purpose; what tells its attempts apart must not make two of it.
            fingerprint: crate::hash::hash(&[key.as_bytes()]),
            window_ms: REMEMBERED_MS,
        });
    }
}

/// What attributes count for in a message's size: names, types and values.
pub(crate) fn attributes_bytes(content: &Content) -> u32 {
    let bytes = content.attributes.iter().map(|attribute| {
        let value = match &attribute.value {
            afterward_broker::AttributeValue::String(text) => text.len(),
            afterward_broker::AttributeValue::Binary(bytes) => bytes.len(),
        };
        attribute.name.len() + attribute.data_type.len() + value
    });
    u32::try_from(bytes.sum::<usize>()).unwrap_or(u32::MAX)
}

/// As SQS has it: a FIFO queue goes by the id given, or by the SHA-256 of the body where the queue is set to. A standard
/// queue takes no id, and refuses one.
fn deduplication(queue: &QueueAddress, id: Option<&DeduplicationId>, body: &[u8]) -> (Option<Dedup>, Option<Box<str>>) {
    match id {
        Some(id) => {
            let digest = half_sha256(id.as_str().as_bytes());
            (Some(Dedup::Fifo { id: Some(digest), body: None }), Some(id.as_str().into()))
        }
        None if queue.name.is_fifo() => {
            let id: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
            let digest = half_sha256(id.as_bytes());
            (Some(Dedup::Fifo { id: None, body: Some(digest) }), Some(id.into()))
        }
        None => (None, None),
    }
}

fn half_sha256(bytes: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(bytes)[..16]);
    half
}
