//! The files of a log: what a real one wrote, and then edits of its bytes.
//!
//! Opening a log that was tampered with ends in a log that tells the truth, or in an error that names a file and an
//! offset, and says no other thing the second time; never in a panic, a loop, or memory beyond the files' own size.
//! Where no checksum was made to fit again, the truth is a run of the batches that were written. A log that opened takes a
//! claim and appends, and has them when it is opened again.

use crate::memory;
use afterward_log::{
    Batch, Log, LoggedBatch, ReadError, Slice,
    disk::{Disk, FaultyDisk},
    segment::{Durability, OpenError, Options, SegmentLog},
};
use std::sync::Arc;

const SEGMENT_BYTES: u64 = 4096;
const HEADER_BYTES: usize = 64;

/// Any bytes: how the log is made (how many batches; their shape; its durability and its way to the disk), then edits.
pub fn run(input: &[u8]) {
    let Some((&[batches, shape, ways], edits)) = input.split_first_chunk() else { return };
    let disk = disk(ways);
    let options = options(ways);
    let written = written(&disk, &options, u64::from(batches % 24), shape);
    let mut tampering = Tampering { disk: &disk, rest: edits, sealed: false };
    while tampering.edit() {}
    let sealed = tampering.sealed;
    memory::within(16 << 20, || check(&disk, &options, (!sealed).then_some(&written)));
}

/// Half of them take frames past the page cache, as on Linux.
fn disk(ways: u8) -> FaultyDisk {
    if ways & 2 == 0 { FaultyDisk::new() } else { FaultyDisk::with_direct() }
}

fn options(ways: u8) -> Options {
    let durability = if ways & 1 == 0 { Durability::Flush } else { Durability::Os };
    Options { durability, segment_bytes: SEGMENT_BYTES, salt: 42, background: false, ..Options::default() }
}

fn batch(nth: u64, shape: u8) -> Batch {
    let bytes = [0, 10, 300, 448, 700, 1500, 2500, 63][(nth + u64::from(shape)) as usize % 8];
    let mut payload: Vec<u8> = (0..bytes).map(|at: u64| (at * 7 + nth * 13) as u8 | 1).collect();
    if (nth + u64::from(shape)).is_multiple_of(3) {
        let quarter = payload.len() / 4;
        payload[quarter..quarter * 3].fill(0);
    }
    Batch { time_ms: 1000 + nth, records: 1, payload: payload.into() }
}

/// A log with so many batches; some of them trimmed, if the shape says so.
fn written(disk: &FaultyDisk, options: &Options, batches: u64, shape: u8) -> Vec<LoggedBatch> {
    let (log, _) = SegmentLog::open_on(Arc::new(disk.clone()), options).expect("a new log opens");
    if batches == 0 {
        return Vec::new();
    }
    let (mut epoch, mut tail) = log.claim(0, batch(0, shape)).expect("a new log is claimed");
    for nth in 1..batches {
        if nth == 7 {
            (epoch, tail) = log.claim(tail, batch(nth, shape)).expect("it is claimed again");
        } else {
            tail = log.append(epoch, tail, batch(nth, shape)).expect("it takes batches");
        }
    }
    let all = everything(&log).expect("it reads back");
    if shape & 0x80 != 0 {
        log.trim(epoch, batches / 2).expect("its owner trims it");
    }
    all
}

/// Edits as bytes say them.
struct Tampering<'a> {
    disk: &'a FaultyDisk,
    rest: &'a [u8],
    sealed: bool,
}

