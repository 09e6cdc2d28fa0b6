//! How large a message's record is, on average.

use afterward_machine::{Event, Location};

/// So many records weigh as much as all before them.
const HALF_LIFE: u64 = 100_000;

/// A running mean of the sizes of records that hold messages. Compaction asks how many bytes are live, and the state
/// knows only how many messages are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sizes {
    records: u64,
    bytes: u64,
}

impl Sizes {
    pub(crate) fn count(&mut self, event: &Event, at: Location) {
        if matches!(event, Event::Sent(_) | Event::MessageKept(_)) {
            if self.records >= 2 * HALF_LIFE {
                self.records /= 2;
                self.bytes /= 2;
            }
            self.records += 1;
            self.bytes += u64::from(at.length_bytes);
        }
    }

    /// How many bytes so many messages take, about.
    pub(crate) fn of(&self, messages: u64) -> u64 {
        match self.records {
            0 => 0,
            records => (u128::from(messages) * u128::from(self.bytes) / u128::from(records)) as u64,
        }
    }
}
