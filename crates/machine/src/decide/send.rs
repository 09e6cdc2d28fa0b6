//! SendMessage.

use crate::dedup::{Scope, Seen};
use crate::queue::Queue;
use crate::{BatchTie, Decision, Dedup, Event, FifoAttributes, KeptKey, QueueId, Refusal, Reply, Send, State};
use afterward_names::limits;

/// A send that is not refused, but for what was seen before.
pub(super) struct Accepted {
    pub(super) queue: QueueId,
    pub(super) visible_ms: u64,
    /// The deduplication entry that it makes, or finds.
    pub(super) dedup: Option<KeptKey>,
    pub(super) batch: Option<BatchTie>,
}

impl State {
    pub(super) fn send(&self, send: &Send, random: u64) -> Result<Decision, Refusal> {
        let accepted = self.accept(send)?;
        if let Some((key, seen)) = accepted.dedup.and_then(|key| Some((key, self.dedup.get(&key.key)?))) {
            return seen_before(key, &seen);
        }
        let sent = accepted.message(send, self.slab.next_free(), self.last_order + 1, random);
        let reply = Reply::Sent { id: sent.id, order: sent.order, duplicate: false };
        Ok(Decision { events: vec![Event::Sent(sent)], reply })
    }

    pub(super) fn accept(&self, send: &Send) -> Result<Accepted, Refusal> {
        let queue = self.known(&send.queue)?;
        let maximum_bytes = queue.attributes.maximum_message_bytes;
        if send.size_bytes > maximum_bytes {
            return Err(Refusal::MessageTooLong { maximum_bytes });
        }
        let visible_ms = self.now_ms + delay_ms(queue, send)?;
        Ok(Accepted {
            queue: queue.id,
            visible_ms,
            dedup: self.dedup_key(queue, send)?,
            batch: self.batch_tie(queue.id, send),
        })
    }

    /// The deduplication entry that a send would make.
    fn dedup_key(&self, queue: &Queue, send: &Send) -> Result<Option<KeptKey>, Refusal> {
        if let Some(Dedup::Idempotency { key, fingerprint, window_ms }) = &send.dedup {
            let key = Scope::Idempotency(queue.id).mix(*key);
            let expires_ms = self.now_ms.saturating_add(*window_ms);
            return Ok(Some(KeptKey { key, expires_ms, fingerprint: *fingerprint }));
        }
        let (id, body) = match &send.dedup {
            Some(Dedup::Fifo { id, body }) => (*id, *body),
            _ => (None, None),
        };
        let Some(FifoAttributes { content_based_deduplication, deduplication_scope, .. }) = queue.attributes.fifo
        else {
            return if id.is_some() { Err(Refusal::DeduplicationNotAllowed) } else { Ok(None) };
        };
        let of_content = body.filter(|_| content_based_deduplication);
        let digest = id.or(of_content).ok_or(Refusal::DeduplicationMissing)?;
        let key = Scope::Fifo(queue.id, deduplication_scope, send.group.as_ref()).mix(digest);
        let expires_ms = self.now_ms + limits::DEDUPLICATION_WINDOW_MS;
        Ok(Some(KeptKey { key, expires_ms, fingerprint: 0 }))
    }
}

/// How long a message is invisible at first. FIFO queues know only their own delay.
fn delay_ms(queue: &Queue, send: &Send) -> Result<u64, Refusal> {
    if queue.is_fifo() {
        if send.group.is_none() {
            return Err(Refusal::GroupMissing);
        }
        if send.delay_ms.is_some_and(|delay_ms| delay_ms > 0) {
            return Err(Refusal::DelayNotAllowed);
        }
        return Ok(queue.attributes.delay_ms);
    }
    let (delay_ms, retention_ms) = (send.delay_ms.unwrap_or(queue.attributes.delay_ms), queue.attributes.retention_ms);
    // SQS takes its own delays whatever the retention; one beyond them that nobody would ever see is a mistake.
    if delay_ms > limits::DELAY_S.end() * 1000 && delay_ms >= retention_ms {
        return Err(Refusal::DelayBeyondRetention { retention_ms });
    }
    Ok(delay_ms)
}

/// The answer to a send that was seen before: that of the first time.
pub(super) fn seen_before(key: KeptKey, seen: &Seen) -> Result<Decision, Refusal> {
    if seen.fingerprint != key.fingerprint {
        return Err(Refusal::IdempotencyConflict);
    }
    Ok(Decision { events: Vec::new(), reply: Reply::Sent { id: seen.id, order: seen.order, duplicate: true } })
}
