//! A message's way: sent, leased, given back, deleted, dead-lettered.

use crate::finished::Finished;
use crate::slab::{Entry, NO_GROUP, Place};
use crate::{BatchTie, LeasedMessage, Location, MessageKey, MessageSent, QueueId, State};
use afterward_names::{QueueArn, limits};

impl State {
    pub(super) fn sent(&mut self, message: &MessageSent, at: Location) {
        self.saw_order(message.order);
        if let Some(key) = &message.dedup {
            self.dedup.insert(key, message.id, message.order);
        }
        let delayed = message.visible_ms > self.now_ms;
        let key = MessageKey::from_u64(message.id.key());
        let entry = Entry {
            random: message.id.random(),
            position: at.position,
            offset_bytes: at.offset_bytes,
            length_bytes: at.length_bytes,
            sent_ms: self.now_ms,
            order: message.order,
            due_ms: message.visible_ms.max(self.now_ms),
            queue: message.queue,
            group: NO_GROUP,
            generation: key.generation,
            place: match &message.batch {
                Some(BatchTie::Held(_)) => Place::Held,
                _ if delayed => Place::Delayed,
                _ => Place::Visible,
            },
            job: message.job,
        };
        self.remove_message(key.slot);
        self.insert_message(key.slot, entry, message.group.as_ref(), message.batch.as_ref());
    }

    pub(super) fn leased(
        &mut self,
        queue: QueueId,
        until_ms: u64,
        messages: &[LeasedMessage],
        attempt: Option<[u8; 16]>,
    ) {
        for LeasedMessage { message, lease } in messages {
            self.saw_order(lease.0);
            let Some(entry) = self.slab.find(*message).filter(|entry| entry.queue == queue) else {
                self.attempts.altered(*message);
                continue;
            };
            match entry.place {
                Place::Visible => self.lease(message.slot, *lease, until_ms),
                // A receive that is repeated: the same lease anew.
                Place::Leased => self.renew(message.slot, until_ms),
                Place::Delayed | Place::Held => {}
            }
        }
        if let Some(attempt) = attempt {
            let expires_ms = self.now_ms + limits::DEDUPLICATION_WINDOW_MS;
            self.attempts.insert(queue, attempt, expires_ms, messages);
        }
    }

    fn renew(&mut self, slot: u32, until_ms: u64) {
        if let Some(receipt) = self.sides.receipts.get_mut(&slot) {
            receipt.received_ms = self.now_ms;
        }
        self.set_place(slot, Place::Leased, until_ms);
    }

    /// `dropped`: where it is told, if it was.
    pub(super) fn deleted(&mut self, key: MessageKey, dropped: Option<Location>) {
        let Some(entry) = self.slab.find(key) else { return };
        // A job that is deleted from a dead-letter queue was given up, not done.
        if entry.job
            && self.sides.source(key.slot).is_none()
            && let Some(queue) = self.queues.get(&entry.queue)
        {
            let receive_count = self.sides.receive_count(key.slot);
            let finished = Finished { receive_count, finished_ms: self.now_ms, queue: entry.queue };
            self.finished.insert(entry.first_id(key.slot), finished, &queue.address, dropped);
        }
        self.remove_message(key.slot);
    }

    pub(super) fn visibility_changed(&mut self, key: MessageKey, until_ms: u64, failure: Option<Location>) {
        if self.slab.find(key).is_none() {
            self.attempts.altered(key);
            return;
        }
        if !self.is_leased(key.slot) {
            return;
        }
        if let Some(at) = failure {
            self.sides.failures.insert(key.slot, at);
        }
        if until_ms <= self.now_ms {
            self.give_back(key.slot, self.now_ms);
            return;
        }
        self.attempts.altered(key);
        self.set_place(key.slot, Place::Leased, until_ms);
    }

    /// Until it is visible again the message stands where it stood, as SQS has it after a change of visibility: it is in
    /// flight, and keeps its group back. But nobody holds it, so that a receive can't be taken back twice.
    pub(super) fn handed_back(&mut self, key: MessageKey, until_ms: u64) {
        match self.slab.find(key).map(|entry| entry.place) {
            Some(Place::Leased) => self.sides.take_receive_back(key.slot),
            Some(Place::Visible) => {
                self.sides.take_receive_back(key.slot);
                self.sides.forget_unreceived(key.slot);
            }
            Some(Place::Delayed | Place::Held) | None => {}
        }
        self.visibility_changed(key, until_ms, None);
    }

    pub(super) fn released(&mut self, key: MessageKey, order: u64) {
        self.saw_order(order);
        if self.slab.find(key).is_some() {
            self.release(key.slot, order);
        }
    }

    /// SQS developer guide, "Setting-up dead-letter queue retention": the time a message was sent stays as it is on
    /// standard queues, and is reset on FIFO queues.
    pub(super) fn dead_lettered(&mut self, key: MessageKey, to: QueueId, order: u64) {
        self.saw_order(order);
        let Some(entry) = self.slab.find(key) else { return };
        let (Some(from), Some(target)) = (self.queues.get(&entry.queue), self.queues.get(&to)) else { return };
        let (source, resets_time, now_ms) = (QueueArn(from.address.clone()), target.is_fifo(), self.now_ms);
        let received_elsewhere = self.sides.receive_count(key.slot);
        let past = self.sides.pasts.entry(key.slot).or_default();
        past.source = Some(source);
        past.received_elsewhere = received_elsewhere;
        self.transfer(key.slot, to, |entry| {
            entry.order = order;
            if resets_time {
                entry.sent_ms = now_ms;
            }
        });
    }
}