impl Tampering<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    /// One edit; `false` when there are no more.
    fn edit(&mut self) -> bool {
        self.next().is_some()
    }

    fn next(&mut self) -> Option<()> {
        let [what, which] = self.take()?;
        let names: Vec<String> = self.disk.list().unwrap_or_default();
        let name = names.get(usize::from(which) % names.len().max(1))?.clone();
        let mut bytes = self.disk.contents(&name);
        match what % 8 {
            0 => {
                let [low, high, mask] = self.take()?;
                let at = usize::from(u16::from_le_bytes([low, high]));
                *bytes.get_mut(at)? ^= mask;
            }
            1 => {
                let [low, high, length] = self.take()?;
                let at = usize::from(u16::from_le_bytes([low, high]));
                let (new, rest) = self.rest.split_at(usize::from(length).min(self.rest.len()));
                self.rest = rest;
                let end = bytes.len().min(at + new.len());
                bytes.get_mut(at..end)?.copy_from_slice(&new[..end - at]);
            }
            2 => {
                let [low, high] = self.take()?;
                bytes.truncate(usize::from(u16::from_le_bytes([low, high])));
            }
            3 => {
                let [low, high, low_end, high_end] = self.take()?;
                let at = usize::from(u16::from_le_bytes([low, high]));
                let end = at + usize::from(u16::from_le_bytes([low_end, high_end]));
                let end = end.min(bytes.len());
                bytes.get_mut(at..end)?.fill(0);
            }
            4 => {
                self.disk.remove(&name).ok()?;
                return Some(());
            }
            5 => {
                let [number] = self.take()?;
                self.disk.put(&format!("{number:016}.segment"), bytes);
                return Some(());
            }
            6 => {
                self.field(&mut bytes)?;
                self.sealed = true;
            }
            _ => {
                let [more] = self.take()?;
                bytes.resize(bytes.len() + usize::from(more) * 16, more);
            }
        }
        self.disk.put(&name, bytes);
        Some(())
    }

    /// Eight bytes of the file's head or of a frame's header, and all checksums made to fit.
    fn field(&mut self, bytes: &mut [u8]) -> Option<()> {
        let [slot, at, length] = self.take()?;
        let (new, rest) = self.rest.split_at(usize::from(length % 9).min(self.rest.len()));
        self.rest = rest;
        let start = usize::from(slot) * HEADER_BYTES;
        let at = start + usize::from(at) % (HEADER_BYTES - 8);
        bytes.get_mut(at..at + new.len())?.copy_from_slice(new);
        if slot == 0 {
            seal_head(bytes);
        } else {
            seal_frame(bytes, start);
        }
        Some(())
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn seal_head(bytes: &mut [u8]) -> Option<()> {
    let checksum = crc32c::crc32c(bytes.get(..60)?);
    bytes.get_mut(60..64)?.copy_from_slice(&checksum.to_le_bytes());
    Some(())
}

/// The body's checksum, where the body's length is one that the file has, then the header's.
fn seal_frame(bytes: &mut [u8], start: usize) -> Option<()> {
    let seed = crc32c::crc32c(bytes.get(24..32)?);
    let payload_bytes = number(bytes, start + 36) as usize;
    let end = start + (HEADER_BYTES + payload_bytes + 1).next_multiple_of(HEADER_BYTES);
    if let Some(body) = bytes.get(start + HEADER_BYTES..end) {
        let checksum = crc32c::crc32c(body);
        bytes[start + 56..start + 60].copy_from_slice(&checksum.to_le_bytes());
    }
    let checksum = crc32c::crc32c_append(seed, bytes.get(start..start + 60)?);
    bytes.get_mut(start + 60..start + 64)?.copy_from_slice(&checksum.to_le_bytes());
    Some(())
}

fn check(disk: &FaultyDisk, options: &Options, written: Option<&Vec<LoggedBatch>>) {
    let open = || SegmentLog::open_on(Arc::new(disk.clone()), options);
    let (log, _) = match open() {
        Ok(opened) => opened,
        Err(error) => return refused(&error, open().err()),
    };
    let Some(found) = everything(&log) else { return };
    if let Some(written) = written {
        let first = found.first().map_or(0, |batch| batch.position as usize - 1);
        let truth = written.get(first..first + found.len());
        assert_eq!(truth, Some(&found[..]), "a run of what was written");
    }
    drop(log);
    let (log, report) = open().expect("what opened once opens again");
    assert_eq!(report.torn, None, "it was cut for good");
    assert_eq!(everything(&log).as_ref(), Some(&found));
    if let Some(grown) = goes_on(&log, found) {
        drop(log);
        let (log, _) = open().expect("a log that was written to opens");
        assert_eq!(everything(&log), Some(grown));
    }
}

/// A refusal names its file, and comes again.
fn refused(error: &OpenError, again: Option<OpenError>) {
    match error {
        OpenError::Read(ReadError::Corrupt { reason, .. }) => assert!(!reason.is_empty()),
        OpenError::Newer { .. } | OpenError::OtherPartition { .. } => {}
        other => panic!("neither damage nor another's: {other}"),
    }
    assert_eq!(Some(error.to_string()), again.map(|again| again.to_string()), "the second time");
}

/// What the log holds after a claim and some appends; `None` where it takes none.
fn goes_on(log: &SegmentLog, mut found: Vec<LoggedBatch>) -> Option<Vec<LoggedBatch>> {
    let tail = log.bounds().ok()?.tail;
    let time_ms = found.last().map_or(0, |last| last.batch.time_ms);
    let (epoch, mut tail) = log.claim(tail, Batch { time_ms, ..batch(1, 0) }).ok()?;
    for nth in 2..6 {
        tail = log.append(epoch, tail, Batch { time_ms, ..batch(nth, 0) }).ok()?;
    }
    let grown = everything(log)?;
    assert_eq!(grown[..found.len()], found[..], "what was there stays");
    assert_eq!(grown.len(), found.len() + 5);
    found = grown;
    Some(found)
}

/// All batches, in pages; each can be fetched as well.
fn everything(log: &SegmentLog) -> Option<Vec<LoggedBatch>> {
    let bounds = log.bounds().ok()?;
    let mut batches: Vec<LoggedBatch> = Vec::new();
    let mut from = bounds.first;
    loop {
        let page = log.read(from, 1000).expect("what was read at the start reads");
        if page.next == from {
            break;
        }
        from = page.next;
        batches.extend(page.batches);
    }
    let positions: Vec<u64> = batches.iter().map(|batch| batch.position).collect();
    let expected: Vec<u64> = (bounds.first..=bounds.tail).collect();
    assert_eq!(positions, expected, "no gap");
    for logged in &batches {
        let bytes = 0..logged.batch.payload.len() as u32;
        let fetched = log.fetch(&[Slice { position: logged.position, bytes }]).expect("what reads can be fetched");
        assert!(fetched.iter().eq([&logged.batch.payload]), "what is fetched is what is read");
    }
    Some(batches)
}
