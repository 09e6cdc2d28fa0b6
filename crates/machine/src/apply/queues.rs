//! Queues come, change and go.

use crate::queue::Queue;
use crate::slab::Place;
use crate::{QueueAttributes, QueueId, State, Tags};
use afterward_names::QueueAddress;
use std::sync::Arc;

/// How many settings are looked through for the same.
const SHARED_SETTINGS: usize = 8;

impl State {
    pub(super) fn queue_created(
        &mut self,
        id: QueueId,
        address: &QueueAddress,
        attributes: &QueueAttributes,
        tags: &Tags,
    ) {
        self.last_queue = self.last_queue.max(id.0);
        self.insert_queue(id, address, attributes, tags);
    }

    pub(super) fn insert_queue(
        &mut self,
        id: QueueId,
        address: &QueueAddress,
        attributes: &QueueAttributes,
        tags: &Tags,
    ) {
        let address = self.directory.shared(address);
        self.directory.insert(&address, id);
        let attributes = self.shared_settings(attributes);
        let queue = Queue::new(id, address, attributes, tags, self.now_ms);
        self.queues_bytes += queue.definition_bytes();
        if let Some(before) = self.queues.insert(id, Box::new(queue)) {
            self.queues_bytes -= before.definition_bytes();
        }
    }

    /// The attributes, in the memory of a queue that was given the same lately. Most queues are set alike.
    fn shared_settings(&mut self, attributes: &QueueAttributes) -> Arc<QueueAttributes> {
        if let Some(known) = self.settings.iter().find(|known| ***known == *attributes) {
            return known.clone();
        }
        if self.settings.len() >= SHARED_SETTINGS {
            self.settings.pop_front();
        }
        let shared = Arc::new(attributes.clone());
        self.settings.push_back(shared.clone());
        shared
    }

    pub(super) fn queue_deleted(&mut self, id: QueueId) {
        self.remove_all_messages(id);
        let Some(queue) = self.queues.remove(&id) else { return };
        self.queues_bytes -= queue.definition_bytes();
        if self.directory.get(&queue.address) == Some(id) {
            self.directory.remove(&queue.address);
        }
        self.woken.remove(&id);
        self.moves.forget(&queue.address.arn());
        self.deleted.insert(queue.address, self.now_ms);
    }

    pub(super) fn purged(&mut self, id: QueueId) {
        self.remove_all_messages(id);
        if let Some(queue) = self.queues.get_mut(&id) {
            queue.purged_ms = self.now_ms;
        }
    }

    fn remove_all_messages(&mut self, id: QueueId) {
        while let Some(oldest) = self.queues.get(&id).and_then(|queue| queue.oldest()) {
            self.remove_message(oldest);
        }
    }

    pub(super) fn attributes_set(&mut self, id: QueueId, attributes: &QueueAttributes) {
        let attributes = self.shared_settings(attributes);
        let Some(queue) = self.queues.get(&id) else { return };
        let delay_changed = queue.attributes.delay_ms != attributes.delay_ms;
        let (is_fifo, now_ms) = (queue.is_fifo(), self.now_ms);
        self.redefine(id, |queue| (queue.attributes, queue.modified_ms) = (attributes, now_ms));
        // SQS developer guide, "Amazon SQS delay queues": on FIFO queues the setting is retroactive, on standard not.
        if delay_changed && is_fifo {
            self.redelay(id);
        }
        self.refresh_retention(id);
    }

    /// Gives the delayed messages of a queue the queue's delay, counted from when they were sent.
    fn redelay(&mut self, id: QueueId) {
        let Some(queue) = self.queues.get(&id) else { return };
        let delay_ms = queue.attributes.delay_ms;
        let delayed = |slot: &u32| self.slab.get(*slot).is_some_and(|entry| entry.place == Place::Delayed);
        let slots: Vec<u32> = queue.slots_after(None, &self.slab).filter(delayed).collect();
        for slot in slots {
            if let Some(sent_ms) = self.slab.get(slot).map(|entry| entry.sent_ms) {
                self.set_place(slot, Place::Delayed, sent_ms.saturating_add(delay_ms));
            }
        }
    }

    pub(super) fn tags_set(&mut self, id: QueueId, tags: &Tags) {
        self.redefine(id, |queue| queue.set_tags(tags));
    }
}
