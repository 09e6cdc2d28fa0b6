//! Several sends in one decision, beside whatever else it changes.
//!
//! Each is decided as if those before it had been applied: the next order, the next free slot, and what they deduplicate.

use super::send::{Accepted, seen_before};
use crate::dedup::Seen;
use crate::{BatchTie, Event, KeptKey, MessageKey, MessageSent, NewMessage, Refusal, Reply, SentMessage, State};
use afterward_names::MessageId;

/// What is sent so far.
pub(super) struct Sends<'a> {
    state: &'a State,
    order: u64,
    /// Slots below are taken.
    slot: u32,
    events: Vec<Event>,
    sent: Vec<SentMessage>,
    /// What those so far deduplicate. A decision's sends are few, or without.
    seen: Vec<(KeptKey, MessageId, u64)>,
}

impl<'a> Sends<'a> {
    pub(super) fn new(state: &'a State) -> Sends<'a> {
        let (events, sent, seen) = (Vec::new(), Vec::new(), Vec::new());
        Sends { state, order: state.last_order, slot: 0, events, sent, seen }
    }

    /// Decides one more. Once one is refused, the whole decision is.
    pub(super) fn add(&mut self, message: &NewMessage) -> Result<(), Refusal> {
        let NewMessage { send, random } = message;
        let accepted = self.state.accept(send)?;
        if let Some((key, seen)) = accepted.dedup.and_then(|key| Some((key, self.seen(&key)?))) {
            let decision = seen_before(key, &seen)?;
            if let Reply::Sent { id, order, duplicate } = decision.reply {
                self.sent.push(SentMessage { id, order, duplicate });
            }
            return Ok(());
        }
        self.order += 1;
        let slot = self.state.slab.next_free_from(self.slot);
        self.slot = slot + 1;
        let mut sent = accepted.message(send, slot, self.order, *random);
        self.hold_behind_those_before(&mut sent);
        self.sent.push(SentMessage { id: sent.id, order: sent.order, duplicate: false });
        self.seen.extend(sent.dedup.map(|key| (key, sent.id, sent.order)));
        self.events.push(Event::Sent(sent));
        Ok(())
    }

    fn seen(&self, key: &KeptKey) -> Option<Seen> {
        let among_these = self.seen.iter().find(|(other, ..)| other.key == key.key);
        let these = among_these.map(|(other, id, order)| Seen {
            expires_ms: other.expires_ms,
            fingerprint: other.fingerprint,
            id: *id,
            order: *order,
        });
        these.or_else(|| self.state.dedup.get(&key.key))
    }

    /// A message after a batch waits also for what has been sent in it here.
    fn hold_behind_those_before(&self, sent: &mut MessageSent) {
        let Some(BatchTie::After(id)) = &sent.batch else { return };
        let is_member = |event: &Event| match event {
            Event::Sent(MessageSent { queue, batch: Some(BatchTie::In(of)), .. }) => *queue == sent.queue && of == id,
            _ => false,
        };
        if self.events.iter().any(is_member) {
            sent.batch = Some(BatchTie::Held(id.clone()));
        }
    }

    /// The events, and what became of each send.
    pub(super) fn done(self) -> (Vec<Event>, Vec<SentMessage>) {
        (self.events, self.sent)
    }
}

impl Accepted {
    /// The message, in this slot and place in line.
    pub(super) fn message(self, send: &crate::Send, slot: u32, order: u64, random: u64) -> MessageSent {
        // The generation comes from the order rather than from the slot, which need not remember its past users then.
        let key = MessageKey { slot, generation: order as u16 };
        MessageSent {
            queue: self.queue,
            id: MessageId::new(key.as_u64(), random),
            order,
            visible_ms: self.visible_ms,
            group: send.group.clone(),
            dedup: self.dedup,
            job: send.job,
            batch: self.batch,
        }
    }
}
