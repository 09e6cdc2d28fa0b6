//! SendMessage.

use super::{Message, Model, Place, Queue, Seen, Told};
use afterward_machine::{BatchTie, Dedup, DeduplicationScope, Refusal, Send};

const FIVE_MINUTES_MS: u64 = 300_000;

impl Model {
    pub(crate) fn send(&mut self, send: &Send) -> Result<Told, Refusal> {
        let queue = self.known(&send.queue)?;
        if send.size_bytes > queue.attributes.maximum_message_bytes {
            return Err(Refusal::MessageTooLong { maximum_bytes: queue.attributes.maximum_message_bytes });
        }
        if queue.is_fifo() && send.group.is_none() {
            return Err(Refusal::GroupMissing);
        }
        if queue.is_fifo() && send.delay_ms.unwrap_or(0) > 0 {
            return Err(Refusal::DelayNotAllowed);
        }
        let delay_ms = send.delay_ms.unwrap_or(queue.attributes.delay_ms);
        if !queue.is_fifo() && delay_ms > 900_000 && delay_ms >= queue.attributes.retention_ms {
            return Err(Refusal::DelayBeyondRetention { retention_ms: queue.attributes.retention_ms });
        }
        let seen = self.seen_by(&queue, send)?;
        if let Some(seen) = &seen {
            let same = |other: &&Seen| (other.queue, &other.fifo, other.key) == (seen.queue, &seen.fifo, seen.key);
            if let Some(first) = self.seen.iter().find(same) {
                return match first.fingerprint == seen.fingerprint {
                    true => Ok(Told::Sent { message: first.message, duplicate: true }),
                    false => Err(Refusal::IdempotencyConflict),
                };
            }
        }
        self.seen.extend(seen);
        let number = self.sent;
        self.sent += 1;
        let own_delay_ms = if queue.is_fifo() { None } else { send.delay_ms };
        let delay_ms = own_delay_ms.unwrap_or(queue.attributes.delay_ms);
        let (rank, batch) = (self.rank(), self.tie(queue.number, send.batch.as_ref()));
        self.messages.push(Message {
            number,
            queue: queue.number,
            group: send.group.clone(),
            rank,
            sent_ms: self.now_ms,
            place: match delay_ms {
                _ if matches!(batch, Some(BatchTie::Held(_))) => Place::Held { delay_ms },
                0 => Place::Visible { since_ms: self.now_ms },
                _ => Place::Delayed { until_ms: self.now_ms + delay_ms },
            },
            receive_count: 0,
            received_elsewhere: 0,
            first_received_ms: None,
            received_ms: 0,
            source: None,
            redrives: 0,
            job: send.job,
            batch,
            failed: false,
            leases: Vec::new(),
            uncounted: Vec::new(),
        });
        Ok(Told::Sent { message: number, duplicate: false })
    }

    /// What is to be remembered of a send.
    fn seen_by(&self, queue: &Queue, send: &Send) -> Result<Option<Seen>, Refusal> {
        let seen = |fifo, key, fingerprint, window_ms| {
            let until_ms = self.now_ms + window_ms;
            Ok(Some(Seen { queue: queue.number, fifo, key, fingerprint, until_ms, message: self.sent }))
        };
        match (&send.dedup, queue.attributes.fifo) {
            (Some(Dedup::Idempotency { key, fingerprint, window_ms }), _) => seen(None, *key, *fingerprint, *window_ms),
            (Some(Dedup::Fifo { id: Some(_), .. }), None) => Err(Refusal::DeduplicationNotAllowed),
            (_, None) => Ok(None),
            (dedup, Some(fifo)) => {
                let (id, body) = match dedup {
                    Some(Dedup::Fifo { id, body }) => (*id, *body),
                    _ => (None, None),
                };
                let by_content = if fifo.content_based_deduplication { body } else { None };
                let key = id.or(by_content).ok_or(Refusal::DeduplicationMissing)?;
                let by_group = fifo.deduplication_scope == DeduplicationScope::MessageGroup;
                seen(Some(send.group.clone().filter(|_| by_group)), key, 0, FIVE_MINUTES_MS)
            }
        }
    }
}
