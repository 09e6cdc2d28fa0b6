//! Adding to the log: one write and one flush for each batch.

use super::{
    Durability, Options,
    direct::{self, Direct},
    file::{self, SegmentFile},
    frame::{self, MAX_PAYLOAD_BYTES, Place},
    upkeep::Upkeep,
};
use crate::{
    AppendError, Batch, Epoch, Position,
    disk::{Disk, DiskFile, write_all},
};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// How much memory for frames is kept from one to the next: what an ordinary batch needs. One may have 256 MiB.
const KEPT_BYTES: usize = 1 << 20;

/// The end of the log, and who may write there.
pub(crate) struct Writer {
    pub(crate) epoch: Epoch,
    pub(crate) tail: Position,
    pub(crate) tail_checksum: u32,
    /// Everything up to here was flushed.
    pub(crate) flushed: Position,
    /// Where the next frame goes; none before the first one of a new log.
    pub(crate) active: Option<Arc<SegmentFile>>,
    pub(crate) end: u64,
    /// Where the last frame starts, if nobody knows whether the disk has it: the process that wrote it may have been
    /// told that its flush had failed, and the page cache shows it all the same.
    pub(crate) doubtful: Option<u64>,
    /// Why the current epoch is over.
    pub(crate) poisoned: Option<String>,
    /// Bytes that may be on the disk, but were never acknowledged: from the end up to here.
    pub(crate) remains_until: Option<u64>,
    pub(crate) durability: Durability,
    pub(crate) partition: u32,
    pub(crate) flushes: Arc<AtomicU64>,
    pub(crate) frame: Vec<u8>,
    disk: Arc<dyn Disk>,
    /// The way past the cache into the active segment.
    direct: Option<Direct>,
    /// There is no such way, or it is not wanted.
    usual_way: bool,
}

