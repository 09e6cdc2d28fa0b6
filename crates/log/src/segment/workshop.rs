//! Making segments before they are needed, and taking back those that are not needed any more.
//!
//! A segment is made under another name, written with zeros from end to end and flushed, and only then named: a flush of
//! frames into it then has no metadata to write. Trimmed segments of full size are used again; smaller ones are removed.

use super::{
    Options, direct,
    file::{self, Head, SegmentFile, UNFINISHED},
    handle::{Handle, OpenFiles},
    room::Room,
};
use crate::disk::{Disk, DiskFile, write_all};
use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

const FIRST_BYTES: u64 = 1 << 20;
static CHUNK: [u8; 1 << 18] = [0; 1 << 18];
/// Flushed in parts, so that a flush of the log's beside it doesn't wait for all of them.
const FLUSH_EVERY_BYTES: u64 = 8 << 20;
const POOLED_SEGMENTS: usize = 2;

/// What there is beside the segments that hold batches.
pub(crate) struct Workshop {
    files: Arc<OpenFiles>,
    disk: Arc<dyn Disk>,
    partition: u32,
    salt: u64,
    max_bytes: u64,
    next_number: u64,
    next_bytes: u64,
    ready: VecDeque<SegmentFile>,
    /// Names and lengths.
    pool: Vec<(String, u64)>,
    /// To be taken back, the oldest first: the log must not get a gap.
    released: VecDeque<(u64, u64)>,
    idle_bytes: Arc<AtomicU64>,
    room: Arc<Room>,
}

impl Workshop {
    /// `ready` was prepared in an earlier run, and follows the segments that hold batches.
    pub(crate) fn new(
        files: Arc<OpenFiles>,
        options: &Options,
        ready: Vec<SegmentFile>,
        next_number: u64,
        newest_bytes: Option<u64>,
    ) -> Workshop {
        let max_bytes = options.segment_bytes.max(4096).next_multiple_of(4096);
        let mut workshop = Workshop {
            disk: Arc::clone(files.disk()),
            files,
            partition: options.partition,
            salt: options.salt,
            max_bytes,
            next_number,
            next_bytes: FIRST_BYTES.min(max_bytes),
            ready: ready.into(),
            pool: Vec::new(),
            released: VecDeque::new(),
            idle_bytes: Arc::default(),
            room: Arc::default(),
        };
        if let Some(bytes) = newest_bytes {
            workshop.next_bytes = (2 * bytes).clamp(workshop.next_bytes, max_bytes);
        }
        workshop.count_idle();
        workshop
    }

