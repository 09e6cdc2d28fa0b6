//! Where messages' states are kept: in slots.
//!
//! The lowest free slot is always the next, so that a state that was replayed from compacted records chooses the same
//! slots as the one that wrote them. An occupied slot's generation tells it from earlier users of the slot.
//!
//! Entries are kept packed; what is read is a copy, and what is changed is packed anew.

use crate::cells::Cells;
use crate::packed::Packed;
use crate::{Location, MessageKey, QueueId};
use afterward_names::MessageId;

/// No group.
pub(crate) const NO_GROUP: u32 = u32::MAX;

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Deliverable, unless its group is blocked. [`Entry::due_ms`]: since when.
    Visible,
    /// Not yet visible. [`Entry::due_ms`]: until when.
    Delayed,
    /// A consumer holds it. [`Entry::due_ms`]: until when.
    Leased,
    /// It waits for a batch. From [`Entry::sent_ms`] to [`Entry::due_ms`] it is as long as it is delayed once it doesn't.
    Held,
}

/// What every message needs; what only some need is in [`crate::sides::Sides`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The random part of its id.
    pub(crate) random: u64,
    /// Its content's batch.
    pub(crate) position: u64,
    /// Its content's record.
    pub(crate) offset_bytes: u32,
    pub(crate) length_bytes: u32,
    pub(crate) sent_ms: u64,
    /// Its place in line; leases handed out since have higher numbers.
    pub(crate) order: u64,
    /// Not before it was sent.
    pub(crate) due_ms: u64,
    pub(crate) queue: QueueId,
    /// The group's number in the queue, or [`NO_GROUP`].
    pub(crate) group: u32,
    pub(crate) generation: u16,
    pub(crate) place: Place,
    /// Whether its end is remembered.
    pub(crate) job: bool,
}

impl Entry {
    pub(crate) fn location(&self) -> Location {
        Location { position: self.position, offset_bytes: self.offset_bytes, length_bytes: self.length_bytes }
    }

    pub(crate) fn key(&self, slot: u32) -> MessageKey {
        MessageKey { slot, generation: self.generation }
    }

    /// The id that sending gave it.
    pub(crate) fn first_id(&self, slot: u32) -> MessageId {
        MessageId::new(self.key(slot).as_u64(), self.random)
    }
}

/// All messages' entries.
#[derive(Debug, Default)]
pub(crate) struct Slab {
    cells: Cells<Packed, 1024>,
    /// What the records of all content take in the log.
    content_bytes: u64,
}

impl Slab {
    pub(crate) fn len(&self) -> u32 {
        self.cells.len()
    }

    pub(crate) fn content_bytes(&self) -> u64 {
        self.content_bytes
    }

    /// What the entries take in memory.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.cells.heap_bytes()
    }

    /// The slot that the next message goes to.
    pub(crate) fn next_free(&self) -> u32 {
        self.cells.next_vacant()
    }

    /// The lowest free slot from `slot` on.
    pub(crate) fn next_free_from(&self, slot: u32) -> u32 {
        self.cells.next_vacant_from(slot)
    }

    #[inline]
    pub(crate) fn get(&self, slot: u32) -> Option<Entry> {
        self.cells.get(slot).map(Packed::entry)
    }

    /// The entry of this very message, not of a later user of its slot.
    pub(crate) fn find(&self, key: MessageKey) -> Option<Entry> {
        self.get(key.slot).filter(|entry| entry.generation == key.generation)
    }

    /// Changes an entry. Whatever is ordered by it must be out of its order meanwhile.
    pub(crate) fn change(&mut self, slot: u32, change: impl FnOnce(&mut Entry)) {
        let Some(packed) = self.cells.get_mut(slot) else { return };
        let mut entry = packed.entry();
        change(&mut entry);
        *packed = Packed::new(&entry);
    }

    /// The content of the message in this slot has moved.
    pub(crate) fn set_location(&mut self, slot: u32, at: Location) {
        let mut before_bytes = 0;
        self.change(slot, |entry| {
            before_bytes = std::mem::replace(&mut entry.length_bytes, at.length_bytes);
            (entry.position, entry.offset_bytes) = (at.position, at.offset_bytes);
        });
        let after_bytes = self.length_bytes(slot);
        self.content_bytes = self.content_bytes + after_bytes - u64::from(before_bytes);
    }

    /// Fills a free slot.
    pub(crate) fn insert(&mut self, slot: u32, entry: &Entry) {
        self.content_bytes -= self.length_bytes(slot);
        self.cells.insert(slot, Packed::new(entry));
        self.content_bytes += self.length_bytes(slot);
    }

    /// Empties a slot.
    pub(crate) fn remove(&mut self, slot: u32) {
        self.content_bytes -= self.length_bytes(slot);
        self.cells.remove(slot);
    }

    fn length_bytes(&self, slot: u32) -> u64 {
        self.get(slot).map_or(0, |entry| u64::from(entry.length_bytes))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn entry(order: u64) -> Entry {
        Entry {
            random: 0,
            position: 0,
            offset_bytes: 0,
            length_bytes: 0,
            sent_ms: 0,
            order,
            due_ms: 0,
            queue: QueueId(1),
            group: NO_GROUP,
            generation: order as u16,
            place: Place::Visible,
            job: false,
        }
    }

    #[test]
    fn the_lowest_free_slot_is_next_however_slots_were_filled() {
        let mut slab = Slab::default();
        for slot in [0, 1, 2, 3, 4] {
            assert_eq!(slab.next_free(), slot);
            slab.insert(slot, &entry(u64::from(slot)));
        }
        slab.remove(3);
        slab.remove(1);
        assert_eq!(slab.next_free(), 1);
        // A replay fills the slot that its record names, lowest or not.
        slab.insert(3, &entry(9));
        assert_eq!(slab.next_free(), 1);
        slab.insert(1, &entry(10));
        assert_eq!(slab.next_free(), 5);
        slab.insert(5000, &entry(11));
        assert_eq!((slab.next_free(), slab.len()), (5, 6));
    }

    #[test]
    fn a_key_finds_its_message_and_not_the_next_user_of_the_slot() {
        let mut slab = Slab::default();
        slab.insert(0, &entry(1));
        let first = slab.get(0).unwrap().key(0);
        slab.remove(0);
        assert!(slab.find(first).is_none());
        slab.insert(0, &entry(2));
        assert!(slab.find(first).is_none());
        assert!(slab.find(slab.get(0).unwrap().key(0)).is_some());
    }

    #[test]
    fn the_bytes_of_content_are_those_of_the_messages_that_are_there() {
        let mut slab = Slab::default();
        slab.insert(0, &Entry { length_bytes: 100, ..entry(1) });
        slab.insert(1, &Entry { length_bytes: 20, ..entry(2) });
        slab.set_location(1, Location { position: 9, offset_bytes: 0, length_bytes: 30 });
        slab.set_location(7, Location { position: 9, offset_bytes: 30, length_bytes: 30 });
        assert_eq!(slab.content_bytes(), 130);
        slab.remove(0);
        slab.remove(0);
        assert_eq!(slab.content_bytes(), 30);
    }
}
