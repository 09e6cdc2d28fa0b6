//! SendMessage, one message a request, on every connection as fast as the answers come.

use super::{Load, Reading, Times};
use crate::{presign::Presigned, sqs::Expect};
use std::{rc::Rc, time::Instant};

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

    /// Sends requests that were signed ahead, round and round, for a window of time.
    pub async fn send_signed(&self, connections: usize, times: Times, requests: &Rc<Presigned>) -> Reading {
        let share = requests.len() / connections.max(1);
        let worker = |at| self.clone().signed_sender(requests.clone(), at * share);
        self.window(times, (0..connections).map(worker)).await
    }

    async fn signed_sender(self, requests: Rc<Presigned>, mut at: usize) {
        let mut client = self.client();
        while !self.is_over() {
            let (number, request) = requests.get(at);
            at += 1;
            let began = Instant::now();
            match client.send_ahead(self.ledger(), number, request).await {
                Ok(()) => self.count(1, began.elapsed()),
                Err(error) => {
                    self.failed(&error);
                }
            }
        }
    }

    /// Requests of this load's first messages, signed by `credential`, to be sent as often as wanted.
    pub fn presign(&self, credential: afterward_aws::sigv4::Credential, count: usize) -> Rc<Presigned> {
        let mut ledger = self.ledger().borrow_mut();
        Rc::new(Presigned::new(self.0.target.address, &self.0.queue, credential, count, &mut ledger))
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
