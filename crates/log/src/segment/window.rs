//! Reading a segment from front to back, much at a time.

use super::file::SegmentFile;
use crate::disk::read_full;
use std::io;

/// Large enough for the disk, small enough for the processor's cache.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// A part of the file in memory.
pub(crate) struct Window<'a> {
    segment: &'a SegmentFile,
    buffer: Vec<u8>,
    start: u64,
}

impl<'a> Window<'a> {
    pub(crate) fn new(segment: &'a SegmentFile) -> Window<'a> {
        Window { segment, buffer: Vec::new(), start: 0 }
    }

    /// How long the file is.
    pub(crate) fn end(&self) -> u64 {
        self.segment.bytes
    }

    /// These bytes; what lies beyond the end of the file reads as zero.
    pub(crate) fn bytes(&mut self, offset_bytes: u64, count: usize) -> io::Result<&[u8]> {
        let have = self.start..self.start + self.buffer.len() as u64;
        if offset_bytes < have.start || offset_bytes + count as u64 > have.end {
            let rest = self.segment.bytes.saturating_sub(offset_bytes);
            self.buffer.resize(count.max(rest.min(CHUNK_BYTES as u64) as usize), 0);
            self.start = offset_bytes;
            let read = read_full(&*self.segment.file, &mut self.buffer, offset_bytes)?;
            self.buffer[read..].fill(0);
        }
        let from = (offset_bytes - self.start) as usize;
        Ok(&self.buffer[from..from + count])
    }
}
