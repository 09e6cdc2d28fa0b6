//! How a message moves between visible, delayed, leased and gone: the only place where the indexes change together.

use crate::sides::Receipt;
use crate::slab::{Entry, Place};
use crate::timers::Due;
use crate::{BatchTie, LeaseId, QueueId, State};
use afterward_names::GroupId;

impl State {
    /// Puts a message into a free slot and into its queue, which exists.
    pub(crate) fn insert_message(
        &mut self,
        slot: u32,
        mut entry: Entry,
        group: Option<&GroupId>,
        batch: Option<&BatchTie>,
    ) {
        let Some(queue) = self.queues.get_mut(&entry.queue) else { return };
        if let Some(tie) = batch {
            self.batches.tie(slot, entry.order, entry.queue, tie);
        }
        entry.group = queue.join(group);
        self.slab.insert(slot, &entry);
        queue.enter(slot, &self.slab);
        self.attach(slot);
        self.refresh_retention(entry.queue);
    }

    /// Removes a message and all that is kept about it.
    pub(crate) fn remove_message(&mut self, slot: u32) {
        let Some(entry) = self.slab.get(slot) else { return };
        self.end_lease(slot, self.now_ms);
        self.detach(slot);
        self.sides.forget(slot);
        self.batches.forget(slot);
        if let Some(queue) = self.queues.get_mut(&entry.queue) {
            queue.leave(slot, &entry, &self.slab);
        }
        self.slab.remove(slot);
        self.refresh_retention(entry.queue);
    }

    /// Moves a message to the end of another queue's line: `change` says what else becomes of it.
    pub(crate) fn transfer(&mut self, slot: u32, to: QueueId, change: impl FnOnce(&mut Entry)) {
        let Some(entry) = self.slab.get(slot) else { return };
        let from = entry.queue;
        self.batches.moved(slot);
        self.end_lease(slot, self.now_ms);
        self.detach(slot);
        let Some(queue) = self.queues.get_mut(&from) else { return };
        let group = queue.group_name(entry.group).cloned();
        queue.leave(slot, &entry, &self.slab);
        let Some(queue) = self.queues.get_mut(&to) else { return };
        let group = queue.join(group.as_ref());
        self.slab.change(slot, |entry| {
            (entry.queue, entry.group) = (to, group);
            (entry.place, entry.due_ms) = (Place::Visible, self.now_ms);
            change(entry);
        });
        queue.enter(slot, &self.slab);
        self.attach(slot);
        self.refresh_retention(from);
        self.refresh_retention(to);
    }

    /// A held message joins the end of its queue's line, as newly sent: delayed first, if it was sent with a delay. FIFO
    /// queues' delays are the queue's own, as it is by then.
    pub(crate) fn release(&mut self, slot: u32, order: u64) {
        let Some(entry) = self.slab.get(slot).filter(|entry| entry.place == Place::Held) else { return };
        let Some(queue) = self.queues.get(&entry.queue) else { return };
        let own_ms = entry.due_ms - entry.sent_ms;
        let delay_ms = if queue.is_fifo() { queue.attributes.delay_ms } else { own_ms };
        let now_ms = self.now_ms;
        self.transfer(slot, entry.queue, |entry| {
            (entry.order, entry.sent_ms, entry.due_ms) = (order, now_ms, now_ms + delay_ms);
            if delay_ms > 0 {
                entry.place = Place::Delayed;
            }
        });
    }

    /// Changes where a message stands.
    pub(crate) fn set_place(&mut self, slot: u32, place: Place, due_ms: u64) {
        self.detach(slot);
        self.slab.change(slot, |entry| (entry.place, entry.due_ms) = (place, due_ms));
        self.attach(slot);
    }

    /// A visible message is received.
    pub(crate) fn lease(&mut self, slot: u32, lease: LeaseId, until_ms: u64) {
        let now_ms = self.now_ms;
        let receipt = self.sides.receipts.entry(slot).or_insert(Receipt {
            first_received_ms: now_ms,
            received_ms: now_ms,
            lease,
            receive_count: 0,
        });
        (receipt.received_ms, receipt.lease) = (now_ms, lease);
        receipt.receive_count = receipt.receive_count.saturating_add(1);
        self.set_place(slot, Place::Leased, until_ms);
    }

    /// Gives a leased message back; it is visible since `at_ms`.
    pub(crate) fn give_back(&mut self, slot: u32, at_ms: u64) {
        self.end_lease(slot, at_ms);
        self.sides.forget_unreceived(slot);
        self.set_place(slot, Place::Visible, at_ms);
    }

    /// Books the end of a lease, if there is one: the consumer's time, and that its attempt can't be repeated.
    pub(crate) fn end_lease(&mut self, slot: u32, at_ms: u64) {
        let Some(entry) = self.slab.get(slot).filter(|entry| entry.place == Place::Leased) else { return };
        let Some(receipt) = self.sides.receipts.get(&slot) else { return };
        self.attempts.altered(entry.key(slot));
        if let Some(queue) = self.queues.get_mut(&entry.queue) {
            queue.lease_ended(entry.group, at_ms, at_ms.saturating_sub(receipt.received_ms));
        }
    }

    /// What was due at `at_ms` happens.
    pub(crate) fn fire(&mut self, at_ms: u64, due: Due) {
        match due {
            Due::Retention(id) => {
                let Some(queue) = self.queues.get(&id) else { return };
                match queue.oldest() {
                    Some(slot) if queue.retention_ends_ms(&self.slab).is_some_and(|ends_ms| ends_ms <= at_ms) => {
                        self.remove_message(slot);
                    }
                    // Were the timer ever behind the queue, it would be set right rather than fire for ever.
                    _ => self.refresh_retention(id),
                }
            }
            Due::Visible(slot) => {
                if self.is_leased(slot) {
                    self.give_back(slot, at_ms);
                } else {
                    self.set_place(slot, Place::Visible, at_ms);
                }
            }
        }
    }

    pub(crate) fn is_leased(&self, slot: u32) -> bool {
        self.slab.get(slot).is_some_and(|entry| entry.place == Place::Leased)
    }

    /// Brings the retention timer of a queue up to date.
    pub(crate) fn refresh_retention(&mut self, id: QueueId) {
        let Some(queue) = self.queues.get_mut(&id) else { return };
        let (before_ms, due_ms) = queue.renew_retention(&self.slab);
        if before_ms != due_ms {
            self.timers.replace_retention(id, before_ms, due_ms);
        }
    }

    fn attach(&mut self, slot: u32) {
        let Some(entry) = self.slab.get(slot) else { return };
        if matches!(entry.place, Place::Delayed | Place::Leased) {
            self.timers.set_visible(slot, &entry, &self.slab);
        }
        let Some(queue) = self.queues.get_mut(&entry.queue) else { return };
        if queue.attach(slot, &entry, &self.slab) {
            self.woken.insert(entry.queue);
        }
    }

    fn detach(&mut self, slot: u32) {
        let Some(entry) = self.slab.get(slot) else { return };
        if matches!(entry.place, Place::Delayed | Place::Leased) {
            self.timers.unset_visible(slot, &entry, &self.slab);
        }
        let Some(queue) = self.queues.get_mut(&entry.queue) else { return };
        if queue.detach(slot, &entry, &self.slab) {
            self.woken.insert(entry.queue);
        }
    }
}
