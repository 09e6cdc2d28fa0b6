//! State that compaction wrote forward. Applied to the state that wrote it, it changes nothing but where the content
//! is; applied in a replay that starts there, it brings back what it says.

use crate::finished::{Finished, REMEMBERED_MS};
use crate::sides::{Past, Receipt};
use crate::slab::{Entry, NO_GROUP, Place};
use crate::{
    BatchTie, KeptDedup, KeptFinished, KeptMessage, KeptQueue, LeasedMessage, Location, MessageKey, QueueId, State,
};
use afterward_names::{QueueAddress, QueueArn, limits};

impl State {
    pub(super) fn queue_kept(&mut self, kept: &KeptQueue) {
        self.last_queue = self.last_queue.max(kept.queue.0);
        if !self.queues.contains_key(&kept.queue) {
            let KeptQueue { queue, address, attributes, tags, .. } = kept;
            self.insert_queue(*queue, address, attributes, tags);
        }
        if let Some(queue) = self.queues.get_mut(&kept.queue) {
            (queue.created_ms, queue.modified_ms) = (kept.created_ms, kept.modified_ms);
            queue.purged_ms = kept.purged_ms;
        }
    }

    pub(super) fn message_kept(&mut self, kept: &KeptMessage, at: Location) {
        self.saw_order(kept.order.max(kept.lease.0));
        if !self.queues.contains_key(&kept.queue) {
            return;
        }
        let key = MessageKey::from_u64(kept.id.key());
        match self.slab.find(key) {
            Some(entry) if entry.random == kept.id.random() => self.slab.set_location(key.slot, at),
            _ => self.restore(key, kept, at),
        }
        if kept.failure {
            self.sides.failures.insert(key.slot, at);
        }
    }

    fn restore(&mut self, key: MessageKey, kept: &KeptMessage, at: Location) {
        self.remove_message(key.slot);
        let place = match &kept.batch {
            Some(BatchTie::Held(_)) => Place::Held,
            _ if kept.leased => Place::Leased,
            _ if kept.visible_ms > self.now_ms => Place::Delayed,
            _ => Place::Visible,
        };
        let entry = Entry {
            random: kept.id.random(),
            position: at.position,
            offset_bytes: at.offset_bytes,
            length_bytes: at.length_bytes,
            sent_ms: kept.sent_ms,
            order: kept.order,
            due_ms: kept.visible_ms,
            queue: kept.queue,
            group: NO_GROUP,
            generation: key.generation,
            place,
            job: kept.job,
        };
        self.insert_message(key.slot, entry, kept.group.as_ref(), kept.batch.as_ref());
        if kept.leased || kept.first_received_ms > 0 || kept.lease.0 > 0 || kept.receive_count > 0 {
            let KeptMessage { first_received_ms, received_ms, lease, receive_count, .. } = *kept;
            self.sides.receipts.insert(key.slot, Receipt { first_received_ms, received_ms, lease, receive_count });
        }
        if kept.source.is_some() || kept.redrives > 0 || kept.received_elsewhere > 0 {
            let source = kept.source.as_ref().map(|source| self.shared(source));
            let KeptMessage { received_elsewhere, redrives, .. } = *kept;
            self.sides.pasts.insert(key.slot, Past { source, received_elsewhere, redrives });
        }
    }

    /// The ARN, in the memory of the queue that it names where there is one.
    fn shared(&self, arn: &QueueArn) -> QueueArn {
        self.at(&arn.0).map_or_else(|| arn.clone(), |queue| QueueArn(queue.address.clone()))
    }

    pub(super) fn dedup_kept(&mut self, kept: &KeptDedup) {
        if kept.key.expires_ms > self.now_ms {
            self.dedup.insert(&kept.key, kept.id, kept.order);
        }
    }

    pub(super) fn finished_kept(&mut self, kept: &KeptFinished, at: Location) {
        let KeptFinished { id, receive_count, finished_ms, queue, ref gone, dropped } = *kept;
        let address = gone.as_ref().or_else(|| self.queues.get(&queue).map(|queue| &queue.address));
        // Logs of before deleted queues were told of may have jobs of one that nobody knows any more.
        let Some(address) = address else { return };
        if finished_ms.saturating_add(REMEMBERED_MS) > self.now_ms {
            let finished = Finished { receive_count, finished_ms, queue };
            self.finished.insert(id, finished, address, dropped.then_some(at));
        }
    }

    pub(super) fn attempt_kept(
        &mut self,
        queue: QueueId,
        attempt: [u8; 16],
        expires_ms: u64,
        messages: &[LeasedMessage],
    ) {
        if expires_ms > self.now_ms {
            self.attempts.insert(queue, attempt, expires_ms, messages);
        }
    }

    pub(super) fn deletion_kept(&mut self, address: &QueueAddress, deleted_ms: u64) {
        if deleted_ms + limits::COOLDOWN_MS > self.now_ms && !self.deleted.rests(address) {
            self.deleted.insert(address.clone(), deleted_ms);
        }
    }
}
