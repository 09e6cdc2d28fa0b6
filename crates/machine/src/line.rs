//! Messages in line, by slot. Where a slot stands is read off its entry, which must not change while it is in line.
//!
//! Most groups of most queues hold one message: that takes no memory but the line's own.

use crate::slab::{Entry, Slab};
use crate::sorted::Sorted;

/// No slot: the last one is never used.
const NONE: u32 = u32::MAX;

/// Where a visible message stands in line. Standard: visible since, then order; FIFO: order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LineKey(u64, u64);

/// How a queue ranks its messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ranks<'a> {
    pub(crate) slab: &'a Slab,
    pub(crate) fifo: bool,
}

impl Ranks<'_> {
    pub(crate) fn of(self, entry: &Entry) -> LineKey {
        LineKey(if self.fifo { 0 } else { entry.due_ms }, entry.order)
    }

    pub(crate) fn of_slot(self, slot: u32) -> LineKey {
        self.slab.get(slot).map_or(LineKey(0, 0), |entry| self.of(&entry))
    }

    /// Which slots stand before a message.
    pub(crate) fn before(self, entry: &Entry) -> impl Fn(&u32) -> bool {
        let key = self.of(entry);
        move |other| self.of_slot(*other) < key
    }

    /// Which slots stand before a message by order alone.
    fn sooner(self, entry: &Entry) -> impl Fn(&u32) -> bool {
        let order = entry.order;
        move |other| self.order(*other) < order
    }

    fn order(self, slot: u32) -> u64 {
        self.slab.get(slot).map_or(0, |entry| entry.order)
    }
}

/// The messages of one group that are visible or, on FIFO queues, delayed.
#[derive(Debug)]
pub(crate) struct Line {
    /// The only visible message, where there is no more.
    only: u32,
    /// The message that stands for the group among the queue's heads.
    listed: u32,
    more: Option<Box<More>>,
}

#[derive(Debug, Default)]
struct More {
    visible: Sorted<u32>,
    /// Those behind the first of these wait for it.
    delayed: Sorted<u32>,
}

impl Default for Line {
    fn default() -> Line {
        Line { only: NONE, listed: NONE, more: None }
    }
}

impl Line {
    pub(crate) fn insert(&mut self, slot: u32, entry: &Entry, ranks: Ranks<'_>) {
        if self.more.is_none() && self.only == NONE {
            self.only = slot;
        } else {
            self.more(ranks).visible.insert(slot, ranks.before(entry));
        }
    }

    pub(crate) fn remove(&mut self, slot: u32, entry: &Entry, ranks: Ranks<'_>) {
        match &mut self.more {
            None if self.only == slot => self.only = NONE,
            None => {}
            Some(more) => {
                more.visible.remove(&slot, ranks.before(entry));
                self.let_go();
            }
        }
    }

    pub(crate) fn insert_delayed(&mut self, slot: u32, entry: &Entry, ranks: Ranks<'_>) {
        self.more(ranks).delayed.insert(slot, ranks.sooner(entry));
    }

    pub(crate) fn remove_delayed(&mut self, slot: u32, entry: &Entry, ranks: Ranks<'_>) {
        let Some(more) = &mut self.more else { return };
        more.delayed.remove(&slot, ranks.sooner(entry));
        self.let_go();
    }

    pub(crate) fn first(&self) -> Option<u32> {
        self.iter().next()
    }

