//! A message on its way in: what SendMessage and an entry of SendMessageBatch have in common.

use super::{
    call::{Call, unexpected},
    characters,
    message_attributes::{self, Given},
    refusal,
};
use crate::digest;
use afterward_aws::{
    Error,
    sqs::{self as wire, SendMessageBatchRequestEntry, SendMessageRequest, SendMessageResult},
};
use afterward_broker::{
    Content,
    machine::{Dedup, Refusal, Reply, Send},
};
use afterward_names::{DeduplicationId, GroupId, QueueAddress, limits};
use bytes::Bytes;

/// A message as a request has it.
#[derive(Debug)]
pub(super) struct Draft {
    body: String,
    delay_seconds: Option<i64>,
    attributes: Given,
    system_attributes: Given,
    deduplication_id: Option<String>,
    group_id: Option<String>,
}

impl From<SendMessageRequest> for Draft {
    fn from(request: SendMessageRequest) -> Draft {
        Draft {
            body: request.message_body,
            delay_seconds: request.delay_seconds,
            attributes: request.message_attributes,
            system_attributes: request.message_system_attributes,
            deduplication_id: request.message_deduplication_id,
            group_id: request.message_group_id,
        }
    }
}

impl From<SendMessageBatchRequestEntry> for Draft {
    fn from(entry: SendMessageBatchRequestEntry) -> Draft {
        Draft {
            body: entry.message_body,
            delay_seconds: entry.delay_seconds,
            attributes: entry.message_attributes,
            system_attributes: entry.message_system_attributes,
            deduplication_id: entry.message_deduplication_id,
            group_id: entry.message_group_id,
        }
    }
}

/// A message that has passed the rules: what the state needs, what the log keeps, what the reply repeats.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) send: Send,
    pub(super) content: Content,
    pub(super) receipt: Receipt,
}

/// What a reply says of a message, beside its id.
#[derive(Debug)]
pub(super) struct Receipt {
    md5_of_body: String,
    md5_of_attributes: Option<String>,
    md5_of_system_attributes: Option<String>,
    fifo: bool,
    delay_seconds: Option<i64>,
    deduplication_id: Option<String>,
}

impl Draft {
    /// Body and attributes, as SQS counts a message's size.
    pub(super) fn size_bytes(&self) -> usize {
        self.body.len() + message_attributes::size_bytes(&self.attributes)
    }

    /// The MD5s of the bodies of several messages. Together they take half of the time.
    pub(super) fn body_md5s<'a>(drafts: impl Iterator<Item = &'a Draft>) -> Vec<[u8; 16]> {
        digest::md5s(&drafts.map(|draft| draft.body.as_bytes()).collect::<Vec<_>>())
    }

    /// Checks everything that can be checked without knowing the queue. `body_md5`: where it is known already.
    pub(super) fn checked(
        self,
        call: &Call<'_>,
        queue: &QueueAddress,
        body_md5: Option<[u8; 16]>,
    ) -> Result<Outgoing, Error> {
        let size_bytes = self.size_bytes();
        if self.body.is_empty() {
            return Err(Error::missing_parameter("MessageBody"));
        }
        if size_bytes > limits::MESSAGE_BYTES {
            return Err(refusal::message_too_long(limits::MESSAGE_BYTES as u32));
        }
        characters::check_body(&self.body)?;
        let delay_ms = self.delay_seconds.map(delay_ms).transpose()?;
        let group = self.group_id.as_deref().map(group_id).transpose()?;
        let deduplication_id = self.deduplication_id.as_deref().map(deduplication_id).transpose()?;
        let md5_of_attributes = wire::attributes_md5(&self.attributes);
        let md5_of_system_attributes = wire::attributes_md5(&self.system_attributes);
        let attributes = message_attributes::checked(self.attributes)?;
        let trace_header = message_attributes::trace_header(self.system_attributes)?;
        let fifo = queue.name.is_fifo();
        let (dedup, deduplication_id) = deduplication(fifo, deduplication_id, &self.body);
        let body_md5 = body_md5.unwrap_or_else(|| digest::md5(self.body.as_bytes()));
        let receipt = Receipt {
            md5_of_body: digest::hex(&body_md5),
            md5_of_attributes,
            md5_of_system_attributes,
            fifo,
            delay_seconds: self.delay_seconds,
            deduplication_id: self.deduplication_id,
        };
        let send = Send {
            queue: queue.clone(),
            size_bytes: size_bytes as u32,
            delay_ms,
            group,
            dedup,
            job: false,
            batch: None,
        };
        let content = Content {
            body: Bytes::from(self.body),
            body_md5,
            attributes,
            sender: call.sender(),
            deduplication_id,
            trace_header,
        };
        Ok(Outgoing { send, content, receipt })
    }
}

