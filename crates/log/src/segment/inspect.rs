//! A look at a directory of segments that changes nothing: what `afterward doctor` prints.

use super::{
    OpenError, TornTail,
    file::{self, SegmentFile},
    handle::OpenFiles,
    recovery,
    scan::{self, Scan, Stop},
};
use crate::{
    Bounds, ReadError,
    disk::{Directory, Disk},
};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What is in a directory. Its text is for people.
#[derive(Debug)]
pub struct Inspection {
    /// Which one.
    pub directory: PathBuf,
    /// A process has it open: what it is just writing may look incomplete.
    pub in_use: bool,
    /// In order.
    pub segments: Vec<SegmentReport>,
    /// What a server would cut off when it starts.
    pub torn: Option<TornTail>,
    /// Why a server would not start: the first damage.
    pub trouble: Option<OpenError>,
}

/// One segment file.
#[derive(Debug)]
pub struct SegmentReport {
    /// Which one.
    pub file: PathBuf,
    /// How long it is.
    pub file_bytes: u64,
    /// How many whole batches stand in it, up to the first damage.
    pub frames: u64,
    /// The first and last of them.
    pub positions: Option<Bounds>,
    /// Where the last one of them ends.
    pub end_bytes: u64,
    /// How it is.
    pub condition: Condition,
}

/// How a segment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Whole batches, one after the other.
    Sound,
    /// Prepared, with nothing in it.
    Unused,
    /// It ends in a batch that was not written to its end, at this byte. A server cuts it off.
    Torn(u64),
    /// Not what was written.
    Damaged {
        /// Where.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// The operating system would not read it.
    Unreadable(String),
}

/// Looks at the log of `partition` in `directory`. Also works while a server runs there.
///
/// # Errors
/// When the directory can't be read at all.
pub fn inspect(directory: &Path, partition: u32) -> Result<Inspection, ReadError> {
    let disk = Directory::unlocked(directory);
    let in_use = disk.in_use();
    inspect_on(Arc::new(disk), directory, partition, in_use)
}

pub(crate) fn inspect_on(
    disk: Arc<dyn Disk>,
    directory: &Path,
    partition: u32,
    in_use: bool,
) -> Result<Inspection, ReadError> {
    let names = disk.list().map_err(|error| ReadError::Io { file: directory.to_owned(), error })?;
    let files = OpenFiles::new(Arc::clone(&disk));
    let mut segments = Vec::new();
    let found = recovery::find(&files, partition, |segment, scan| segments.push(report(segment, scan)));
    let seen = segments.len();
    for number in file::numbers(&names).into_iter().skip(seen) {
        segments.push(report_alone(&files, number, partition));
    }
    let mut torn = None;
    let trouble = match found {
        Ok(found) => {
            torn = found.remains.map(|remains| TornTail {
                file: disk.path(&file::name(remains.number)),
                offset: remains.start,
                bytes: remains.end - remains.start,
            });
            None
        }
        Err(trouble) => Some(trouble),
    };
    for segment in &mut segments {
        if let Some(torn) = torn.as_ref().filter(|torn| torn.file == segment.file) {
            segment.condition = Condition::Torn(torn.offset);
        }
        if let Some(OpenError::Read(ReadError::Corrupt { file, offset, reason })) = &trouble
            && *file == segment.file
        {
            segment.condition = Condition::Damaged { offset: *offset, reason: reason.clone() };
        }
    }
    Ok(Inspection { directory: directory.to_owned(), in_use, segments, torn, trouble })
}

fn report(segment: &SegmentFile, scan: &Scan) -> SegmentReport {
    let frames = scan.starts.len() as u64;
    let condition = match &scan.stop {
        Stop::Wrong(reason) | Stop::OutOfPlace(reason) => {
            Condition::Damaged { offset: scan.end, reason: reason.clone() }
        }
        _ if frames == 0 => Condition::Unused,
        _ => Condition::Sound,
    };
    SegmentReport {
        file: segment.path.clone(),
        file_bytes: segment.bytes,
        frames,
        positions: (frames > 0).then(|| Bounds { first: scan.base, tail: scan.base + frames - 1 }),
        end_bytes: scan.end,
        condition,
    }
}

/// A segment behind the first damage, for itself: its first batch is taken at its word.
fn report_alone(files: &Arc<OpenFiles>, number: u64, partition: u32) -> SegmentReport {
    let path = files.disk().path(&file::name(number));
    let looked = SegmentFile::open(files, number, partition).and_then(|segment| {
        let scan = scan::scan(&segment, partition, &mut None).map_err(|error| segment.io(error))?;
        Ok(report(&segment, &scan))
    });
    let condition = match looked {
        Ok(report) => return report,
        Err(OpenError::Read(ReadError::Corrupt { offset, reason, .. })) => Condition::Damaged { offset, reason },
        Err(error) => Condition::Unreadable(error.to_string()),
    };
    SegmentReport { file: path, file_bytes: 0, frames: 0, positions: None, end_bytes: 0, condition }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} segment files", self.directory.display(), self.segments.len())?;
        if self.in_use {
            writeln!(f, "A server has this directory open; what it is writing just now may look incomplete.")?;
        }
        for segment in &self.segments {
            writeln!(f, "{segment}")?;
        }
        match (&self.trouble, &self.torn) {
            (Some(trouble), _) => write!(f, "A server will not start here: {trouble}"),
            (None, Some(torn)) => {
                write!(f, "The next start will cut off the incomplete batch at byte {}.", torn.offset)
            }
            (None, None) => write!(f, "Everything is as it was written."),
        }?;
        // A gap between two segments is damage; at the ends nothing tells a file that was lost from one that never was.
        match self.segments.iter().find_map(|segment| segment.positions) {
            Some(Bounds { first, .. }) if first > 1 => write!(
                f,
                "\nThe log begins at batch {first}. Whether what was before it was let go, or a file is missing there or \
                 behind the last one, can't be told from the files."
            ),
            _ => write!(f, "\nWhether files are missing behind the last one can't be told from the files."),
        }
    }
}

impl fmt::Display for SegmentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name =
            self.file.file_name().map_or_else(|| self.file.display().to_string(), |name| name.display().to_string());
        write!(f, "  {name}  {:>10} bytes  {:>8} batches", self.file_bytes, self.frames)?;
        if let Some(Bounds { first, tail }) = self.positions {
            write!(f, "  {first} to {tail}")?;
        }
        match &self.condition {
            Condition::Sound => write!(f, "  sound"),
            Condition::Unused => write!(f, "  unused"),
            Condition::Torn(offset) => write!(f, "  ends in an incomplete batch at byte {offset}"),
            Condition::Damaged { offset, reason } => write!(f, "  DAMAGED at byte {offset}: {reason}"),
            Condition::Unreadable(reason) => write!(f, "  CAN'T BE READ: {reason}"),
        }
    }
}
