//! Messages that their holders gave up for good.

use super::message::Message;
use super::{Checker, Fate, Violation, ensure};
use crate::history::{CallId, Held};
use afterward_names::MessageId;

impl Checker {
    /// A message is about to be given up, perhaps.
    pub(super) fn burying(&mut self, call: CallId, held: &Held) {
        if let Some(message) = self.messages.get_mut(&held.id) {
            message.burials.push((call, held.lease.lease.0));
        }
    }

    /// It was: who did it held it, there was a place for it, and it does not come back from there.
    pub(super) fn buried(&self, call: CallId, held: &Held) -> Result<(), Violation> {
        let has_dead_letters = self.queues[held.queue].dead_letter.is_some();
        ensure(has_dead_letters, || format!("#{call} was done, though there are no dead letters of {}", held.queue))?;
        self.check_lease_held(call, held)?;
        self.check_deleted(held.id)?;
        self.check_buried(held.id)
    }

    /// It could not be, for want of a dead-letter queue.
    pub(super) fn nowhere_to_bury(&self, call: CallId, held: &Held) -> Result<(), Violation> {
        let dead = self.queues[held.queue].dead_letter;
        let may = dead.is_none_or(|(dead, _)| self.perhaps_absent(dead, call));
        ensure(may, || format!("#{call} was told that there is no dead-letter queue, and there is"))?;
        // That is said to holders only.
        self.check_lease_held(call, held)
    }

    /// Whether somebody may have given it up.
    pub(super) fn perhaps_buried(&self, message: &Message) -> bool {
        message.burials.iter().any(|(call, _)| self.calls[*call].fate != Fate::Refused)
    }

    /// The call by which its holder certainly gave it up, and the lease.
    pub(super) fn certainly_buried(&self, message: &Message) -> Option<(CallId, u64)> {
        message.burials.iter().find(|(call, _)| self.calls[*call].fate == Fate::Answered).copied()
    }

    /// After that it is not delivered at home again, and not from the dead-letter queue before.
    pub(super) fn check_buried(&self, id: MessageId) -> Result<(), Violation> {
        let message = &self.messages[&id];
        let Some((call, lease)) = self.certainly_buried(message) else { return Ok(()) };
        let wrong = message
            .deliveries
            .iter()
            .find(|(other, delivered)| (**other > lease) == (delivered.queue == message.home) && **other != lease);
        ensure(wrong.is_none(), || format!("{id} was dead-lettered by #{call} with lease {lease}, and then: {wrong:?}"))
    }

    /// At the end, by `now_ms`: it was found in the dead-letter queue, unless something may have taken it from there.
    pub(super) fn check_buried_found(&self, id: MessageId, message: &Message, now_ms: u64) -> Result<(), Violation> {
        let Some((call, _)) = self.certainly_buried(message) else { return Ok(()) };
        let found = message.deliveries.values().any(|delivered| delivered.queue != message.home);
        let gone = self.perhaps_deleted(message) || self.expires_ms(message) <= now_ms;
        ensure(found || gone, || format!("{id} was dead-lettered by #{call}, and is lost: {message:?}"))
    }
}
