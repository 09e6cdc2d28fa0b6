//! What the holder of a receipt handle may do: delete, and change the visibility.
//!
//! A handle can be older than its message's place in line (the message was redriven, or the slot has a new user), and
//! then means nothing; it can be stale (its lease has ended) while its message is in the queue; or it holds the message.

use super::{nothing, one};
use crate::queue::Queue;
use crate::slab::Place;
use crate::{Decision, Event, LeaseRef, MessageKey, Refusal, State};
use afterward_names::{QueueAddress, limits};

impl State {
    /// Deleting twice succeeds. With a stale handle a FIFO queue refuses; a standard queue deletes if nobody holds the
    /// message now, and otherwise does nothing. `as_what`: whether its job is done then, or dropped.
    pub(super) fn delete(
        &self,
        address: &QueueAddress,
        lease: &LeaseRef,
        as_what: fn(MessageKey) -> Event,
    ) -> Result<Decision, Refusal> {
        let queue = self.queue_of(address, lease)?;
        let Some(slot) = self.leased_message(lease) else { return Ok(nothing()) };
        if !self.holds(slot, lease) {
            if queue.is_fifo() {
                return Err(Refusal::LeaseExpired);
            }
            if self.is_leased(slot) {
                return Ok(nothing());
            }
        }
        Ok(one(as_what(lease.message)))
    }

    pub(super) fn change_visibility(
        &self,
        address: &QueueAddress,
        lease: &LeaseRef,
        timeout_ms: u64,
        failure: bool,
    ) -> Result<Decision, Refusal> {
        let until_ms = self.end_asked_ms(address, lease, timeout_ms)?;
        Ok(one(Event::VisibilityChanged { message: lease.message, until_ms, failure }))
    }

    /// The holder has not begun the message.
    pub(super) fn hand_back(
        &self,
        address: &QueueAddress,
        lease: &LeaseRef,
        timeout_ms: u64,
    ) -> Result<Decision, Refusal> {
        let until_ms = self.end_asked_ms(address, lease, timeout_ms)?;
        Ok(one(Event::HandedBack { message: lease.message, until_ms }))
    }

    /// Nobody has seen anything of the message.
    pub(super) fn take_back(
        &self,
        address: &QueueAddress,
        lease: &LeaseRef,
        timeout_ms: u64,
    ) -> Result<Decision, Refusal> {
        match self.hand_back(address, lease, timeout_ms) {
            Err(Refusal::NotInFlight | Refusal::LeaseExpired) if self.was_last(lease) => {
                Ok(one(Event::HandedBack { message: lease.message, until_ms: self.now_ms }))
            }
            decided => decided,
        }
    }

    /// Whether the message is visible again since `lease` was over, and its receive counts.
    fn was_last(&self, lease: &LeaseRef) -> bool {
        let visible = |slot: &u32| self.slab.get(*slot).is_some_and(|entry| entry.place == Place::Visible);
        let receipt = self.leased_message(lease).filter(visible).and_then(|slot| self.sides.receipts.get(&slot));
        receipt.is_some_and(|receipt| receipt.lease == lease.lease)
    }

    /// When a message is to be visible that its holder wants to be so `timeout_ms` from now.
    fn end_asked_ms(&self, address: &QueueAddress, lease: &LeaseRef, timeout_ms: u64) -> Result<u64, Refusal> {
        let queue = self.queue_of(address, lease)?;
        let slot = self.leased_message(lease).ok_or(Refusal::NotInFlight)?;
        if !self.holds(slot, lease) {
            return Err(if queue.is_fifo() { Refusal::LeaseExpired } else { Refusal::NotInFlight });
        }
        let until_ms = self.now_ms.saturating_add(timeout_ms);
        let received_ms = self.sides.receipts.get(&slot).map_or(self.now_ms, |receipt| receipt.received_ms);
        if until_ms - received_ms.min(until_ms) > limits::LONGEST_LEASE_MS {
            return Err(Refusal::LeaseTooLong);
        }
        Ok(until_ms)
    }

    /// The holder gives up on the message for good. Refused where there is nowhere to put it.
    pub(super) fn dead_letter(
        &self,
        address: &QueueAddress,
        lease: &LeaseRef,
        failure: bool,
    ) -> Result<Decision, Refusal> {
        let mut decision = self.change_visibility(address, lease, 0, failure)?;
        let target = self.dead_letter_target(self.known(address)?).ok_or(Refusal::NoSuchDestination)?;
        let (message, order) = (lease.message, self.last_order + 1);
        decision.events.push(Event::DeadLettered { message, to: target.queue, order });
        Ok(decision)
    }

    fn queue_of(&self, address: &QueueAddress, lease: &LeaseRef) -> Result<&Queue, Refusal> {
        let queue = self.known(address)?;
        if queue.id == lease.queue { Ok(queue) } else { Err(Refusal::LeaseOfAnotherQueue) }
    }
}
