//! The heads of a hash table's chains. It grows and shrinks by one chain at a time (linear hashing), so that no send
//! ever waits for a table to be copied.
//!
//! The links are in the items, which only the table's owner knows: it relinks the chain that is split or joined.

const CHUNK: usize = 1024;

/// The end of a chain.
pub(crate) const END: u32 = u32::MAX;

/// Heads of chains, by number.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    chunks: Vec<Box<[u32]>>,
    len: usize,
}

impl Chains {
    /// Which chain a hash belongs to. There must be one.
    pub(crate) fn chain(&self, hash: u64) -> usize {
        let reach = self.len.next_power_of_two();
        let chain = hash as usize & (reach - 1);
        if chain < self.len { chain } else { chain & (reach / 2 - 1) }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn head(&self, chain: usize) -> u32 {
        self.chunks.get(chain / CHUNK).map_or(END, |chunk| chunk[chain % CHUNK])
    }

    pub(crate) fn set_head(&mut self, chain: usize, head: u32) {
        if let Some(chunk) = self.chunks.get_mut(chain / CHUNK) {
            chunk[chain % CHUNK] = head;
        }
    }

    /// Adds an empty chain. The items of the chain that is named belong to it or to the new one.
    pub(crate) fn split(&mut self) -> Option<usize> {
        if self.len == self.chunks.len() * CHUNK {
            self.chunks.push(vec![END; CHUNK].into_boxed_slice());
        }
        self.len += 1;
        self.sibling(self.len - 1)
    }

    /// Takes the last chain away: its head, and the chain that its items belong to now.
    pub(crate) fn join(&mut self) -> Option<(u32, usize)> {
        let last = self.len.checked_sub(1)?;
        let sibling = self.sibling(last)?;
        let head = self.head(last);
        self.set_head(last, END);
        self.len = last;
        if self.len + CHUNK < self.chunks.len() * CHUNK {
            self.chunks.pop();
        }
        Some((head, sibling))
    }

    /// The chain that was split for this one.
    fn sibling(&self, chain: usize) -> Option<usize> {
        (chain > 0).then(|| chain - (chain + 1).next_power_of_two() / 2)
    }

    /// What they take on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.chunks.len() * (CHUNK * size_of::<u32>() + size_of::<Box<[u32]>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_moves_items_between_two_chains_only_and_a_join_moves_them_back() {
        let mut chains = Chains::default();
        assert_eq!(chains.split(), None);
        let hashes: Vec<u64> = (0..500_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let of = |chains: &Chains| hashes.iter().map(|hash| chains.chain(*hash)).collect::<Vec<_>>();
        let mut before = vec![of(&chains)];
        for new in 1..3000 {
            let split = chains.split().unwrap();
            let after = of(&chains);
            for (was, is) in before.last().unwrap().iter().zip(&after) {
                assert!(was == is || (*was, *is) == (split, new));
            }
            before.push(after);
        }
        while chains.len() > 1 {
            let (head, into) = chains.join().unwrap();
            assert!(head == END && into < chains.len());
            before.pop();
            assert_eq!(Some(&of(&chains)), before.last());
        }
        assert!(chains.heap_bytes() <= 2 * (CHUNK * 4 + 16));
    }
}
