//! Messages on their way that have to do with a batch which is kept by tallies.

use super::{BATCH, COMPLETES, Member, Notes, Tallies, marks, record::Tally};
use crate::{
    Error,
    queue::{MessageId, Queue, completion::Tie, completion::Tied, outgoing::new_id},
    sqs::{self, service::now_ms},
};
use std::{collections::BTreeMap, sync::Arc};

/// The longest message that waits for a batch: it lies in a tally, escaped, and others may beside it.
pub(in crate::queue) const LARGEST_COMPLETION_BYTES: usize = 64 * 1024;

/// What a message has to do with a batch.
#[derive(Debug, Clone)]
pub(in crate::queue) enum Tallied {
    /// It is one of it.
    Job { member: Member, notes: Notes, attempt: Option<Arc<str>> },
    /// It waits for it, under an id of our own.
    Completion { batch: String, id: String, notes: Notes },
}

impl Tallied {
    /// A message that is tied to a batch so.
    pub(in crate::queue) fn new(queue: &Queue, tied: &Tied) -> Result<Tallied, Error> {
        let notes = tied.notes.clone();
        Ok(match &tied.tie {
            Tie::In(batch) => {
                Tallied::Job { member: queue.0.tallies.number(batch)?, notes, attempt: tied.attempt.clone() }
            }
            Tie::After(batch) => Tallied::Completion { batch: batch.clone(), id: new_id()?, notes },
        })
    }

    /// Adds what workers know it by.
    pub(in crate::queue) fn mark(&self, attributes: &mut BTreeMap<String, sqs::MessageAttributeValue>) {
        match self {
            Tallied::Job { member, .. } => marks::set_text(attributes, BATCH, member.to_string()),
            Tallied::Completion { batch, id, .. } => {
                marks::set_text(attributes, COMPLETES, batch.clone());
                marks::set_text(attributes, marks::ID, id.clone());
            }
        }
    }

    pub(in crate::queue) fn is_completion(&self) -> bool {
        matches!(self, Tallied::Completion { .. })
    }

    /// The job's key, if it is a job.
    pub(in crate::queue) fn member(&self) -> Option<&Member> {
        match self {
            Tallied::Job { member, .. } => Some(member),
            Tallied::Completion { .. } => None,
        }
    }

    /// Notes that it was announced.
    pub(super) fn note(&self, tallies: &Tallies) {
        let Tallied::Job { member, notes, attempt } = self else { return };
        notes.add(member);
        if let Some(receipt) = attempt {
            tallies.note(receipt, member);
        }
    }
}

impl Queue {
    /// Has the tally queue keep a message until its batch is over.
    pub(in crate::queue) async fn tell_completion(
        &self,
        (batch, id, notes): (&str, &str, &Notes),
        request: sqs::SendMessageRequest,
    ) -> Result<MessageId, Error> {
        let mut tally = Tally::of(self.name(), now_ms());
        tally.announced = notes.tell();
        tally.completions.insert(id.to_owned(), request);
        let bytes = tally.text().map_or(0, |text| text.len());
        let most = self.most_tally_bytes().await;
        if bytes > most {
            return Err(Error::Refused(format!(
                "the completion of the batch `{batch}` would make a tally of {bytes} bytes, where {most} are the most: make it \
                 smaller, or name a store for large payloads (AFTERWARD_CLAIM_CHECK_URL, Queue::claim_check_at)"
            )));
        }
        self.tell_tally(batch, tally).await?;
        Ok(MessageId::new(id.to_owned()))
    }
}
