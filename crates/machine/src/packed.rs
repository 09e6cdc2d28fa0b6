//! A message's entry in 48 bytes, for there is one per message: numbers take the bytes that they can need.

use crate::QueueId;
use crate::slab::{Entry, Place};
use afterward_names::limits;
use std::num::NonZeroU64;

/// A number of `N` bytes; one that is larger becomes the largest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<const N: usize>([u8; N]);

impl<const N: usize> Bytes<N> {
    const MAX: u64 = (1 << (8 * N)) - 1;

    pub(crate) fn new(number: u64) -> Bytes<N> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&number.min(Self::MAX).to_le_bytes()[..N]);
        Bytes(bytes)
    }

    pub(crate) fn get(self) -> u64 {
        let mut bytes = [0; 8];
        bytes[..N].copy_from_slice(&self.0);
        u64::from_le_bytes(bytes)
    }
}

/// An entry as the slab keeps it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed {
    /// Above the 62 random bits of the message's id: where it stands, from 1, so that no entry at all takes no room.
    place_random: NonZeroU64,
    /// Seven bytes count to 72 quadrillion: at a million a second, for two thousand years.
    order: Bytes<7>,
    /// Six bytes count as many batches as a thousand a second make in nine thousand years.
    position: Bytes<6>,
    /// Below the top bit, which says whether it is a job, and the next, which tells a held message from a delayed one.
    length_job: Bytes<3>,
    /// Six bytes of milliseconds last until the year 10889.
    sent_ms: Bytes<6>,
    generation: u16,
    offset_bytes: u32,
    /// Since it was sent, which was at most fourteen days and a lease before; four bytes are 49 days.
    due_after_ms: u32,
    queue: QueueId,
    group: u32,
}

const _: () = assert!(size_of::<Option<Packed>>() == 48);

const RANDOM: u64 = (1 << 62) - 1;
const JOB: u64 = 1 << 23;
const HELD: u64 = 1 << 22;
/// A record is little larger than the message in it.
const _: () = assert!((limits::MESSAGE_BYTES as u64) * 2 < HELD);

impl Packed {
    pub(crate) fn new(entry: &Entry) -> Packed {
        let place = match entry.place {
            Place::Visible => 1,
            Place::Delayed | Place::Held => 2,
            Place::Leased => 3,
        };
        // A place is never zero, so that the other arm is never taken.
        let place_random = NonZeroU64::new(place << 62 | entry.random & RANDOM).unwrap_or(NonZeroU64::MIN);
        let job = if entry.job { JOB } else { 0 };
        let held = if entry.place == Place::Held { HELD } else { 0 };
        Packed {
            place_random,
            order: Bytes::new(entry.order),
            position: Bytes::new(entry.position),
            length_job: Bytes::new(u64::from(entry.length_bytes).min(HELD - 1) | job | held),
            sent_ms: Bytes::new(entry.sent_ms),
            generation: entry.generation,
            offset_bytes: entry.offset_bytes,
            due_after_ms: u32::try_from(entry.due_ms.saturating_sub(entry.sent_ms)).unwrap_or(u32::MAX),
            queue: entry.queue,
            group: entry.group,
        }
    }

    #[inline]
    pub(crate) fn entry(&self) -> Entry {
        let sent_ms = self.sent_ms.get();
        let length_job = self.length_job.get();
        Entry {
            random: self.place_random.get() & RANDOM,
            position: self.position.get(),
            offset_bytes: self.offset_bytes,
            length_bytes: (length_job & (HELD - 1)) as u32,
            sent_ms,
            order: self.order.get(),
            due_ms: sent_ms + u64::from(self.due_after_ms),
            queue: self.queue,
            group: self.group,
            generation: self.generation,
            place: match self.place_random.get() >> 62 {
                1 => Place::Visible,
                2 if length_job & HELD != 0 => Place::Held,
                2 => Place::Delayed,
                _ => Place::Leased,
            },
            job: length_job & JOB != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slab::NO_GROUP;

    #[test]
    fn an_entry_unpacks_as_it_was() {
        let smallest = Entry {
            random: 0,
            position: 0,
            offset_bytes: 0,
            length_bytes: 0,
            sent_ms: 0,
            order: 0,
            due_ms: 0,
            queue: QueueId(0),
            group: 0,
            generation: 0,
            place: Place::Visible,
            job: false,
        };
        let largest = Entry {
            random: RANDOM,
            position: (1 << 48) - 1,
            offset_bytes: u32::MAX,
            length_bytes: (1 << 22) - 1,
            sent_ms: (1 << 48) - 1,
            order: (1 << 56) - 1,
            due_ms: (1 << 48) - 1 + u64::from(u32::MAX),
            queue: QueueId(u32::MAX),
            group: NO_GROUP,
            generation: u16::MAX,
            place: Place::Leased,
            job: true,
        };
        let usual = Entry { random: 0x1234_5678_9abc_def0, place: Place::Delayed, sent_ms: 7, due_ms: 9, ..smallest };
        let held = Entry { place: Place::Held, ..largest };
        for entry in [smallest, largest, usual, held] {
            assert_eq!(Packed::new(&entry).entry(), entry);
        }
    }

    #[test]
    fn what_does_not_fit_becomes_the_largest_that_does() {
        assert_eq!(Bytes::<6>::new(u64::MAX).get(), (1 << 48) - 1);
        assert_eq!(Bytes::<3>::new(1 << 24).get(), (1 << 24) - 1);
    }
}
