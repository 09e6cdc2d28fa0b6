//! One pass of compaction over the log's batches: see `compact.rs`.

use super::Partition;
use crate::{OpenError, open::wrong_record};
use afterward_log::{Log, LoggedBatch, Position, Slice};
use afterward_machine::{Event, Forward, Location, State};
use afterward_record::{Beside, Glance, decode_one, glance};
use bytes::Bytes;
use std::{
    collections::{HashMap, VecDeque},
    mem,
};

/// How much is read at a time.
const PAGE_BYTES: usize = 128 << 10;
/// How many records are taken out of a batch at a time.
const TAKEN_RECORDS: usize = 256;

/// More than the state of a message takes, whose content is written forward with it.
const STATE_BYTES: u64 = 1 << 10;

/// How far a pass has come.
#[derive(Debug)]
pub(super) struct Pass {
    /// Where to read on.
    next: Position,
    /// The definitions batch that the pass ends before.
    until: Position,
    /// Read; the first is taken apart up to `offset`.
    batches: VecDeque<LoggedBatch>,
    offset: usize,
    /// Taken out of their batch, and not looked at yet.
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
    /// The log has no room for what comes next.
    lacks_room: bool,
}

#[derive(Debug)]
struct Item {
    glance: Glance,
    at: Location,
    record: Bytes,
}

impl Item {
    /// What the state still needs of it. Nothing of most: that is told without decoding them.
    fn forwards(&self, state: &State) -> Result<Vec<Forward>, OpenError> {
        match self.glance {
            Glance::Leased | Glance::SchedulePassed => return Ok(Vec::new()),
            Glance::Schedule(schedule) if state.definition_at(schedule) != Some(self.at) => return Ok(Vec::new()),
            Glance::Message { message, counts_until_ms }
                if counts_until_ms <= state.now_ms() && state.content_at(message) != Some(self.at) =>
            {
                return Ok(Vec::new());
            }
            Glance::Deleted(message) => return Ok(state.forward(&Event::Deleted { message }, self.at)),
            Glance::Message { .. } | Glance::Schedule(_) | Glance::Other => {}
        }
        let decoded = decode_one(&self.record).map_err(|wrong| wrong_record(self.at.position, &wrong))?;
        Ok(state.forward(&decoded.event, self.at))
    }
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
            lacks_room: false,
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

    /// Whether it can't go on, because the log has no room for what comes next.
    pub(super) fn lacks_room(&self) -> bool {
        self.lacks_room
    }

    /// Whether nothing is left to do.
    pub(super) fn is_over(&self) -> bool {
        self.has_seen_all() && self.marks.is_empty() && self.trims.is_empty()
    }

    /// Reads, takes apart and fetches what the next step will look at.
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
            self.take_apart()?;
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

    /// Takes some of the records out of the first batch. What they say is decoded only where it may count.
    fn take_apart(&mut self) -> Result<(), OpenError> {
        let Some(logged) = self.batches.front() else { return Ok(()) };
        let payload = &logged.batch.payload;
        for looked in glance(payload, self.offset).take(TAKEN_RECORDS) {
            let (glance, span) = looked.map_err(|wrong| wrong_record(logged.position, &wrong))?;
            let (offset_bytes, length_bytes) = (span.offset_bytes, span.length_bytes);
            self.offset = offset_bytes as usize + length_bytes as usize;
            let record = payload.slice(offset_bytes as usize..self.offset);
            let at = Location { position: logged.position, offset_bytes, length_bytes };
            self.items.push_back(Item { glance, at, record });
        }
        if self.offset >= payload.len() {
            self.batches.pop_front();
            self.offset = 0;
        }
        Ok(())
    }

    /// Writes forward what the state needs of the next record, and answers how long that record is; `None` if there
    /// is no next one, it needs [`Self::prepare`] to fetch something first, or more than `room_bytes` to be written.
    pub(super) fn forward_next(
        &mut self,
        partition: &mut Partition,
        room_bytes: u64,
    ) -> Result<Option<u32>, OpenError> {
        let Some(item) = self.items.front() else { return Ok(None) };
        let forwards = item.forwards(&partition.state)?;
        if forwards.iter().map(most_bytes).sum::<u64>() > room_bytes {
            self.lacks_room = true;
            return Ok(None);
        }
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
        let beside = match (content, error) {
            (Some(content), error) => Beside::Kept { content, error },
            (None, Some(error)) => Beside::Error(error),
            (None, None) => Beside::Nothing,
        };
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

/// How much is written for this, at the most.
fn most_bytes(forward: &Forward) -> u64 {
    let records = [forward.content, forward.error].into_iter().flatten();
    records.map(|at| u64::from(at.length_bytes)).sum::<u64>() + STATE_BYTES
}

/// The part of the log that a record is.
pub(crate) fn slice(at: Location) -> Slice {
    Slice { position: at.position, bytes: at.offset_bytes..at.offset_bytes + at.length_bytes }
}
