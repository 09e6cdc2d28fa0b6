//! What a lease can do.

use super::message::{Changing, Deleting, Power};
use super::{Checker, Fate, Violation, ensure};
use crate::history::{Call, CallId, Held, Remark};
use afterward_machine::Refusal;

impl Checker {
    /// A delete is about to be taken.
    pub(super) fn deleting(&mut self, call: CallId, now_ms: u64, held: &Held) {
        let power = self.power(now_ms, held);
        let lease = held.lease.lease.0;
        if let Some(message) = self.messages.get_mut(&held.id) {
            message.deletes.push(Deleting { call, lease: Some(lease), power });
        }
    }

    /// A visibility change is about to be taken.
    pub(super) fn changing(&mut self, call: CallId, now_ms: u64, held: &Held, timeout_ms: u64) {
        let live = self.power(now_ms, held) == Power::Certain;
        let message = self.messages.get_mut(&held.id);
        if let Some(delivered) = message.and_then(|message| message.deliveries.get_mut(&held.lease.lease.0)) {
            let until_ms = (now_ms + timeout_ms, now_ms + timeout_ms);
            delivered.changes.push(Changing { call, until_ms, live, void: false, renewal: false });
        }
    }

    /// What a delete with this lease does at `now_ms`.
    fn power(&self, now_ms: u64, held: &Held) -> Power {
        let lease = held.lease.lease.0;
        let Some(message) = self.messages.get(&held.id) else { return Power::Unclear };
        // A handle of the source does not reach into the dead-letter queue.
        if held.queue == message.home && self.certainly_buried(message).is_some() {
            return Power::None;
        }
        let lives = |delivered| self.ends_ms(delivered).0 > now_ms;
        if message.deliveries.range(lease + 1..).any(|(_, later)| lives(later)) {
            return match self.perhaps_deleted(message) {
                true => Power::Unclear,
                false => Power::None,
            };
        }
        let expires_ms = self.expires_ms(message);
        let held = |delivered| lives(delivered) && !self.perhaps_handed_back(delivered);
        let alive = message.deliveries.get(&lease).is_some_and(held);
        // If it is deleted already, the better: what this delete is told rests on that.
        match alive && now_ms < expires_ms {
            true => Power::Certain,
            false => Power::Unclear,
        }
    }

    /// A delete or a visibility change was done.
    pub(super) fn lease_obeyed(&self, call: CallId, held: &Held) -> Result<(), Violation> {
        let Some(message) = self.messages.get(&held.id) else { return Ok(()) };
        if let Call::Change(_, _, remark) = self.calls[call].call {
            match remark {
                Remark::Undelivered => self.check_taken_back(call, held)?,
                _ => self.check_lease_held(call, held)?,
            }
            return self.check_deleted(held.id);
        }
        // A handle from before its message was dead-lettered, or taken back, means nothing any more, and does nothing.
        let elsewhere = held.queue == message.home && self.perhaps_dead(message) || self.perhaps_moved(message);
        if self.queues[held.queue].is_fifo() && !elsewhere && !self.perhaps_deleted_before(held, call) {
            self.check_lease_held(call, held)?;
        }
        self.check_deleted(held.id)
    }

    /// Only who holds the message may have done that.
    pub(super) fn check_lease_held(&self, call: CallId, held: &Held) -> Result<(), Violation> {
        let Some(message) = self.messages.get(&held.id) else { return Ok(()) };
        let delivered = message.deliveries.get(&held.lease.lease.0);
        let began_ms = self.calls[call].at_ms;
        let ended = delivered.is_some_and(|delivered| self.ends_ms_before(delivered, call).1 < began_ms);
        // What retention has ended is deleted already.
        let expired = self.expires_ms(message) <= began_ms;
        ensure(!ended || expired, || format!("#{call} was done, though its lease had ended: {message:?}"))?;
        let handed_back = delivered.is_some_and(|delivered| self.handed_back_before(delivered, call));
        ensure(!handed_back || expired, || format!("#{call} was done, though the message was handed back: {message:?}"))
    }

    /// A delete, a visibility change or a dead-lettering was refused, which a living lease is not.
    pub(super) fn lease_refused(&self, call: CallId, held: &Held, why: &Refusal) -> Result<(), Violation> {
        let Some(message) = self.messages.get(&held.id) else { return Ok(()) };
        let could = message.deletes.iter().any(|delete| delete.call == call && delete.power == Power::Certain)
            || message
                .deliveries
                .values()
                .flat_map(|delivered| &delivered.changes)
                .any(|change| change.call == call && change.live && *why != Refusal::LeaseTooLong);
        ensure(!could || self.perhaps_deleted_before(held, call), || {
            format!("#{call} was refused ({why}), though its lease lives: {message:?}")
        })?;
        match why {
            Refusal::NotInFlight | Refusal::LeaseExpired => self.check_not_taken_back(call, held),
            _ => Ok(()),
        }
    }

    /// Whether some other delete than `call` may have removed the message.
    fn perhaps_deleted_before(&self, held: &Held, call: CallId) -> bool {
        self.messages.get(&held.id).is_some_and(|message| {
            let other = |delete: &Deleting| delete.call != call && delete.power != Power::None;
            let may = |delete: &Deleting| other(delete) && self.calls[delete.call].fate != Fate::Refused;
            message.deletes.iter().any(may) || self.perhaps_purged(message)
        })
    }
}
