//! Walking through one segment, frame by frame.

use super::{
    file::{FIRST_FRAME, SegmentFile},
    frame::{HEADER_BYTES, Header, MAX_PAYLOAD_BYTES, NoHeader},
    window::{CHUNK_BYTES, Window},
};
use crate::{Position, acceptance::Acceptance};
use std::io;

/// The frames of a segment that follow each other, and where they end.
pub(crate) struct Scan {
    /// Of the first one.
    pub(crate) base: Position,
    /// Where each starts, in units of 64 bytes.
    pub(crate) starts: Vec<u32>,
    /// Where the next one would start.
    pub(crate) end: u64,
    /// What stands there.
    pub(crate) stop: Stop,
}

/// What ended the run of frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// No header.
    NoHeader(NoHeader),
    /// A sound header, and a body that was not written to its end.
    Torn(Header),
    /// What was sound once.
    Wrong(String),
    /// A sound frame, but another one than must be here.
    OutOfPlace(String),
    /// The file is full.
    Full,
}

/// Where a reader of the log stands: `None` before the first retained batch, which is taken at its word.
pub(crate) type Reader = Option<Acceptance>;

/// Reads every frame and checks it. `reader` moves on with what is accepted.
pub(crate) fn scan(segment: &SegmentFile, partition: u32, reader: &mut Reader) -> io::Result<Scan> {
    let mut window = Window::new(segment);
    let mut scan = Scan { base: 0, starts: Vec::new(), end: FIRST_FRAME, stop: Stop::Full };
    while scan.end + (HEADER_BYTES as u64) < segment.bytes {
        match frame_at(&mut window, scan.end, segment.seed)? {
            Ok(header) => {
                if let Err(reason) = follow(reader, &header, partition) {
                    scan.stop = Stop::OutOfPlace(reason);
                    break;
                }
                if scan.starts.is_empty() {
                    scan.base = header.link.position;
                }
                scan.starts.push((scan.end / HEADER_BYTES as u64) as u32);
                scan.end += header.frame_bytes();
            }
            Err(stop) => {
                scan.stop = match stop {
                    // Its place is known though it is incomplete: it must be the right one.
                    Stop::Torn(header) => match follow(&mut reader.clone(), &header, partition) {
                        Ok(()) => Stop::Torn(header),
                        Err(reason) => Stop::OutOfPlace(reason),
                    },
                    stop => stop,
                };
                break;
            }
        }
    }
    Ok(scan)
}

/// No log lives to count further. What says that it did is damage, and must not make anything overflow.
const LAST_COUNT: u64 = u64::MAX >> 1;

fn frame_at(window: &mut Window<'_>, offset: u64, seed: u32) -> io::Result<Result<Header, Stop>> {
    let header = match Header::decode(window.bytes(offset, HEADER_BYTES)?, seed) {
        Ok(header) => header,
        Err(none) => return Ok(Err(Stop::NoHeader(none))),
    };
    if header.link.position.max(header.link.epoch) > LAST_COUNT {
        return Ok(Err(Stop::Wrong("a batch has a position or an epoch that no log comes to".to_owned())));
    }
    if header.payload_bytes as usize > MAX_PAYLOAD_BYTES {
        return Ok(Err(Stop::Wrong(format!("a batch of {} bytes is too large", header.payload_bytes))));
    }
    if offset + header.frame_bytes() > window.end() {
        return Ok(Err(Stop::Wrong(format!("batch {} reaches beyond the end of the file", header.link.position))));
    }
    let frame = window.bytes(offset, header.frame_bytes() as usize)?;
    Ok(if header.matches(frame) {
        Ok(header)
    } else if header.is_torn(frame, offset) {
        Err(Stop::Torn(header))
    } else {
        Err(Stop::Wrong(format!("the checksum of batch {} does not match", header.link.position)))
    })
}

/// In a segment nothing is ever fenced off after it was written, so the positions have no gaps either.
fn follow(reader: &mut Reader, header: &Header, partition: u32) -> Result<(), String> {
    if header.partition != partition {
        return Err(format!("batch {} is of partition {}, not {partition}", header.link.position, header.partition));
    }
    let stands = reader.get_or_insert_with(|| match header.link.position {
        1 => Acceptance::START,
        _ => Acceptance::just_before(&header.link),
    });
    if header.link.position != stands.last + 1 {
        return Err(format!("batch {} where batch {} must be", header.link.position, stands.last + 1));
    }
    stands.accept(&header.link)
}

/// The first frame header from `offset` on that shows `position` to have been flushed once. Frames that were written
/// without waiting for flushes show nothing about those just before them.
pub(crate) fn proof_of(segment: &SegmentFile, offset: u64, position: Position) -> io::Result<Option<Header>> {
    let mut window = Window::new(segment);
    let mut at = offset.next_multiple_of(HEADER_BYTES as u64);
    while at < segment.bytes {
        let count = CHUNK_BYTES.min((segment.bytes - at) as usize).next_multiple_of(HEADER_BYTES);
        let bytes = window.bytes(at, count)?;
        let proof = bytes
            .chunks_exact(HEADER_BYTES)
            .filter_map(|slot| Header::decode(slot, segment.seed).ok())
            .find(|header| header.flushed() >= position || header.link.position < position);
        if proof.is_some() {
            return Ok(proof);
        }
        at += count as u64;
    }
    Ok(None)
}
