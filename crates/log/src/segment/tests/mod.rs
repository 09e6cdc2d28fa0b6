//! The engine under faults.

mod crash;
mod damage;
mod files;
mod full;
mod trouble;

use super::{Durability, OpenError, OpenReport, Options, SegmentLog};
use crate::{AppendError, Batch, Epoch, Log, LoggedBatch, Position, disk::FaultyDisk};
use std::sync::Arc;

const SEGMENT_BYTES: u64 = 4096;

/// Without a way past the cache, and with one.
const DISKS: [fn() -> FaultyDisk; 2] = [FaultyDisk::new, FaultyDisk::with_direct];

fn options() -> Options {
    Options { segment_bytes: SEGMENT_BYTES, salt: 42, background: false, ..Options::default() }
}

fn try_open(disk: &FaultyDisk, durability: Durability) -> Result<(SegmentLog, OpenReport), OpenError> {
    SegmentLog::open_on(Arc::new(disk.clone()), &Options { durability, ..options() })
}

fn open(disk: &FaultyDisk) -> SegmentLog {
    try_open(disk, Durability::Flush).unwrap().0
}

/// Payloads of all kinds of lengths, with zeros where they can do harm.
fn batch(nth: u64) -> Batch {
    let bytes = [0, 10, 300, 448, 700, 1500, 2500, 63][nth as usize % 8];
    let mut payload: Vec<u8> = (0..bytes).map(|byte| (byte as u64 * 7 + nth * 13) as u8 | 1).collect();
    if nth.is_multiple_of(3) {
        let zeros = payload.len() / 4..payload.len() / 4 * 3;
        payload[zeros].fill(0);
    }
    Batch { time_ms: 1000 + nth, records: 1, payload: payload.into() }
}

fn everything(log: &SegmentLog) -> Vec<LoggedBatch> {
    let mut batches = Vec::new();
    let mut from = log.bounds().unwrap().first;
    loop {
        let page = log.read(from, 1000).unwrap();
        if page.next == from {
            return batches;
        }
        from = page.next;
        batches.extend(page.batches);
    }
}

/// What a client was told.
#[derive(Default)]
struct Ledger {
    acknowledged: Vec<Batch>,
    /// Of those, how many were under a claim or before one, or in a segment before the last one.
    claimed: usize,
    in_doubt: Option<Batch>,
    trimmed: Position,
}

impl Ledger {
    /// Claims, appends and trims, until something fails.
    fn work(&mut self, log: &SegmentLog, rounds: u64) -> Result<(), AppendError> {
        for round in 0..rounds {
            let tail = self.acknowledged.len() as Position;
            let claim = batch(tail);
            self.in_doubt = Some(claim.clone());
            let claimed = log.claim(tail, claim);
            let (epoch, _) = claimed.map_err(|error| match error {
                crate::ClaimError::Append(error) => error,
                error @ crate::ClaimError::TailMoved { .. } => panic!("{error}"),
            })?;
            self.acknowledge();
            self.claimed = self.acknowledged.len();
            self.append(log, epoch, 8)?;
            if round > 0 {
                let up_to = self.acknowledged.len() as Position - 9;
                log.trim(epoch, up_to)?;
                self.trimmed = up_to;
            }
        }
        Ok(())
    }

    fn append(&mut self, log: &SegmentLog, epoch: Epoch, count: u64) -> Result<(), AppendError> {
        for _ in 0..count {
            let tail = self.acknowledged.len() as Position;
            self.in_doubt = Some(batch(tail));
            let outcome = log.append(epoch, tail, batch(tail));
            if matches!(outcome, Err(AppendError::Rejected { .. } | AppendError::Fenced)) {
                self.in_doubt = None;
            }
            outcome?;
            self.acknowledge();
        }
        Ok(())
    }

    fn acknowledge(&mut self) {
        self.acknowledged.extend(self.in_doubt.take());
    }

    /// Nothing acknowledged is lost, nothing is invented, and no more is gone than was trimmed. Takes in what was in
    /// doubt and turned out to be there.
    fn check(&mut self, log: &SegmentLog, what: &str) {
        let bounds = log.bounds().unwrap();
        assert!(bounds.first <= self.trimmed + 1, "{what}: {bounds:?}, but trimmed to {} only", self.trimmed);
        if bounds.tail as usize > self.acknowledged.len() {
            self.acknowledge();
        }
        self.in_doubt = None;
        assert_eq!(bounds.tail as usize, self.acknowledged.len(), "{what}: {bounds:?}");
        let found: Vec<_> = everything(log).into_iter().map(|logged| logged.batch).collect();
        assert!(found == self.acknowledged[bounds.first as usize - 1..], "{what}: other batches than were written");
    }
}
