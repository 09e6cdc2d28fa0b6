//! Cycles: send one message, receive one, delete it. Which of the messages a connection receives is the server's choice.

use super::{Load, Reading, Times};
use crate::sqs::{ActionError, Client, Delivered, Expect};
use std::time::Instant;

impl Load {
    /// Cycles for a window of time.
    pub async fn cycle(&self, connections: usize, times: Times) -> Reading {
        let worker = |_| self.clone().cycler();
        self.window(times, (0..connections).map(worker)).await
    }

    async fn cycler(self) {
        let mut client = self.client();
        client.receives(1, 0, None);
        let mut delivered = Vec::new();
        while !self.is_over() {
            let began = Instant::now();
            match self.once(&mut client, &mut delivered).await {
                Ok(true) => self.count(1, began.elapsed()),
                Ok(false) => {}
                Err(error) => {
                    self.failed(&error);
                }
            }
        }
    }

    /// One cycle; `false` if the work was over before it was.
    async fn once(&self, client: &mut Client, delivered: &mut Vec<Delivered>) -> Result<bool, ActionError> {
        client.send(self.ledger(), Expect::Broker).await?;
        loop {
            client.receive(self.ledger(), delivered).await?;
            match delivered.first() {
                Some(message) => {
                    client.delete(&message.receipt).await?;
                    return Ok(true);
                }
                // Another connection took it and leaves its own to this one.
                None if self.is_over() => return Ok(false),
                None => {}
            }
        }
    }
}
