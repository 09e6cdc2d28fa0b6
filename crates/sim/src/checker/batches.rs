//! Batches: what was sent after one is seen when nothing of it is left, and then it is as newly sent.

use super::message::Message;
use super::{Checker, Fate, Violation, ensure};
use crate::history::{Batch, CallId, Seen, Sending};

impl Checker {
    /// Whether the message was, or may have been, sent after a batch: when it is there to be received, nobody can say.
    pub(super) fn perhaps_waits(&self, message: &Message) -> bool {
        let waits = |sending: &Sending| matches!(sending.batch, Some(Batch::After(_)));
        message.candidates.iter().any(|call| self.sending(*call).is_some_and(waits))
    }

    /// Whether the message was certainly held by a batch before it came at home.
    pub fn has_waited(&self, seen: &Seen) -> bool {
        let send = self.bodies.get(&seen.body).and_then(|send| self.calls.get(*send));
        let at_home = seen.source.is_none() && seen.held.id.redrives() == 0;
        at_home && send.is_some_and(|send| send.at_ms < seen.sent_ms)
    }

    /// Of what was sent by `send` and is seen by `receive`: all of the batch that had been sent before has perhaps left.
    pub(super) fn check_batch(&self, receive: CallId, send: CallId, seen: &Seen) -> Result<(), Violation> {
        let Some(&Sending { queue, batch: Some(Batch::After(batch)), .. }) = self.sending(send) else { return Ok(()) };
        let again = seen.source.is_some() || seen.held.id.redrives() > 0;
        if again {
            return Ok(());
        }
        let served_ms = self.served_ms(receive).1;
        for (id, message) in self.messages.iter().filter(|(_, message)| message.home == queue) {
            let (&[sent], true) = (&message.candidates[..], message.acknowledged) else { continue };
            let is_one = self.sending(sent).is_some_and(|sending| sending.batch == Some(Batch::In(batch)));
            if !is_one || sent > send || self.calls[sent].fate != Fate::Answered {
                continue;
            }
            let expired = self.expires_ms(message) <= served_ms;
            let left = self.perhaps_deleted(message) || self.perhaps_dead(message) || expired;
            ensure(left, || format!("{id} of its batch is still there, sent by #{sent}: {message:?}"))?;
        }
        Ok(())
    }
}