    /// The visible messages in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        let only = (self.only != NONE).then_some(self.only);
        only.into_iter().chain(self.more.iter().flat_map(|more| more.visible.iter().copied()))
    }

    /// The next one behind `key`.
    pub(crate) fn after(&self, key: LineKey, ranks: Ranks<'_>) -> Option<u32> {
        match &self.more {
            None => self.first().filter(|slot| ranks.of_slot(*slot) > key),
            Some(more) => more.visible.find(|slot| ranks.of_slot(*slot) <= key).copied(),
        }
    }

    /// Whether no delayed message of the group has a lower order.
    pub(crate) fn is_undelayed(&self, order: u64, ranks: Ranks<'_>) -> bool {
        let first = self.more.as_ref().and_then(|more| more.delayed.first());
        first.is_none_or(|first| order < ranks.order(*first))
    }

    pub(crate) fn listed(&self) -> Option<u32> {
        (self.listed != NONE).then_some(self.listed)
    }

    pub(crate) fn list(&mut self, head: Option<u32>) {
        self.listed = head.unwrap_or(NONE);
    }

    /// What it takes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.more.as_ref().map_or(0, |more| size_of::<More>() + more.visible.heap_bytes() + more.delayed.heap_bytes())
    }

    fn more(&mut self, ranks: Ranks<'_>) -> &mut More {
        let only = &mut self.only;
        self.more.get_or_insert_with(|| {
            let mut more = Box::<More>::default();
            if let Some(entry) = ranks.slab.get(*only) {
                more.visible.insert(*only, ranks.before(&entry));
                *only = NONE;
            }
            more
        })
    }

    fn let_go(&mut self) {
        self.more.take_if(|more| more.visible.is_empty() && more.delayed.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slab::tests::entry;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn slab(keys: &[(u64, u64)]) -> Slab {
        let mut slab = Slab::default();
        for (slot, (due_ms, order)) in keys.iter().enumerate() {
            slab.insert(slot as u32, &Entry { due_ms: *due_ms, ..entry(*order) });
        }
        slab
    }

    #[test]
    fn a_standard_queue_ranks_by_time_and_then_by_order_and_a_fifo_queue_by_order() {
        let slab = slab(&[(0, 3), (0, 9), (1, 0), (255, 8), (256, 2), (1 << 41, 1)]);
        let ranked = |fifo| {
            let mut slots: Vec<u32> = (0..6).collect();
            slots.sort_by_key(|slot| Ranks { slab: &slab, fifo }.of_slot(*slot));
            slots
        };
        assert_eq!(ranked(false), [0, 1, 2, 3, 4, 5]);
        assert_eq!(ranked(true), [2, 5, 4, 0, 3, 1]);
    }

    #[test]
    fn a_line_of_one_takes_no_memory_and_one_that_has_emptied_gives_it_back() {
        let slab = slab(&[(0, 1), (0, 2), (0, 3)]);
        let ranks = Ranks { slab: &slab, fifo: true };
        let mut line = Line::default();
        let entry = |slot| slab.get(slot).unwrap();
        line.insert(1, &entry(1), ranks);
        assert_eq!((line.first(), line.heap_bytes()), (Some(1), 0));
        line.insert_delayed(2, &entry(2), ranks);
        line.insert(0, &entry(0), ranks);
        assert_eq!(line.iter().collect::<Vec<_>>(), [0, 1]);
        assert!(line.is_undelayed(2, ranks) && !line.is_undelayed(4, ranks));
        for slot in [1, 0] {
            line.remove(slot, &entry(slot), ranks);
        }
        line.remove_delayed(2, &entry(2), ranks);
        assert_eq!((line.first(), line.heap_bytes()), (None, 0));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_in_order_whatever_its_form(
            fifo: bool,
            dues in proptest::collection::vec(0..4_u64, 12),
            steps in proptest::collection::vec((any::<bool>(), 0..12_u32), 1..40),
        ) {
            let keys: Vec<_> = dues.iter().enumerate().map(|(slot, due_ms)| (*due_ms, slot as u64 * 7 % 12)).collect();
            let slab = slab(&keys);
            let ranks = Ranks { slab: &slab, fifo };
            let (mut line, mut model) = (Line::default(), BTreeSet::new());
            for (inserts, slot) in steps {
                let (entry, key) = (slab.get(slot).unwrap(), ranks.of_slot(slot));
                if inserts && model.insert((key, slot)) {
                    line.insert(slot, &entry, ranks);
                } else if !inserts {
                    line.remove(slot, &entry, ranks);
                    model.remove(&(key, slot));
                }
                prop_assert!(line.iter().eq(model.iter().map(|(_, slot)| *slot)));
                let after = model.range((key, u32::MAX)..).next().map(|(_, slot)| *slot);
                prop_assert_eq!(line.after(key, ranks), after);
            }
        }
    }
}
