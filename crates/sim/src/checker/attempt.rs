//! Receive attempts: the same id gives the same messages under the same leases, as long as nothing has become of them.

use super::message::{Changing, Delivered};
use super::{Checker, Fate, Violation, ensure};
use crate::history::{CallId, Receiving, Seen};
use afterward_names::limits;

impl Checker {
    /// A receive is about to be taken, perhaps with an attempt id: whatever that got before may get a new lease by it.
    /// The leases that it certainly gets again.
    pub(super) fn attempting(&mut self, call: CallId, now_ms: u64, receiving: &Receiving) -> Option<Vec<u64>> {
        let attempt = receiving.attempt?;
        let again = self.standing(now_ms, receiving, attempt);
        let (least_ms, most_ms) = self.lease_ms(receiving);
        let deliveries = self.messages.values_mut().flat_map(|message| message.deliveries.values_mut());
        let same =
            |delivered: &&mut Delivered| (delivered.queue, delivered.attempt) == (receiving.queue, Some(attempt));
        for delivered in deliveries.filter(same) {
            let until_ms = (now_ms + least_ms, now_ms + most_ms);
            delivered.changes.push(Changing { call, until_ms, live: false, void: false, renewal: true });
        }
        self.attempts.entry((receiving.queue, attempt)).or_default().push(call);
        again
    }

    /// What the attempt certainly gets again at `now_ms`.
    fn standing(&self, now_ms: u64, receiving: &Receiving, attempt: u32) -> Option<Vec<u64>> {
        let calls = self.attempts.get(&(receiving.queue, attempt))?;
        let known = calls.iter().all(|call| matches!(self.calls[*call].fate, Fate::Answered | Fate::Refused));
        let answered = calls.iter().rev().find(|call| self.calls[**call].fate == Fate::Answered)?;
        let shown = &self.calls[*answered].shown;
        let stands = |lease: &u64| {
            let Some(message) = self.leases.get(lease).and_then(|id| self.messages.get(id)) else { return false };
            let Some(delivered) = message.deliveries.get(lease) else { return false };
            let may = |change: &Changing| !change.renewal && self.calls[change.call].fate != Fate::Refused;
            self.ends_ms(delivered).0 > now_ms
                && now_ms < delivered.began_ms.0 + limits::DEDUPLICATION_WINDOW_MS
                && now_ms < self.expires_ms(message)
                && !delivered.changes.iter().any(may)
                && !self.perhaps_deleted(message)
        };
        (known && !shown.is_empty() && shown.iter().all(stands)).then(|| shown.clone())
    }

    /// A receive attempt was shown these.
    pub(super) fn check_attempt(&mut self, call: CallId, all: &[Seen]) -> Result<(), Violation> {
        let shown: Vec<u64> = all.iter().map(|seen| seen.held.lease.lease.0).collect();
        for delivered in self.messages.values_mut().flat_map(|message| message.deliveries.iter_mut()) {
            let (lease, delivered) = delivered;
            for change in delivered.changes.iter_mut().filter(|change| change.call == call) {
                (change.live, change.void) = (shown.contains(lease), !shown.contains(lease));
            }
        }
        // Some may have reached the end of their retention before the answer was read.
        let again = self.calls[call].again.clone();
        ensure(again.as_ref().is_none_or(|again| *again == shown), || {
            format!("#{call} was shown {shown:?}, though its attempt stands for {again:?}")
        })?;
        self.calls[call].shown = shown;
        Ok(())
    }

    /// A message that comes under a lease that is known.
    pub(super) fn check_again(&self, call: CallId, receiving: &Receiving, seen: &Seen) -> Result<(), Violation> {
        let lease = seen.held.lease.lease.0;
        let message = self.messages.get(&seen.held.id);
        let known = message.and_then(|message| message.deliveries.get(&lease));
        let same = known.filter(|known| {
            receiving.attempt.is_some() && (known.queue, known.attempt) == (receiving.queue, receiving.attempt)
        });
        let Some(known) = same else {
            return Err(Violation { what: format!("lease {lease} was given out before") });
        };
        let (count, first_ms) = (seen.receive_count, seen.first_received_ms);
        ensure((known.count, known.first_received_ms) == (count, first_ms), || format!("it was {known:?} before"))?;
        let now_ms = self.calls[call].at_ms;
        let until_ms = known.began_ms.1 + limits::DEDUPLICATION_WINDOW_MS;
        ensure(now_ms < until_ms, || format!("its attempt stood until {until_ms}"))?;
        let changed = |change: &Changing| {
            !change.renewal && change.live && change.call < call && self.calls[change.call].fate == Fate::Answered
        };
        ensure(!known.changes.iter().any(changed), || "its visibility was changed since".into())?;
        let deleted = message.and_then(|message| self.certainly_deleted(message)).filter(|by| by.call < call);
        ensure(deleted.is_none(), || format!("it was deleted: {deleted:?}"))
    }
}
