//! A batch as bytes: a header of 64, the payload, zeros up to the end mark.
//!
//! ```text
//!  0 magic u16      16 epoch u64          40 distance to predecessor u32   56 CRC32C of the body u32
//!  2 version u8     24 time_ms u64        44 checksum of predecessor u32   60 CRC32C of salt and bytes 0..60 u32
//!  3 flags u8       32 records u32        48 batches not known flushed u32 64 payload, zeros, end mark
//!  4 partition u32  36 payload bytes u32  52 sectors that are all zero u32
//!  8 position u64
//! ```
//!
//! All little-endian. The last header field is the frame's checksum, which the next frame repeats.
//!
//! **Torn or flipped?** Frames are written into zeros, start and end at multiples of 64, and a sector is written as a
//! whole or not at all; a process that dies within a write leaves a prefix of it. So a frame that was not written to
//! its end either reads zero at its end mark, or has more sectors that are all zero than the header counts. A frame
//! that has all its sectors and fails its checksum was complete once, and has been changed since: that is damage. The
//! header stands within one sector, so a header that is neither all zero nor sound is damage too, unless nothing at all
//! follows it (a prefix that ended within it). What can't be told apart: a complete frame of which the disk later lost
//! a whole sector to zeros, at the very end of the log, reads as torn.

use crate::{Batch, acceptance::Link, disk::SECTOR_BYTES};
use bytes::Bytes;

/// Bytes of a header, and what frames are aligned to.
pub(crate) const HEADER_BYTES: usize = 64;
/// The greatest payload.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 256 << 20;
/// What this release writes.
pub(crate) const VERSION: u8 = 1;

const MAGIC: u16 = 0xF7A6;
/// Neither it, nor it with any bit or all bits flipped, is zero.
const END_MARK: u8 = 0xA5;
const CLAIM: u8 = 1;
const UNFLUSHED: u8 = 2;

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) link: Link,
    pub(crate) partition: u32,
    pub(crate) time_ms: u64,
    pub(crate) records: u32,
    pub(crate) payload_bytes: u32,
    /// How many batches just before this one were not known to be flushed when it was written.
    pub(crate) unflushed: u32,
    /// It may be followed by others that were written without waiting for its flush.
    pub(crate) may_be_overtaken: bool,
    zero_sectors: u32,
    body_checksum: u32,
}

/// Not a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoHeader {
    /// The bytes are all zero: nothing was written here.
    Blank,
    /// Something else.
    Damaged,
    /// Sound, and of a format that this release doesn't know.
    Newer(u8),
}

/// What a writer knows about the batch it writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) partition: u32,
    pub(crate) position: u64,
    pub(crate) epoch: u64,
    pub(crate) claim: bool,
    pub(crate) previous_checksum: u32,
    pub(crate) unflushed: u32,
    pub(crate) may_be_overtaken: bool,
    /// In the segment file.
    pub(crate) offset_bytes: u64,
}

/// How many bytes a frame takes.
pub(crate) fn frame_bytes(payload_bytes: usize) -> u64 {
    ((HEADER_BYTES + payload_bytes + 1) as u64).next_multiple_of(HEADER_BYTES as u64)
}

