//! What the holders of messages do and say, and what is shown of it.

use super::{Bug, System};
use crate::history::{CallId, Held, Remark};
use afterward_broker::Progress;
use afterward_broker::partition::Gated;
use afterward_log::ReadError;
use afterward_machine::{Command, Delivery, MessageKey, Refusal, Reply, State};
use afterward_names::MessageId;
use afterward_record::{Beside, decode_one};
use std::collections::BTreeMap;

/// Why the holder's handler failed, as call `call` says.
fn why(call: CallId) -> String {
    format!("failed in {call}")
}

/// How far the holder is, as call `call` says.
fn how_far(call: CallId) -> Option<Progress> {
    Progress::new((call % 101) as f64 / 100.0, &format!("said in {call}"))
}

impl System {
    /// A delete.
    pub fn delete(&mut self, held: &Held) -> Option<Gated<Result<Reply, Refusal>>> {
        let queue = self.queues[held.queue].address();
        self.submit(Command::Delete { queue, lease: held.lease }, Beside::Nothing)
    }

    /// A visibility change, perhaps with words.
    pub fn change(
        &mut self,
        call: CallId,
        held: &Held,
        timeout_ms: u64,
        remark: Remark,
    ) -> Option<Gated<Result<Reply, Refusal>>> {
        let (queue, lease) = (self.queues[held.queue].address(), held.lease);
        if remark == Remark::Progress && !self.buggy.is(Bug::ForgetProgress) {
            let (now_ms, progress) = (self.now_ms(), how_far(call)?);
            return Some(self.owner.as_mut()?.partition.report_progress(now_ms, queue, lease, timeout_ms, progress));
        }
        if remark == Remark::Undelivered {
            return self.submit(Command::TakeBack { queue, lease, timeout_ms }, Beside::Nothing);
        }
        if remark == Remark::Unbegun && !self.buggy.is(Bug::CountUnbegun) {
            return self.submit(Command::HandBack { queue, lease, timeout_ms }, Beside::Nothing);
        }
        let failure = remark == Remark::Failed && !self.buggy.is(Bug::ForgetFailure);
        let (command, why) = (Command::ChangeVisibility { queue, lease, timeout_ms, failure }, why(call));
        self.submit(command, if failure { Beside::Error(&why) } else { Beside::Nothing })
    }

    /// The holder gives the message up, and perhaps says why.
    pub fn dead_letter(&mut self, call: CallId, held: &Held, says_why: bool) -> Option<Gated<Result<Reply, Refusal>>> {
        let (queue, lease) = (self.queues[held.queue].address(), held.lease);
        let failure = says_why && !self.buggy.is(Bug::ForgetFailure);
        let (command, why) = (Command::DeadLetter { queue, lease, failure }, why(call));
        self.submit(command, if failure { Beside::Error(&why) } else { Beside::Nothing })
    }

    /// The call that said last why the message failed that was delivered; outer `None`: that can't be read (yet).
    ///
    /// # Errors
    /// When the log can't give it back as it was said.
    pub fn failure(&self, delivery: &Delivery) -> Result<Option<Option<CallId>>, String> {
        let message = self.partition().and_then(|partition| partition.state().message(delivery.message));
        let Some(message) = message.filter(|message| message.id == delivery.id) else { return Ok(None) };
        let Some(at) = message.failure else { return Ok(Some(None)) };
        if self.log.bounds().is_ok_and(|bounds| at.position > bounds.tail) {
            return Ok(None);
        }
        let record = match self.fetch(at) {
            Err(ReadError::Trimmed { .. }) => return Err(format!("why {} failed is trimmed", delivery.id)),
            fetched => fetched.map_err(|error| format!("why {} failed can't be fetched: {error}", delivery.id))?,
        };
        let decoded = decode_one(&record).map_err(|error| format!("why {} failed: {error}", delivery.id))?;
        let said = decoded.error.and_then(|text| text.strip_prefix("failed in ")?.parse().ok());
        said.map(|call| Some(Some(call))).ok_or_else(|| format!("why {} failed reads {:?}", delivery.id, decoded.error))
    }

    /// The calls whose progress is shown, by message, once all that it rests on is durable.
    ///
    /// # Errors
    /// When what is shown is not what was said.
    pub fn progress(&mut self, now_ms: u64) -> Result<Option<BTreeMap<MessageId, CallId>>, String> {
        let all = |state: &State| -> Vec<(MessageId, MessageKey)> {
            let messages = state.all_queues().flat_map(|queue| state.messages(queue.id, None));
            messages.map(|message| (message.id, message.key)).collect()
        };
        let Some(all) = self.read(now_ms, all) else { return Ok(None) };
        let keys: Vec<MessageKey> = all.iter().map(|(_, key)| *key).collect();
        let Some(owner) = &mut self.owner else { return Ok(None) };
        let Ok(Ok(shown)) = owner.partition.progress(now_ms, &keys).try_open() else { return Ok(None) };
        let mut said = BTreeMap::new();
        for ((id, key), progress) in all.into_iter().zip(shown) {
            let progress = self.buggy.progress(key, progress);
            let Some(progress) = progress else { continue };
            let call = progress.text().strip_prefix("said in ").and_then(|call| call.parse().ok());
            let call = call.filter(|call| how_far(*call).as_ref() == Some(&progress));
            said.insert(id, call.ok_or_else(|| format!("nobody has said {progress:?} of {id}"))?);
        }
        Ok(Some(said))
    }
}
