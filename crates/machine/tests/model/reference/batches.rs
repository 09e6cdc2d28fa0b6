//! Batches: who waits for whom.

use super::{Message, Model, Place};
use afterward_machine::{BatchTie, Batched};
use afterward_names::BatchId;

impl Model {
    /// What a message that is sent to `queue` now has to do with a batch.
    pub(super) fn tie(&self, queue: u32, batched: Option<&Batched>) -> Option<BatchTie> {
        match batched? {
            Batched::In(id) => Some(BatchTie::In(id.clone())),
            Batched::After(id) if self.is_over(queue, id) => Some(BatchTie::After(id.clone())),
            Batched::After(id) => Some(BatchTie::Held(id.clone())),
        }
    }

    /// Whether none of the batch is in the queue.
    fn is_over(&self, queue: u32, id: &BatchId) -> bool {
        let is_one = |message: &Message| matches!(&message.batch, Some(BatchTie::In(of)) if of == id);
        !self.messages.iter().any(|message| message.queue == queue && is_one(message))
    }

    /// What waits for nothing any more joins the line as newly sent, by how long it has waited.
    pub(crate) fn release_held(&mut self) {
        let mut over: Vec<(u64, usize, BatchId)> = Vec::new();
        for message in &self.messages {
            if let Some(BatchTie::Held(id)) = &message.batch
                && self.is_over(message.queue, id)
            {
                over.push((message.rank, message.number, id.clone()));
            }
        }
        over.sort();
        for (_, number, id) in over {
            let (now_ms, rank) = (self.now_ms, self.rank());
            let queue = self.message(number).map(|message| self.queue(message.queue).clone()).expect("it is there");
            let message = self.message_mut(number);
            let Place::Held { delay_ms } = message.place else { panic!("it is held") };
            let delay_ms = if queue.is_fifo() { queue.attributes.delay_ms } else { delay_ms };
            message.batch = Some(BatchTie::After(id));
            (message.rank, message.sent_ms) = (rank, now_ms);
            message.place = match delay_ms {
                0 => Place::Visible { since_ms: now_ms },
                _ => Place::Delayed { until_ms: now_ms + delay_ms },
            };
        }
    }
}

impl Message {
    /// It leaves its queue for another one, and with that the batch that it is one of.
    pub(super) fn leave_batch(&mut self) {
        self.batch.take_if(|tie| matches!(tie, BatchTie::In(_)));
    }
}
