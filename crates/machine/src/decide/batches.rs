//! Batches of messages: who waits for whom.

use crate::{BatchTie, Batched, Decision, Event, QueueId, Reply, Send, State};

/// How many messages one command releases at most.
const RELEASED_AT_ONCE: usize = 1000;

impl State {
    /// What a message that is sent now has to do with a batch.
    pub(super) fn batch_tie(&self, queue: QueueId, send: &Send) -> Option<BatchTie> {
        Some(match send.batch.as_ref()? {
            Batched::In(id) => BatchTie::In(id.clone()),
            Batched::After(id) if self.batches.has_members(queue, id) => BatchTie::Held(id.clone()),
            Batched::After(id) => BatchTie::After(id.clone()),
        })
    }

    /// What batches held that are over joins the line, in the order in which it was sent.
    pub(super) fn release_held(&self) -> Decision {
        let slots = self.batches.to_release(RELEASED_AT_ONCE);
        let keys = slots.into_iter().filter_map(|slot| Some(self.slab.get(slot)?.key(slot)));
        let orders = self.last_order + 1..;
        let events = keys.zip(orders).map(|(message, order)| Event::Released { message, order }).collect();
        Decision { events, reply: Reply::Done }
    }
}
