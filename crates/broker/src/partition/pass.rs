//! One pass of compaction over the log's batches: see `compact.rs`.

use super::Partition;
use crate::{OpenError, open::wrong_record};
use afterward_log::{Log, LoggedBatch, Position, Slice};
use afterward_machine::{Event, Forward, Location};
use afterward_record::{Beside, Decoded, decode, decode_one};
use bytes::Bytes;
use std::{
    collections::{HashMap, VecDeque},
    mem,
};

/// How much is read at a time.
const PAGE_BYTES: usize = 128 << 10;
/// How many records are decoded at a time.
const DECODED_RECORDS: usize = 256;

/// How far a pass has come.
#[derive(Debug)]
pub(super) struct Pass {
    /// Where to read on.
    next: Position,
    /// The definitions batch that the pass ends before.
    until: Position,
    /// Read; the first is decoded up to `offset`.
    batches: VecDeque<LoggedBatch>,
    offset: usize,
    /// Decoded, and not looked at yet.
    items: VecDeque<Item>,
    /// Definitions batches up to `until` that the pass has yet to come to.
    marks: VecDeque<Position>,
    /// Up to where the log may be trimmed, once which position is durable.
    trims: VecDeque<(Position, Position)>,
    /// Records elsewhere that go along with the first item, to be fetched, and those that were.
    wanted: Vec<Location>,
    fetched: HashMap<Location, Bytes>,
    /// What it has written that holds no message.
    rest_bytes: u64,
}

#[derive(Debug)]
struct Item {
    event: Event,
    at: Location,
    record: Bytes,
}

impl Pass {
    /// A pass from `first` to the definitions at `until`, which take `definitions_bytes`.
    pub(super) fn new(first: Position, until: Position, marks: VecDeque<Position>, definitions_bytes: u64) -> Pass {
        Pass {
            next: first,
            until,
            batches: VecDeque::new(),
            offset: 0,
            items: VecDeque::new(),
            marks,
            trims: VecDeque::new(),
            wanted: Vec::new(),
            fetched: HashMap::new(),
            rest_bytes: definitions_bytes,
        }
    }

    /// How much of what it has written is needed beside messages.
    pub(super) fn rest_bytes(&self) -> u64 {
        self.rest_bytes
    }

    /// Whether it has only to wait for what it wrote to become durable.
    pub(super) fn has_seen_all(&self) -> bool {
        self.items.is_empty() && self.batches.is_empty() && self.next >= self.until
    }

    /// Whether nothing is left to do.
    pub(super) fn is_over(&self) -> bool {
        self.has_seen_all() && self.marks.is_empty() && self.trims.is_empty()
    }

    /// Reads, decodes and fetches what the next step will look at.
    pub(super) fn prepare(&mut self, log: &dyn Log) -> Result<(), OpenError> {
        let wanted = mem::take(&mut self.wanted);
        if !wanted.is_empty() {
            let slices: Vec<_> = wanted.iter().map(|at| slice(*at)).collect();
            self.fetched.extend(wanted.into_iter().zip(log.fetch(&slices)?));
        }
        while self.items.is_empty() && !self.has_seen_all() {
            if self.batches.is_empty() {
                self.read(log)?;
            }
            self.decode()?;
        }
        Ok(())
    }

    fn read(&mut self, log: &dyn Log) -> Result<(), OpenError> {
        let page = log.read(self.next, PAGE_BYTES)?;
        self.batches.extend(page.batches.into_iter().take_while(|logged| logged.position < self.until));
        // Everything up to `until` is durable; a log with nothing more to show before it is at its end.
        self.next = if page.next > self.next { page.next } else { self.until };
        Ok(())
    }

