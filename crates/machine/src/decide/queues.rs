//! Making, setting and removing queues.

use super::{nothing, one};
use crate::{CreateQueue, Decision, Event, QueueAttributes, QueueId, Refusal, Reply, SetAttributes, State, Tags};
use afterward_names::{QueueAddress, limits};

impl State {
    pub(super) fn create_queue(&self, create: &CreateQueue) -> Result<Decision, Refusal> {
        if let Some(queue) = self.at(&create.queue) {
            return match create.attributes.differing(&queue.attributes) {
                Some(attribute) => Err(Refusal::QueueExists { attribute }),
                None => Ok(Decision { events: Vec::new(), reply: Reply::Queue(queue.id) }),
            };
        }
        let fifo = create.attributes.fifo.unwrap_or(false);
        if fifo != create.queue.name.is_fifo() {
            let reason = "The name of a FIFO queue, and of no other, ends in .fifo.";
            return Err(Refusal::InvalidAttribute { attribute: "FifoQueue", reason });
        }
        if create.cooldown && self.deleted.rests(&create.queue) {
            return Err(Refusal::QueueDeletedRecently);
        }
        let attributes = create.attributes.applied_to(&QueueAttributes::defaults(fifo))?;
        self.check_redrive(&create.queue, &create.attributes)?;
        let created = Event::QueueCreated {
            queue: QueueId(self.last_queue + 1),
            address: create.queue.clone(),
            attributes,
            tags: few_enough(create.tags.clone())?,
        };
        Ok(Decision { events: vec![created], reply: Reply::Queue(QueueId(self.last_queue + 1)) })
    }

    pub(super) fn delete_queue(&self, address: &QueueAddress) -> Result<Decision, Refusal> {
        Ok(one(Event::QueueDeleted { queue: self.known(address)?.id }))
    }

    pub(super) fn set_attributes(&self, set: &SetAttributes) -> Result<Decision, Refusal> {
        let queue = self.known(&set.queue)?;
        if set.expected_policy.as_ref().is_some_and(|expected| *expected != queue.attributes.policy) {
            return Err(Refusal::PolicyChanged);
        }
        let attributes = set.attributes.applied_to(&queue.attributes)?;
        self.check_redrive(&set.queue, &set.attributes)?;
        Ok(one(Event::AttributesSet { queue: queue.id, attributes }))
    }

    pub(super) fn tag(&self, address: &QueueAddress, tags: &Tags) -> Result<Decision, Refusal> {
        let queue = self.known(address)?;
        let mut all = queue.tags().clone();
        all.extend(tags.clone());
        Ok(one(Event::TagsSet { queue: queue.id, tags: few_enough(all)? }))
    }

    pub(super) fn untag(&self, address: &QueueAddress, keys: &[Box<str>]) -> Result<Decision, Refusal> {
        let queue = self.known(address)?;
        let mut left = queue.tags().clone();
        left.retain(|key, _| !keys.contains(key));
        if left == *queue.tags() {
            return Ok(nothing());
        }
        Ok(one(Event::TagsSet { queue: queue.id, tags: left }))
    }

    pub(super) fn purge(&self, address: &QueueAddress, cooldown: bool) -> Result<Decision, Refusal> {
        let queue = self.known(address)?;
        let rests = queue.purged_ms > 0 && self.now_ms < queue.purged_ms + limits::COOLDOWN_MS;
        if cooldown && rests {
            return Err(Refusal::PurgeInProgress);
        }
        Ok(one(Event::Purged { queue: queue.id }))
    }
}

fn few_enough(tags: Tags) -> Result<Tags, Refusal> {
    if tags.len() > limits::QUEUE_TAGS { Err(Refusal::TooManyTags) } else { Ok(tags) }
}