    /// How many bytes it holds, kept up to date.
    pub(crate) fn idle_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.idle_bytes)
    }

    /// How much room there is beside it, kept up to date.
    pub(crate) fn room(&self) -> Arc<Room> {
        Arc::clone(&self.room)
    }

    /// Removes what an earlier run left unfinished.
    pub(crate) fn sweep(&self) -> io::Result<()> {
        let names = self.disk.list()?;
        for name in names.iter().filter(|name| UNFINISHED.iter().any(|suffix| name.ends_with(suffix))) {
            self.disk.remove(name)?;
        }
        self.disk.sync_dir()
    }

    /// Makes the next segment, if it is not there.
    pub(crate) fn prepare(&mut self) -> io::Result<()> {
        let outcome = if self.ready.is_empty() { self.make() } else { Ok(()) };
        self.count_idle();
        outcome
    }

    /// The next segment, with room for so many bytes of frames.
    pub(crate) fn take(&mut self, frame_bytes: u64) -> io::Result<SegmentFile> {
        self.prepare()?;
        if let Some(next) = self.ready.front_mut()
            && next.bytes < file::FIRST_FRAME + frame_bytes
        {
            let bytes = (file::FIRST_FRAME + frame_bytes).next_multiple_of(4096);
            zero(&*next.file, next.bytes, bytes)?;
            let head = Head { partition: self.partition, number: next.number, salt: next.salt, bytes };
            write_all(&*next.file, &head.encode(), 0).map_err(|failed| failed.error)?;
            next.file.sync()?;
            next.bytes = bytes;
        }
        if let Some(next) = self.ready.front() {
            next.file.hold()?;
        }
        let taken = self.ready.pop_front();
        self.count_idle();
        taken.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Takes back segments that hold nothing any more. What fails is tried again with the next ones, or after the next
    /// start, where the log begins a little earlier then.
    pub(crate) fn release(&mut self, segments: &[Arc<SegmentFile>]) -> io::Result<()> {
        segments.iter().for_each(|segment| segment.file.close());
        self.released.extend(segments.iter().map(|segment| (segment.number, segment.bytes)));
        let outcome = self.take_back();
        self.count_idle();
        outcome
    }

    /// One after the other, each durably before the next: no power cut may leave a gap, and none may leave a segment
    /// under its name that has been overwritten.
    fn take_back(&mut self) -> io::Result<()> {
        while let Some((number, bytes)) = self.released.front().copied() {
            let name = file::name(number);
            let pooled = format!("{number:016}{}", UNFINISHED[1]);
            let again = bytes == self.max_bytes && self.pool.len() < POOLED_SEGMENTS;
            match if again { self.disk.rename(&name, &pooled) } else { self.disk.remove(&name) } {
                // An earlier try came as far as this.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                outcome => outcome?,
            }
            self.disk.sync_dir()?;
            self.released.pop_front();
            if again {
                self.pool.push((pooled, bytes));
            }
        }
        Ok(())
    }

    fn make(&mut self) -> io::Result<()> {
        let unfinished = format!("{:016}{}", self.next_number, UNFINISHED[0]);
        self.make_as(&unfinished).inspect_err(|_| {
            // Half a segment would take the last that a full disk has to give. If it is not there, all the better.
            let _ = self.disk.remove(&unfinished);
        })
    }

    fn make_as(&mut self, unfinished: &str) -> io::Result<()> {
        let number = self.next_number;
        let (file, bytes) = match self.take_pooled(unfinished)? {
            Some(bytes) => (self.disk.open(unfinished)?, bytes),
            None => {
                self.check_room(self.next_bytes)?;
                (self.disk.create(unfinished)?, self.next_bytes)
            }
        };
        let salt = self.salt ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let head = Head { partition: self.partition, number, salt, bytes };
        // Past the cache, which has better to hold, and from which each block would have to go when a frame is written.
        if !direct::zero(&*self.disk, unfinished, bytes)? {
            zero(&*file, file::FIRST_FRAME, bytes)?;
        }
        write_all(&*file, &head.encode(), 0).map_err(|failed| failed.error)?;
        file.sync()?;
        let name = file::name(number);
        self.disk.rename(unfinished, &name)?;
        self.disk.sync_dir()?;
        let path = self.disk.path(&name);
        let file = Handle::held(&self.files, number, file);
        self.ready.push_back(SegmentFile { number, path, file, bytes, seed: head.seed(), salt });
        self.next_number += 1;
        self.next_bytes = (2 * bytes).min(self.max_bytes);
        Ok(())
    }

    /// Gives a file that is to be used again its next name, if there is one that is long enough: how long it is. One whose
    /// name can't be changed is kept for the next try: forgotten, it would take its place on the disk up to the next start.
    fn take_pooled(&mut self, unfinished: &str) -> io::Result<Option<u64>> {
        let Some((pooled, bytes)) = self.pool.last().filter(|(_, bytes)| *bytes >= self.next_bytes) else {
            return Ok(None);
        };
        let (renamed, bytes) = (self.disk.rename(pooled, unfinished), *bytes);
        // It has its new name, or is not there: then somebody took it away, and the next try is another's.
        if renamed.as_ref().err().is_none_or(|error| error.kind() == io::ErrorKind::NotFound) {
            self.pool.pop();
        }
        renamed.map(|()| Some(bytes))
    }

    /// What can't be finished is not begun: it would take what others may need on that disk, again with every attempt.
    fn check_room(&self, bytes: u64) -> io::Result<()> {
        match self.disk.free_bytes() {
            Ok(Some(free)) if free < bytes => {
                let reason = format!("the next segment takes {bytes} bytes, and {free} are free on that disk");
                Err(io::Error::new(io::ErrorKind::StorageFull, reason))
            }
            // Where nobody knows, the attempt will tell.
            _ => Ok(()),
        }
    }

    fn count_idle(&self) {
        let ready: u64 = self.ready.iter().map(|segment| segment.bytes).sum();
        let pooled: u64 = self.pool.iter().map(|(_, bytes)| bytes).sum();
        let released: u64 = self.released.iter().map(|(_, bytes)| bytes).sum();
        self.room.set_ready(self.ready.iter().map(|segment| segment.bytes - file::FIRST_FRAME).sum());
        self.idle_bytes.store(ready + pooled + released, Ordering::Relaxed);
    }
}

/// Writes zeros, and flushes them.
fn zero(file: &dyn DiskFile, start: u64, end: u64) -> io::Result<()> {
    let mut at = start;
    let mut unflushed = 0;
    while at < end {
        let count = (end - at).min(CHUNK.len() as u64);
        write_all(file, &CHUNK[..count as usize], at).map_err(|failed| failed.error)?;
        at += count;
        unflushed += count;
        if unflushed >= FLUSH_EVERY_BYTES {
            file.sync()?;
            unflushed = 0;
        }
    }
    file.sync()
}
