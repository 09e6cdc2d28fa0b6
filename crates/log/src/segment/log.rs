//! [`SegmentLog`]: the seam, kept.

use super::{
    OpenError, OpenReport, Options, TornTail,
    frame::{HEADER_BYTES, Header},
    handle::OpenFiles,
    index::{Index, Indexed, Run},
    recovery::{self, Found},
    upkeep::Upkeep,
    workshop::Workshop,
    writer::{Writer, Written},
};
use crate::{
    AppendError, Batch, Bounds, ClaimError, Epoch, Log, LoggedBatch, Page, Position, ReadError, Shortage, Slice, Usage,
    disk::{Directory, Disk, DiskFile, read_full, write_all},
};
use bytes::Bytes;
use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

/// A log in segment files. One per directory and process; share it by reference.
pub struct SegmentLog {
    writer: Mutex<Writer>,
    index: RwLock<Index>,
    upkeep: Upkeep,
    flushes: Arc<AtomicU64>,
    /// Holds the lock: dropped last, when the upkeep's thread has ended.
    disk: Arc<dyn Disk>,
}

impl SegmentLog {
    /// Opens the log in `directory`, or begins one there. Reads all of it once.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(directory: &Path, options: &Options) -> Result<(SegmentLog, OpenReport), OpenError> {
        SegmentLog::open_on(Arc::new(Directory::lock(directory)?), options)
    }

    /// The same on any disk.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_on(disk: Arc<dyn Disk>, options: &Options) -> Result<(SegmentLog, OpenReport), OpenError> {
        let files = OpenFiles::new(Arc::clone(&disk));
        let found = recovery::find(&files, options.partition, |_, _| {})?;
        let directory = disk.path("");
        let write = |error| OpenError::Write { directory: directory.clone(), error };
        let torn = cut(&*disk, &found).map_err(write)?;
        let mut writer = Writer::new(Arc::clone(&disk), options);
        let mut index = Index::default();
        let workshop = take_over(files, options, found, &mut writer, &mut index).map_err(write)?;
        let report = OpenReport {
            segments: index.segments(),
            batches: index.bounds().tail + 1 - index.bounds().first,
            bytes: index.retained_bytes(),
            torn,
        };
        let upkeep = Upkeep::new(workshop, directory.clone(), options.background).map_err(write)?;
        upkeep.prepare();
        let flushes = Arc::clone(&writer.flushes);
        let log = SegmentLog { flushes, writer: Mutex::new(writer), index: RwLock::new(index), upkeep, disk };
        Ok((log, report))
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, position: Position, written: &Written) -> Position {
        self.index_mut().push(&written.segment, position, written.start, written.end);
        position
    }

    /// What was read from a retained batch's file, unless that was trimmed in the meantime and perhaps written again.
    fn unless_trimmed<T>(&self, position: Position, read: Result<T, ReadError>) -> Result<T, ReadError> {
        let first = self.index().bounds().first;
        if position < first { Err(ReadError::Trimmed { position, first }) } else { read }
    }

    /// The frames that the slices are of.
    fn runs(&self, slices: &[Slice]) -> Vec<Option<Run>> {
        let index = self.index();
        slices.iter().map(|slice| index.frame(slice.position)).collect()
    }

    fn no_such(&self, slice: &Slice) -> ReadError {
        let error = io::Error::new(io::ErrorKind::InvalidInput, format!("there is no {slice:?}"));
        ReadError::Io { file: self.disk.path(""), error }
    }
}

/// Erases the remains of a torn frame, so that the next one is written into zeros again.
fn cut(disk: &dyn Disk, found: &Found) -> io::Result<Option<TornTail>> {
    let Some(remains) = &found.remains else { return Ok(None) };
    let name = super::file::name(remains.number);
    let file = disk.open(&name)?;
    let zeros = vec![0; (remains.end - remains.start) as usize];
    write_all(&*file, &zeros, remains.start).map_err(|failed| failed.error)?;
    file.sync()?;
    let bytes = remains.end - remains.start;
    Ok(Some(TornTail { file: disk.path(&name), offset: remains.start, bytes }))
}

/// Goes on where an earlier run ended.
fn take_over(
    files: Arc<OpenFiles>,
    options: &Options,
    found: Found,
    writer: &mut Writer,
    index: &mut Index,
) -> io::Result<Workshop> {
    (writer.epoch, writer.tail, writer.tail_checksum) =
        (found.reader.epoch, found.reader.last, found.reader.last_checksum);
    writer.poisoned = Some("the log has not been claimed since it was opened".to_owned());
    let mut last_number = 0;
    for (segment, scan) in found.segments {
        let segment = Arc::new(segment);
        last_number = segment.number;
        writer.doubtful = scan.starts.last().map(|start| u64::from(*start) * HEADER_BYTES as u64);
        (writer.active, writer.end) = (Some(Arc::clone(&segment)), scan.end);
        index.push_segment(Indexed { segment, base: scan.base, starts: scan.starts, end: scan.end });
    }
    let next_number = found.unused.last().map_or(last_number, |last| last.number) + 1;
    let newest_bytes = found.unused.last().map(|last| last.bytes).or(writer.active.as_ref().map(|active| active.bytes));
    if let Some(active) = &writer.active {
        active.file.hold()?;
    }
    let workshop = Workshop::new(files, options, found.unused, next_number, newest_bytes);
    workshop.sweep()?;
    Ok(workshop)
}

impl Log for SegmentLog {
    fn bounds(&self) -> Result<Bounds, ReadError> {
        Ok(self.index().bounds())
    }

