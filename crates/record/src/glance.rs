//! A look at a record that takes out no more than tells whether anybody still needs it: most records that compaction
//! comes past are of messages long gone.

use crate::frame::{self, VERSION_BITS};
use crate::reader::{Reader, Reason};
use crate::{Corrupt, Span, kind};
use afterward_machine::{MessageKey, ScheduleId};
use afterward_names::MessageId;

/// What a record is about, as far as a look tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glance {
    /// It holds the content of this message, and says something besides that counts before this time: 0 for nothing,
    /// `u64::MAX` for a job, of which the end is remembered.
    Message {
        /// Which one.
        message: MessageKey,
        /// In milliseconds since 1970.
        counts_until_ms: u64,
    },
    /// The end of a message.
    Deleted(MessageKey),
    /// A receive that nobody can ask for again.
    Leased,
    /// It holds the definition of this schedule, and how the schedule stood then.
    Schedule(ScheduleId),
    /// A schedule's run or end.
    SchedulePassed,
    /// [`crate::decode_one`] tells.
    Other,
}

/// Looks at all records of a batch's payload from `from` on, in order; ends after the first that is corrupt. Their
/// checksums go unchecked: the batch's has been.
pub fn glance(payload: &[u8], from: usize) -> impl Iterator<Item = Result<(Glance, Span), Corrupt>> {
    let mut at = from;
    std::iter::from_fn(move || {
        let left = payload.get(at..).filter(|left| !left.is_empty())?;
        let offset_bytes = at as u32;
        let looked = frame::split(left).and_then(|(length, _, body)| Ok((look(body)?, length)));
        Some(match looked {
            Ok((glance, length)) => {
                let span = Span { offset_bytes, length_bytes: length.saturating_add(frame::HEAD_BYTES as u32) };
                at += span.length_bytes as usize;
                Ok((glance, span))
            }
            Err(reason) => {
                at = payload.len();
                Err(Corrupt { offset_bytes, reason })
            }
        })
    })
}

fn look(body: &[u8]) -> Result<Glance, Reason> {
    let mut reader = Reader::new(body);
    let (kind, version) = (reader.byte()?, reader.byte()? & VERSION_BITS);
    let time_ms = reader.number()?;
    reader.set_time(time_ms);
    match (kind, version) {
        (kind::SENT, 1) => reader.glance_at_sent(),
        (kind::SENT, 2) => reader.batched().and_then(|_| reader.glance_at_sent()),
        (kind::MESSAGE_KEPT, 1) => reader.glance_at_kept(),
        (kind::MESSAGE_KEPT, 2) => reader.batched().and_then(|_| reader.glance_at_kept()),
        (kind::DELETED, 1) => reader.key().map(Glance::Deleted),
        (kind::LEASED, 1) => {
            let (_queue, _until_ms) = (reader.queue()?, reader.time()?);
            Ok(if reader.flags(1)?.has(1) { Glance::Other } else { Glance::Leased })
        }
        (kind::SCHEDULE_PUT, 1) => reader.schedule().map(Glance::Schedule),
        (kind::SCHEDULE_RAN | kind::SCHEDULE_DELETED, 1) => Ok(Glance::SchedulePassed),
        // Whether it is known at all is for who decodes it.
        _ => Ok(Glance::Other),
    }
}

/// The key of the message with this id.
pub(crate) fn key_of(id: MessageId) -> MessageKey {
    MessageKey::from_u64(id.key())
}
