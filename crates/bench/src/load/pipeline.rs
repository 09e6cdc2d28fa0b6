//! Producers and consumers beside each other, both in batches of ten; the producers wait when the consumers fall behind.

use super::{Load, Reading, Times};
use std::{cell::Cell, rc::Rc, time::Instant};

/// How many messages may wait before the producers do.
const AHEAD: u64 = 1000;

impl Load {
    /// Produces and consumes for a window of time; operations are messages received and deleted.
    pub async fn pipeline(&self, producers: usize, consumers: usize, times: Times) -> Reading {
        let producing = Rc::new(Cell::new(producers));
        let worker = |at| {
            let (load, producing) = (self.clone(), producing.clone());
            async move {
                if at < producers {
                    load.producer().await;
                    producing.set(producing.get() - 1);
                } else {
                    load.consumer(producing).await;
                }
            }
        };
        self.window(times, (0..producers + consumers).map(worker)).await
    }

    async fn producer(self) {
        let mut client = self.client();
        while !self.is_over() {
            if self.outstanding() > AHEAD {
                self.0.taken.notified().await;
                continue;
            }
            if let Err(error) = client.send_batch(self.ledger()).await {
                self.failed(&error);
            }
        }
    }

    async fn consumer(self, producing: Rc<Cell<usize>>) {
        let mut client = self.client();
        client.receives(10, 1, None);
        let mut delivered = Vec::new();
        while producing.get() > 0 {
            let began = Instant::now();
            if let Err(error) = client.receive(self.ledger(), &mut delivered).await {
                self.failed(&error);
                continue;
            }
            if delivered.is_empty() {
                continue;
            }
            match client.delete_batch(self.ledger(), &delivered).await {
                Ok(()) => self.count(delivered.len() as u64, began.elapsed()),
                Err(error) => {
                    self.failed(&error);
                }
            }
            self.0.taken.notify_waiters();
        }
    }
}
