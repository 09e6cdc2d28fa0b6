//! Numbered cells in chunks: growing copies nothing, and a chunk that has become empty is given back.
//!
//! The lowest vacant cell is always the next.

use crate::vacancies::Vacancies;

/// Cells, `CHUNK` to a chunk.
#[derive(Debug)]
pub(crate) struct Cells<T, const CHUNK: usize> {
    chunks: Vec<Chunk<T>>,
    vacancies: Vacancies,
    len: u32,
    held_chunks: u32,
    /// The last chunk that became empty, for the next one that is needed.
    spare: Option<Box<[Option<T>]>>,
}

#[derive(Debug)]
struct Chunk<T> {
    /// None at all where nothing is in them.
    cells: Box<[Option<T>]>,
    taken: u32,
}

impl<T, const CHUNK: usize> Default for Cells<T, CHUNK> {
    fn default() -> Self {
        Cells { chunks: Vec::new(), vacancies: Vacancies::default(), len: 0, held_chunks: 0, spare: None }
    }
}

impl<T, const CHUNK: usize> Cells<T, CHUNK> {
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// The cell that the next item goes to.
    pub(crate) fn next_vacant(&self) -> u32 {
        self.vacancies.lowest()
    }

    /// The lowest vacant cell from `number` on.
    pub(crate) fn next_vacant_from(&self, number: u32) -> u32 {
        self.vacancies.lowest_from(number)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.chunks.get(number as usize / CHUNK)?.cells.get(number as usize % CHUNK)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.chunks.get_mut(number as usize / CHUNK)?.cells.get_mut(number as usize % CHUNK)?.as_mut()
    }

    /// Fills a cell; what was in it is gone.
    pub(crate) fn insert(&mut self, number: u32, item: T) {
        let at = number as usize / CHUNK;
        while self.chunks.len() <= at {
            self.chunks.push(Chunk { cells: Box::default(), taken: 0 });
        }
        let chunk = &mut self.chunks[at];
        if chunk.cells.is_empty() {
            chunk.cells = self.spare.take().unwrap_or_else(|| (0..CHUNK).map(|_| None).collect());
            self.held_chunks += 1;
        }
        if chunk.cells[number as usize % CHUNK].replace(item).is_none() {
            chunk.taken += 1;
            self.len += 1;
            self.vacancies.take(number);
        }
    }

    /// Empties a cell.
    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let chunk = self.chunks.get_mut(number as usize / CHUNK)?;
        let item = chunk.cells.get_mut(number as usize % CHUNK)?.take()?;
        chunk.taken -= 1;
        self.len -= 1;
        if chunk.taken == 0 {
            self.spare = Some(std::mem::take(&mut chunk.cells));
            self.held_chunks -= 1;
        }
        if self.len == 0 && self.chunks.len() > 1 {
            self.chunks = Vec::new();
            self.vacancies = Vacancies::default();
        } else {
            self.vacancies.vacate(number);
        }
        Some(item)
    }

    /// What the cells take on the heap, apart from what their items hold there.
    pub(crate) fn heap_bytes(&self) -> usize {
        let chunks = self.held_chunks as usize + usize::from(self.spare.is_some());
        chunks * CHUNK * size_of::<Option<T>>()
            + self.chunks.capacity() * size_of::<Chunk<T>>()
            + self.vacancies.heap_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn chunks_that_become_empty_are_given_back() {
        let mut cells: Cells<u64, 16> = Cells::default();
        for number in 0..1600 {
            cells.insert(number, 1);
        }
        let full_bytes = cells.heap_bytes();
        for number in (0..1600).filter(|number| number % 160 > 0) {
            cells.remove(number);
        }
        assert!(cells.heap_bytes() < full_bytes / 4, "{} of {full_bytes}", cells.heap_bytes());
        assert_eq!((cells.len(), cells.next_vacant()), (10, 1));
        for number in (0..1600).step_by(160) {
            cells.remove(number);
        }
        assert_eq!((cells.heap_bytes(), cells.next_vacant()), (16 * 16, 0));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn they_are_a_map_that_knows_its_lowest_gap(
            steps in proptest::collection::vec((0..3_u8, 0..400_u32, 1..50_u32), 1..60),
        ) {
            let (mut cells, mut model) = (Cells::<u32, 16>::default(), BTreeMap::new());
            for (step, from, count) in steps {
                for number in from..from + count {
                    match step {
                        0 => prop_assert_eq!(cells.remove(number), model.remove(&number)),
                        1 => {
                            cells.insert(number, from);
                            model.insert(number, from);
                        }
                        _ => {
                            let number = cells.next_vacant();
                            prop_assert!(!model.contains_key(&number));
                            cells.insert(number, from);
                            model.insert(number, from);
                        }
                    }
                }
                prop_assert!((0..1000).all(|number| cells.get(number) == model.get(&number)));
                prop_assert_eq!(cells.len() as usize, model.len());
                prop_assert_eq!(Some(cells.next_vacant()), (0..).find(|number| !model.contains_key(number)));
            }
        }
    }
}
