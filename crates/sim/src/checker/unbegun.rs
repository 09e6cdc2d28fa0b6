//! Messages that their holders handed back, and had not begun: those receives don't count.

use super::message::{Changing, Delivered, Message};
use super::{Checker, Fate, Violation, ensure};
use crate::history::{Call, CallId, Remark};

impl Checker {
    /// The changes of a lease by which its holder may have handed the message back.
    fn hand_backs<'a>(&'a self, delivered: &'a Delivered) -> impl Iterator<Item = &'a Changing> {
        let is = |change: &Changing| matches!(self.calls[change.call].call, Call::Change(_, _, Remark::Unbegun));
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
