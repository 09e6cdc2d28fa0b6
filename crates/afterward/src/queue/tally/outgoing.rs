//! Messages on their way that have to do with a batch which is kept by tallies.

use super::{BATCH, COMPLETES, Member, Notes, Tallies, marks, record::Tally};
use crate::{
    Error,
    claim::sha256,
    queue::{MessageId, Queue, completion::Tie, completion::Tied, later::would_be_taken, outgoing::new_id},
    sqs::{self, service::now_ms},
};
use std::{collections::BTreeMap, sync::Arc};

/// The longest message that waits for a batch: it lies in a tally, escaped, and others may beside it.
pub(in crate::queue) const LARGEST_COMPLETION_BYTES: usize = 64 * 1024;

/// What a tally says beside such a message, if it says little.
const BESIDE_BYTES: usize = 256;

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
    pub(in crate::queue) fn new(
        queue: &Queue,
        tied: &Tied,
        request: &sqs::SendMessageRequest,
    ) -> Result<Tallied, Error> {
        let notes = tied.notes.clone();
        Ok(match &tied.tie {
            Tie::In(batch) => {
                let member = if queue.is_fifo() { by_its_id(batch, request) } else { queue.0.tallies.number(batch)? };
                Tallied::Job { member, notes, attempt: tied.attempt.clone() }
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

/// The key of a job that its queue knows by its deduplication id, or by the digest of its body, within its group: some queues
/// look at all of their groups, but then it is an error that two have the same id.
fn by_its_id(batch: &str, request: &sqs::SendMessageRequest) -> Member {
    let group = request.message_group_id.as_deref().unwrap_or_default();
    let of_content = || sha256(request.message_body.as_bytes());
    let id = request.message_deduplication_id.clone().unwrap_or_else(of_content);
    Member::of_id(batch, &sha256(format!("{group}\0{id}").as_bytes())[..12], now_ms())
}

impl Queue {
    /// Has the tally queue keep a message until its batch is over.
    pub(in crate::queue) async fn tell_completion(
        &self,
        (batch, id, notes): (&str, &str, &Notes),
        request: sqs::SendMessageRequest,
    ) -> Result<MessageId, Error> {
        // Nobody is there to be told when it is sent: what the queue would refuse then is refused now.
        would_be_taken(self, &request, &self.attributes().await)?;
        let mut tally = Tally::of(self.name(), now_ms());
        tally.completions.insert(id.to_owned(), request);
        let bytes = tally.text().map_or(0, |text| text.len()) + BESIDE_BYTES;
        let most = self.most_tally_bytes().await;
        if bytes > most {
            return Err(Error::Refused(format!(
                "the completion of the batch `{batch}` would make a tally of {bytes} bytes, where {most} are the most: make it \
                 smaller, or name a store for large payloads (AFTERWARD_CLAIM_CHECK_URL, Queue::claim_check_at)"
            )));
        }
        tally.announced = notes.tell();
        self.tell_tally(batch, tally).await?;
        Ok(MessageId::new(id.to_owned()))
    }
}
