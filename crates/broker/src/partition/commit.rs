//! The payload that gathers while the batch before it is being flushed.
//!
//! At most one batch is in flight. What callers do meanwhile gathers in the pending payload, whose position is known
//! already: one above the batch in flight. So each record's location is known when it is applied, and the next flush
//! makes all of it durable at once.

use super::gate::{Gate, Release};
use crate::Unavailable;
use afterward_log::{Batch, Position};
use afterward_machine::{Event, Location};
use afterward_record::{Beside, encode};
use bytes::Bytes;
use std::mem;

/// How much may be pending before callers wait for room.
const PENDING_BYTES: usize = 8 << 20;

/// What is not durable yet.
pub(super) struct Commit {
    /// Where the pending payload will be.
    position: Position,
    payload: Vec<u8>,
    records: u32,
    /// Made for the first who waits.
    gate: Option<Gate>,
    /// Opens when the pending payload is taken.
    room: Option<Gate>,
    flight: Option<Flight>,
}

struct Flight {
    position: Position,
    payload: Bytes,
    gate: Option<Gate>,
}

/// A batch to append.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The position that the log's tail has to be at.
    pub expected: Position,
    /// What to append.
    pub batch: Batch,
}

impl Commit {
    /// Nothing pending, everything up to `tail` durable.
    pub(super) fn after(tail: Position) -> Commit {
        Commit { position: tail + 1, payload: Vec::new(), records: 0, gate: None, room: None, flight: None }
    }

    /// Adds a record, and says where it will be.
    pub(super) fn push(&mut self, time_ms: u64, event: &Event, beside: Beside<'_>) -> Location {
        let span = encode(&mut self.payload, time_ms, event, beside);
        self.records += 1;
        Location { position: self.position, offset_bytes: span.offset_bytes, length_bytes: span.length_bytes }
    }

    /// Where the pending payload will be.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// The last durable position.
    pub(super) fn durable(&self) -> Position {
        self.flight.as_ref().map_or(self.position, |flight| flight.position) - 1
    }

    /// How far the pending payload has come: equal marks, nothing logged in between.
    pub(super) fn mark(&self) -> (Position, usize) {
        (self.position, self.payload.len())
    }

    pub(super) fn is_pending(&self) -> bool {
        self.records > 0
    }

    pub(super) fn is_in_flight(&self) -> bool {
        self.flight.is_some()
    }

    /// How much is in flight.
    pub(super) fn in_flight_bytes(&self) -> u64 {
        self.flight.as_ref().map_or(0, |flight| flight.payload.len() as u64)
    }

    /// The gate before everything done so far; `None`: all of it is durable.
    pub(super) fn gate(&mut self) -> Option<Gate> {
        let gate = match &mut self.flight {
            _ if self.records > 0 => &mut self.gate,
            Some(flight) => &mut flight.gate,
            None => return None,
        };
        Some(gate.get_or_insert_default().clone())
    }

    /// `None` if there is room for more, else the gate that opens when there is.
    pub(super) fn room(&mut self) -> Option<Gate> {
        self.is_full().then(|| self.room.get_or_insert_default().clone())
    }

    /// Whether there is no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.payload.len() >= PENDING_BYTES
    }

    /// The record at `location`, if it is pending or in flight.
    pub(super) fn record(&self, location: Location) -> Option<Bytes> {
        let from = location.offset_bytes as usize;
        let bytes = from..from + location.length_bytes as usize;
        match &self.flight {
            _ if location.position == self.position => self.payload.get(bytes).map(Bytes::copy_from_slice),
            Some(flight) if location.position == flight.position => {
                (bytes.end <= flight.payload.len()).then(|| flight.payload.slice(bytes))
            }
            _ => None,
        }
    }

    /// Puts what is pending in flight, if there is anything and nothing is in flight.
    pub(super) fn take(&mut self, time_ms: u64) -> Option<Outgoing> {
        if self.records == 0 || self.flight.is_some() {
            return None;
        }
        let next = Vec::with_capacity(self.payload.len().min(1 << 16));
        let payload = Bytes::from(mem::replace(&mut self.payload, next));
        let batch = Batch { time_ms, records: mem::take(&mut self.records), payload: payload.clone() };
        self.flight = Some(Flight { position: self.position, payload, gate: self.gate.take() });
        self.position += 1;
        if let Some(room) = self.room.take() {
            room.open(Ok(()));
        }
        Some(Outgoing { expected: self.position - 2, batch })
    }

    /// The batch in flight is durable at `position`. `None` if that is not its position, which every record in it was given
    /// as its own: then nothing is told to anybody.
    pub(super) fn landed(&mut self, position: Position) -> Option<Release> {
        let flight = self.flight.take_if(|flight| flight.position == position)?;
        Some(Release::durable(flight.gate))
    }

    /// Everybody who waits learns why it is in vain.
    pub(super) fn fail(self, why: Unavailable) -> Release {
        let flight = self.flight.and_then(|flight| flight.gate);
        Release::failed([flight, self.gate, self.room].into_iter().flatten(), why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_not_landed_where_another_one_was_written() {
        let mut commit = Commit::after(7);
        assert!(commit.landed(8).is_none(), "nothing is in flight");
        commit.push(1, &Event::Founded { secret: [1; 32] }, Beside::Nothing);
        let gate = commit.gate();
        let outgoing = commit.take(1).unwrap();
        for wrong in [0, 7, 9] {
            assert!(commit.landed(wrong).is_none());
            assert_eq!((commit.is_in_flight(), commit.durable()), (true, 7));
        }
        let answer = super::super::Gated::new((), gate).try_open().unwrap_err();
        commit.landed(outgoing.expected + 1).unwrap().open();
        assert_eq!((commit.is_in_flight(), commit.durable()), (false, 8));
        assert!(answer.try_open().is_ok_and(|answer| answer.is_ok()));
    }
}
