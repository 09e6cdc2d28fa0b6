//! A queue's attributes and tags.

use crate::reader::{Reader, Reason, flags};
use crate::writer::Writer;
use afterward_machine::{
    DeduplicationScope, Encryption, FifoAttributes, QueueAttributes, RedriveAllowPolicy, RedrivePolicy, Tags,
    ThroughputLimit,
};

// Which of the optional attributes are there.
const POLICY: u8 = 1;
const REDRIVE: u8 = 1 << 1;
const REDRIVE_ALLOW: u8 = 1 << 2;
const SQS_MANAGED: u8 = 1 << 3;
const KMS_KEY: u8 = 1 << 4;
const FIFO: u8 = 1 << 5;
const ALL: u8 = POLICY | REDRIVE | REDRIVE_ALLOW | SQS_MANAGED | KMS_KEY | FIFO;

// Of the FIFO attributes, what is not the default.
const CONTENT_BASED: u8 = 1;
const SCOPE_GROUP: u8 = 1 << 1;
const LIMIT_PER_GROUP: u8 = 1 << 2;
const ALL_FIFO: u8 = CONTENT_BASED | SCOPE_GROUP | LIMIT_PER_GROUP;

const ALLOW_ALL: u8 = 0;
const DENY_ALL: u8 = 1;
const BY_QUEUE: u8 = 2;
/// Account, region of one letter, name of one letter.
const SHORTEST_ARN_BYTES: usize = 5;

impl Writer<'_> {
    pub(crate) fn attributes(&mut self, attributes: &QueueAttributes) {
        let QueueAttributes {
            delay_ms,
            maximum_message_bytes,
            retention_ms,
            receive_wait_ms,
            visibility_timeout_ms,
            policy,
            redrive,
            redrive_allow,
            encryption: Encryption { sqs_managed, kms_master_key_id, kms_data_key_reuse_s },
            fifo,
        } = attributes;
        self.byte(flags([
            (POLICY, policy.is_some()),
            (REDRIVE, redrive.is_some()),
            (REDRIVE_ALLOW, redrive_allow.is_some()),
            (SQS_MANAGED, *sqs_managed),
            (KMS_KEY, kms_master_key_id.is_some()),
            (FIFO, fifo.is_some()),
        ]));
        self.number(*delay_ms);
        self.number(u64::from(*maximum_message_bytes));
        self.number(*retention_ms);
        self.number(*receive_wait_ms);
        self.number(*visibility_timeout_ms);
        self.number(u64::from(*kms_data_key_reuse_s));
        if let Some(policy) = policy {
            self.text(policy);
        }
        if let Some(redrive) = redrive {
            self.arn(&redrive.dead_letter_queue);
            self.number(u64::from(redrive.max_receive_count));
        }
        if let Some(allow) = redrive_allow {
            self.redrive_allow(allow);
        }
        if let Some(key) = kms_master_key_id {
            self.text(key);
        }
        if let Some(fifo) = fifo {
            self.byte(flags([
                (CONTENT_BASED, fifo.content_based_deduplication),
                (SCOPE_GROUP, fifo.deduplication_scope == DeduplicationScope::MessageGroup),
                (LIMIT_PER_GROUP, fifo.throughput_limit == ThroughputLimit::PerMessageGroup),
            ]));
        }
    }

    fn redrive_allow(&mut self, allow: &RedriveAllowPolicy) {
        match allow {
            RedriveAllowPolicy::AllowAll => self.byte(ALLOW_ALL),
            RedriveAllowPolicy::DenyAll => self.byte(DENY_ALL),
            RedriveAllowPolicy::ByQueue(sources) => {
                self.byte(BY_QUEUE);
                self.number(sources.len() as u64);
                for source in sources {
                    self.arn(source);
                }
            }
        }
    }

    pub(crate) fn tags(&mut self, tags: &Tags) {
        self.number(tags.len() as u64);
        for (key, value) in tags {
            self.text(key);
            self.text(value);
        }
    }
}

impl Reader<'_> {
    pub(crate) fn attributes(&mut self) -> Result<QueueAttributes, Reason> {
        let has = self.flags(ALL)?;
        let delay_ms = self.number()?;
        let maximum_message_bytes = self.narrow()?;
        let retention_ms = self.number()?;
        let receive_wait_ms = self.number()?;
        let visibility_timeout_ms = self.number()?;
        let kms_data_key_reuse_s = self.narrow()?;
        Ok(QueueAttributes {
            delay_ms,
            maximum_message_bytes,
            retention_ms,
            receive_wait_ms,
            visibility_timeout_ms,
            policy: has.then(POLICY, || self.text().map(Box::from))?,
            redrive: has.then(REDRIVE, || {
                Ok(RedrivePolicy { dead_letter_queue: self.arn()?, max_receive_count: self.narrow()? })
            })?,
            redrive_allow: has.then(REDRIVE_ALLOW, || self.redrive_allow())?,
            encryption: Encryption {
                sqs_managed: has.has(SQS_MANAGED),
                kms_master_key_id: has.then(KMS_KEY, || self.text().map(Box::from))?,
                kms_data_key_reuse_s,
            },
            fifo: has.then(FIFO, || self.fifo())?,
        })
    }

    fn fifo(&mut self) -> Result<FifoAttributes, Reason> {
        let has = self.flags(ALL_FIFO)?;
        Ok(FifoAttributes {
            content_based_deduplication: has.has(CONTENT_BASED),
            deduplication_scope: match has.has(SCOPE_GROUP) {
                true => DeduplicationScope::MessageGroup,
                false => DeduplicationScope::Queue,
            },
            throughput_limit: match has.has(LIMIT_PER_GROUP) {
                true => ThroughputLimit::PerMessageGroup,
                false => ThroughputLimit::PerQueue,
            },
        })
    }

    fn redrive_allow(&mut self) -> Result<RedriveAllowPolicy, Reason> {
        match self.byte()? {
            ALLOW_ALL => Ok(RedriveAllowPolicy::AllowAll),
            DENY_ALL => Ok(RedriveAllowPolicy::DenyAll),
            BY_QUEUE => {
                let count = self.count(SHORTEST_ARN_BYTES)?;
                let sources = (0..count).map(|_| self.arn()).collect::<Result<_, _>>()?;
                Ok(RedriveAllowPolicy::ByQueue(sources))
            }
            _ => Err("a redrive-allow policy is of no known kind"),
        }
    }

    pub(crate) fn tags(&mut self) -> Result<Tags, Reason> {
        let count = self.count(2)?;
        let mut tags = Tags::new();
        for _ in 0..count {
            let (key, value) = (self.text()?, self.text()?);
            if tags.last_key_value().is_some_and(|(last, _)| **last >= *key) {
                return Err("tags are not in order");
            }
            tags.insert(key.into(), value.into());
        }
        Ok(tags)
    }
}
