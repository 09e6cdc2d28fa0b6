//! Queues come, change and go.

use super::{MINUTE_MS, Model, Place, Queue, Told};
use afterward_machine::{
    AttributeChanges, CreateQueue, DeduplicationScope, Encryption, FifoAttributes, QueueAttributes, RedriveAllowPolicy,
    Refusal, SetAttributes, Tags, ThroughputLimit,
};
use afterward_names::{QueueAddress, QueueArn};
use std::collections::BTreeMap;

fn invalid(attribute: &'static str) -> Refusal {
    Refusal::InvalidAttribute { attribute, reason: "" }
}

impl Model {
    pub(crate) fn create_queue(&mut self, create: &CreateQueue) -> Result<Told, Refusal> {
        if let Some(queue) = self.at(&create.queue) {
            return match first_difference(&create.attributes, &queue.attributes) {
                Some(attribute) => Err(Refusal::QueueExists { attribute }),
                None => Ok(Told::Queue(queue.number)),
            };
        }
        let is_fifo = create.attributes.fifo == Some(true);
        if is_fifo != create.queue.name.as_str().ends_with(".fifo") {
            return Err(invalid("FifoQueue"));
        }
        if create.cooldown && self.deleted.iter().any(|(address, _)| *address == create.queue) {
            return Err(Refusal::QueueDeletedRecently);
        }
        let attributes = changed(&create.attributes, &defaults(is_fifo))?;
        self.check_redrive(&create.queue, &create.attributes)?;
        if create.tags.len() > 50 {
            return Err(Refusal::TooManyTags);
        }
        self.last_queue += 1;
        self.queues.push(Queue {
            number: self.last_queue,
            address: create.queue.clone(),
            attributes,
            tags: create.tags.clone(),
            created_ms: self.now_ms,
            modified_ms: self.now_ms,
            purged_ms: None,
            spent_ms: BTreeMap::new(),
            total_spent_ms: 0,
            minute: 0,
        });
        Ok(Told::Queue(self.last_queue))
    }

    pub(crate) fn delete_queue(&mut self, address: &QueueAddress) -> Result<Told, Refusal> {
        let queue = self.known(address)?;
        self.remove_all(queue.number);
        self.queues.retain(|other| other.number != queue.number);
        self.deleted.retain(|(other, _)| other != address);
        self.deleted.push((address.clone(), self.now_ms));
        self.tasks.retain(|task| task.outcome.is_none() || task.source.0 != *address);
        Ok(Told::Done)
    }

    pub(crate) fn set_attributes(&mut self, set: &SetAttributes) -> Result<Told, Refusal> {
        let queue = self.known(&set.queue)?;
        if set.expected_policy.as_ref().is_some_and(|expected| *expected != queue.attributes.policy) {
            return Err(Refusal::PolicyChanged);
        }
        let attributes = changed(&set.attributes, &queue.attributes)?;
        self.check_redrive(&set.queue, &set.attributes)?;
        // A FIFO queue's delay holds for what is delayed already, too.
        if queue.is_fifo() && attributes.delay_ms != queue.attributes.delay_ms {
            for message in self.messages.iter_mut().filter(|message| message.queue == queue.number) {
                if let Place::Delayed { until_ms } = &mut message.place {
                    *until_ms = message.sent_ms + attributes.delay_ms;
                }
            }
        }
        let now_ms = self.now_ms;
        let queue = self.queue_mut(queue.number);
        (queue.attributes, queue.modified_ms) = (attributes, now_ms);
        Ok(Told::Done)
    }

    pub(crate) fn tag(&mut self, address: &QueueAddress, tags: &Tags) -> Result<Told, Refusal> {
        let queue = self.known(address)?;
        let mut all = queue.tags;
        all.extend(tags.clone());
        if all.len() > 50 {
            return Err(Refusal::TooManyTags);
        }
        self.queue_mut(queue.number).tags = all;
        Ok(Told::Done)
    }

    pub(crate) fn untag(&mut self, address: &QueueAddress, keys: &[Box<str>]) -> Result<Told, Refusal> {
        let queue = self.known(address)?;
        self.queue_mut(queue.number).tags.retain(|key, _| !keys.contains(key));
        Ok(Told::Done)
    }

