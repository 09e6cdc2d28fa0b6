//! Which sends have been seen: deduplication ids and idempotency keys, each for its window.

use crate::cells::Cells;
use crate::chains::{Chains, END};
use crate::packed::Bytes;
use crate::sorted::Sorted;
use crate::{DeduplicationScope, KeptKey, QueueId};
use afterward_names::{GroupId, MessageId};
use std::collections::BTreeMap;

/// Scope and id, digested.
pub(crate) type DedupKey = [u8; 16];

/// A send that is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) expires_ms: u64,
    pub(crate) fingerprint: u64,
    pub(crate) id: MessageId,
    pub(crate) order: u64,
}

/// The same as it is kept: in 50 bytes, for a FIFO queue has one per message of the last five minutes.
#[derive(Debug)]
struct Kept {
    key: DedupKey,
    id: MessageId,
    expires_ms: Bytes<6>,
    order: Bytes<7>,
    /// The next one in the chain.
    next: Bytes<4>,
}

const _: () = assert!(size_of::<Option<Kept>>() == 50);

/// All sends that are remembered.
#[derive(Debug, Default)]
pub(crate) struct DedupTable {
    seen: Cells<Kept, 256>,
    /// By key: a chain for each of them on average.
    chains: Chains,
    /// By when they are forgotten.
    by_expiry: Sorted<u32>,
    /// Those that are not 0.
    fingerprints: BTreeMap<u32, u64>,
}

impl DedupTable {
    pub(crate) fn get(&self, key: &DedupKey) -> Option<Seen> {
        let number = self.number(key)?;
        let kept = self.seen.get(number)?;
        Some(Seen {
            expires_ms: kept.expires_ms.get(),
            fingerprint: self.fingerprints.get(&number).copied().unwrap_or(0),
            id: kept.id,
            order: kept.order.get(),
        })
    }

    pub(crate) fn insert(&mut self, key: &KeptKey, id: MessageId, order: u64) {
        if let Some(before) = self.number(&key.key) {
            self.remove(before);
        }
        let number = self.seen.next_vacant();
        let kept = Kept {
            key: key.key,
            id,
            expires_ms: Bytes::new(key.expires_ms),
            order: Bytes::new(order),
            next: Bytes::new(u64::from(END)),
        };
        let expiry = (kept.expires_ms.get(), number);
        self.seen.insert(number, kept);
        self.grow();
        self.link(number);
        let DedupTable { seen, by_expiry, .. } = self;
        by_expiry.insert(number, |other| expiry_of(seen, *other) < expiry);
        if key.fingerprint != 0 {
            self.fingerprints.insert(number, key.fingerprint);
        }
    }

    /// What it takes on the heap; of the fingerprints' map, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        let fingerprints = self.fingerprints.len() * size_of::<(u32, u64)>() * 3 / 2;
        self.seen.heap_bytes() + self.chains.heap_bytes() + self.by_expiry.heap_bytes() + fingerprints
    }

    /// Forgets what stood until `now_ms` at most.
    pub(crate) fn forget(&mut self, now_ms: u64) {
        while let Some(number) = self.by_expiry.first().copied() {
            if expiry_of(&self.seen, number).0 > now_ms {
                break;
            }
            self.remove(number);
        }
    }

    fn number(&self, key: &DedupKey) -> Option<u32> {
        self.chain_of(key).find(|(_, kept)| kept.key == *key).map(|(number, _)| number)
    }

    /// The chain that a key belongs to.
    fn chain_of(&self, key: &DedupKey) -> impl Iterator<Item = (u32, &Kept)> {
        self.chained(if self.chains.len() == 0 { END } else { self.chains.head(self.chains.chain(hash(key))) })
    }

    /// A chain from `head` on.
    fn chained(&self, head: u32) -> impl Iterator<Item = (u32, &Kept)> {
        let at = move |number: u32| self.seen.get(number).map(|kept| (number, kept));
        std::iter::successors(at(head), move |(_, kept)| at(kept.next.get() as u32))
    }

    fn remove(&mut self, number: u32) {
        self.unlink(number);
        let DedupTable { seen, by_expiry, .. } = self;
        let expiry = expiry_of(seen, number);
        by_expiry.remove(&number, |other| expiry_of(seen, *other) < expiry);
        self.seen.remove(number);
        self.fingerprints.remove(&number);
        self.shrink();
    }

    /// Puts one at the head of its chain.
    fn link(&mut self, number: u32) {
        let Some(kept) = self.seen.get_mut(number) else { return };
        let chain = self.chains.chain(hash(&kept.key));
        kept.next = Bytes::new(u64::from(self.chains.head(chain)));
        self.chains.set_head(chain, number);
    }

    fn unlink(&mut self, number: u32) {
        let Some(Kept { key, next, .. }) = self.seen.get(number) else { return };
        let (next, chain) = (*next, self.chains.chain(hash(key)));
        let before = self.chained(self.chains.head(chain)).find(|(_, kept)| kept.next.get() == u64::from(number));
        match before.map(|(before, _)| before).and_then(|before| self.seen.get_mut(before)) {
            Some(before) => before.next = next,
            None => self.chains.set_head(chain, next.get() as u32),
        }
    }

    /// Adds a chain where there are fewer than items.
    fn grow(&mut self) {
        if self.chains.len() < self.seen.len() as usize
            && let Some(split) = self.chains.split()
        {
            let head = self.chains.head(split);
            self.chains.set_head(split, END);
            self.relink(head);
        }
    }

    /// Takes a chain away where there are more than twice as many as items.
    fn shrink(&mut self) {
        if self.chains.len() > 2 * self.seen.len() as usize + 2
            && let Some((head, _)) = self.chains.join()
        {
            self.relink(head);
        }
    }

    fn relink(&mut self, head: u32) {
        let mut number = head;
        while let Some(next) = self.seen.get(number).map(|kept| kept.next.get() as u32) {
            self.link(number);
            number = next;
        }
    }
}