impl Receipt {
    /// SendMessage's result, or why there is none.
    pub(super) fn result(self, outcome: Result<Reply, Refusal>) -> Result<SendMessageResult, Error> {
        match outcome {
            Ok(Reply::Sent { id, order, .. }) => Ok(SendMessageResult {
                md5_of_message_body: Some(self.md5_of_body),
                md5_of_message_attributes: self.md5_of_attributes,
                md5_of_message_system_attributes: self.md5_of_system_attributes,
                message_id: Some(id.to_string()),
                sequence_number: self.fifo.then(|| sequence_number(order)),
            }),
            Ok(reply) => Err(unexpected(&reply)),
            Err(refusal) => Err(self.explain(&refusal)),
        }
    }

    fn explain(&self, refusal: &Refusal) -> Error {
        match (refusal, self.delay_seconds, &self.deduplication_id) {
            (Refusal::DelayNotAllowed, Some(delay_seconds), _) => {
                refusal::wrong_kind_of_queue(&delay_seconds.to_string(), "DelaySeconds")
            }
            (Refusal::DeduplicationNotAllowed, _, Some(id)) => {
                refusal::wrong_kind_of_queue(id, "MessageDeduplicationId")
            }
            _ => refusal::error(refusal),
        }
    }
}

/// A message's place in line as AWS writes it: 20 digits.
pub(crate) fn sequence_number(order: u64) -> String {
    format!("{order:020}")
}

fn delay_ms(seconds: i64) -> Result<u64, Error> {
    let fits = u64::try_from(seconds).ok().filter(|seconds| limits::DELAY_S.contains(seconds));
    fits.map(|seconds| seconds * 1000)
        .ok_or_else(|| Error::invalid_value(seconds, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900."))
}

fn group_id(text: &str) -> Result<GroupId, Error> {
    text.parse().map_err(|_| not_an_id(text, "MessageGroupId"))
}

fn deduplication_id(text: &str) -> Result<DeduplicationId, Error> {
    text.parse().map_err(|_| not_an_id(text, "MessageDeduplicationId"))
}

/// What AWS says of ids that senders choose.
pub(super) fn not_an_id(text: &str, parameter: &str) -> Error {
    let reason = format!("{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.");
    Error::invalid_value(text, parameter, reason)
}

/// What the state compares, and the id that receives show. Content-based ids are the SHA-256 of the body, in
/// hexadecimal; so a sender who gives that id means the same message.
fn deduplication(fifo: bool, id: Option<DeduplicationId>, body: &str) -> (Option<Dedup>, Option<Box<str>>) {
    match id {
        Some(id) => {
            let digest = digest::half_sha256(id.as_str().as_bytes());
            (Some(Dedup::Fifo { id: Some(digest), body: None }), Some(id.as_str().into()))
        }
        None if fifo => {
            let id = digest::hex(&digest::sha256(body.as_bytes()));
            let digest = digest::half_sha256(id.as_bytes());
            (Some(Dedup::Fifo { id: None, body: Some(digest) }), Some(id.into()))
        }
        None => (None, None),
    }
}
