//! Queues come, change and go.

use crate::queue::Queue;
use crate::slab::Place;
use crate::{QueueAttributes, QueueId, State, Tags};
use afterward_names::QueueAddress;

impl State {
    pub(super) fn queue_created(
        &mut self,
        id: QueueId,
        address: &QueueAddress,
        attributes: &QueueAttributes,
        tags: &Tags,
    ) {
        self.last_queue = self.last_queue.max(id.0);
        self.insert_queue(Queue::new(id, address.clone(), attributes.clone(), tags.clone(), self.now_ms));
    }

    pub(super) fn insert_queue(&mut self, queue: Queue) {
        self.by_address.insert(queue.address.clone(), queue.id);
        self.queues.insert(queue.id, Box::new(queue));
    }

    pub(super) fn queue_deleted(&mut self, id: QueueId) {
        self.remove_all_messages(id);
        let Some(queue) = self.queues.remove(&id) else { return };
        if self.by_address.get(&queue.address) == Some(&id) {
            self.by_address.remove(&queue.address);
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
        while let Some(oldest) = self.queues.get(&id).and_then(|queue| queue.sent.first().copied()) {
            self.remove_message(oldest.slot());
        }
    }

    pub(super) fn attributes_set(&mut self, id: QueueId, attributes: &QueueAttributes) {
        let Some(queue) = self.queues.get_mut(&id) else { return };
        let delay_changed = queue.attributes.delay_ms != attributes.delay_ms;
        queue.attributes = attributes.clone();
        queue.modified_ms = self.now_ms;
        // SQS developer guide, "Amazon SQS delay queues": on FIFO queues the setting is retroactive, on standard not.
        if delay_changed && queue.is_fifo() {
            self.redelay(id);
        }
        self.refresh_retention(id);
    }

    /// Gives the delayed messages of a queue the queue's delay, counted from when they were sent.
    fn redelay(&mut self, id: QueueId) {
        let Some(queue) = self.queues.get(&id) else { return };
        let delay_ms = queue.attributes.delay_ms;
        let delayed = |slot: &u32| self.slab.get(*slot).is_some_and(|entry| entry.place == Place::Delayed);
        let slots: Vec<u32> = queue.slots_after(None).filter(delayed).collect();
        for slot in slots {
            if let Some(sent_ms) = self.slab.get(slot).map(|entry| entry.sent_ms) {
                self.set_place(slot, Place::Delayed, sent_ms.saturating_add(delay_ms));
            }
        }
    }

    pub(super) fn tags_set(&mut self, id: QueueId, tags: &Tags) {
        if let Some(queue) = self.queues.get_mut(&id) {
            queue.tags = tags.clone();
        }
    }
}
