//! A sorted sequence in chunks: what messages in line, timers and names are indexed by.
//!
//! Nearly all that is put in order here comes in order, and leaves near the front: then putting in is a push at the end
//! and taking out a pop at the front, and a chunk is full but for the last. What comes out of order is moved into its
//! chunk, which is split where it is full; chunks that run low are joined. A sequence grows and shrinks chunk by chunk,
//! never copying itself, and a short one is no larger than what it holds.
//!
//! The sequence does not know how its items are ordered: whoever asks says which items stand `before` the place that is
//! meant. So an item may be a slot, four bytes, whose rank stands elsewhere. An item's rank must not change while it is
//! in the sequence.

use std::collections::{VecDeque, vec_deque};

/// Items of a chunk.
const CHUNK: usize = 512;
/// How many chunks are near the front.
const NEAR: usize = 16;
/// A buffer for so many items is not given back when they are gone.
const KEPT: usize = 16;

type Chunk<T> = VecDeque<T>;

/// A sorted sequence.
#[derive(Debug)]
pub(crate) enum Sorted<T> {
    /// At most one chunk.
    Short(Chunk<T>),
    /// Several, none of them empty.
    Long(VecDeque<Chunk<T>>),
}

impl<T> Default for Sorted<T> {
    fn default() -> Sorted<T> {
        Sorted::Short(VecDeque::new())
    }
}

/// A place in a sequence: a chunk, and an item in it or its end.
type Place = (usize, usize);

impl<T: PartialEq> Sorted<T> {
    pub(crate) fn first(&self) -> Option<&T> {
        match self {
            Sorted::Short(chunk) => chunk.front(),
            Sorted::Long(chunks) => chunks.front()?.front(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first().is_none()
    }

    /// Puts an item where `before` says it belongs.
    pub(crate) fn insert(&mut self, item: T, before: impl Fn(&T) -> bool) {
        let (number, at) = self.place(&before);
        match self {
            Sorted::Short(chunk) if chunk.len() < CHUNK => chunk.insert(at, item),
            Sorted::Short(chunk) => {
                let mut chunks = VecDeque::from([std::mem::take(chunk)]);
                insert_into(&mut chunks, (number, at), item);
                *self = Sorted::Long(chunks);
            }
            Sorted::Long(chunks) => insert_into(chunks, (number, at), item),
        }
    }

    /// Takes the item out that stands behind those that are `before` it. False if it is not there.
    pub(crate) fn remove(&mut self, item: &T, before: impl Fn(&T) -> bool) -> bool {
        let (mut number, mut at) = self.place(&before);
        if self.chunk_mut(number).is_some_and(|chunk| chunk.len() == at) {
            // Behind the end of a chunk stands the first item of the next.
            (number, at) = (number + 1, 0);
        }
        let Some(chunk) = self.chunk_mut(number) else { return false };
        if chunk.get(at) != Some(item) {
            return false;
        }
        chunk.remove(at);
        self.tidy(number);
        true
    }

    /// The first item that is not `before` the place that is meant.
    pub(crate) fn find(&self, before: impl Fn(&T) -> bool) -> Option<&T> {
        self.iter_from(before).next()
    }

    pub(crate) fn iter(&self) -> Iter<'_, T> {
        self.iter_at((0, 0))
    }

    /// The items from the first on that is not `before` the place that is meant.
    pub(crate) fn iter_from(&self, before: impl Fn(&T) -> bool) -> Iter<'_, T> {
        self.iter_at(self.place(&before))
    }