    /// Decodes some of the first batch: a large batch is not held as events all at once.
    fn decode(&mut self) -> Result<(), OpenError> {
        let Some(logged) = self.batches.front() else { return Ok(()) };
        let payload = &logged.batch.payload;
        for decoded in decode(payload.get(self.offset..).unwrap_or_default()).take(DECODED_RECORDS) {
            let Decoded { event, span, .. } = decoded.map_err(|wrong| wrong_record(logged.position, &wrong))?;
            let from = self.offset;
            self.offset += span.length_bytes as usize;
            let record = payload.slice(from..self.offset);
            let at = Location { position: logged.position, offset_bytes: from as u32, length_bytes: span.length_bytes };
            self.items.push_back(Item { event, at, record });
        }
        if self.offset >= payload.len() {
            self.batches.pop_front();
            self.offset = 0;
        }
        Ok(())
    }

    /// Writes forward what the state needs of the next record, and answers how long that record is; `None` if there
    /// is no next one, or it needs [`Self::prepare`] to fetch something first.
    pub(super) fn forward_next(&mut self, partition: &mut Partition) -> Result<Option<u32>, OpenError> {
        let Some(item) = self.items.front() else { return Ok(None) };
        let forwards = partition.state.forward(&item.event, item.at);
        let missing = self.missing(&forwards, partition);
        if !missing.is_empty() {
            self.wanted = missing;
            return Ok(None);
        }
        for forward in &forwards {
            let at = self.log(forward, partition)?;
            if forward.content.is_none() {
                self.rest_bytes += u64::from(at.length_bytes);
            }
        }
        self.fetched.clear();
        Ok(self.items.pop_front().map(|item| item.at.length_bytes))
    }

    /// Records that `forwards` need and that are not at hand.
    fn missing(&self, forwards: &[Forward], partition: &Partition) -> Vec<Location> {
        let needed = forwards.iter().flat_map(|forward| [forward.content, forward.error]).flatten();
        needed.filter(|at| self.record(*at, partition).is_none()).collect()
    }

    /// The record at `at`: the item itself, one that was fetched, or one that is not durable yet.
    fn record(&self, at: Location, partition: &Partition) -> Option<Bytes> {
        match self.items.front() {
            Some(item) if item.at == at => Some(item.record.clone()),
            _ => self.fetched.get(&at).cloned().or_else(|| partition.commit.record(at)),
        }
    }

    fn log(&self, forward: &Forward, partition: &mut Partition) -> Result<Location, OpenError> {
        let content = forward.content.and_then(|at| Some((at, self.record(at, partition)?)));
        let error = forward.error.and_then(|at| Some((at, self.record(at, partition)?)));
        let content = match &content {
            Some((at, record)) => decode_one(record).map_err(|wrong| wrong_record(at.position, &wrong))?.content,
            None => None,
        };
        let error = match &error {
            Some((at, record)) => decode_one(record).map_err(|wrong| wrong_record(at.position, &wrong))?.error,
            None => None,
        };
        let beside = content.map_or(Beside::Nothing, |content| Beside::Kept { content, error });
        Ok(partition.log(&forward.event, beside))
    }

    /// Notes which definitions batches the pass has come past.
    pub(super) fn mark(&mut self, partition: &Partition) {
        let read = self.batches.front().map_or(self.next, |logged| logged.position);
        let come_to = self.items.front().map_or(read, |item| item.at.position);
        while let Some(definitions) = self.marks.pop_front_if(|mark| *mark <= come_to) {
            // All that was written forward has to be durable first, and so has the definitions batch itself.
            let written = partition.commit.position() - u64::from(!partition.commit.is_pending());
            self.trims.push_back((definitions - 1, written.max(definitions)));
        }
    }

    /// Up to where the log may be trimmed now that `durable` is durable.
    pub(super) fn next_trim(&mut self, durable: Position) -> Option<Position> {
        self.trims.pop_front_if(|(_, needs)| *needs <= durable).map(|(up_to, _)| up_to)
    }
}

/// The part of the log that a record is.
pub(crate) fn slice(at: Location) -> Slice {
    Slice { position: at.position, bytes: at.offset_bytes..at.offset_bytes + at.length_bytes }
}
