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
        let mut changed = attributes.clone();
        set(&mut changed.delay_ms, self.delay_ms);
        set(&mut changed.maximum_message_bytes, self.maximum_message_bytes);
        set(&mut changed.retention_ms, self.retention_ms);
        set(&mut changed.receive_wait_ms, self.receive_wait_ms);
        set(&mut changed.visibility_timeout_ms, self.visibility_timeout_ms);
        set(&mut changed.policy, self.policy.clone());
        set(&mut changed.redrive, self.redrive.clone());
        set(&mut changed.redrive_allow, self.redrive_allow.clone());
        self.encrypt(&mut changed.encryption)?;
        self.set_fifo(&mut changed)?;
        Ok(changed)
    }

    /// SQS keeps one kind of encryption per queue: asking for one ends the other.
    fn encrypt(&self, encryption: &mut Encryption) -> Result<(), Refusal> {
        set(&mut encryption.kms_data_key_reuse_s, self.kms_data_key_reuse_s);
        set(&mut encryption.kms_master_key_id, self.kms_master_key_id.clone());
        set(&mut encryption.sqs_managed, self.sqs_managed_sse);
        let key_given = matches!(self.kms_master_key_id, Some(Some(_)));
        match (self.sqs_managed_sse == Some(true), key_given) {
            (true, true) => {
                let reason = "You can use one type of server-side encryption (SSE) at one time. You can either enable \
                              KMS SSE or SQS SSE.";
                return Err(Refusal::InvalidAttribute { attribute: "SqsManagedSseEnabled", reason });
            }
            (true, false) => encryption.kms_master_key_id = None,
            (false, true) => encryption.sqs_managed = false,
            (false, false) => {}
        }
        Ok(())
    }

    fn set_fifo(&self, attributes: &mut QueueAttributes) -> Result<(), Refusal> {
        if self.fifo.is_some_and(|fifo| fifo != attributes.fifo.is_some()) {
            let reason = "The queue's type is part of its name and can't be changed.";
            return Err(Refusal::InvalidAttribute { attribute: "FifoQueue", reason });
        }
        let Some(fifo) = &mut attributes.fifo else {
            let given = [
                ("ContentBasedDeduplication", self.content_based_deduplication.is_some()),
                ("DeduplicationScope", self.deduplication_scope.is_some()),
                ("FifoThroughputLimit", self.throughput_limit.is_some()),
            ];
            return match given.into_iter().find(|(_, given)| *given) {
                Some((attribute, _)) => {
                    let reason = "You can specify this attribute only for FIFO queues.";
                    Err(Refusal::InvalidAttribute { attribute, reason })
                }
                None => Ok(()),
            };
        };
        set(&mut fifo.content_based_deduplication, self.content_based_deduplication);
        set(&mut fifo.deduplication_scope, self.deduplication_scope);
        set(&mut fifo.throughput_limit, self.throughput_limit);
        if fifo.throughput_limit == ThroughputLimit::PerMessageGroup
            && fifo.deduplication_scope != DeduplicationScope::MessageGroup
        {
            let reason = "The perMessageGroupId value is allowed only when the value for DeduplicationScope is \
                          messageGroup.";
            return Err(Refusal::InvalidAttribute { attribute: "FifoThroughputLimit", reason });
        }
        Ok(())
    }

    /// The first attribute that is given here with another value than `attributes` has.
    pub(crate) fn differing(&self, attributes: &QueueAttributes) -> Option<&'static str> {
        let fifo = attributes.fifo.as_ref();
        let encryption = &attributes.encryption;
        [
            ("DelaySeconds", differs(&self.delay_ms, &attributes.delay_ms)),
            ("MaximumMessageSize", differs(&self.maximum_message_bytes, &attributes.maximum_message_bytes)),
            ("MessageRetentionPeriod", differs(&self.retention_ms, &attributes.retention_ms)),
            ("ReceiveMessageWaitTimeSeconds", differs(&self.receive_wait_ms, &attributes.receive_wait_ms)),
            ("VisibilityTimeout", differs(&self.visibility_timeout_ms, &attributes.visibility_timeout_ms)),
            ("Policy", differs(&self.policy, &attributes.policy)),
            ("RedrivePolicy", differs(&self.redrive, &attributes.redrive)),
            ("RedriveAllowPolicy", differs(&self.redrive_allow, &attributes.redrive_allow)),
            ("SqsManagedSseEnabled", differs(&self.sqs_managed_sse, &encryption.sqs_managed)),
            ("KmsMasterKeyId", differs(&self.kms_master_key_id, &encryption.kms_master_key_id)),
            ("KmsDataKeyReusePeriodSeconds", differs(&self.kms_data_key_reuse_s, &encryption.kms_data_key_reuse_s)),
            ("FifoQueue", differs(&self.fifo, &fifo.is_some())),
            (
                "ContentBasedDeduplication",
                differs_from(&self.content_based_deduplication, fifo.map(|fifo| fifo.content_based_deduplication)),
            ),
            ("DeduplicationScope", differs_from(&self.deduplication_scope, fifo.map(|fifo| fifo.deduplication_scope))),
            ("FifoThroughputLimit", differs_from(&self.throughput_limit, fifo.map(|fifo| fifo.throughput_limit))),
        ]
        .into_iter()
        .find(|(_, differs)| *differs)
        .map(|(attribute, _)| attribute)
    }
}

fn set<T>(field: &mut T, change: Option<T>) {
    if let Some(value) = change {
        *field = value;
    }
}

fn differs<T: PartialEq>(given: &Option<T>, held: &T) -> bool {
    given.as_ref().is_some_and(|given| given != held)
}

fn differs_from<T: PartialEq>(given: &Option<T>, held: Option<T>) -> bool {
    given.is_some() && *given != held
}
