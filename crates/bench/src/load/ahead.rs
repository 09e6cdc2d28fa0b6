//! Sends whose requests were made ahead, a number at a time, over connections that stay open in between: so that the
//! pieces of two loads can be measured in turns, and neither making requests nor connecting is in them.

use super::{Load, Reading};
use crate::{presign::Presigned, sqs::Client};
use afterward_aws::sigv4::Signer;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Instant,
};

/// Requests that were made ahead, and who sends them. Clones share both.
#[derive(Debug, Clone)]
pub struct Ahead {
    load: Load,
    requests: Rc<Presigned>,
    /// The request that is next, counting round and round.
    next: Rc<Cell<usize>>,
    /// Those that are not at work.
    clients: Rc<RefCell<Vec<Client>>>,
}

impl Load {
    /// Makes `count` requests of messages of this load, signed or without a signature, for so many connections.
    pub fn ahead(&self, signer: Option<&Signer>, count: usize, connections: usize) -> Ahead {
        let requests =
            Presigned::new(self.0.target.address, &self.0.queue, signer, count, &mut self.ledger().borrow_mut());
        let clients = (0..connections).map(|_| self.client()).collect();
        Ahead {
            load: self.clone(),
            requests: Rc::new(requests),
            next: Rc::default(),
            clients: Rc::new(RefCell::new(clients)),
        }
    }
}

impl Ahead {
    /// Sends `count` of them, on all connections as fast as the answers come.
    pub async fn send(&self, count: u64) -> Reading {
        let left = Rc::new(Cell::new(count));
        let clients: Vec<Client> = self.clients.take();
        let worker = |client| self.clone().sender(client, left.clone());
        self.load.until_done(clients.into_iter().map(worker)).await
    }

    async fn sender(self, mut client: Client, left: Rc<Cell<u64>>) {
        while left.get() > 0 && !self.load.is_over() {
            left.set(left.get() - 1);
            let (number, request) = self.requests.get(self.next.replace(self.next.get() + 1));
            let began = Instant::now();
            match client.send_ahead(self.load.ledger(), number, request).await {
                Ok(()) => self.load.count(1, began.elapsed()),
                Err(error) => {
                    self.load.failed(&error);
                }
            }
        }
        self.clients.borrow_mut().push(client);
    }
}
