//! Where the retained batches are: four bytes for each.

use super::{file::SegmentFile, frame::HEADER_BYTES};
use crate::{Bounds, Position};
use std::{collections::VecDeque, sync::Arc};

/// The segments that hold batches, the oldest first.
#[derive(Default)]
pub(crate) struct Index {
    segments: VecDeque<Indexed>,
}

/// A segment and its frames.
pub(crate) struct Indexed {
    pub(crate) segment: Arc<SegmentFile>,
    pub(crate) base: Position,
    /// In units of 64 bytes.
    pub(crate) starts: Vec<u32>,
    pub(crate) end: u64,
}

/// A run of frames in one segment.
pub(crate) struct Run {
    pub(crate) segment: Arc<SegmentFile>,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Indexed {
    fn last(&self) -> Position {
        self.base + self.starts.len() as Position - 1
    }

    fn start(&self, nth: usize) -> u64 {
        self.starts.get(nth).map_or(self.end, |start| u64::from(*start) * HEADER_BYTES as u64)
    }
}

impl Index {
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            first: self.segments.front().map_or(1, |oldest| oldest.base),
            tail: self.segments.back().map_or(0, Indexed::last),
        }
    }

    pub(crate) fn push_segment(&mut self, indexed: Indexed) {
        self.segments.push_back(indexed);
    }

    /// One batch more, at the tail.
    pub(crate) fn push(&mut self, segment: &Arc<SegmentFile>, position: Position, start: u64, end: u64) {
        if self.segments.back().is_none_or(|last| last.segment.number != segment.number) {
            let segment = Arc::clone(segment);
            self.segments.push_back(Indexed { segment, base: position, starts: Vec::new(), end });
        }
        if let Some(last) = self.segments.back_mut() {
            last.starts.push((start / HEADER_BYTES as u64) as u32);
            last.end = end;
        }
    }

    /// The frame of a retained batch.
    pub(crate) fn frame(&self, position: Position) -> Option<Run> {
        self.run(position, 0)
    }

    /// The frames from `position` on, within one segment: one, and as many more as have no more than `max_bytes` of
    /// payload together with it.
    pub(crate) fn run(&self, position: Position, max_bytes: usize) -> Option<Run> {
        let indexed = self.segments.get(self.segments.partition_point(|indexed| indexed.last() < position))?;
        let nth = usize::try_from(position.checked_sub(indexed.base)?).ok()?;
        let start = indexed.start(nth);
        // Payloads are shorter than the room between two starts; how much does not matter here.
        let fits = |after: usize| {
            let headers = (after - nth) * HEADER_BYTES;
            indexed.start(after) - start <= (max_bytes.saturating_add(headers)) as u64
        };
        let mut after = nth + 1;
        while after < indexed.starts.len() && fits(after + 1) {
            after += 1;
        }
        Some(Run { segment: Arc::clone(&indexed.segment), start, end: indexed.start(after) })
    }

    /// Takes out the segments all of whose batches are at `up_to` or before; never the last one.
    pub(crate) fn trim(&mut self, up_to: Position) -> Vec<Arc<SegmentFile>> {
        let last = self.segments.len().saturating_sub(1);
        let gone = self.segments.partition_point(|indexed| indexed.last() <= up_to).min(last);
        self.segments.drain(..gone).map(|indexed| indexed.segment).collect()
    }

    /// What the last segment still has room for.
    pub(crate) fn room_bytes(&self) -> u64 {
        self.segments.back().map_or(0, |last| last.segment.bytes - last.end)
    }

    pub(crate) fn segments(&self) -> usize {
        self.segments.len()
    }

    pub(crate) fn retained_bytes(&self) -> u64 {
        self.segments.iter().map(|indexed| indexed.end - HEADER_BYTES as u64).sum()
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        self.segments.iter().map(|indexed| indexed.segment.bytes).sum()
    }
}