    pub(crate) fn purge(&mut self, address: &QueueAddress, cooldown: bool) -> Result<Told, Refusal> {
        let queue = self.known(address)?;
        if cooldown && queue.purged_ms.is_some_and(|purged_ms| self.now_ms < purged_ms + MINUTE_MS) {
            return Err(Refusal::PurgeInProgress);
        }
        self.remove_all(queue.number);
        self.queue_mut(queue.number).purged_ms = Some(self.now_ms);
        Ok(Told::Done)
    }

    fn queue_mut(&mut self, number: u32) -> &mut Queue {
        self.queues.iter_mut().find(|queue| queue.number == number).expect("it is there")
    }

    fn remove_all(&mut self, queue: u32) {
        let of_queue = self.messages.iter().filter(|message| message.queue == queue);
        let numbers: Vec<usize> = of_queue.map(|message| message.number).collect();
        numbers.into_iter().for_each(|number| self.remove(number));
    }

    /// The queues whose dead letters go there.
    pub(crate) fn sources_of(&self, arn: &QueueArn) -> Vec<&Queue> {
        let names = |queue: &&Queue| queue.attributes.redrive.as_ref().is_some_and(|to| to.dead_letter_queue == *arn);
        self.queues.iter().filter(names).collect()
    }

    fn check_redrive(&self, source: &QueueAddress, changes: &AttributeChanges) -> Result<(), Refusal> {
        let Some(Some(policy)) = &changes.redrive else { return Ok(()) };
        let target = &policy.dead_letter_queue.0;
        let dead = self.at(target).filter(|_| target.account == source.account && target.region == source.region);
        let dead = dead.ok_or(invalid("RedrivePolicy"))?;
        if dead.is_fifo() != source.name.as_str().ends_with(".fifo") {
            return Err(invalid("RedrivePolicy"));
        }
        match &dead.attributes.redrive_allow {
            Some(RedriveAllowPolicy::DenyAll) => Err(Refusal::RedriveDenied),
            Some(RedriveAllowPolicy::ByQueue(sources)) if !sources.contains(&source.arn()) => {
                Err(Refusal::RedriveDenied)
            }
            _ => Ok(()),
        }
    }
}

/// The attributes of a queue of which nothing is said.
fn defaults(is_fifo: bool) -> QueueAttributes {
    QueueAttributes {
        delay_ms: 0,
        maximum_message_bytes: 1_048_576,
        retention_ms: 4 * super::DAY_MS,
        receive_wait_ms: 0,
        visibility_timeout_ms: 30_000,
        policy: None,
        redrive: None,
        redrive_allow: None,
        encryption: Encryption { sqs_managed: true, kms_master_key_id: None, kms_data_key_reuse_s: 300 },
        fifo: is_fifo.then_some(FifoAttributes {
            content_based_deduplication: false,
            deduplication_scope: DeduplicationScope::Queue,
            throughput_limit: ThroughputLimit::PerQueue,
        }),
    }
}

