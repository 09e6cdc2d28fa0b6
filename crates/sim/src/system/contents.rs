//! What messages say: on their way in, and read back from the log.

use super::System;
use crate::history::{Batch, IDEMPOTENCY_MS, Sending};
use afterward_broker::Content;
use afterward_broker::partition::Partition;
use afterward_log::{ReadError, Slice};
use afterward_machine::{Batched, Command, Dedup, Delivery, Location, Send};
use afterward_record::{decode, decode_one};
use bytes::Bytes;

/// Names that are always names.
fn batched(batch: Batch) -> Option<Batched> {
    match batch {
        Batch::In(number) => Some(Batched::In(format!("b{number}").parse().ok()?)),
        Batch::After(number) => Some(Batched::After(format!("b{number}").parse().ok()?)),
    }
}

impl System {
    pub(super) fn message(&self, sending: &Sending) -> (Command, Content) {
        let queue = self.queues[sending.queue].address();
        let is_fifo = self.queues[sending.queue].is_fifo();
        let dedup = sending.dedup.map(|id| (u128::from(id).to_be_bytes(), sending.fingerprint));
        let dedup = dedup.map(|(id, fingerprint)| match is_fifo {
            true => Dedup::Fifo { id: Some(id), body: None },
            false => Dedup::Idempotency { key: id, fingerprint, window_ms: IDEMPOTENCY_MS },
        });
        let send = Send {
            queue,
            size_bytes: sending.body.len() as u32,
            delay_ms: sending.delay_ms,
            group: sending.group.and_then(|group| format!("g{group}").parse().ok()),
            dedup,
            // The front door takes in what has no group: its end is remembered.
            job: sending.group.is_none(),
            batch: sending.batch.and_then(batched),
        };
        (Command::Send(send), content(sending))
    }

    /// Whether the message that was delivered is gone by now.
    pub fn is_gone(&self, delivery: &Delivery) -> bool {
        self.partition().is_some_and(|partition| partition.state().message(delivery.message).is_none())
    }

    /// What the message that was delivered says; `None` where it is gone by now, or is being moved.
    ///
    /// # Errors
    /// When the log can't give it back as it was.
    pub fn content(&self, delivery: &Delivery) -> Result<Option<Content>, String> {
        let record = match self.fetch(delivery.location) {
            Err(ReadError::Trimmed { .. }) => {
                let state = self.partition().map(Partition::state);
                let Some(message) = state.and_then(|state| state.message(delivery.message)) else { return Ok(None) };
                if self.log.bounds().is_ok_and(|bounds| message.location.position > bounds.tail) {
                    // Where it is being moved to, it is not durable yet. The broker waits for that.
                    return Ok(None);
                }
                self.fetch(message.location)
            }
            fetched => fetched,
        };
        let record = record.map_err(|error| format!("{delivery:?} can't be fetched: {error}"))?;
        let decoded = decode_one(&record).map_err(|error| format!("{delivery:?}: {error}"))?;
        let content = decoded.content.ok_or_else(|| format!("{delivery:?} has no content"))?;
        Content::decode(content).map(Some).map_err(|error| format!("{delivery:?}: {error}"))
    }

    /// The records that the log retains, as text.
    pub fn records(&self) -> Vec<String> {
        let first = self.log.bounds().map_or(1, |bounds| bounds.first);
        let page = self.log.read(first, usize::MAX).unwrap_or_default();
        let batches = page.batches.iter().flat_map(|logged| {
            let head = format!("batch {} of epoch {}, claim: {}", logged.position, logged.epoch, logged.claim);
            let records = decode(&logged.batch.payload).map(|record| match record {
                Ok(record) => format!("  {} {:?}", record.time_ms, record.event),
                Err(corrupt) => format!("  {corrupt}"),
            });
            std::iter::once(head).chain(records)
        });
        batches.collect()
    }

    pub(super) fn fetch(&self, at: Location) -> Result<Bytes, ReadError> {
        let bytes = at.offset_bytes..at.offset_bytes + at.length_bytes;
        let mut fetched = self.log.fetch(&[Slice { position: at.position, bytes }])?;
        Ok(fetched.pop().unwrap_or_default())
    }
}

/// What a send's content is: all of it follows from the body.
pub fn content(sending: &Sending) -> Content {
    let mut body_md5 = [0; 16];
    for (byte, from) in body_md5.iter_mut().zip(sending.body.bytes()) {
        *byte = from;
    }
    Content {
        body: Bytes::from(sending.body.clone()),
        body_md5,
        attributes: Vec::new(),
        sender: "simulation".into(),
        deduplication_id: sending.dedup.map(|id| id.to_string().into()),
        trace_header: None,
    }
}
