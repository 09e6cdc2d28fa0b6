//! Messages that their holders handed back, and had not begun: those receives don't count. Nor do those of which nobody has seen
//! anything, even if their leases were over before that was told: as long as nobody has got another.

use super::message::{Changing, Delivered, Message};
use super::{Checker, Fate, Violation, ensure};
use crate::history::{Call, CallId, Held, Remark};

impl Checker {
    /// The changes of a lease by which its holder may have handed the message back.
    fn hand_backs<'a>(&'a self, delivered: &'a Delivered) -> impl Iterator<Item = &'a Changing> {
        let is = |change: &Changing| {
            matches!(self.calls[change.call].call, Call::Change(_, _, Remark::Unbegun | Remark::Undelivered))
        };
        let may = |change: &Changing| self.calls[change.call].fate != Fate::Refused;
        delivered.changes.iter().filter(move |change| is(change) && may(change))
    }

    /// Whether a holder may have handed the message back.
    pub(super) fn perhaps_handed_back(&self, delivered: &Delivered) -> bool {
        self.hand_backs(delivered).next().is_some()
    }

    /// Whether a holder certainly has.
    pub(super) fn certainly_handed_back(&self, delivered: &Delivered) -> bool {
        self.hand_backs(delivered).any(|change| self.calls[change.call].fate == Fate::Answered)
    }

    /// Whether a holder certainly had when `call` was taken.
    pub(super) fn handed_back_before(&self, delivered: &Delivered, call: CallId) -> bool {
        let before = |change: &Changing| change.call < call && self.calls[change.call].fate == Fate::Answered;
        self.hand_backs(delivered).any(before)
    }

    /// Whether the call gives a message back of which nobody has seen anything.
    fn is_taking_back(&self, call: CallId) -> bool {
        matches!(self.call(call), Some(Call::Change(_, _, Remark::Undelivered)))
    }

    /// The message and its delivery that the call gives back, where the lease certainly was over when it was taken.
    fn taken_back_late(&self, call: CallId) -> Option<(&Message, &Delivered)> {
        let Some(Call::Change(held, ..)) = self.call(call).filter(|_| self.is_taking_back(call)) else { return None };
        let message = self.messages.get(&held.id)?;
        let delivered = message.deliveries.get(&held.lease.lease.0)?;
        (self.ends_ms_before(delivered, call).1 <= self.calls[call].at_ms).then_some((message, delivered))
    }

    /// Whether the call gives a message back of which nobody has seen anything, and its lease was over.
    pub fn is_taken_back_late(&self, call: CallId) -> bool {
        self.taken_back_late(call).is_some()
    }

    /// Until when a message that is given back at `now_ms` is out of sight: where its lease certainly is over, it is in sight already.
    pub(super) fn away_ms(&self, now_ms: u64, held: &Held, timeout_ms: u64, remark: Remark) -> u64 {
        let message = self.messages.get(&held.id);
        let delivered = message.and_then(|message| message.deliveries.get(&held.lease.lease.0));
        let is_over = delivered.is_some_and(|delivered| self.ends_ms(delivered).1 <= now_ms);
        if remark == Remark::Undelivered && is_over { 0 } else { timeout_ms }
    }

    /// A receive was taken back: for the first time, and there is none after it.
    pub(super) fn check_taken_back(&self, call: CallId, held: &Held) -> Result<(), Violation> {
        let Some((message, delivered)) = self.taken_back_late(call) else { return self.check_lease_held(call, held) };
        let at_ms = self.calls[call].at_ms;
        let again = self.handed_back_before(delivered, call) && at_ms < self.expires_ms(message);
        ensure(!again, || format!("#{call} was done, though the message was handed back: {message:?}"))?;
        let before = |delivered: &Delivered| delivered.began_ms.1 < at_ms && delivered.call < call;
        let later = message.deliveries.range(held.lease.lease.0 + 1..).find(|(_, delivered)| before(delivered));
        ensure(later.is_none(), || format!("#{call} was done, though lease {later:?} came after: {message:?}"))
    }

    /// A receive could not be taken back: it was already, or the message is not there as that receive has left it.
    pub(super) fn check_not_taken_back(&self, call: CallId, held: &Held) -> Result<(), Violation> {
        let Some((message, delivered)) = self.taken_back_late(call) else { return Ok(()) };
        let (lease, at_ms) = (held.lease.lease.0, self.calls[call].at_ms);
        let other = |change: &Changing| change.call != call && !change.renewal;
        let gone = self.perhaps_deleted(message)
            || self.perhaps_dead(message)
            || self.perhaps_waits(message)
            || self.perhaps_removed_ever(held.queue)
            || self.expires_ms(message) <= at_ms;
        let stands = held.queue == message.home
            && !gone
            && self.uncertain_receives(held.queue).next().is_none()
            && !self.hand_backs(delivered).any(other)
            && message.deliveries.range(lease + 1..).next().is_none();
        ensure(!stands, || {
            format!("#{call} was refused, though nobody has received it since lease {lease}: {message:?}")
        })
    }

    /// Each delivery counts one more than the one before, but for receives whose outcome nobody knows, and for those that
    /// were taken back.
    pub(super) fn check_counts(&self, message: &Message) -> Result<(), Violation> {
        let unknown = self.most_receives(message)
            - message.deliveries.values().map(|delivered| delivered.count).max().unwrap_or(0);
        let (mut least, mut known) = (1, 0);
        for delivered in message.deliveries.values() {
            let count = delivered.count;
            known += 1;
            ensure(count >= least, || format!("it counts {count} receives, of which {least} are known at least"))?;
            ensure(count <= known + unknown, || {
                format!("it counts {count} receives, of which {known} are known and at most {unknown} are not")
            })?;
            least = if self.perhaps_handed_back(delivered) { count } else { count + 1 };
            known -= u32::from(self.certainly_handed_back(delivered));
        }
        Ok(())
    }

    /// The first receive stays the first, unless it was taken back and is none. `leases`: of the two deliveries, the earlier one
    /// first.
    pub(super) fn check_first_received(
        &self,
        message: &Message,
        leases: (u64, u64),
        (before, after): (&Delivered, &Delivered),
    ) -> Result<(), Violation> {
        let between = message.deliveries.range(leases.0..leases.1);
        let taken_back = |delivered: &Delivered| delivered.count == 1 && self.perhaps_handed_back(delivered);
        let anew = between.into_iter().any(|(_, delivered)| taken_back(delivered));
        let (first_ms, now_ms) = (before.first_received_ms, after.first_received_ms);
        ensure(first_ms == now_ms || anew && now_ms > first_ms, || format!("it was first received at {first_ms}"))
    }
}
