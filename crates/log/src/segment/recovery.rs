//! What a directory of segments holds: read when a log is opened, and when somebody wants to look.
//!
//! A log is a run of segments without a gap in their numbers. Frames follow each other through all of them; the last
//! one with frames may end in a torn frame, and segments that were prepared may follow it. Everything before the last
//! frame was flushed before that was written, so anything else is damage. (Under [`Durability::Os`] a power cut may
//! also take frames before the last one: frames say how far the log was flushed when they were written, and what no
//! later frame shows to have been flushed may be cut. Segments before the last one always were.)
//!
//! [`Durability::Os`]: super::Durability::Os

use super::{
    OpenError,
    file::{self, FIRST_FRAME, SegmentFile},
    frame::{HEADER_BYTES, NoHeader},
    handle::OpenFiles,
    scan::{self, Reader, Scan, Stop},
};
use crate::{
    ReadError,
    acceptance::Acceptance,
    disk::{Disk, SECTOR_BYTES, read_full},
};
use std::sync::Arc;

/// A log as it was found.
pub(crate) struct Found {
    /// Those with frames; none in a new log.
    pub(crate) segments: Vec<(SegmentFile, Scan)>,
    /// What was prepared behind them, perhaps with the remains of a frame.
    pub(crate) unused: Vec<SegmentFile>,
    /// The last accepted batch.
    pub(crate) reader: Acceptance,
    /// What to cut.
    pub(crate) remains: Option<Remains>,
}

/// Bytes of a frame that was never written to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remains {
    /// Of the segment.
    pub(crate) number: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// Reads the whole log, and changes nothing. `visit` sees every segment as it was read, also one with damage.
pub(crate) fn find(
    files: &Arc<OpenFiles>,
    partition: u32,
    mut visit: impl FnMut(&SegmentFile, &Scan),
) -> Result<Found, OpenError> {
    let disk = &**files.disk();
    let mut reader: Reader = None;
    let mut found = Found { segments: Vec::new(), unused: Vec::new(), reader: Acceptance::START, remains: None };
    for number in consecutive(disk)? {
        let segment = SegmentFile::open(files, number, partition)?;
        let scan = scan::scan(&segment, partition, &mut reader).map_err(|error| segment.io(error))?;
        visit(&segment, &scan);
        if let Some(error) = wrong(&found, &segment, &scan) {
            return Err(error.into());
        }
        let next = reader.map_or(0, |stands| stands.last) + 1;
        let remains = judge(&segment, &scan, next)?;
        let written = remains.is_some() || !scan.starts.is_empty();
        if written {
            complete_so_far(disk, &found)?;
        }
        found.remains = remains.or(found.remains);
        if scan.starts.is_empty() {
            found.unused.push(segment);
        } else {
            found.segments.push((segment, scan));
        }
    }
    found.reader = reader.unwrap_or(Acceptance::START);
    Ok(found)
}

/// The numbers of the segments, which have no gap.
fn consecutive(disk: &dyn Disk) -> Result<Vec<u64>, OpenError> {
    let names = disk.list().map_err(|error| ReadError::Io { file: disk.path(""), error })?;
    let numbers = file::numbers(&names);
    for pair in numbers.windows(2) {
        if pair[0] + 1 != pair[1] {
            let reason = format!("the segment is missing, though {} is there", file::name(pair[1]));
            return Err(ReadError::Corrupt { file: disk.path(&file::name(pair[0] + 1)), offset: 0, reason }.into());
        }
    }
    Ok(numbers)
}

/// A frame that can't be where it is. If a segment starts with it, the right one is missing at the end of the segment
/// before.
fn wrong(found: &Found, segment: &SegmentFile, scan: &Scan) -> Option<ReadError> {
    match (&scan.stop, found.segments.last()) {
        (Stop::OutOfPlace(reason), Some((before, ended))) if scan.starts.is_empty() && found.unused.is_empty() => {
            Some(before.corrupt(ended.end, format!("a batch is missing here; in the next segment, {reason}")))
        }
        (Stop::Wrong(reason) | Stop::OutOfPlace(reason), _) => Some(segment.corrupt(scan.end, reason)),
        _ => None,
    }
}

/// Something was written into the next segment: then everything before was flushed, and must be there.
fn complete_so_far(disk: &dyn Disk, found: &Found) -> Result<(), ReadError> {
    let reason = "a batch is incomplete, but the next segment has been written to".to_owned();
    if let Some(remains) = &found.remains {
        return Err(ReadError::Corrupt { file: disk.path(&file::name(remains.number)), offset: remains.start, reason });
    }
    match found.unused.first() {
        Some(unused) => Err(unused.corrupt(FIRST_FRAME, "no batch is here, but the next segment has been written to")),
        None => Ok(()),
    }
}

/// What stands behind the last frame of a segment: nothing, the remains of batch `next`, or damage.
fn judge(segment: &SegmentFile, scan: &Scan, next: u64) -> Result<Option<Remains>, OpenError> {
    let written = segment.written_until(scan.end).map_err(|error| segment.io(error))?;
    let Some(end) = written else { return Ok(None) };
    let after_header = scan.end + HEADER_BYTES as u64;
    let damage = |reason: String| Err(segment.corrupt(scan.end, reason).into());
    match &scan.stop {
        Stop::NoHeader(NoHeader::Newer(version)) => {
            return Err(OpenError::Newer { file: segment.path.clone(), version: *version });
        }
        Stop::NoHeader(NoHeader::Damaged) if end > after_header => {
            return damage(format!("the header of batch {next} is damaged"));
        }
        Stop::NoHeader(NoHeader::Blank) if !rest_of_sector_is_zero(segment, scan.end)? => {
            return damage(format!("the header of batch {next} is gone, but what followed it is not"));
        }
        Stop::Torn(header) if !header.may_be_overtaken && end > scan.end + header.frame_bytes() => {
            return damage(format!("batch {next} is incomplete, but something was written behind it"));
        }
        Stop::Full => return damage("something was written where no batch has room".to_owned()),
        Stop::Wrong(reason) | Stop::OutOfPlace(reason) => return damage(reason.clone()),
        Stop::NoHeader(_) | Stop::Torn(_) => {}
    }
    let proof = scan::proof_of(segment, after_header, next).map_err(|error| segment.io(error))?;
    match proof {
        Some(later) => damage(format!("batch {next} is incomplete, but batch {} is there", later.link.position)),
        None => Ok(Some(Remains { number: segment.number, start: scan.end, end })),
    }
}

/// A sector that was written as a whole would hold the header too.
fn rest_of_sector_is_zero(segment: &SegmentFile, offset: u64) -> Result<bool, ReadError> {
    let mut rest = vec![0; (SECTOR_BYTES - offset % SECTOR_BYTES) as usize];
    read_full(&*segment.file, &mut rest, offset).map_err(|error| segment.io(error))?;
    Ok(rest.iter().all(|byte| *byte == 0))
}