    fn claim(&self, expected: Position, batch: Batch) -> Result<(Epoch, Position), ClaimError> {
        let mut writer = self.writer();
        if writer.tail != expected {
            return Err(ClaimError::TailMoved { tail: writer.tail });
        }
        let (epoch, written) = writer.claim(&self.upkeep, &batch)?;
        Ok((epoch, self.publish(writer.tail, &written)))
    }

    fn append(&self, epoch: Epoch, expected: Position, batch: Batch) -> Result<Position, AppendError> {
        let mut writer = self.writer();
        let written = writer.append(&self.upkeep, epoch, expected, &batch)?;
        Ok(self.publish(writer.tail, &written))
    }

    fn read(&self, from: Position, max_bytes: usize) -> Result<Page, ReadError> {
        let from_or_first = from.max(1);
        let run = {
            let index = self.index();
            let Bounds { first, tail } = index.bounds();
            if from_or_first < first {
                return Err(ReadError::Trimmed { position: from, first });
            }
            if from_or_first > tail {
                return Ok(Page { batches: Vec::new(), next: from });
            }
            index.run(from_or_first, max_bytes)
        };
        let Some(run) = run else { return Ok(Page { batches: Vec::new(), next: from }) };
        self.unless_trimmed(from_or_first, read_run(&run, from_or_first))
    }

    fn fetch(&self, slices: &[Slice]) -> Result<Vec<Bytes>, ReadError> {
        let runs = self.runs(slices);
        let fetched = slices.iter().zip(runs).map(|(slice, run)| {
            let read = run.filter(|run| holds(run, slice)).ok_or_else(|| self.no_such(slice));
            self.unless_trimmed(slice.position, read.and_then(|run| read_slice(&run, slice)))
        });
        fetched.collect()
    }

    fn fetch_at_hand(&self, slices: &[Slice]) -> Option<Vec<Bytes>> {
        let runs = self.runs(slices);
        let at_hand = slices.iter().zip(runs).map(|(slice, run)| {
            let read = read_slice_at_hand(&run.filter(|run| holds(run, slice))?, slice);
            self.unless_trimmed(slice.position, Ok(read)).ok()?
        });
        at_hand.collect()
    }

    fn trim(&self, epoch: Epoch, up_to: Position) -> Result<(), AppendError> {
        let writer = self.writer();
        writer.gate(epoch)?;
        let gone = self.index_mut().trim(up_to);
        if !gone.is_empty() {
            self.upkeep.release(gone);
        }
        Ok(())
    }

    fn usage(&self) -> Usage {
        let index = self.index();
        Usage {
            allocated_bytes: index.file_bytes() + self.upkeep.idle_bytes(),
            retained_bytes: index.retained_bytes(),
            flushes: self.flushes.load(Ordering::Relaxed),
        }
    }

    fn shortage(&self) -> Option<Shortage> {
        let (ready_bytes, reason) = self.upkeep.shortage()?;
        Some(Shortage { room_bytes: self.index().room_bytes() + ready_bytes, reason })
    }
}

/// Whether the frame is long enough for the slice.
fn holds(run: &Run, slice: &Slice) -> bool {
    let room = run.end - run.start - HEADER_BYTES as u64;
    slice.bytes.start <= slice.bytes.end && u64::from(slice.bytes.end) < room
}

/// Where the slice begins in its file.
fn offset(run: &Run, slice: &Slice) -> u64 {
    run.start + HEADER_BYTES as u64 + u64::from(slice.bytes.start)
}

fn read_slice_at_hand(run: &Run, slice: &Slice) -> Option<Bytes> {
    let mut bytes = vec![0; slice.bytes.len()];
    let read = run.segment.file.read_at_hand(&mut bytes, offset(run, slice)).ok()??;
    // Less than asked for: the rest would have to be waited for.
    (read == bytes.len()).then(|| bytes.into())
}

fn read_slice(run: &Run, slice: &Slice) -> Result<Bytes, ReadError> {
    let mut bytes = vec![0; slice.bytes.len()];
    let offset = offset(run, slice);
    let read = read_full(&*run.segment.file, &mut bytes, offset).map_err(|error| run.segment.io(error))?;
    if read < bytes.len() {
        return Err(run.segment.corrupt(offset, "the file has become shorter"));
    }
    Ok(bytes.into())
}

/// All frames of a run, each checked again: the disk may have changed them since the start.
fn read_run(run: &Run, from: Position) -> Result<Page, ReadError> {
    let mut bytes = vec![0; (run.end - run.start) as usize];
    read_full(&*run.segment.file, &mut bytes, run.start).map_err(|error| run.segment.io(error))?;
    let bytes = Bytes::from(bytes);
    let mut page = Page { batches: Vec::new(), next: from };
    let mut at = 0;
    while at < bytes.len() {
        let offset = run.start + at as u64;
        let changed = || run.segment.corrupt(offset, format!("batch {} is not what was written", page.next));
        let header = Header::decode(&bytes[at..], run.segment.seed).map_err(|_| changed())?;
        let end = at + header.frame_bytes() as usize;
        if end > bytes.len() || header.link.position != page.next || !header.matches(&bytes[at..end]) {
            return Err(changed());
        }
        let frame = bytes.slice(at..end);
        let (position, epoch, claim) = (header.link.position, header.link.epoch, header.link.claim);
        page.batches.push(LoggedBatch { position, epoch, claim, batch: header.batch(&frame) });
        page.next += 1;
        at = end;
    }
    Ok(page)
}
