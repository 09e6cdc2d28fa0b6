//! What holders said: why they failed, which stays with the message, and how far they are, which goes with the attempt.

use super::message::Message;
use super::{Checker, Fate, Violation, ensure};
use crate::history::{Call, CallId, Held, Remark, Seen};
use afterward_names::MessageId;
use std::collections::BTreeMap;

impl Checker {
    /// Another owner has the log: it knows of no progress.
    pub fn taken_over(&mut self) {
        self.first_of_owner = self.calls.len();
    }

    /// Whether the call is one that gives a message up.
    pub fn is_dead_lettering(&self, call: CallId) -> bool {
        matches!(self.call(call), Some(Call::DeadLetter(..)))
    }

    /// A holder is about to say something.
    pub(super) fn remarking(&mut self, call: CallId, held: &Held, remark: Remark) {
        let Some(message) = self.messages.get_mut(&held.id) else { return };
        match remark {
            Remark::Nothing | Remark::Unbegun | Remark::Undelivered => {}
            Remark::Failed => message.failures.push(call),
            Remark::Progress => message.reports.push((call, held.lease.lease.0)),
        }
    }

    /// Receive `call` was shown a message: why it failed is what was said last.
    pub(super) fn check_failure(&self, call: CallId, seen: &Seen) -> Result<(), Violation> {
        let (Some(message), Some(shown)) = (self.messages.get(&seen.held.id), seen.failure) else { return Ok(()) };
        let fate = |said: CallId| self.calls[said].fate;
        let certain = message.failures.iter().rfind(|said| **said < call && fate(**said) == Fate::Answered).copied();
        ensure(shown >= certain, || format!("why it failed was said last by {certain:?}"))?;
        let Some(said) = shown else { return Ok(()) };
        let may = message.failures.contains(&said) && fate(said) != Fate::Refused;
        ensure(may, || format!("nobody has said in #{said} why it failed: {:?}", message.failures))
    }

    /// All is durable and told, and time stands at `now_ms`: by these calls it is shown how far holders are.
    ///
    /// # Errors
    /// [`Violation`] where it is shown of an attempt that is over, or as it was before, or is not shown.
    pub fn progress_seen(&self, now_ms: u64, shown: &BTreeMap<MessageId, CallId>) -> Result<(), Violation> {
        for (id, call) in shown {
            let message = self.messages.get(id);
            let report = message.and_then(|message| message.reports.iter().find(|(report, _)| report == call));
            let (Some(message), Some((_, lease))) = (message, report) else {
                return Err(Violation { what: format!("the progress of {id} is shown, and #{call} has not said it") });
            };
            self.check_progress(now_ms, message, *call, *lease).map_err(|Violation { what }| Violation {
                what: format!("the progress of {id} is shown as #{call} said it, but {what}: {message:?}"),
            })?;
        }
        for (id, message) in &self.messages {
            let Some(report) = self.certain_progress(now_ms, message) else { continue };
            ensure(shown.get(id).is_some_and(|shown| *shown >= report), || {
                format!("the progress of {id} is shown as {:?} said it, and last did #{report}", shown.get(id))
            })?;
        }
        Ok(())
    }

    /// Whether `call` may be the last word of who holds the message at `now_ms` under `lease`.
    fn check_progress(&self, now_ms: u64, message: &Message, call: CallId, lease: u64) -> Result<(), Violation> {
        ensure(self.calls[call].fate != Fate::Refused, || "was refused".into())?;
        ensure(call >= self.first_of_owner, || "another owner has the log since".into())?;
        let later = message.deliveries.range(lease + 1..).next();
        ensure(later.is_none(), || "a later attempt has begun".into())?;
        let handed_back = message.deliveries.get(&lease).is_some_and(|delivered| self.certainly_handed_back(delivered));
        ensure(!handed_back, || "it was handed back".into())?;
        let over = message.deliveries.get(&lease).is_some_and(|delivered| self.ends_ms(delivered).1 <= now_ms);
        ensure(!over, || "its lease has ended".into())?;
        ensure(self.certainly_deleted(message).is_none(), || "it is deleted".into())?;
        ensure(self.certainly_buried(message).is_none_or(|(_, by)| by != lease), || "it was given up".into())?;
        let failed = message.failures.iter().find(|said| **said > call && self.calls[**said].fate == Fate::Answered);
        ensure(failed.is_none(), || format!("#{failed:?} said that it failed"))
    }

    /// The call whose progress has to be shown: who said it certainly holds the message still, and nothing since may
    /// have ended the attempt.
    fn certain_progress(&self, now_ms: u64, message: &Message) -> Option<CallId> {
        let answered = |(call, _): &&(CallId, u64)| self.calls[*call].fate == Fate::Answered;
        let (report, lease) =
            message.reports.iter().rfind(answered).filter(|(call, _)| *call >= self.first_of_owner)?;
        let Call::Change(_, 1.., _) = &self.calls[*report].call else { return None };
        let delivered = message.deliveries.get(lease)?;
        let last_change = delivered.changes.iter().rfind(|change| {
            let plain =
                matches!(&self.calls[change.call].call, Call::Change(_, 1.., Remark::Nothing | Remark::Progress));
            self.calls[change.call].fate != Fate::Refused && !change.void && !plain
        });
        let stands = self.ends_ms(delivered).0 > now_ms
            && now_ms < self.expires_ms(message)
            && last_change.is_none_or(|change| change.call < *report)
            && !self.perhaps_deleted(message);
        stands.then_some(*report)
    }
}
