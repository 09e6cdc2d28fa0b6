//! Making a message fit: into ten attributes, and into its queue's limit by way of the store.

use super::{
    batch,
    later::marks,
    outgoing::{Outgoing, Way},
    tally::{self, LARGEST_COMPLETION_BYTES},
};
use crate::{
    Error,
    claim::{self, Claims, sha256},
};
use afterward_names::limits;

/// What marks may add to a message's size.
const MARKS_BYTES: usize = 512;

impl Outgoing {
    /// Makes the message fit: into ten attributes, and into the queue's limit by way of the store.
    pub(super) async fn fit(&mut self, message_type: &str) -> Result<(), Error> {
        let claims = self.claims_if_too_large().await?;
        let own = usize::from(claims.as_ref().is_some_and(|claims| claims.attribute().is_some()));
        check_count(self.request.message_attributes.len() + own + usize::from(self.will_be_sent_on()))?;
        let Some(claims) = claims else { return Ok(()) };
        let body = std::mem::take(&mut self.request.message_body);
        let bytes = body.len();
        if self.is_known_by_its_content().await {
            self.request.message_deduplication_id = Some(sha256(body.as_bytes()));
        }
        let checked = claims.check_in(message_type, body).await.map_err(|cause| {
            Error::Refused(format!("the payload of {bytes} bytes could not be stored, and nothing was sent: {cause}"))
        })?;
        self.request.message_body = checked.body;
        if let Some((name, size)) = checked.size {
            marks::set_number(&mut self.request.message_attributes, name, size as u64);
        }
        self.claim = Some(Box::new((claims, checked.key)));
        Ok(())
    }

    /// Whether it waits in the queue, and has yet to get the mark that it is sent on with.
    fn will_be_sent_on(&self) -> bool {
        let has = |name: &str| self.request.message_attributes.contains_key(name);
        has(marks::DUE) && !has(marks::ID)
    }

    /// Whether its queue would know it again by its body, which a claim check is not: no two are the same. Amazon compares
    /// the SHA-256 of the body, and so it is by that of the stored one. Headers that make a message unique need no other id.
    async fn is_known_by_its_content(&self) -> bool {
        self.request.message_deduplication_id.is_none()
            && self.queue.is_fifo()
            && !matches!(self.way, Way::With(_))
            && self.queue.attributes().await.content_deduplication
    }

    /// The store, for a message that is larger than its queue takes.
    async fn claims_if_too_large(&self) -> Result<Option<Claims>, Error> {
        let bytes = batch::size_bytes(&self.request);
        if is_small(bytes) {
            return Ok(None);
        }
        let is_completion = self.is_completion();
        match self.queue.claims()? {
            Some(claims)
                if is_completion && bytes > LARGEST_COMPLETION_BYTES
                    || bytes + MARKS_BYTES > self.queue.attributes().await.maximum_message_bytes =>
            {
                if bytes > claim::LARGEST_BYTES {
                    let most = claim::LARGEST_BYTES;
                    return Err(Error::Refused(format!(
                        "a message of {bytes} bytes: even stored payloads have {most} at most"
                    )));
                }
                Ok(Some(claims.clone()))
            }
            None if is_completion && bytes > LARGEST_COMPLETION_BYTES => Err(Error::Refused(format!(
                "a message of {bytes} bytes that waits for a batch in the tally queue, where {LARGEST_COMPLETION_BYTES} are the most: \
                 name a store for what is larger, by AFTERWARD_CLAIM_CHECK_URL or Queue::claim_check_at"
            ))),
            None if bytes > limits::MESSAGE_BYTES => Err(Error::Refused(format!(
                "a message of {bytes} bytes, where SQS takes {} at most: name a store for what is larger, by \
                 AFTERWARD_CLAIM_CHECK_URL or Queue::claim_check_at",
                limits::MESSAGE_BYTES
            ))),
            _ => Ok(None),
        }
    }
}

/// Whether every queue takes a message of this size: none can be told to take less.
pub(super) fn is_small(bytes: usize) -> bool {
    bytes + MARKS_BYTES <= *limits::MAXIMUM_MESSAGE_SIZE_BYTES.start() as usize
}

/// Refuses more attributes than a message can have.
pub(super) fn check_count(count: usize) -> Result<(), Error> {
    if count <= limits::MESSAGE_ATTRIBUTES {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "{count} attributes, where a message has {} at most: among them are those that Afterward adds to large messages, to those \
         that wait (`{}`, `{}`, `{}`), and to those of a batch that is kept in a tally queue (`{}`, or `{}` and `{}`)",
        limits::MESSAGE_ATTRIBUTES,
        marks::DUE,
        marks::ID,
        marks::GROUP,
        tally::BATCH,
        tally::COMPLETES,
        marks::ID
    )))
}