    fn iter_at(&self, (number, at): Place) -> Iter<'_, T> {
        let (chunk, rest) = match self {
            Sorted::Short(chunk) => (Some(chunk), None),
            Sorted::Long(chunks) => (chunks.get(number), Some(chunks.range((number + 1).min(chunks.len())..))),
        };
        Iter { chunk: chunk.map(|chunk| chunk.range(at..)), rest }
    }

    /// What it takes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Sorted::Short(chunk) => chunk.capacity() * size_of::<T>(),
            Sorted::Long(chunks) => chunks.capacity() * size_of::<Chunk<T>>() + chunks.len() * CHUNK * size_of::<T>(),
        }
    }

    fn chunk_mut(&mut self, number: usize) -> Option<&mut Chunk<T>> {
        match self {
            Sorted::Short(chunk) => (number == 0).then_some(chunk),
            Sorted::Long(chunks) => chunks.get_mut(number),
        }
    }

    /// Behind all items that are `before` it. The end and the front are looked at first.
    fn place(&self, before: &impl Fn(&T) -> bool) -> Place {
        match self {
            Sorted::Short(chunk) => (0, place_in(chunk, before)),
            Sorted::Long(chunks) => {
                let number = number_of(chunks, before);
                (number, chunks.get(number).map_or(0, |chunk| place_in(chunk, before)))
            }
        }
    }

    /// Brings the chunks in order after one of them has lost an item.
    fn tidy(&mut self, number: usize) {
        match self {
            Sorted::Short(chunk) => {
                if chunk.capacity() > KEPT && chunk.len() * 4 <= chunk.capacity() {
                    chunk.shrink_to(chunk.len() * 2);
                }
            }
            Sorted::Long(chunks) => {
                join(chunks, number);
                if chunks.len() == 1 {
                    *self = Sorted::Short(chunks.pop_front().unwrap_or_default());
                } else if chunks.capacity() > KEPT && chunks.len() * 4 <= chunks.capacity() {
                    chunks.shrink_to(chunks.len() * 2);
                }
            }
        }
    }
}

/// The chunk that an item belongs to: the last one that begins before it, or the first.
fn number_of<T>(chunks: &VecDeque<Chunk<T>>, before: &impl Fn(&T) -> bool) -> usize {
    let begins_before = |number: usize| chunks.get(number).and_then(Chunk::front).is_some_and(before);
    let last = chunks.len().saturating_sub(1);
    if begins_before(last) {
        return last;
    }
    // What is taken out is mostly near the front.
    let (mut low, mut high) = (0, last);
    for near in [1, NEAR] {
        if near < high && !begins_before(near) {
            high = near;
        } else if near < high {
            low = near;
        }
    }
    while low + 1 < high {
        let middle = low.midpoint(high);
        if begins_before(middle) { low = middle } else { high = middle }
    }
    low
}

fn place_in<T>(chunk: &Chunk<T>, before: &impl Fn(&T) -> bool) -> usize {
    if chunk.back().is_none_or(before) {
        return chunk.len();
    }
    if chunk.front().is_none_or(|front| !before(front)) {
        return 0;
    }
    chunk.partition_point(before)
}

fn insert_into<T>(chunks: &mut VecDeque<Chunk<T>>, (number, at): Place, item: T) {
    let Some(chunk) = chunks.get_mut(number) else { return };
    if chunk.len() < CHUNK {
        chunk.insert(at, item);
        return;
    }
    let mut other = VecDeque::with_capacity(CHUNK);
    match at {
        // Items that come in order, wherever it is, leave full chunks behind them.
        CHUNK => other.push_back(item),
        _ => {
            other.extend(chunk.drain(CHUNK / 2..));
            if at <= CHUNK / 2 { chunk.insert(at, item) } else { other.insert(at - CHUNK / 2, item) }
        }
    }
    chunks.insert(number + 1, other);
}

/// Lets go of a chunk that is empty, and joins one that has run low with a neighbour.
fn join<T>(chunks: &mut VecDeque<Chunk<T>>, number: usize) {
    let len = chunks.get(number).map_or(CHUNK, VecDeque::len);
    if len == 0 {
        chunks.remove(number);
        return;
    }
    if len > CHUNK / 4 {
        return;
    }
    let fits = |other: usize| chunks.get(other).is_some_and(|chunk| chunk.len() + len <= CHUNK / 2);
    let left = match number {
        _ if fits(number + 1) => number,
        0 => return,
        _ if fits(number - 1) => number - 1,
        _ => return,
    };
    if let (Some(mut right), Some(left)) = (chunks.remove(left + 1), chunks.get_mut(left)) {
        left.append(&mut right);
    }
}

/// Items in order.
#[derive(Debug)]
pub(crate) struct Iter<'a, T> {
    chunk: Option<vec_deque::Iter<'a, T>>,
    rest: Option<vec_deque::Iter<'a, Chunk<T>>>,
}

