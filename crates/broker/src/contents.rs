//! What messages say, read back from the log.
//!
//! Batches that were committed a moment ago are still in memory: a message that is received soon after it was sent
//! never touches the disk again. Others are read from the log: at once where it has them at hand, for the hop to another
//! thread costs more than the read; else on a thread that may block.

use crate::{Content, OpenError, open::wrong_record, partition::slice};
use afterward_log::{Log, Position, ReadError};
use afterward_machine::{Event, Location};
use afterward_record::decode_one;
use bytes::Bytes;
use std::{collections::VecDeque, sync::Arc};

/// How much of what was last committed stays in memory.
const RECENT_BYTES: usize = 16 << 20;

/// How much is read by whoever asks for it, where the log has it at hand. To copy more takes longer than to wake another
/// thread for it.
const MOST_HERE_BYTES: usize = 128 << 10;

/// What reading a record costs beyond its bytes, as so many bytes copied.
const RECORD_COST_BYTES: usize = 4 << 10;

/// A message as it lies in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// What the sender said.
    pub content: Content,
    /// Its group.
    pub group: Option<afterward_names::GroupId>,
}

/// The payloads of the last batches, of consecutive positions.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    first: Position,
    payloads: VecDeque<Bytes>,
    bytes: usize,
}

impl Recent {
    /// Keeps a batch that has just become durable.
    pub(crate) fn push(&mut self, position: Position, payload: Bytes) {
        if position != self.first + self.payloads.len() as u64 {
            *self = Recent { first: position, ..Recent::default() };
        }
        self.bytes += payload.len();
        self.payloads.push_back(payload);
        while self.bytes > RECENT_BYTES
            && let Some(oldest) = self.payloads.pop_front()
        {
            self.bytes -= oldest.len();
            self.first += 1;
        }
    }

    /// How much it keeps.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets everything: the partition that it came from is gone.
    pub(crate) fn clear(&mut self) {
        *self = Recent::default();
    }

    fn record(&self, at: Location) -> Option<Bytes> {
        let index = at.position.checked_sub(self.first)?;
        let payload = self.payloads.get(usize::try_from(index).ok()?)?;
        let bytes = at.offset_bytes as usize..at.offset_bytes as usize + at.length_bytes as usize;
        (bytes.end <= payload.len()).then(|| payload.slice(bytes))
    }

    /// The records at `of`, as far as they are here.
    pub(crate) fn records(&self, of: &[Location]) -> Vec<Option<Bytes>> {
        of.iter().map(|at| self.record(*at)).collect()
    }
}

/// Reads records from the log; blocks. `None` for all if one of them has been trimmed, because it has moved.
pub(crate) fn fetch(log: &dyn Log, of: &[Location]) -> Result<Option<Vec<Bytes>>, OpenError> {
    let slices: Vec<_> = of.iter().map(|at| slice(*at)).collect();
    match log.fetch(&slices) {
        Ok(records) => Ok(Some(records)),
        Err(ReadError::Trimmed { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Reads records here and now, if the log has them at hand; does not block.
pub(crate) fn fetch_at_hand(log: &dyn Log, of: &[Location]) -> Option<Vec<Bytes>> {
    let cost_bytes: usize = of.iter().map(|at| RECORD_COST_BYTES + at.length_bytes as usize).sum();
    if cost_bytes > MOST_HERE_BYTES {
        return None;
    }
    let slices: Vec<_> = of.iter().map(|at| slice(*at)).collect();
    log.fetch_at_hand(&slices)
}

/// [`fetch`] on a thread that may block.
pub(crate) async fn fetch_off(log: Arc<dyn Log>, of: Vec<Location>) -> Result<Option<Vec<Bytes>>, OpenError> {
    let fetched = tokio::task::spawn_blocking(move || fetch(&*log, &of)).await;
    fetched
        .unwrap_or_else(|cut_off| Err(OpenError::Thread { reason: format!("reading messages was cut off: {cut_off}") }))
}

/// The message in a record.
pub(crate) fn message(record: &[u8], at: Location) -> Result<StoredMessage, OpenError> {
    let not_one = |reason: &str| OpenError::Record {
        position: at.position,
        reason: format!("the record at byte {} of the batch {reason}", at.offset_bytes),
    };
    let decoded = decode_one(record).map_err(|wrong| wrong_record(at.position, &wrong))?;
    let group = match decoded.event {
        Event::Sent(sent) => sent.group,
        Event::MessageKept(kept) => kept.group,
        _ => return Err(not_one("is not a message")),
    };
    let content = decoded.content.ok_or_else(|| not_one("has no content"))?;
    let content = Content::decode(content).map_err(|wrong| wrong_record(at.position, &wrong))?;
    Ok(StoredMessage { content, group })
}

/// Says of a record that can't be read which file is damaged, and where: the log checks whole batches, and knows. Where it
/// finds the batch as it was written, the error stays. Blocks.
pub(crate) fn traced(log: &dyn Log, error: OpenError) -> OpenError {
    let OpenError::Record { position, .. } = error else { return error };
    match log.read(position, 0) {
        Err(damage @ ReadError::Corrupt { .. }) => damage.into(),
        _ => error,
    }
}

/// [`traced`] on a thread that may block.
pub(crate) async fn traced_off(log: Arc<dyn Log>, error: OpenError) -> OpenError {
    let looked = tokio::task::spawn_blocking(move || traced(&*log, error)).await;
    looked.unwrap_or_else(|cut_off| OpenError::Thread { reason: format!("looking for damage was cut off: {cut_off}") })
}

/// The error text in a record.
pub(crate) fn failure(record: &[u8], at: Location) -> Result<Option<String>, OpenError> {
    let decoded = decode_one(record).map_err(|wrong| wrong_record(at.position, &wrong))?;
    Ok(decoded.error.map(str::to_owned))
}
