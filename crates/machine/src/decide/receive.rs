//! ReceiveMessage.

use crate::pick;
use crate::queue::Queue;
use crate::slab::Entry;
use crate::{Decision, Delivery, Event, LeaseId, LeaseRef, LeasedMessage, Receive, Refusal, Reply, State};
use afterward_names::limits;

/// How many messages one receive dead-letters at most.
const DEAD_LETTERED_AT_ONCE: usize = 1000;

impl State {
    pub(super) fn receive(&self, receive: &Receive) -> Result<Decision, Refusal> {
        let queue = self.known(&receive.queue)?;
        if receive.attempt.is_some() && !queue.is_fifo() {
            return Err(Refusal::AttemptNotAllowed);
        }
        let timeout_ms = receive.visibility_timeout_ms.unwrap_or(queue.attributes.visibility_timeout_ms);
        let until_ms = self.now_ms + timeout_ms;
        if let Some(again) = receive.attempt.and_then(|attempt| self.repeat(queue, attempt, until_ms)) {
            return Ok(again);
        }
        // ReceiveMessage: at the limit, a standard queue answers OverLimit, and a FIFO queue with no message.
        if queue.is_full() && !queue.is_fifo() {
            return Err(Refusal::OverLimit);
        }
        let room = limits::IN_FLIGHT.saturating_sub(queue.in_flight as usize);
        Ok(self.take(queue, receive.max.min(room), until_ms, receive.attempt))
    }

    /// Takes what comes first, dead-lettering what has had its receives.
    fn take(&self, queue: &Queue, max: usize, until_ms: u64, attempt: Option<[u8; 16]>) -> Decision {
        let target = self.dead_letter_target(queue);
        let mut taken = Taken { max, ..Taken::default() };
        let mut order = self.last_order;
        let mut more = false;
        for slot in pick::deliverable(queue, &self.slab, self.now_ms) {
            if taken.deliveries.len() >= max || taken.is_large() {
                break;
            }
            let Some(entry) = self.slab.get(slot) else { continue };
            order += 1;
            if let Some(target) = target.as_ref().filter(|target| self.is_worn_out(slot, target)) {
                let to = target.queue;
                taken.dead_lettered.push(Event::DeadLettered { message: entry.key(slot), to, order });
                if taken.dead_lettered.len() >= DEAD_LETTERED_AT_ONCE {
                    more = true;
                    break;
                }
            } else {
                taken.deliver(self.delivery(&entry, slot, LeaseId(order), 1));
            }
        }
        taken.decision(queue, until_ms, attempt, more)
    }

    /// The same messages under the same leases, where the attempt still stands.
    fn repeat(&self, queue: &Queue, attempt: [u8; 16], until_ms: u64) -> Option<Decision> {
        let mut taken = Taken::default();
        for leased in &self.attempts.get(queue.id, attempt)?.messages {
            let lease = LeaseRef { queue: queue.id, message: leased.message, lease: leased.lease };
            let slot = self.leased_message(&lease).filter(|slot| self.holds(*slot, &lease))?;
            let entry = self.slab.get(slot)?;
            taken.deliver(self.delivery(&entry, slot, leased.lease, 0));
        }
        Some(taken.decision(queue, until_ms, Some(attempt), false))
    }

    /// A message under a lease that counts as so many more receives.
    fn delivery(&self, entry: &Entry, slot: u32, lease: LeaseId, receives: u32) -> Delivery {
        let message = entry.key(slot);
        let receipt = self.sides.receipts.get(&slot);
        Delivery {
            lease: LeaseRef { queue: entry.queue, message, lease },
            message,
            id: self.id_now(entry, slot),
            location: entry.location(),
            order: entry.order,
            sent_ms: entry.sent_ms,
            first_received_ms: receipt.map_or(self.now_ms, |receipt| receipt.first_received_ms),
            receive_count: receipt.map_or(0, |receipt| receipt.receive_count).saturating_add(receives),
            source: self.sides.source(slot).cloned(),
            batch: self.batches.of(slot),
        }
    }
}

/// What a receive has got together.
#[derive(Default)]
struct Taken {
    /// So many deliveries are wanted.
    max: usize,
    dead_lettered: Vec<Event>,
    leased: Vec<LeasedMessage>,
    deliveries: Vec<Delivery>,
    /// What the records of the deliveries take in the log: little more than their bodies and attributes.
    record_bytes: usize,
}

impl Taken {
    /// Whether a reply with one more would be larger than SQS's own, with its ten messages, may get: more than those are let
    /// in only while they are small.
    fn is_large(&self) -> bool {
        self.deliveries.len() >= limits::BATCH_ENTRIES && self.record_bytes > limits::MESSAGE_BYTES
    }

    fn deliver(&mut self, delivery: Delivery) {
        if self.deliveries.is_empty() {
            self.deliveries.reserve_exact(self.max.min(limits::BATCH_ENTRIES));
            self.leased.reserve_exact(self.max.min(limits::BATCH_ENTRIES));
        }
        self.record_bytes += delivery.location.length_bytes as usize;
        self.leased.push(LeasedMessage { message: delivery.message, lease: delivery.lease.lease });
        self.deliveries.push(delivery);
    }

    fn decision(self, queue: &Queue, until_ms: u64, attempt: Option<[u8; 16]>, more: bool) -> Decision {
        let mut events = self.dead_lettered;
        if !self.leased.is_empty() {
            events.push(Event::Leased { queue: queue.id, until_ms, messages: self.leased, attempt });
        }
        Decision { events, reply: Reply::Received { deliveries: self.deliveries, more } }
    }
}