/// A frame that is in the log now.
pub(crate) struct Written {
    pub(crate) segment: Arc<SegmentFile>,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Writer {
    pub(crate) fn new(disk: Arc<dyn Disk>, options: &Options) -> Writer {
        Writer {
            epoch: 0,
            tail: 0,
            tail_checksum: 0,
            flushed: 0,
            active: None,
            end: 0,
            doubtful: None,
            poisoned: None,
            remains_until: None,
            durability: options.durability,
            partition: options.partition,
            flushes: Arc::default(),
            frame: Vec::new(),
            disk,
            direct: None,
            usual_way: options.durability == Durability::Os,
        }
    }

    /// Whether `epoch` may still write.
    pub(crate) fn gate(&self, epoch: Epoch) -> Result<(), AppendError> {
        if epoch != self.epoch || epoch == 0 {
            return Err(AppendError::Fenced);
        }
        match &self.poisoned {
            Some(reason) => Err(AppendError::Rejected { reason: format!("an earlier append failed: {reason}") }),
            None => Ok(()),
        }
    }

    pub(crate) fn append(
        &mut self,
        upkeep: &Upkeep,
        epoch: Epoch,
        expected: Position,
        batch: &Batch,
    ) -> Result<Written, AppendError> {
        self.gate(epoch)?;
        let outcome = if expected == self.tail {
            self.write(upkeep, epoch, false, batch)
        } else {
            Err(AppendError::Rejected { reason: format!("the tail is at {}, not at {expected}", self.tail) })
        };
        outcome.inspect_err(|error| self.poisoned = Some(error.to_string()))
    }

    /// The caller has seen that the tail is where it expects it.
    pub(crate) fn claim(&mut self, upkeep: &Upkeep, batch: &Batch) -> Result<(Epoch, Written), AppendError> {
        let epoch = self.epoch + 1;
        let unknown = |what: &str, error| AppendError::Unknown { reason: format!("{what}: {error}") };
        self.erase_remains().map_err(|error| unknown("the remains of a failed append could not be erased", error))?;
        self.settle_tail().map_err(|error| unknown("the last batch could not be flushed again", error))?;
        let outcome = self.write(upkeep, epoch, true, batch);
        let written = outcome.inspect_err(|error| self.poisoned = Some(error.to_string()))?;
        (self.epoch, self.poisoned) = (epoch, None);
        Ok((epoch, written))
    }

    fn count_flush(&self) {
        self.flushes.fetch_add(1, Ordering::Relaxed);
    }

    /// What may or may not have been written is certain not to be, from here on.
    fn erase_remains(&mut self) -> io::Result<()> {
        let (Some(until), Some(active)) = (self.remains_until, &self.active) else { return Ok(()) };
        let zeros = vec![0; (until - self.end) as usize];
        write_all(&*active.file, &zeros, self.end).map_err(|failed| failed.error)?;
        active.file.sync()?;
        self.count_flush();
        self.remains_until = None;
        Ok(())
    }

    /// Writes the last frame over itself, with the same bytes, and flushes: a flush alone would leave out what a failed
    /// one has marked as clean.
    fn settle_tail(&mut self) -> io::Result<()> {
        let (Some(start), Some(active)) = (self.doubtful, &self.active) else { return Ok(()) };
        let mut frame = vec![0; (self.end - start) as usize];
        crate::disk::read_full(&*active.file, &mut frame, start)?;
        write_all(&*active.file, &frame, start).map_err(|failed| failed.error)?;
        active.file.sync()?;
        self.count_flush();
        (self.doubtful, self.flushed) = (None, self.tail);
        Ok(())
    }

    fn write(&mut self, upkeep: &Upkeep, epoch: Epoch, claim: bool, batch: &Batch) -> Result<Written, AppendError> {
        if batch.payload.len() > MAX_PAYLOAD_BYTES {
            let bytes = batch.payload.len();
            let reason = format!("a batch of {bytes} bytes is larger than the {MAX_PAYLOAD_BYTES} that one may have");
            return Err(AppendError::Rejected { reason });
        }
        let bytes = frame::frame_bytes(batch.payload.len());
        let segment = self.segment_for(upkeep, bytes)?;
        let place = Place {
            partition: self.partition,
            position: self.tail + 1,
            epoch,
            claim,
            previous_checksum: self.tail_checksum,
            unflushed: u32::try_from(self.tail - self.flushed).unwrap_or(u32::MAX),
            may_be_overtaken: self.durability == Durability::Os && !claim,
            offset_bytes: self.end,
        };
        let checksum = frame::encode(&mut self.frame, &place, batch, segment.seed);
        let put = self.put(&segment, claim);
        self.frame.clear();
        self.frame.shrink_to(KEPT_BYTES);
        put?;
        let start = self.end;
        (self.tail, self.tail_checksum, self.end) = (place.position, checksum, start + bytes);
        if self.durability == Durability::Flush || claim {
            self.flushed = self.tail;
        }
        Ok(Written { segment, start, end: self.end })
    }

    /// The frame that was encoded goes to the end of the log.
    fn put(&mut self, segment: &SegmentFile, claim: bool) -> Result<(), AppendError> {
        let until = self.end + self.frame.len() as u64;
        if !claim && let Some(written) = self.put_directly(segment) {
            return written.inspect_err(|_| self.remains_until = Some(until));
        }
        if let Some(direct) = &mut self.direct {
            direct.forget();
        }
        if let Err(failed) = write_all(&*segment.file, &self.frame, self.end) {
            let reason = format!("{}: {}", segment.path.display(), failed.error);
            if failed.written == 0 && is_full(&failed.error) {
                return Err(AppendError::Rejected { reason });
            }
            self.remains_until = Some(until);
            return Err(AppendError::Unknown { reason });
        }
        if self.durability == Durability::Flush || claim {
            self.count_flush();
            if let Err(error) = segment.file.sync() {
                self.remains_until = Some(until);
                return Err(AppendError::Unknown { reason: format!("{}: {error}", segment.path.display()) });
            }
        }
        Ok(())
    }

    /// Past the cache, where that is possible; `None`: where it isn't, and nothing was written.
    fn put_directly(&mut self, segment: &SegmentFile) -> Option<Result<(), AppendError>> {
        if self.usual_way || self.frame.len() > direct::MOST_BYTES {
            return None;
        }
        let mut direct = match self.direct.take().filter(|direct| direct.segment() == segment.number) {
            Some(direct) => direct,
            // Where it can't be opened, there is the usual way.
            None => match self.disk.open_direct(&file::name(segment.number)) {
                Ok(Some(file)) => Direct::new(segment.number, file),
                Ok(None) | Err(_) => {
                    self.usual_way = true;
                    return None;
                }
            },
        };
        match direct.write(segment, &self.frame, self.end) {
            Ok(()) => {
                self.count_flush();
                self.direct = Some(direct);
                Some(Ok(()))
            }
            Err(failed) if failed.written == 0 && failed.error.kind() == io::ErrorKind::InvalidInput => {
                // Refused for its form: a file system that opens files so and then doesn't write them.
                self.usual_way = true;
                None
            }
            // What of it the disk has, nobody knows.
            Err(failed) => {
                let reason = format!("{}: {}", segment.path.display(), failed.error);
                Some(Err(AppendError::Unknown { reason }))
            }
        }
    }

    /// The active segment, or the next one if it has no room.
    fn segment_for(&mut self, upkeep: &Upkeep, frame_bytes: u64) -> Result<Arc<SegmentFile>, AppendError> {
        if let Some(active) = &self.active {
            let end = self.end + frame_bytes;
            if end <= active.bytes {
                if end > active.bytes / 2 {
                    upkeep.look_ahead();
                }
                return Ok(Arc::clone(active));
            }
            if self.flushed < self.tail {
                // Recovery relies on it: only the last segment can have lost anything.
                self.count_flush();
                let flushed = active.file.sync();
                flushed.map_err(|error| AppendError::Unknown { reason: error.to_string() })?;
                self.flushed = self.tail;
            }
        }
        let next = upkeep.next_segment(frame_bytes).map_err(|error| AppendError::Rejected {
            reason: format!("no further segment could be made in {}: {error}", upkeep.directory().display()),
        })?;
        if let Some(before) = &self.active {
            before.file.let_go();
        }
        self.end = file::FIRST_FRAME;
        Ok(Arc::clone(self.active.insert(Arc::new(next))))
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::super::{handle::OpenFiles, workshop::Workshop};
    use super::*;
    use crate::disk::{Fault, FaultyDisk, Op};

    /// The largest batch of a log's life doesn't keep its memory, whether it was written or not.
    #[test]
    fn a_large_frame_leaves_no_large_memory_behind() {
        let disk = FaultyDisk::with_direct();
        let options = Options { segment_bytes: 16 << 20, background: false, ..Options::default() };
        let files = OpenFiles::new(Arc::new(disk.clone()));
        let workshop = Workshop::new(files, &options, Vec::new(), 1, None);
        let upkeep = Upkeep::new(workshop, "memory".into(), false).unwrap();
        let mut writer = Writer::new(Arc::new(disk.clone()), &options);
        let batch = |bytes: usize| Batch { time_ms: 1, records: 1, payload: vec![7; bytes].into() };
        let (mut epoch, _) = writer.claim(&upkeep, &batch(10)).unwrap();
        for (bytes, fails) in [(100, false), (900_000, false), (9 << 20, false), (100, false), (5 << 20, true)] {
            if fails {
                disk.fail(Op::Sync, 0, Fault::Error(io::ErrorKind::Other));
            }
            let written = writer.append(&upkeep, epoch, writer.tail, &batch(bytes));
            assert_eq!(written.is_err(), fails, "{bytes}");
            assert!(writer.frame.capacity() <= KEPT_BYTES, "{bytes}: {} are kept", writer.frame.capacity());
        }
        (epoch, _) = writer.claim(&upkeep, &batch(10)).unwrap();
        writer.append(&upkeep, epoch, writer.tail, &batch(900_000)).unwrap();
        assert!(writer.frame.capacity() >= 900_000, "what ordinary batches need is kept");
    }
}
