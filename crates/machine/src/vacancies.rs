//! Which slots are taken, a bit each, so that the lowest vacant one is found in a few steps whatever their number.
//!
//! Above the slots' bits stand levels of one bit for every 64 below: set where all of those are.

const BITS: u32 = 64;
const SHIFT: u32 = BITS.trailing_zeros();

/// Taken slots. All others are vacant, without end.
#[derive(Debug, Default)]
pub(crate) struct Vacancies {
    /// From the slots up. The last level is one word; words that are missing are zero.
    levels: Vec<Vec<u64>>,
}

impl Vacancies {
    /// The lowest vacant slot.
    pub(crate) fn lowest(&self) -> u32 {
        let mut at = 0;
        for level in self.levels.iter().rev() {
            let word = level.get(at as usize).copied().unwrap_or(0);
            // All ones occurs in the topmost word only, and then the first slot behind all of them is meant.
            at = at * BITS + word.trailing_ones();
        }
        at
    }

    /// The lowest vacant slot from `slot` on.
    pub(crate) fn lowest_from(&self, slot: u32) -> u32 {
        let mut at = slot;
        // Up, until a word has a gap from `at` on.
        for height in 0..self.levels.len() {
            let (word, bit) = (self.word(height, at / BITS), at % BITS);
            let gap = (!word >> bit).trailing_zeros();
            if gap < BITS {
                at += gap;
                // And down again, along the first gaps.
                for below in (0..height).rev() {
                    at = at * BITS + self.word(below, at).trailing_ones();
                }
                return at;
            }
            at = at / BITS + 1;
        }
        // Behind everything that the levels reach.
        at << (SHIFT * self.levels.len() as u32)
    }

    fn word(&self, height: usize, word: u32) -> u64 {
        self.levels.get(height).and_then(|level| level.get(word as usize)).copied().unwrap_or(0)
    }

    pub(crate) fn take(&mut self, slot: u32) {
        while !self.reaches(slot) {
            let is_full = self.levels.last().is_some_and(|level| level.first() == Some(&u64::MAX));
            self.levels.push(vec![u64::from(is_full)]);
        }
        let mut at = slot;
        for level in &mut self.levels {
            let (word, bit) = ((at / BITS) as usize, 1 << (at % BITS));
            if level.len() <= word {
                level.resize(word + 1, 0);
            }
            level[word] |= bit;
            if level[word] != u64::MAX {
                return;
            }
            at /= BITS;
        }
    }

    pub(crate) fn vacate(&mut self, slot: u32) {
        let mut at = slot;
        for level in &mut self.levels {
            let Some(word) = level.get_mut((at / BITS) as usize) else { return };
            let was_full = *word == u64::MAX;
            *word &= !(1 << (at % BITS));
            if !was_full {
                return;
            }
            at /= BITS;
        }
    }

    /// What it takes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.levels.iter().map(|level| size_of::<Vec<u64>>() + level.capacity() * size_of::<u64>()).sum()
    }

    /// Whether the levels are enough for `slot`.
    fn reaches(&self, slot: u32) -> bool {
        let shift = SHIFT * self.levels.len() as u32;
        shift >= u32::BITS || shift > 0 && slot >> shift == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_level_is_added_when_the_topmost_is_full() {
        let mut vacancies = Vacancies::default();
        for slot in 0..70_000 {
            assert_eq!(vacancies.lowest(), slot);
            vacancies.take(slot);
        }
        assert_eq!(vacancies.levels.len(), 3);
        for (slot, lowest) in [(69_999, 69_999), (4095, 4095), (4096, 4095), (64, 64), (3, 3)] {
            vacancies.vacate(slot);
            assert_eq!(vacancies.lowest(), lowest);
        }
    }

    #[test]
    fn the_highest_slot_of_all_can_be_taken() {
        let mut vacancies = Vacancies { levels: vec![Vec::new(); 6] };
        assert!(vacancies.reaches(u32::MAX));
        vacancies.levels.pop();
        assert!(!vacancies.reaches(u32::MAX) && vacancies.reaches((1 << 30) - 1));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_lowest_vacant_slot_is_that_of_a_set(
            steps in proptest::collection::vec((any::<bool>(), 0..9000_u32, 1..600_u32), 1..60),
        ) {
            let (mut vacancies, mut taken) = (Vacancies::default(), BTreeSet::new());
            for (takes, from, count) in steps {
                for slot in from..from + count {
                    if takes {
                        vacancies.take(slot);
                        taken.insert(slot);
                    } else {
                        vacancies.vacate(slot);
                        taken.remove(&slot);
                    }
                }
                let lowest = (0..).find(|slot| !taken.contains(slot));
                prop_assert_eq!(Some(vacancies.lowest()), lowest);
                for from in [from, from + count, 4095, 4096, 9999, 300_000] {
                    let lowest = (from..).find(|slot| !taken.contains(slot));
                    prop_assert_eq!(Some(vacancies.lowest_from(from)), lowest);
                }
            }
        }
    }
}
