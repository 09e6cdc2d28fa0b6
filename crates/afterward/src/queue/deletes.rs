//! Deletes that happen at the same time travel together.
//!
//! A delete waits for nobody: it goes out at once while fewer than [`CALLS`] are under way, and takes along whichever
//! others have come up by then. Only when all calls are busy do deletes gather, up to ten to a call. There is no timer
//! and no background task: one of the waiting callers makes the call for all of them.

use super::source::{of_entry, of_lease};
use crate::{SourceError, sqs};
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};
use tokio::sync::{Semaphore, oneshot};

/// Delete calls under way at a time.
const CALLS: usize = 4;
/// What SQS takes in one call.
const BATCH: usize = 10;

/// The deletes of one queue.
pub(super) struct Deletes {
    client: sqs::Client,
    queue_url: String,
    waiting: Mutex<VecDeque<Waiting>>,
    calls: Semaphore,
}

struct Waiting {
    receipt: String,
    done: oneshot::Sender<Result<(), SourceError>>,
}

impl Deletes {
    pub(super) fn new(client: sqs::Client, queue_url: String) -> Deletes {
        Deletes { client, queue_url, waiting: Mutex::default(), calls: Semaphore::new(CALLS) }
    }

    /// Deletes a message.
    pub(super) async fn delete(&self, receipt: &str) -> Result<(), SourceError> {
        let (done, mut outcome) = oneshot::channel();
        self.push(Waiting { receipt: receipt.to_owned(), done });
        loop {
            tokio::select! {
                biased;
                outcome = &mut outcome => return match outcome {
                    Ok(outcome) => outcome,
                    // Whoever had this delete in its call was dropped with it.
                    Err(_) => self.call(vec![receipt.to_owned()]).await.pop().unwrap_or(Ok(())),
                },
                // The semaphore is never closed, so there is a permit.
                _permit = self.calls.acquire() => self.call_for_waiting().await,
            }
        }
    }

    /// Deletes several, in as few calls as it takes; the outcomes are in the order of the receipts.
    pub(super) async fn delete_all(&self, mut receipts: Vec<String>) -> Vec<Result<(), SourceError>> {
        let mut outcomes = Vec::with_capacity(receipts.len());
        while !receipts.is_empty() {
            let rest = receipts.split_off(receipts.len().min(BATCH));
            outcomes.append(&mut self.call(std::mem::replace(&mut receipts, rest)).await);
        }
        outcomes
    }

    async fn call_for_waiting(&self) {
        // Others that are ready to run may have deletes to add, and that costs less than a call of their own.
        tokio::task::yield_now().await;
        let batch = self.take();
        let (receipts, done): (Vec<_>, Vec<_>) = batch.into_iter().map(|one| (one.receipt, one.done)).unzip();
        if receipts.is_empty() {
            return;
        }
        for (done, outcome) in done.into_iter().zip(self.call(receipts).await) {
            // A caller that has gone does not want to know.
            let _ = done.send(outcome);
        }
    }

    /// Deletes these in one call; the outcomes are in the order of the receipts.
    async fn call(&self, receipts: Vec<String>) -> Vec<Result<(), SourceError>> {
        let count = receipts.len();
        let outcome = match <[String; 1]>::try_from(receipts) {
            Ok([receipt_handle]) => self.call_one(receipt_handle).await.map(|()| vec![Ok(())]),
            Err(receipts) => self.call_batch(receipts).await,
        };
        outcome.unwrap_or_else(|error| (0..count).map(|_| Err(of_lease(&error))).collect())
    }

    async fn call_one(&self, receipt_handle: String) -> Result<(), sqs::Error> {
        let request = sqs::DeleteMessageRequest { queue_url: self.queue_url.clone(), receipt_handle };
        self.client.delete_message(request).await
    }

    async fn call_batch(&self, receipts: Vec<String>) -> Result<Vec<Result<(), SourceError>>, sqs::Error> {
        let entry = |(id, receipt_handle): (usize, String)| sqs::DeleteMessageBatchRequestEntry {
            id: id.to_string(),
            receipt_handle,
        };
        let mut outcomes: Vec<Result<(), SourceError>> = receipts.iter().map(|_| Ok(())).collect();
        let entries = receipts.into_iter().enumerate().map(entry).collect();
        let request = sqs::DeleteMessageBatchRequest { queue_url: self.queue_url.clone(), entries };
        for refused in self.client.delete_message_batch(request).await?.failed {
            if let Some(outcome) = refused.id.parse().ok().and_then(|id: usize| outcomes.get_mut(id)) {
                *outcome = Err(of_entry(refused));
            }
        }
        Ok(outcomes)
    }

    fn push(&self, waiting: Waiting) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(waiting);
    }

    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.len().min(BATCH);
        waiting.drain(..count).collect()
    }
}
