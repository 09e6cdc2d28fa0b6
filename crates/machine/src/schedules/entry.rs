//! A schedule's entry in 72 bytes and its name, for there may be a million: numbers take the bytes that they can need.

use crate::packed::Bytes;
use crate::{Location, ScheduleGroupId, ScheduleId, SchedulePut, ScheduleRead};
use afterward_names::ScheduleName;

/// A schedule as it is kept. The definition is in the log, at [`Entry::location`].
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: ScheduleName,
    group: Bytes<7>,
    revision: Bytes<7>,
    position: Bytes<6>,
    created_ms: Bytes<6>,
    modified_ms: Bytes<6>,
    /// [`NEVER`] for never.
    next_ms: Bytes<6>,
    length_bytes: Bytes<3>,
    generation: u32,
    offset_bytes: u32,
}

const _: () = assert!(size_of::<Option<Entry>>() == 72);

/// What six bytes of milliseconds end with, in the year 10889: a time that far is no time at all.
const NEVER: u64 = (1 << 48) - 1;

impl Entry {
    pub(crate) fn new(put: &SchedulePut, at: Location) -> Entry {
        Entry {
            name: put.name.clone(),
            group: Bytes::new(put.group.0),
            revision: Bytes::new(put.revision),
            position: Bytes::new(at.position),
            created_ms: Bytes::new(put.created_ms),
            modified_ms: Bytes::new(put.modified_ms),
            next_ms: packed_next(put.next_ms),
            length_bytes: Bytes::new(u64::from(at.length_bytes)),
            generation: put.schedule.generation,
            offset_bytes: at.offset_bytes,
        }
    }

    pub(crate) fn id(&self, slot: u32) -> ScheduleId {
        ScheduleId { slot, generation: self.generation }
    }

    pub(crate) fn group(&self) -> ScheduleGroupId {
        ScheduleGroupId(self.group.get())
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision.get()
    }

    pub(crate) fn created_ms(&self) -> u64 {
        self.created_ms.get()
    }

    pub(crate) fn modified_ms(&self) -> u64 {
        self.modified_ms.get()
    }

    pub(crate) fn next_ms(&self) -> Option<u64> {
        Some(self.next_ms.get()).filter(|next_ms| *next_ms < NEVER)
    }

    pub(crate) fn read(&self) -> ScheduleRead {
        ScheduleRead { revision: self.revision(), next_ms: self.next_ms() }
    }

    /// What is ordered by it must be out of its order meanwhile.
    pub(crate) fn set_next_ms(&mut self, next_ms: Option<u64>) {
        self.next_ms = packed_next(next_ms);
    }

    pub(crate) fn length_bytes(&self) -> u64 {
        self.length_bytes.get()
    }

    pub(crate) fn location(&self) -> Location {
        Location {
            position: self.position.get(),
            offset_bytes: self.offset_bytes,
            length_bytes: self.length_bytes.get() as u32,
        }
    }
}

fn packed_next(next_ms: Option<u64>) -> Bytes<6> {
    Bytes::new(next_ms.unwrap_or(NEVER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_unpacks_as_it_was_and_a_time_beyond_all_times_is_never() {
        let put = |number: u64, next_ms| SchedulePut {
            schedule: ScheduleId { slot: 7, generation: number as u32 },
            revision: number,
            group: ScheduleGroupId(number),
            name: "nightly".parse().unwrap(),
            created_ms: number >> 8,
            modified_ms: number >> 8,
            next_ms,
        };
        for (number, next_ms) in [(0, Some(0)), ((1 << 56) - 1, Some(NEVER - 1)), (300, None)] {
            let at = Location { position: number >> 8, offset_bytes: u32::MAX, length_bytes: (1 << 24) - 1 };
            let (put, entry) = (put(number, next_ms), Entry::new(&put(number, next_ms), at));
            assert_eq!((entry.id(7), entry.group(), entry.revision()), (put.schedule, put.group, put.revision));
            assert_eq!((entry.created_ms(), entry.modified_ms()), (put.created_ms, put.modified_ms));
            assert_eq!((entry.next_ms(), entry.location()), (next_ms, at));
        }
        let at = Location { position: 0, offset_bytes: 0, length_bytes: 0 };
        assert_eq!(Entry::new(&put(1, Some(u64::MAX)), at).next_ms(), None);
    }
}
