//! A segment file: its name, and the 64 bytes it starts with.
//!
//! The head is written and flushed with the zeros that follow it before the file gets its name, so it is never missing.
//! Each life of a recycled file has a number of its own and a salt, which goes into the checksum of every frame: frames
//! of an earlier life, or bytes that a client made look like a frame, are no frames.

use super::{
    OpenError,
    frame::{HEADER_BYTES, NoHeader, VERSION, u32_at, u64_at},
    handle::{Handle, OpenFiles},
    window,
};
use crate::{
    ReadError,
    disk::{DiskFile, SECTOR_BYTES, read_full},
};
use std::{io, path::PathBuf, sync::Arc};

/// Where the first frame starts.
pub(crate) const FIRST_FRAME: u64 = HEADER_BYTES as u64;

// A first frame whose header is missing must leave the head whole: they share a sector.
const _: () = assert!(FIRST_FRAME + HEADER_BYTES as u64 <= SECTOR_BYTES);

const MAGIC: u64 = u64::from_le_bytes(*b"AFTERSEG");
const SUFFIX: &str = ".segment";

/// Leftovers of making or recycling a file: never holding anything that counts.
pub(crate) const UNFINISHED: [&str; 2] = [".preparing", ".recycled"];

/// A segment file.
pub(crate) struct SegmentFile {
    /// Its place among the segments.
    pub(crate) number: u64,
    /// For messages.
    pub(crate) path: PathBuf,
    /// The file.
    pub(crate) file: Arc<Handle>,
    /// How long it is.
    pub(crate) bytes: u64,
    /// What the checksums of its frames start from.
    pub(crate) seed: u32,
    /// Where that comes from.
    pub(crate) salt: u64,
}

/// Its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) partition: u32,
    pub(crate) number: u64,
    pub(crate) salt: u64,
    /// How long the file was made. A shorter one has lost something; a longer one was being made longer.
    pub(crate) bytes: u64,
}

impl Head {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut head = [0; HEADER_BYTES];
        head[..8].copy_from_slice(&MAGIC.to_le_bytes());
        head[8] = VERSION;
        head[12..16].copy_from_slice(&self.partition.to_le_bytes());
        head[16..24].copy_from_slice(&self.number.to_le_bytes());
        head[24..32].copy_from_slice(&self.salt.to_le_bytes());
        head[32..40].copy_from_slice(&self.bytes.to_le_bytes());
        let checksum = crc32c::crc32c(&head[..60]);
        head[60..].copy_from_slice(&checksum.to_le_bytes());
        head
    }

    pub(crate) fn decode(head: &[u8; HEADER_BYTES]) -> Result<Head, NoHeader> {
        if u64_at(head, 0) != MAGIC || u32_at(head, 60) != crc32c::crc32c(&head[..60]) {
            return Err(NoHeader::Damaged);
        }
        if head[8] != VERSION {
            return Err(NoHeader::Newer(head[8]));
        }
        Ok(Head {
            partition: u32_at(head, 12),
            number: u64_at(head, 16),
            salt: u64_at(head, 24),
            bytes: u64_at(head, 32),
        })
    }

    pub(crate) fn seed(&self) -> u32 {
        crc32c::crc32c(&self.salt.to_le_bytes())
    }
}

/// `0000000000000001.segment`.
pub(crate) fn name(number: u64) -> String {
    format!("{number:016}{SUFFIX}")
}

/// The numbers of the segments among these names, in order.
pub(crate) fn numbers(names: &[String]) -> Vec<u64> {
    let mut numbers: Vec<u64> = names
        .iter()
        .filter_map(|file| file.strip_suffix(SUFFIX)?.parse().ok().filter(|number| name(*number) == **file))
        .collect();
    numbers.sort_unstable();
    numbers
}

impl SegmentFile {
    /// Finds the last byte from `offset_bytes` on that is not zero, if any: one above it.
    pub(crate) fn written_until(&self, offset_bytes: u64) -> io::Result<Option<u64>> {
        let mut until = None;
        let mut window = window::Window::new(self);
        let mut at = offset_bytes;
        while at < self.bytes {
            let bytes = window.bytes(at, window::CHUNK_BYTES.min((self.bytes - at) as usize))?;
            if let Some(last) = last_nonzero(bytes) {
                until = Some(at + last as u64 + 1);
            }
            at += bytes.len() as u64;
        }
        Ok(until)
    }

    /// Opens a file and reads its head.
    pub(crate) fn open(files: &Arc<OpenFiles>, number: u64, partition: u32) -> Result<SegmentFile, OpenError> {
        let path = files.disk().path(&name(number));
        let read = || {
            let file = Handle::of(files, number);
            let bytes = file.len_bytes()?;
            let mut head = [0; HEADER_BYTES];
            read_full(&*file, &mut head, 0)?;
            Ok((file, bytes, head))
        };
        let (file, bytes, head) = read().map_err(|error| ReadError::Io { file: path.clone(), error })?;
        let corrupt = |offset, reason| Err(ReadError::Corrupt { file: path.clone(), offset, reason }.into());
        let head = match Head::decode(&head) {
            Ok(head) => head,
            Err(NoHeader::Newer(version)) => return Err(OpenError::Newer { file: path, version }),
            Err(_) => return corrupt(0, "the head of the segment is damaged".to_owned()),
        };
        if head.number != number {
            return corrupt(0, format!("this is segment {}, not {number}", head.number));
        }
        if head.partition != partition {
            return Err(OpenError::OtherPartition { file: path, found: head.partition, expected: partition });
        }
        if head.bytes < FIRST_FRAME {
            return corrupt(0, format!("the head of the segment says that it is {} bytes long", head.bytes));
        }
        if bytes < head.bytes {
            return corrupt(bytes, format!("the file ends here, but was made {} bytes long", head.bytes));
        }
        Ok(SegmentFile { number, path, file, bytes: head.bytes, seed: head.seed(), salt: head.salt })
    }

    /// Damage at `offset`.
    pub(crate) fn corrupt(&self, offset: u64, reason: impl Into<String>) -> ReadError {
        ReadError::Corrupt { file: self.path.clone(), offset, reason: reason.into() }
    }

    /// The operating system's refusal.
    pub(crate) fn io(&self, error: io::Error) -> ReadError {
        ReadError::Io { file: self.path.clone(), error }
    }
}

/// Compares wide words first: it runs over whole segments at every start.
fn last_nonzero(bytes: &[u8]) -> Option<usize> {
    const STEP: usize = 4096;
    let mut end = bytes.len();
    while end > 0 {
        let start = end.saturating_sub(STEP);
        let step = &bytes[start..end];
        if step.iter().fold(0, |any, byte| any | byte) != 0 {
            return step.iter().rposition(|byte| *byte != 0).map(|last| start + last);
        }
        end = start;
    }
    None
}