/// Writes the frame in place of what `frame` holds. Returns its checksum.
pub(crate) fn encode(frame: &mut Vec<u8>, place: &Place, batch: &Batch, seed: u32) -> u32 {
    let bytes = frame_bytes(batch.payload.len()) as usize;
    frame.clear();
    frame.reserve(bytes);
    frame.resize(HEADER_BYTES, 0);
    frame.extend_from_slice(&batch.payload);
    frame.resize(bytes - 1, 0);
    frame.push(END_MARK);
    let body_checksum = crc32c::crc32c(&frame[HEADER_BYTES..]);
    let zero_sectors = zero_sectors(frame, place.offset_bytes);

    let flags = if place.claim { CLAIM } else { 0 } | if place.may_be_overtaken { UNFLUSHED } else { 0 };
    let mut header = [0; HEADER_BYTES];
    header[..2].copy_from_slice(&MAGIC.to_le_bytes());
    header[2] = VERSION;
    header[3] = flags;
    header[4..8].copy_from_slice(&place.partition.to_le_bytes());
    header[8..16].copy_from_slice(&place.position.to_le_bytes());
    header[16..24].copy_from_slice(&place.epoch.to_le_bytes());
    header[24..32].copy_from_slice(&batch.time_ms.to_le_bytes());
    header[32..36].copy_from_slice(&batch.records.to_le_bytes());
    header[36..40].copy_from_slice(&(batch.payload.len() as u32).to_le_bytes());
    header[40..44].copy_from_slice(&1_u32.to_le_bytes());
    header[44..48].copy_from_slice(&place.previous_checksum.to_le_bytes());
    header[48..52].copy_from_slice(&place.unflushed.to_le_bytes());
    header[52..56].copy_from_slice(&zero_sectors.to_le_bytes());
    header[56..60].copy_from_slice(&body_checksum.to_le_bytes());
    let checksum = crc32c::crc32c_append(seed, &header[..60]);
    header[60..].copy_from_slice(&checksum.to_le_bytes());
    frame[..HEADER_BYTES].copy_from_slice(&header);
    checksum
}

impl Header {
    /// The header that starts `bytes`, of a segment whose salt makes `seed`.
    pub(crate) fn decode(bytes: &[u8], seed: u32) -> Result<Header, NoHeader> {
        let bytes = bytes.first_chunk::<HEADER_BYTES>().ok_or(NoHeader::Damaged)?;
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(NoHeader::Blank);
        }
        let checksum = u32_at(bytes, 60);
        if bytes[..2] != MAGIC.to_le_bytes() || crc32c::crc32c_append(seed, &bytes[..60]) != checksum {
            return Err(NoHeader::Damaged);
        }
        if bytes[2] != VERSION {
            return Err(NoHeader::Newer(bytes[2]));
        }
        let position = u64_at(bytes, 8);
        Ok(Header {
            link: Link {
                position,
                epoch: u64_at(bytes, 16),
                claim: bytes[3] & CLAIM != 0,
                previous: position.saturating_sub(u32_at(bytes, 40).into()),
                previous_checksum: u32_at(bytes, 44),
                checksum,
            },
            partition: u32_at(bytes, 4),
            time_ms: u64_at(bytes, 24),
            records: u32_at(bytes, 32),
            payload_bytes: u32_at(bytes, 36),
            unflushed: u32_at(bytes, 48),
            may_be_overtaken: bytes[3] & UNFLUSHED != 0,
            zero_sectors: u32_at(bytes, 52),
            body_checksum: u32_at(bytes, 56),
        })
    }

    /// How many bytes its frame takes.
    pub(crate) fn frame_bytes(&self) -> u64 {
        frame_bytes(self.payload_bytes as usize)
    }

    /// Whether the rest of the frame is what was written.
    pub(crate) fn matches(&self, frame: &[u8]) -> bool {
        frame.len() as u64 == self.frame_bytes() && crc32c::crc32c(&frame[HEADER_BYTES..]) == self.body_checksum
    }

    /// Whether a frame that does not match was never written to its end. See the module's text.
    pub(crate) fn is_torn(&self, frame: &[u8], offset_bytes: u64) -> bool {
        frame.last() == Some(&0) || zero_sectors(frame, offset_bytes) > self.zero_sectors
    }

    /// The batches up to here were flushed before this one was written.
    pub(crate) fn flushed(&self) -> u64 {
        self.link.position.saturating_sub(1 + u64::from(self.unflushed))
    }

    /// The batch, with its payload as part of what was read.
    pub(crate) fn batch(&self, frame: &Bytes) -> Batch {
        let payload = frame.slice(HEADER_BYTES..HEADER_BYTES + self.payload_bytes as usize);
        Batch { time_ms: self.time_ms, records: self.records, payload }
    }
}

