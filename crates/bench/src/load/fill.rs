//! Putting a number of messages into the queue.

use super::{Load, Reading};
use crate::sqs::BATCH;
use std::{cell::Cell, rc::Rc, time::Instant};

/// How many connections fill and empty a queue.
pub(super) const CONNECTIONS: usize = 16;

impl Load {
    /// Sends `count` messages in batches of ten.
    pub async fn fill(&self, count: u64) -> Reading {
        let left = Rc::new(Cell::new(count.div_ceil(BATCH as u64)));
        let worker = |_| self.clone().filler(left.clone());
        self.until_done((0..CONNECTIONS).map(worker)).await
    }

    async fn filler(self, left: Rc<Cell<u64>>) {
        let mut client = self.client();
        while left.get() > 0 && !self.is_over() {
            left.set(left.get() - 1);
            let began = Instant::now();
            match client.send_batch(self.ledger()).await {
                Ok(taken) => self.count(taken as u64, began.elapsed()),
                Err(error) => {
                    self.failed(&error);
                }
            }
        }
    }
}
