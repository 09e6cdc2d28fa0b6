//! From a log to a partition at work: replay, claim, read the claim back.
//!
//! The log is read to its tail before anything is written to it, so a log that is damaged, or written by a newer
//! release, is left as it was found. Then the claim is appended at the tail, and reading goes on until it comes back:
//! what an earlier owner still had on the way is either before it and replayed, or fenced off.
//!
//! A replay starts at definitions: a batch whose first record is `Founded`. What the log retains before the first of
//! these (an engine may keep more than it has to) is not needed and is skipped.

use crate::{OpenError, metrics::Counters, partition::Partition};
use afterward_log::{Batch, ClaimError, Epoch, Log, LoggedBatch, Position};
use afterward_machine::{Command, Event, Location, State};
use afterward_record::{Beside, decode, encode};
use bytes::Bytes;
use std::{collections::VecDeque, sync::Arc};

/// How much is read at a time.
const PAGE_BYTES: usize = 4 << 20;

/// Replays `log` and takes it over. A new log is founded with `secret`; an old one keeps its own.
///
/// # Errors
/// See [`OpenError`].
pub fn open(log: &dyn Log, now_ms: u64, secret: [u8; 32], counters: Arc<Counters>) -> Result<Partition, OpenError> {
    let mut replay = Replay::new(log.bounds()?.first);
    loop {
        replay.read_to_tail(log)?;
        replay.check_definitions()?;
        match replay.claim(log, now_ms, secret) {
            Ok((epoch, position)) => {
                replay.read_to_claim(log, epoch, position)?;
                return Ok(replay.into_partition(epoch, position, counters));
            }
            // Somebody else's batch came in between: read on.
            Err(ClaimError::TailMoved { tail }) if tail > replay.tail() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

struct Replay {
    state: State,
    /// Where to read on.
    next: Position,
    records: u64,
    /// The first batch with records that no definitions precede, as long as there are no definitions.
    undefined: Option<Position>,
    definitions: VecDeque<Position>,
    since_definitions_bytes: u64,
}

impl Replay {
    fn new(first: Position) -> Replay {
        Replay {
            state: State::new(),
            next: first,
            records: 0,
            undefined: None,
            definitions: VecDeque::new(),
            since_definitions_bytes: 0,
        }
    }

    fn tail(&self) -> Position {
        self.next - 1
    }

    fn read_to_tail(&mut self, log: &dyn Log) -> Result<(), OpenError> {
        loop {
            let page = log.read(self.next, PAGE_BYTES)?;
            for logged in &page.batches {
                self.batch(logged)?;
            }
            if page.next <= self.next {
                return Ok(());
            }
            self.next = page.next;
        }
    }

    /// A log with records but no definitions was not written, or not trimmed, by this program. Founding it anew would
    /// make its messages vanish.
    fn check_definitions(&self) -> Result<(), OpenError> {
        match self.undefined {
            Some(position) if self.definitions.is_empty() => Err(OpenError::Record {
                position,
                reason:
                    "no definitions precede its records, so the log's beginning is missing: a segment file was lost"
                        .to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Reads on until the claim of `epoch` has been read back from `position`.
    fn read_to_claim(&mut self, log: &dyn Log, epoch: Epoch, position: Position) -> Result<(), OpenError> {
        while self.next <= position {
            let page = log.read(self.next, PAGE_BYTES)?;
            for logged in &page.batches {
                self.batch(logged)?;
                if logged.position == position && logged.epoch != epoch {
                    return Err(not_ours(position));
                }
            }
            if page.next <= self.next {
                return Err(not_ours(position));
            }
            self.next = page.next;
        }
        Ok(())
    }

    fn batch(&mut self, logged: &LoggedBatch) -> Result<(), OpenError> {
        let position = logged.position;
        let payload = &logged.batch.payload;
        for (index, decoded) in decode(payload).enumerate() {
            let decoded = decoded.map_err(|wrong| wrong_record(position, &wrong))?;
            if index == 0 && matches!(decoded.event, Event::Founded { .. }) {
                self.definitions.push_back(position);
                self.since_definitions_bytes = 0;
            }
            if self.definitions.is_empty() {
                self.undefined.get_or_insert(position);
                continue;
            }
            let offset_bytes = decoded.span.offset_bytes;
            let at = Location { position, offset_bytes, length_bytes: decoded.span.length_bytes };
            self.state.advance(decoded.time_ms);
            self.state.apply(&decoded.event, at);
            self.records += 1;
        }
        self.since_definitions_bytes += payload.len() as u64;
        if !self.definitions.is_empty() {
            self.state.advance(logged.batch.time_ms);
            // Nobody waits yet.
            self.state.take_woken();
        }
        Ok(())
    }

    /// Appends the claim, which founds a new log.
    fn claim(&mut self, log: &dyn Log, now_ms: u64, secret: [u8; 32]) -> Result<(Epoch, Position), ClaimError> {
        let time_ms = now_ms.max(self.state.now_ms());
        let mut payload = Vec::new();
        let mut records = 0;
        if self.state.secret().is_none() {
            let founding = self.state.decide(&Command::Found { secret }, 0);
            for event in founding.iter().flat_map(|decision| &decision.events) {
                encode(&mut payload, time_ms, event, Beside::Nothing);
                records += 1;
            }
        }
        log.claim(self.tail(), Batch { time_ms, records, payload: Bytes::from(payload) })
    }

    fn into_partition(self, epoch: Epoch, position: Position, counters: Arc<Counters>) -> Partition {
        let Replay { state, records, definitions, since_definitions_bytes, .. } = self;
        tracing::info!(records, messages = state.message_count(), epoch, tail = position, "the log is replayed");
        Partition::new(state, epoch, position, definitions, since_definitions_bytes, counters)
    }
}

fn not_ours(position: Position) -> OpenError {
    OpenError::Claim(ClaimError::TailMoved { tail: position })
}

/// The error for a record that this release can't read.
pub(crate) fn wrong_record(position: Position, wrong: &afterward_record::Corrupt) -> OpenError {
    OpenError::Record { position, reason: wrong.to_string() }
}
