//! Taking messages out: a number of them one by one, as a measure; all of them, as a proof; and many at once, to hold.

use super::{Load, Reading, fill::CONNECTIONS};
use crate::{
    ledger::Proof,
    sqs::{BATCH, Client, Delivered},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

/// How long a queue that should not be empty may give nothing.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Everything: afterwards what is missing is lost.
    All,
    /// This many messages: for servers that would take hours for all.
    Sample(u64),
}

impl Load {
    /// Receives and deletes `count` messages, one a request.
    pub async fn take(&self, connections: usize, count: u64) -> Reading {
        let left = Rc::new(Cell::new(count));
        let worker = |_| self.clone().taker(left.clone());
        self.until_done((0..connections).map(worker)).await
    }

    async fn taker(self, left: Rc<Cell<u64>>) {
        let mut client = self.client();
        client.receives(1, 0, None);
        let mut delivered = Vec::new();
        while left.get() > 0 && !self.is_over() {
            left.set(left.get() - 1);
            let began = Instant::now();
            if let Err(error) = client.receive(self.ledger(), &mut delivered).await {
                self.failed(&error);
                continue;
            }
            let Some(message) = delivered.first() else {
                self.ledger().borrow_mut().failed("a queue with messages gave none");
                return;
            };
            match client.delete(&message.receipt).await {
                Ok(()) => self.count(1, began.elapsed()),
                Err(error) => {
                    self.failed(&error);
                }
            }
        }
    }

    /// Empties the queue, or takes a sample of it, and says whether every message came once and whole.
    pub async fn prove(&self, extent: Extent) -> Proof {
        let progress = Rc::new(Cell::new(Instant::now()));
        let enough = match extent {
            Extent::All => 0,
            Extent::Sample(count) => self.outstanding().saturating_sub(count),
        };
        let worker = |_| self.clone().emptier(progress.clone(), enough, extent);
        self.until_done((0..CONNECTIONS).map(worker)).await;
        self.proof(extent == Extent::All)
    }

    async fn emptier(self, progress: Rc<Cell<Instant>>, enough: u64, extent: Extent) {
        let mut client = self.client();
        let mut delivered = Vec::new();
        while !self.is_over() {
            if extent != Extent::All && self.outstanding() <= enough {
                return;
            }
            if let Err(error) = client.receive(self.ledger(), &mut delivered).await {
                self.failed(&error);
                continue;
            }
            if delivered.is_empty() {
                // Only an empty queue says that nothing comes twice.
                if self.outstanding() <= enough || progress.get().elapsed() > PATIENCE {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
                continue;
            }
            progress.set(Instant::now());
            if let Err(error) = client.delete_batch(self.ledger(), &delivered).await {
                self.failed(&error);
            }
        }
    }

    /// Receives `count` messages for twelve hours and deletes none.
    pub async fn hold(&self, count: u64) -> Vec<Delivered> {
        let held = Rc::new(RefCell::new(Vec::new()));
        let worker = |_| self.clone().holder(count, held.clone());
        self.until_done((0..CONNECTIONS).map(worker)).await;
        held.take()
    }

    async fn holder(self, count: u64, held: Rc<RefCell<Vec<Delivered>>>) {
        let mut client = self.client();
        client.receives(BATCH, 0, Some(12 * 3600));
        let mut delivered = Vec::new();
        while (held.borrow().len() as u64) < count && !self.is_over() {
            if let Err(error) = client.receive(self.ledger(), &mut delivered).await {
                self.failed(&error);
            } else if delivered.is_empty() {
                return;
            } else {
                held.borrow_mut().append(&mut delivered);
            }
        }
    }

    /// Deletes what was held, in this order but for what is in the air at once.
    pub async fn delete(&self, held: Vec<Delivered>) -> Reading {
        let batches = Rc::new(RefCell::new(held.into_iter()));
        let worker = |_| self.clone().deleter(batches.clone());
        self.until_done((0..CONNECTIONS).map(worker)).await
    }

    async fn deleter(self, held: Rc<RefCell<std::vec::IntoIter<Delivered>>>) {
        let mut client: Client = self.client();
        while !self.is_over() {
            let batch: Vec<Delivered> = held.borrow_mut().by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return;
            }
            let began = Instant::now();
            match client.delete_batch(self.ledger(), &batch).await {
                Ok(()) => self.count(batch.len() as u64, began.elapsed()),
                Err(error) => {
                    self.failed(&error);
                }
            }
        }
    }
}
