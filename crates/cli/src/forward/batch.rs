//! The messages of one request, from their receive until each is deleted or goes back.

use super::{
    event::{Event, Origin},
    source::{Source, receive_count},
    verdict::Verdict,
};
use crate::{failure::Failure, output, units};
use afterward::sqs::Message;
use std::time::{Duration, Instant};

/// Messages that we hold on lease.
#[derive(Default)]
pub(super) struct Batch {
    messages: Vec<Message>,
    /// When they came.
    received: Option<Instant>,
}

impl Batch {
    /// Messages that have just come.
    pub(super) fn of(messages: Vec<Message>) -> Batch {
        Batch { messages, received: Some(Instant::now()) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn ids(&self) -> Vec<&str> {
        self.messages.iter().filter_map(|message| message.message_id.as_deref()).collect()
    }

    /// The body of the request.
    pub(super) fn event(&self, origin: &Origin) -> Result<Vec<u8>, Failure> {
        Ok(serde_json::to_vec(&Event::of(&self.messages, origin))?)
    }

    /// Takes what is left of it on lease for another whole one. What can't be had any more is left out, and that is said.
    pub(super) async fn extend(&mut self, source: &Source) {
        for (id, why) in source.extend(&self.messages).await {
            output::complain(&format!("{id} can't be held any longer, so it comes again, unless it is gone: {why}"));
            self.messages.retain(|message| message.message_id.as_ref() != Some(&id));
        }
    }

    /// Makes all of it visible again at once, so that there is nothing left of it.
    pub(super) async fn hand_back(&mut self, source: &Source) {
        for message in std::mem::take(&mut self.messages) {
            source.hand_back(&message).await;
        }
    }

    /// Deletes what is done and sends the rest back.
    pub(super) async fn settle(self, verdict: &Verdict, source: &Source) -> Settled {
        let (failed, done): (Vec<Message>, Vec<Message>) =
            self.messages.into_iter().partition(|message| fails(verdict, message));
        source.delete(&done).await;
        let mut settled = Settled { count: failed.len() + done.len(), failures: Vec::new() };
        let held = self.received.map_or(Duration::ZERO, |received| received.elapsed());
        for message in failed {
            let why = match verdict {
                Verdict::None(why) => why,
                Verdict::Done | Verdict::Some(_) => "the handler named it among its batchItemFailures",
            };
            let (rest_s, count) = (source.rest_s(&message, held), receive_count(&message));
            source.retry(&message, rest_s, why).await;
            let id = message.message_id.as_deref().unwrap_or_default();
            let again = units::spoken(rest_s.unsigned_abs());
            settled.failures.push(format!("  {id} failed at receive {count}, rests for {again}: {why}"));
        }
        settled
    }
}

/// A batch that is through.
pub(super) struct Settled {
    count: usize,
    /// A line for each message that failed.
    failures: Vec<String>,
}

impl Settled {
    /// Says it, now that nothing depends on whether it can be said.
    pub(super) fn tell(&self, answer: &str) {
        output::mention(&format!("{} → {answer}", units::count(self.count as u64, "message")));
        for failure in &self.failures {
            output::mention(failure);
        }
    }
}

fn fails(verdict: &Verdict, message: &Message) -> bool {
    match verdict {
        Verdict::Done => false,
        Verdict::None(_) => true,
        Verdict::Some(failed) => message.message_id.as_ref().is_some_and(|id| failed.contains(id)),
    }
}
