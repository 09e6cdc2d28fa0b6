//! What a send may be told.

use super::message::Message;
use super::{Checker, Fate, Violation, ensure};
use crate::history::{CallId, IDEMPOTENCY_MS, Sending};
use afterward_names::{MessageId, limits};

impl Checker {
    /// A send was told its message's id and place.
    pub(super) fn sent(&mut self, call: CallId, sending: &Sending, id: MessageId, order: u64) -> Result<(), Violation> {
        self.check_deduplication(call, sending, id)?;
        match self.messages.get_mut(&id) {
            Some(message) => {
                ensure(message.home == sending.queue, || format!("#{call} was told the id of another queue: {id}"))?;
                let same = message.dedup.is_some() && message.dedup == sending.dedup || message.candidates == [call];
                ensure(same, || format!("#{call} was told {id}, which #{:?} made", message.candidates))?;
                ensure(message.order.is_none_or(|known| known == order), || {
                    format!("#{call} was told place {order} of {id}, which is at {:?}", message.order)
                })?;
                message.order = Some(order);
                message.acknowledged = true;
                message.acknowledged_by.get_or_insert(call);
            }
            None => {
                let message = Message {
                    acknowledged: true,
                    acknowledged_by: Some(call),
                    order: Some(order),
                    ..Message::new(sending, self.candidates(call, sending))
                };
                self.messages.insert(id, message);
            }
        }
        self.calls[call].told = Some(id);
        if sending.dedup.is_none() {
            let bound = self.calls[call].message.replace(id).is_none_or(|known| known == id);
            ensure(bound, || format!("#{call} was told {id}, but its body was delivered under another id"))?;
        }
        if self.messages[&id].candidates == [call] {
            self.check_places(call, order)?;
        }
        Ok(())
    }

    /// The sends that may have made the message that `call` was told of: itself, and with a deduplication id, those
    /// before it of the same id whose fate is not known.
    pub(super) fn candidates(&self, call: CallId, sending: &Sending) -> Vec<CallId> {
        let earlier = self.same_id(sending).filter(|&other| {
            let record = &self.calls[other];
            let same = self.sending(other).is_some_and(|other| other.fingerprint == sending.fingerprint);
            other < call && same && record.message.is_none() && matches!(record.fate, Fate::Open | Fate::Maybe)
        });
        earlier.chain([call]).collect()
    }

    /// The sends with this one's deduplication id.
    fn same_id(&self, sending: &Sending) -> impl Iterator<Item = CallId> {
        let key = sending.dedup.map(|dedup| (sending.queue, dedup));
        key.and_then(|key| self.same_id.get(&key)).into_iter().flatten().copied()
    }

    /// Within the window of an acknowledged send, its id; after it, another.
    fn check_deduplication(&self, call: CallId, sending: &Sending, id: MessageId) -> Result<(), Violation> {
        if sending.dedup.is_none() {
            return Ok(());
        }
        let at_ms = self.calls[call].at_ms;
        let of_same_id = |message: &Message| message.home == sending.queue && message.dedup == sending.dedup;
        for (other, message) in self.messages.iter().filter(|(_, message)| of_same_id(message)) {
            let Some(first) = message.acknowledged_by.filter(|first| *first < call) else { continue };
            let surely_until_ms = self.earliest_origin_ms(message) + self.window_ms(sending);
            let since = message.candidates.iter().min().copied().unwrap_or(first);
            let forgotten = self.perhaps_removed_between(sending.queue, since, call);
            ensure(*other == id || at_ms >= surely_until_ms || forgotten, || {
                format!(
                    "#{call} made {id}, though #{first} made {other} of the same id, which stands to {surely_until_ms}"
                )
            })?;
            let same_body = self.sending(first).is_some_and(|first| first.fingerprint == sending.fingerprint);
            ensure(*other != id || same_body, || format!("#{call} was told {id}, which another body has made"))?;
            let at_most_until_ms = self.calls[first].at_ms + self.window_ms(sending);
            ensure(*other != id || at_ms <= at_most_until_ms, || {
                format!("#{call} was told {id}, whose deduplication ended at {at_most_until_ms}")
            })?;
        }
        Ok(())
    }

    fn window_ms(&self, sending: &Sending) -> u64 {
        if self.queues[sending.queue].is_fifo() { limits::DEDUPLICATION_WINDOW_MS } else { IDEMPOTENCY_MS }
    }

    /// A send was refused because its idempotency key came with another body before.
    pub(super) fn conflicts(&self, call: CallId, sending: &Sending) -> Result<(), Violation> {
        let at_ms = self.calls[call].at_ms;
        let mut others = self.same_id(sending).filter(|&other| {
            let (record, with) = (&self.calls[other], self.sending(other));
            let differs = with.is_some_and(|with| with.fingerprint != sending.fingerprint);
            other < call && differs && record.fate != Fate::Refused && at_ms <= record.at_ms + self.window_ms(sending)
        });
        ensure(others.next().is_some(), || format!("#{call} was refused for another body that nobody has sent"))
    }

    /// Places in line go up in the order of sending.
    fn check_places(&self, call: CallId, order: u64) -> Result<(), Violation> {
        for message in self.messages.values() {
            let (&[other], Some(known)) = (&message.candidates[..], message.order) else { continue };
            ensure(other == call || (other < call) == (known < order), || {
                format!("#{call} was told place {order}, and #{other} place {known}")
            })?;
        }
        Ok(())
    }
}