/// How many of the sectors after the one with the header are all zero, as far as they belong to the frame.
fn zero_sectors(frame: &[u8], offset_bytes: u64) -> u32 {
    let first = (SECTOR_BYTES - offset_bytes % SECTOR_BYTES) as usize;
    let rest = frame.get(first..).unwrap_or_default();
    rest.chunks(SECTOR_BYTES as usize).filter(|sector| sector.iter().all(|byte| *byte == 0)).count() as u32
}

pub(crate) fn u32_at(bytes: &[u8; HEADER_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

pub(crate) fn u64_at(bytes: &[u8; HEADER_BYTES], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(offset_bytes: u64) -> Place {
        Place {
            partition: 7,
            position: 12,
            epoch: 3,
            claim: true,
            previous_checksum: 99,
            unflushed: 2,
            may_be_overtaken: true,
            offset_bytes,
        }
    }

    fn batch(payload: Vec<u8>) -> Batch {
        Batch { time_ms: 1_700_000_000_123, records: 4, payload: payload.into() }
    }

    #[test]
    fn what_was_encoded_is_read_back() {
        for bytes in [0, 1, 62, 63, 64, 500, 5000] {
            let batch = batch((0..bytes).map(|byte| byte as u8).collect());
            let mut frame = Vec::new();
            let checksum = encode(&mut frame, &place(64), &batch, 5);
            let header = Header::decode(&frame, 5).unwrap();
            assert_eq!(frame.len() as u64, header.frame_bytes());
            assert!(header.matches(&frame));
            assert_eq!(header.batch(&frame.into()), batch);
            assert_eq!((header.partition, header.flushed(), header.may_be_overtaken), (7, 9, true));
            let link = Link { position: 12, epoch: 3, claim: true, previous: 11, previous_checksum: 99, checksum };
            assert_eq!(header.link, link);
        }
    }

    #[test]
    fn another_segments_salt_makes_no_header() {
        let mut frame = Vec::new();
        encode(&mut frame, &place(64), &batch(vec![1; 10]), 5);
        assert_eq!(Header::decode(&frame, 6), Err(NoHeader::Damaged));
        assert_eq!(Header::decode(&[0; 64], 6), Err(NoHeader::Blank));
    }

    /// Payloads with long runs of zeros are the hard ones: a sector of them looks as if it had never been written.
    #[test]
    fn any_sectors_that_are_missing_make_it_torn_and_any_flipped_bit_does_not() {
        for (zeros, offset) in [(0..0, 64), (0..3000, 64), (400..2500, 448), (1000..1600, 128), (2000..3000, 0)] {
            let mut payload = vec![0x55; 3000];
            payload[zeros].fill(0);
            let mut frame = Vec::new();
            encode(&mut frame, &place(offset), &batch(payload), 5);
            let header = Header::decode(&frame, 5).unwrap();
            let first = (SECTOR_BYTES - offset) as usize;
            let sectors = (frame.len() - first).div_ceil(SECTOR_BYTES as usize);
            for missing in 1_u32..1 << sectors {
                let mut torn = frame.clone();
                for sector in (0..sectors).filter(|sector| missing & 1 << sector != 0) {
                    let end = (first + (sector + 1) * SECTOR_BYTES as usize).min(torn.len());
                    torn[first + sector * SECTOR_BYTES as usize..end].fill(0);
                }
                assert!(header.matches(&torn) || header.is_torn(&torn, offset), "sectors {missing:b}");
            }
            for bit in HEADER_BYTES * 8..frame.len() * 8 {
                frame[bit / 8] ^= 1 << (bit % 8);
                assert!(!header.matches(&frame) && !header.is_torn(&frame, offset), "bit {bit}");
                frame[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }
}
