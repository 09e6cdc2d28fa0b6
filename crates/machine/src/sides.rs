//! What only some messages need, by slot: those that were received, were moved, or failed with a word.

use crate::{LeaseId, Location};
use afterward_names::QueueArn;
use std::collections::BTreeMap;

/// No lease: of a message that is out of sight and that nobody holds.
const NOBODY: LeaseId = LeaseId(0);

/// Of a message that has been received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receipt {
    pub(crate) first_received_ms: u64,
    /// When the last lease began.
    pub(crate) received_ms: u64,
    /// The last lease, or [`NOBODY`].
    pub(crate) lease: LeaseId,
    /// 0 only until what was handed back is visible again.
    pub(crate) receive_count: u32,
}

/// Of a message that was dead-lettered or redriven.
#[derive(Debug, Clone, Default)]
pub(crate) struct Past {
    /// The queue that dead-lettered it; none again after a redrive.
    pub(crate) source: Option<QueueArn>,
    /// How many of its receives were in earlier queues.
    pub(crate) received_elsewhere: u32,
    /// How often it has been redriven, modulo 4096.
    pub(crate) redrives: u16,
}

/// The side tables.
#[derive(Debug, Default)]
pub(crate) struct Sides {
    pub(crate) receipts: BTreeMap<u32, Receipt>,
    pub(crate) pasts: BTreeMap<u32, Past>,
    /// Where the text of the last failure is.
    pub(crate) failures: BTreeMap<u32, Location>,
}

impl Sides {
    pub(crate) fn forget(&mut self, slot: u32) {
        self.receipts.remove(&slot);
        self.pasts.remove(&slot);
        self.failures.remove(&slot);
    }

    pub(crate) fn receive_count(&self, slot: u32) -> u32 {
        self.receipts.get(&slot).map_or(0, |receipt| receipt.receive_count)
    }

    /// When the message was first received, of the receives that count.
    pub(crate) fn first_received_ms(&self, slot: u32) -> Option<u64> {
        self.receipts.get(&slot).filter(|receipt| receipt.receive_count > 0).map(|receipt| receipt.first_received_ms)
    }

    /// The last receive does not count, and its lease holds nothing. Each is taken back once.
    pub(crate) fn take_receive_back(&mut self, slot: u32) {
        if let Some(receipt) = self.receipts.get_mut(&slot).filter(|receipt| receipt.lease != NOBODY) {
            receipt.receive_count = receipt.receive_count.saturating_sub(1);
            receipt.lease = NOBODY;
        }
    }

    /// Forgets the receipt of a message if none of its receives counts: it is as if it had never been received.
    pub(crate) fn forget_unreceived(&mut self, slot: u32) {
        if self.receipts.get(&slot).is_some_and(|receipt| receipt.receive_count == 0) {
            self.receipts.remove(&slot);
        }
    }

    /// What they take on the heap, about: the maps' nodes are two thirds full.
    pub(crate) fn heap_bytes(&self) -> usize {
        let receipts = self.receipts.len() * size_of::<(u32, Receipt)>();
        let pasts = self.pasts.len() * size_of::<(u32, Past)>();
        let failures = self.failures.len() * size_of::<(u32, Location)>();
        (receipts + pasts + failures) * 3 / 2
    }

    pub(crate) fn redrives(&self, slot: u32) -> u16 {
        self.pasts.get(&slot).map_or(0, |past| past.redrives)
    }

    pub(crate) fn source(&self, slot: u32) -> Option<&QueueArn> {
        self.pasts.get(&slot)?.source.as_ref()
    }

    pub(crate) fn received_elsewhere(&self, slot: u32) -> u32 {
        self.pasts.get(&slot).map_or(0, |past| past.received_elsewhere)
    }
}
