//! What is the same for every record: length, checksum, kind, version, time, and what stands beside the event.

use crate::event::{UNKNOWN, kind_and_version};
use crate::reader::{Reader, Reason};
use crate::writer::Writer;
use crate::{Beside, Corrupt, Decoded, Span};
use afterward_machine::Event;

/// Length and checksum.
pub(crate) const HEAD_BYTES: usize = 8;
pub(crate) const VERSION_BITS: u8 = 0x3f;
const HAS_ERROR: u8 = 1 << 6;
const HAS_CONTENT: u8 = 1 << 7;

const TOO_SHORT: Reason = "it is shorter than a record's head";
const CUT_OFF: Reason = "it is cut off before its end, or its length is damaged";
const CHECKSUM: Reason = "its bytes do not match its checksum";

/// Appends one record to `payload` and says where it stands. One pass, no allocation but the payload's own growth.
///
/// # Panics
/// When the payload grows beyond 4 GiB, which a batch is far from.
pub fn encode(payload: &mut Vec<u8>, time_ms: u64, event: &Event, beside: Beside<'_>) -> Span {
    let start = payload.len();
    payload.extend_from_slice(&[0; HEAD_BYTES]);
    let (kind, version) = kind_and_version(event);
    let mut writer = Writer::new(payload, time_ms);
    writer.byte(kind);
    writer.byte(version | beside.flags());
    writer.number(time_ms);
    writer.event(event);
    beside.write(&mut writer);
    seal(payload, start)
}

impl Beside<'_> {
    fn flags(&self) -> u8 {
        match self {
            Beside::Nothing => 0,
            Beside::Content(_) | Beside::Definition(_) => HAS_CONTENT,
            Beside::Error(_) => HAS_ERROR,
            Beside::Kept { error: None, .. } => HAS_CONTENT,
            Beside::Kept { error: Some(_), .. } => HAS_CONTENT | HAS_ERROR,
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Beside::Nothing => {}
            Beside::Content(content) => content.write(writer),
            Beside::Definition(definition) => writer.raw(definition),
            Beside::Error(error) => writer.text(error),
            Beside::Kept { content, error } => {
                if let Some(error) = error {
                    writer.text(error);
                }
                writer.raw(content);
            }
        }
    }
}

/// Fills in the head of the record that starts at `start` and ends with the payload.
fn seal(payload: &mut [u8], start: usize) -> Span {
    let in_range = "a batch's payload is below 4 GiB";
    let end = u32::try_from(payload.len()).expect(in_range);
    let offset_bytes = u32::try_from(start).expect(in_range);
    let span = Span { offset_bytes, length_bytes: end - offset_bytes };
    let length = span.length_bytes - HEAD_BYTES as u32;
    let (head, body) = payload[start..].split_at_mut(HEAD_BYTES);
    head[..4].copy_from_slice(&length.to_le_bytes());
    head[4..].copy_from_slice(&checksum(length, body).to_le_bytes());
    span
}

fn checksum(length: u32, body: &[u8]) -> u32 {
    crc32c::crc32c_append(length, body)
}

/// All records of a batch's payload, in order; ends after the first that is corrupt.
pub fn decode(payload: &[u8]) -> impl Iterator<Item = Result<Decoded<'_>, Corrupt>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let left = payload.get(at..).filter(|left| !left.is_empty())?;
        let decoded = split(left).and_then(|(length, crc, body)| read(length, crc, body));
        let (decoded, next) = match decoded {
            Ok(mut decoded) => {
                decoded.span.offset_bytes = at as u32;
                let next = at + decoded.span.length_bytes as usize;
                (Ok(decoded), next)
            }
            Err(reason) => (Err(Corrupt { offset_bytes: at as u32, reason }), payload.len()),
        };
        at = next;
        Some(decoded)
    })
}

/// One record, from its own bytes alone (its [`Span`] then starts at 0).
///
/// # Errors
/// [`Corrupt`] where its checksum, kind or version is not known to this release, or bytes are missing or left over.
pub fn decode_one(record: &[u8]) -> Result<Decoded<'_>, Corrupt> {
    let decoded = split(record).and_then(|(length, crc, body)| match body.len() + HEAD_BYTES == record.len() {
        true => read(length, crc, body),
        false => Err("there are bytes behind its end, or its length is damaged"),
    });
    decoded.map_err(|reason| Corrupt { offset_bytes: 0, reason })
}

/// Length, checksum and body of the record that `bytes` start with.
pub(crate) fn split(bytes: &[u8]) -> Result<(u32, u32, &[u8]), Reason> {
    let (length, rest) = bytes.split_first_chunk().ok_or(TOO_SHORT)?;
    let (crc, rest) = rest.split_first_chunk().ok_or(TOO_SHORT)?;
    let length = u32::from_le_bytes(*length);
    let body = usize::try_from(length).ok().and_then(|length| rest.get(..length)).ok_or(CUT_OFF)?;
    Ok((length, u32::from_le_bytes(*crc), body))
}

fn read(length: u32, crc: u32, body: &[u8]) -> Result<Decoded<'_>, Reason> {
    if checksum(length, body) != crc {
        return Err(CHECKSUM);
    }
    let mut reader = Reader::new(body);
    let (kind, marks) = (reader.byte()?, reader.byte()?);
    let version = marks & VERSION_BITS;
    if version == 0 {
        return Err(UNKNOWN);
    }
    let time_ms = reader.number()?;
    reader.set_time(time_ms);
    let event = reader.event(kind, version)?;
    let error = if marks & HAS_ERROR != 0 { Some(reader.text()?) } else { None };
    let rest = reader.rest();
    let content = (marks & HAS_CONTENT != 0).then_some(rest);
    if content.is_none() && !rest.is_empty() {
        return Err("it is longer than its fields");
    }
    // The body is a part of a slice, so it fits; and its length was read from 32 bits.
    let span = Span { offset_bytes: 0, length_bytes: length.saturating_add(HEAD_BYTES as u32) };
    Ok(Decoded { time_ms, event, span, content, error })
}
