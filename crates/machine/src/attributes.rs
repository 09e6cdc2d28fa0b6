//! What a queue is set to.

use crate::Refusal;
use afterward_names::{QueueArn, limits};

/// All settings of a queue, each within its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueAttributes {
    /// How long a message is invisible after it is sent, unless the message says otherwise.
    pub delay_ms: u64,
    /// The largest message, body and attributes together.
    pub maximum_message_bytes: u32,
    /// How long a message is kept.
    pub retention_ms: u64,
    /// How long a receive waits, unless it says otherwise.
    pub receive_wait_ms: u64,
    /// How long a receive's lease lasts, unless it says otherwise.
    pub visibility_timeout_ms: u64,
    /// The access policy, as JSON text. Kept and returned.
    pub policy: Option<Box<str>>,
    /// Where messages go that keep failing.
    pub redrive: Option<RedrivePolicy>,
    /// Which queues may name this one as their dead-letter queue.
    pub redrive_allow: Option<RedriveAllowPolicy>,
    /// Server-side encryption settings. Kept and returned.
    pub encryption: Encryption,
    /// Present on FIFO queues.
    pub fifo: Option<FifoAttributes>,
}

impl QueueAttributes {
    /// AWS's defaults for a standard or a FIFO queue.
    pub fn defaults(fifo: bool) -> QueueAttributes {
        QueueAttributes {
            delay_ms: 0,
            maximum_message_bytes: limits::MESSAGE_BYTES as u32,
            retention_ms: limits::DEFAULT_RETENTION_S * 1000,
            receive_wait_ms: 0,
            visibility_timeout_ms: limits::DEFAULT_VISIBILITY_TIMEOUT_S * 1000,
            policy: None,
            redrive: None,
            redrive_allow: None,
            encryption: Encryption { sqs_managed: true, kms_master_key_id: None, kms_data_key_reuse_s: 300 },
            fifo: fifo.then_some(FifoAttributes {
                content_based_deduplication: false,
                deduplication_scope: DeduplicationScope::Queue,
                throughput_limit: ThroughputLimit::PerQueue,
            }),
        }
    }
}

/// Settings of a FIFO queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FifoAttributes {
    /// Whether a send without a deduplication id uses the SHA-256 of its body.
    pub content_based_deduplication: bool,
    /// What a deduplication id is unique within.
    pub deduplication_scope: DeduplicationScope,
    /// What the throughput quota counts. Kept and returned; nothing is throttled here.
    pub throughput_limit: ThroughputLimit,
}

/// `DeduplicationScope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeduplicationScope {
    /// `queue`
    Queue,
    /// `messageGroup`
    MessageGroup,
}

/// `FifoThroughputLimit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThroughputLimit {
    /// `perQueue`
    PerQueue,
    /// `perMessageGroupId`
    PerMessageGroup,
}

/// Server-side encryption settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// `SqsManagedSseEnabled`
    pub sqs_managed: bool,
    /// `KmsMasterKeyId`
    pub kms_master_key_id: Option<Box<str>>,
    /// `KmsDataKeyReusePeriodSeconds`
    pub kms_data_key_reuse_s: u32,
}

/// `RedrivePolicy`: after so many receives, the next one moves the message to the dead-letter queue instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedrivePolicy {
    /// The dead-letter queue. It need not exist: then messages stay where they are.
    pub dead_letter_queue: QueueArn,
    /// How many receives a message gets.
    pub max_receive_count: u32,
}

/// `RedriveAllowPolicy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedriveAllowPolicy {
    /// `allowAll`
    AllowAll,
    /// `denyAll`
    DenyAll,
    /// `byQueue`: these sources.
    ByQueue(Vec<QueueArn>),
}

/// Some of a queue's attributes, as a request gives them: `None` leaves one as it is; where an attribute can be taken
/// away (policies, the KMS key), `Some(None)` does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the fields are those of `QueueAttributes` and `FifoAttributes`
pub struct AttributeChanges {
    pub delay_ms: Option<u64>,
    pub maximum_message_bytes: Option<u32>,
    pub retention_ms: Option<u64>,
    pub receive_wait_ms: Option<u64>,
    pub visibility_timeout_ms: Option<u64>,
    pub policy: Option<Option<Box<str>>>,
    pub redrive: Option<Option<RedrivePolicy>>,
    pub redrive_allow: Option<Option<RedriveAllowPolicy>>,
    pub sqs_managed_sse: Option<bool>,
    pub kms_master_key_id: Option<Option<Box<str>>>,
    pub kms_data_key_reuse_s: Option<u32>,
    /// `FifoQueue`, which only creating a queue may say.
    pub fifo: Option<bool>,
    pub content_based_deduplication: Option<bool>,
    pub deduplication_scope: Option<DeduplicationScope>,
    pub throughput_limit: Option<ThroughputLimit>,
}

impl AttributeChanges {
    /// `attributes` with these changes, or why they don't go together.
    ///
    /// # Errors
    /// [`Refusal::InvalidAttribute`] where a FIFO attribute meets a standard queue, the combination is not allowed
    /// (`perMessageGroupId` needs the scope `messageGroup`), or both kinds of encryption are asked for.
    pub fn applied_to(&self, attributes: &QueueAttributes) -> Result<QueueAttributes, Refusal> {
        let _ = attributes;
        todo!()
    }
}