/// All of a key's bytes count: a caller's digest may be a poor one.
fn hash(key: &DedupKey) -> u64 {
    let bits = u128::from_le_bytes(*key);
    let folded = (bits as u64 ^ ((bits >> 64) as u64).rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    folded ^ folded >> 32
}

fn expiry_of(seen: &Cells<Kept, 256>, number: u32) -> (u64, u32) {
    (seen.get(number).map_or(0, |kept| kept.expires_ms.get()), number)
}

/// What a digest is unique within. The tags keep the kinds apart.
pub(crate) enum Scope<'a> {
    /// A FIFO queue's deduplication ids.
    Fifo(QueueId, DeduplicationScope, Option<&'a GroupId>),
    /// A queue's idempotency keys.
    Idempotency(QueueId),
}

impl Scope<'_> {
    /// `id` within this scope. `id` is a cryptographic digest already, so the scope only has to be mixed in.
    pub(crate) fn mix(&self, id: DedupKey) -> DedupKey {
        let mut hash = Fnv::new();
        match self {
            Scope::Fifo(queue, scope, group) => {
                hash.write(b"fifo");
                hash.write(&queue.0.to_be_bytes());
                if let (DeduplicationScope::MessageGroup, Some(group)) = (scope, group) {
                    hash.write(group.as_str().as_bytes());
                }
            }
            Scope::Idempotency(queue) => {
                hash.write(b"key");
                hash.write(&queue.0.to_be_bytes());
            }
        }
        (u128::from_be_bytes(id) ^ hash.0).to_be_bytes()
    }
}

/// FNV-1a with 128 bits.
struct Fnv(u128);

impl Fnv {
    fn new() -> Fnv {
        Fnv(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_a_map_that_forgets_by_time(
            steps in proptest::collection::vec((0..400_u64, 0..3000_u64, 0..3_u64, 0..120_u64), 1..600),
        ) {
            let (mut table, mut model) = (DedupTable::default(), BTreeMap::<DedupKey, Seen>::new());
            let mut now_ms = 0;
            for (order, (number, window_ms, fingerprint, passed_ms)) in (1..).zip(steps) {
                now_ms += passed_ms / 100 * passed_ms;
                table.forget(now_ms);
                model.retain(|_, seen| seen.expires_ms > now_ms);
                let key = u128::from(number).to_be_bytes();
                prop_assert_eq!(table.get(&key), model.get(&key).copied());
                let seen = Seen {
                    expires_ms: now_ms + window_ms,
                    fingerprint,
                    id: MessageId::new(number, order),
                    order,
                };
                table.insert(&KeptKey { key, expires_ms: seen.expires_ms, fingerprint }, seen.id, order);
                model.insert(key, seen);
                prop_assert!(model.iter().all(|(key, seen)| table.get(key) == Some(*seen)));
            }
            table.forget(u64::MAX);
            prop_assert_eq!((table.seen.len(), table.by_expiry.is_empty(), table.fingerprints.len()), (0, true, 0));
        }
    }

    #[test]
    fn a_scope_tells_queues_kinds_and_groups_apart() {
        let (a, b): (GroupId, GroupId) = ("a".parse().unwrap(), "b".parse().unwrap());
        let (whole, by_group) = (DeduplicationScope::Queue, DeduplicationScope::MessageGroup);
        let keys = [
            Scope::Fifo(QueueId(1), whole, Some(&a)),
            Scope::Fifo(QueueId(2), whole, Some(&a)),
            Scope::Fifo(QueueId(1), by_group, Some(&a)),
            Scope::Fifo(QueueId(1), by_group, Some(&b)),
            Scope::Idempotency(QueueId(1)),
        ]
        .map(|scope| scope.mix([7; 16]));
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
        assert_eq!(keys[0], Scope::Fifo(QueueId(1), whole, Some(&b)).mix([7; 16]));
    }
}
