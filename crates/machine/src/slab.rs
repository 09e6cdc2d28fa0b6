//! Where messages' states are kept: slots of 64 bytes, in chunks, so that growing never copies.
//!
//! The lowest free slot is always the next, so that a state that was replayed from compacted records chooses the same
//! slots as the one that wrote them. An occupied slot's generation tells it from earlier users of the slot.

use crate::{Location, MessageKey, QueueId};
use afterward_names::MessageId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const CHUNK: usize = 1024;

/// No group.
pub(crate) const NO_GROUP: u32 = u32::MAX;

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The slot is empty.
    Free,
    /// Deliverable, unless its group is blocked. [`Entry::due_ms`]: since when.
    Visible,
    /// Not yet visible. [`Entry::due_ms`]: until when.
    Delayed,
    /// A consumer holds it. [`Entry::due_ms`]: until when.
    Leased,
}

/// What every message needs; what only some need is in [`crate::sides::Sides`].
#[derive(Debug, Clone)]
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
    pub(crate) due_ms: u64,
    pub(crate) queue: QueueId,
    /// The group's number in the queue, or [`NO_GROUP`].
    pub(crate) group: u32,
    pub(crate) receive_count: u32,
    pub(crate) generation: u16,
    pub(crate) place: Place,
    /// Whether its end is remembered.
    pub(crate) job: bool,
}

const _: () = assert!(size_of::<Entry>() == 64);

impl Entry {
    const FREE: Entry = Entry {
        random: 0,
        position: 0,
        offset_bytes: 0,
        length_bytes: 0,
        sent_ms: 0,
        order: 0,
        due_ms: 0,
        queue: QueueId(0),
        group: NO_GROUP,
        receive_count: 0,
        generation: 0,
        place: Place::Free,
        job: false,
    };

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
    chunks: Vec<Box<[Entry]>>,
    /// Free slots below `end`, lowest on top. May hold slots that have been taken since, but never on top.
    free: BinaryHeap<Reverse<u32>>,
    /// Slots from here on have not been used.
    end: u32,
    len: u32,
    /// What the records of all content take in the log.
    content_bytes: u64,
}

impl Slab {
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    pub(crate) fn content_bytes(&self) -> u64 {
        self.content_bytes
    }

    /// The slot that the next message goes to.
    pub(crate) fn next_free(&self) -> u32 {
        self.free.peek().map_or(self.end, |Reverse(slot)| *slot)
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&Entry> {
        let entry = self.chunks.get(slot as usize / CHUNK)?.get(slot as usize % CHUNK)?;
        (entry.place != Place::Free).then_some(entry)
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Entry> {
        let entry = self.chunks.get_mut(slot as usize / CHUNK)?.get_mut(slot as usize % CHUNK)?;
        (entry.place != Place::Free).then_some(entry)
    }

    /// The entry of this very message, not of a later user of its slot.
    pub(crate) fn find(&self, key: MessageKey) -> Option<&Entry> {
        self.get(key.slot).filter(|entry| entry.generation == key.generation)
    }

    /// The content of the message in this slot has moved.
    pub(crate) fn set_location(&mut self, slot: u32, at: Location) {
        let Some(entry) = self.get_mut(slot) else { return };
        let before_bytes = std::mem::replace(&mut entry.length_bytes, at.length_bytes);
        (entry.position, entry.offset_bytes) = (at.position, at.offset_bytes);
        self.content_bytes = self.content_bytes + u64::from(at.length_bytes) - u64::from(before_bytes);
    }

    /// Fills a free slot.
    pub(crate) fn insert(&mut self, slot: u32, entry: Entry) {
        self.content_bytes += u64::from(entry.length_bytes);
        while self.chunks.len() <= slot as usize / CHUNK {
            self.chunks.push(vec![Entry::FREE; CHUNK].into_boxed_slice());
        }
        for skipped in self.end..slot {
            self.free.push(Reverse(skipped));
        }
        self.end = self.end.max(slot + 1);
        self.chunks[slot as usize / CHUNK][slot as usize % CHUNK] = entry;
        self.len += 1;
        self.clear_top();
    }

    /// Empties a slot.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<Entry> {
        let entry = std::mem::replace(self.get_mut(slot)?, Entry::FREE);
        self.len -= 1;
        self.content_bytes -= u64::from(entry.length_bytes);
        if self.len == 0 {
            self.chunks.truncate(1);
            self.free.clear();
            self.end = 0;
        } else {
            self.free.push(Reverse(slot));
        }
        Some(entry)
    }

    /// Keeps an occupied slot from being the top of the free ones.
    fn clear_top(&mut self) {
        while let Some(Reverse(top)) = self.free.peek() {
            if self.get(*top).is_none() {
                break;
            }
            self.free.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(order: u64) -> Entry {
        Entry { order, generation: order as u16, place: Place::Visible, ..Entry::FREE }
    }

    #[test]
    fn the_lowest_free_slot_is_next_however_slots_were_filled() {
        let mut slab = Slab::default();
        for slot in [0, 1, 2, 3, 4] {
            assert_eq!(slab.next_free(), slot);
            slab.insert(slot, entry(u64::from(slot)));
        }
        slab.remove(3);
        slab.remove(1);
        assert_eq!(slab.next_free(), 1);
        // A replay fills the slot that its record names, lowest or not.
        slab.insert(3, entry(9));
        assert_eq!(slab.next_free(), 1);
        slab.insert(1, entry(10));
        assert_eq!(slab.next_free(), 5);
        slab.insert(5000, entry(11));
        assert_eq!((slab.next_free(), slab.len()), (5, 6));
    }

    #[test]
    fn a_key_finds_its_message_and_not_the_next_user_of_the_slot() {
        let mut slab = Slab::default();
        slab.insert(0, entry(1));
        let first = slab.get(0).unwrap().key(0);
        slab.remove(0);
        assert!(slab.find(first).is_none());
        slab.insert(0, entry(2));
        assert!(slab.find(first).is_none());
        assert!(slab.find(slab.get(0).unwrap().key(0)).is_some());
    }

    #[test]
    fn the_bytes_of_content_are_those_of_the_messages_that_are_there() {
        let mut slab = Slab::default();
        slab.insert(0, Entry { length_bytes: 100, ..entry(1) });
        slab.insert(1, Entry { length_bytes: 20, ..entry(2) });
        slab.set_location(1, Location { position: 9, offset_bytes: 0, length_bytes: 30 });
        slab.set_location(7, Location { position: 9, offset_bytes: 30, length_bytes: 30 });
        assert_eq!(slab.content_bytes(), 130);
        slab.remove(0);
        slab.remove(0);
        assert_eq!(slab.content_bytes(), 30);
    }
}