fn changed(changes: &AttributeChanges, before: &QueueAttributes) -> Result<QueueAttributes, Refusal> {
    let AttributeChanges { sqs_managed_sse, kms_master_key_id, .. } = changes;
    let key_given = matches!(kms_master_key_id, Some(Some(_)));
    if *sqs_managed_sse == Some(true) && key_given {
        return Err(invalid("SqsManagedSseEnabled"));
    }
    if changes.fifo.is_some_and(|fifo| fifo != before.fifo.is_some()) {
        return Err(invalid("FifoQueue"));
    }
    let fifo_only = [
        ("ContentBasedDeduplication", changes.content_based_deduplication.is_some()),
        ("DeduplicationScope", changes.deduplication_scope.is_some()),
        ("FifoThroughputLimit", changes.throughput_limit.is_some()),
    ];
    if let (None, Some((attribute, _))) = (before.fifo, fifo_only.iter().find(|(_, given)| *given)) {
        return Err(invalid(attribute));
    }
    let fifo = before.fifo.map(|fifo| FifoAttributes {
        content_based_deduplication: changes.content_based_deduplication.unwrap_or(fifo.content_based_deduplication),
        deduplication_scope: changes.deduplication_scope.unwrap_or(fifo.deduplication_scope),
        throughput_limit: changes.throughput_limit.unwrap_or(fifo.throughput_limit),
    });
    let goes_together = |fifo: FifoAttributes| {
        fifo.throughput_limit == ThroughputLimit::PerQueue
            || fifo.deduplication_scope == DeduplicationScope::MessageGroup
    };
    if fifo.is_some_and(|fifo| !goes_together(fifo)) {
        return Err(invalid("FifoThroughputLimit"));
    }
    let key = kms_master_key_id.clone().unwrap_or(before.encryption.kms_master_key_id.clone());
    let managed = sqs_managed_sse.unwrap_or(before.encryption.sqs_managed);
    Ok(QueueAttributes {
        delay_ms: changes.delay_ms.unwrap_or(before.delay_ms),
        maximum_message_bytes: changes.maximum_message_bytes.unwrap_or(before.maximum_message_bytes),
        retention_ms: changes.retention_ms.unwrap_or(before.retention_ms),
        receive_wait_ms: changes.receive_wait_ms.unwrap_or(before.receive_wait_ms),
        visibility_timeout_ms: changes.visibility_timeout_ms.unwrap_or(before.visibility_timeout_ms),
        policy: changes.policy.clone().unwrap_or(before.policy.clone()),
        redrive: changes.redrive.clone().unwrap_or(before.redrive.clone()),
        redrive_allow: changes.redrive_allow.clone().unwrap_or(before.redrive_allow.clone()),
        encryption: Encryption {
            // Asking for one kind ends the other.
            sqs_managed: managed && !key_given,
            kms_master_key_id: key.filter(|_| *sqs_managed_sse != Some(true)),
            kms_data_key_reuse_s: changes.kms_data_key_reuse_s.unwrap_or(before.encryption.kms_data_key_reuse_s),
        },
        fifo,
    })
}

/// The first attribute, in the order of AWS's table, that is asked for with another value than there is.
fn first_difference(asked: &AttributeChanges, there: &QueueAttributes) -> Option<&'static str> {
    fn differs<T: PartialEq>(asked: &Option<T>, there: &T) -> bool {
        asked.as_ref().is_some_and(|asked| asked != there)
    }
    let fifo = there.fifo;
    let differences = [
        ("DelaySeconds", differs(&asked.delay_ms, &there.delay_ms)),
        ("MaximumMessageSize", differs(&asked.maximum_message_bytes, &there.maximum_message_bytes)),
        ("MessageRetentionPeriod", differs(&asked.retention_ms, &there.retention_ms)),
        ("ReceiveMessageWaitTimeSeconds", differs(&asked.receive_wait_ms, &there.receive_wait_ms)),
        ("VisibilityTimeout", differs(&asked.visibility_timeout_ms, &there.visibility_timeout_ms)),
        ("Policy", differs(&asked.policy, &there.policy)),
        ("RedrivePolicy", differs(&asked.redrive, &there.redrive)),
        ("RedriveAllowPolicy", differs(&asked.redrive_allow, &there.redrive_allow)),
        ("SqsManagedSseEnabled", differs(&asked.sqs_managed_sse, &there.encryption.sqs_managed)),
        ("KmsMasterKeyId", differs(&asked.kms_master_key_id, &there.encryption.kms_master_key_id)),
        ("KmsDataKeyReusePeriodSeconds", differs(&asked.kms_data_key_reuse_s, &there.encryption.kms_data_key_reuse_s)),
        ("FifoQueue", differs(&asked.fifo, &fifo.is_some())),
        ("ContentBasedDeduplication", {
            differs(&asked.content_based_deduplication.map(Some), &fifo.map(|fifo| fifo.content_based_deduplication))
        }),
        (
            "DeduplicationScope",
            differs(&asked.deduplication_scope.map(Some), &fifo.map(|fifo| fifo.deduplication_scope)),
        ),
        ("FifoThroughputLimit", differs(&asked.throughput_limit.map(Some), &fifo.map(|fifo| fifo.throughput_limit))),
    ];
    differences.into_iter().find(|(_, differs)| *differs).map(|(attribute, _)| attribute)
}