impl<T> Default for Iter<'_, T> {
    fn default() -> Self {
        Iter { chunk: None, rest: None }
    }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        loop {
            if let Some(item) = self.chunk.as_mut()?.next() {
                return Some(item);
            }
            self.chunk = Some(self.rest.as_mut()?.next()?.iter());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn insert(sorted: &mut Sorted<u32>, item: u32) {
        sorted.insert(item, |other| *other < item);
    }

    fn remove(sorted: &mut Sorted<u32>, item: u32) -> bool {
        sorted.remove(&item, |other| *other < item)
    }

    /// No chunk is empty or too large, and a long sequence has more than one.
    fn check(sorted: &Sorted<u32>, model: &BTreeSet<u32>) {
        assert!(sorted.iter().eq(model));
        assert_eq!(sorted.first(), model.first());
        if let Sorted::Long(chunks) = sorted {
            assert!(chunks.len() > 1);
            assert!(chunks.iter().all(|chunk| (1..=CHUNK).contains(&chunk.len()) && chunk.capacity() <= CHUNK));
        }
    }

    #[test]
    fn what_comes_in_order_fills_its_chunks_and_leaves_nothing_behind() {
        let mut sorted = Sorted::default();
        for item in 0..10_000 {
            insert(&mut sorted, item);
        }
        assert!(sorted.heap_bytes() < 10_000 * 4 * 11 / 10);
        for item in 0..10_000 {
            assert_eq!(sorted.first(), Some(&item));
            assert!(remove(&mut sorted, item));
        }
        assert!(sorted.is_empty() && sorted.heap_bytes() <= KEPT * 4);
    }

    #[test]
    fn two_ascending_runs_side_by_side_fill_their_chunks_too() {
        let mut sorted = Sorted::default();
        for item in 0..20_000 {
            insert(&mut sorted, item);
            insert(&mut sorted, 1 << 20 | item);
        }
        assert!(sorted.heap_bytes() < 40_000 * 4 * 6 / 5, "{}", sorted.heap_bytes());
    }

    #[test]
    fn a_sequence_that_is_thinned_out_shrinks() {
        let mut sorted = Sorted::default();
        (0..100_000).for_each(|item| insert(&mut sorted, item));
        (0..100_000).filter(|item| item % 100 > 0).for_each(|item| assert!(remove(&mut sorted, item)));
        assert!(sorted.iter().copied().eq((0..100_000).step_by(100)));
        assert!(sorted.heap_bytes() < 1000 * 4 * 6, "{}", sorted.heap_bytes());
    }

    #[derive(Debug, Clone)]
    enum Op {
        /// Ascending, descending or scattered items.
        Insert {
            from: u32,
            count: u32,
            step: i32,
        },
        Remove {
            from: u32,
            count: u32,
            step: u32,
        },
        PopFirst(u32),
        From(u32),
    }

    fn op() -> impl Strategy<Value = Op> {
        let step = prop_oneof![Just(1), Just(-1), -40..40_i32, Just(7919)];
        prop_oneof![
            4 => (0..40_000_u32, 1..1500_u32, step).prop_map(|(from, count, step)| Op::Insert { from, count, step }),
            3 => (0..40_000_u32, 1..1500_u32, 1..30_u32)
                .prop_map(|(from, count, step)| Op::Remove { from, count, step }),
            2 => (1..1500_u32).prop_map(Op::PopFirst),
            1 => (0..40_000_u32).prop_map(Op::From),
        ]
    }

    fn run(ops: &[Op]) {
        let (mut sorted, mut model) = (Sorted::default(), BTreeSet::new());
        for op in ops {
            match *op {
                Op::Insert { from, count, step } => {
                    for n in 0..count as i32 {
                        let item = (from as i32 + n * step).rem_euclid(40_000) as u32;
                        if model.insert(item) {
                            insert(&mut sorted, item);
                        }
                    }
                }
                Op::Remove { from, count, step } => {
                    for item in (0..count).map(|n| from + n * step) {
                        assert_eq!(remove(&mut sorted, item), model.remove(&item));
                    }
                }
                Op::PopFirst(count) => {
                    for item in (0..count).map_while(|_| model.pop_first()) {
                        assert!(remove(&mut sorted, item));
                    }
                }
                Op::From(from) => {
                    assert!(sorted.iter_from(|other| *other < from).eq(model.range(from..)));
                    assert_eq!(sorted.find(|other| *other < from), model.range(from..).next());
                }
            }
            check(&sorted, &model);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_an_ordered_set(ops in proptest::collection::vec(op(), 1..40)) {
            run(&ops);
        }
    }
}
