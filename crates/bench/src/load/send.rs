//! SendMessage, one message a request, on every connection as fast as the answers come.

use super::{Load, Reading, Times};
use crate::sqs::Expect;
use std::time::Instant;

impl Load {
    /// Sends for a window of time.
    pub async fn send(&self, connections: usize, times: Times, expect: Expect) -> Reading {
        let worker = |_| self.clone().sender(expect);
        self.window(times, (0..connections).map(worker)).await
    }

    async fn sender(self, expect: Expect) {
        let mut client = self.client();
        while !self.is_over() {
            let began = Instant::now();
            match client.send(self.ledger(), expect).await {
                Ok(_) => self.count(1, began.elapsed()),
                Err(error) => {
                    self.failed(&error);
                }
            }
        }
    }

    /// SendMessageBatch of ten, for a window of time; operations are messages.
    pub async fn send_batches(&self, connections: usize, times: Times) -> Reading {
        let worker = |_| self.clone().batch_sender();
        self.window(times, (0..connections).map(worker)).await
    }

    async fn batch_sender(self) {
        let mut client = self.client();
        while !self.is_over() {
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
