//! Which sends have been seen: deduplication ids and idempotency keys, each for its window.

use crate::{DeduplicationScope, KeptKey, QueueId};
use afterward_names::{GroupId, MessageId};
use std::collections::{BTreeMap, BTreeSet};

/// Scope and id, digested.
pub(crate) type DedupKey = [u8; 16];

/// A send that is remembered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) expires_ms: u64,
    pub(crate) fingerprint: u64,
    pub(crate) id: MessageId,
    pub(crate) order: u64,
}

/// All sends that are remembered.
#[derive(Debug, Default)]
pub(crate) struct DedupTable {
    seen: BTreeMap<DedupKey, Seen>,
    by_expiry: BTreeSet<(u64, DedupKey)>,
}

impl DedupTable {
    pub(crate) fn get(&self, key: &DedupKey) -> Option<&Seen> {
        self.seen.get(key)
    }

    pub(crate) fn insert(&mut self, key: &KeptKey, id: MessageId, order: u64) {
        let seen = Seen { expires_ms: key.expires_ms, fingerprint: key.fingerprint, id, order };
        if let Some(before) = self.seen.insert(key.key, seen) {
            self.by_expiry.remove(&(before.expires_ms, key.key));
        }
        self.by_expiry.insert((key.expires_ms, key.key));
    }

    /// What it takes on the heap, about: the maps' nodes are two thirds full.
    pub(crate) fn heap_bytes(&self) -> usize {
        let each = size_of::<(DedupKey, Seen)>() + size_of::<(u64, DedupKey)>();
        self.seen.len() * each * 3 / 2
    }

    /// Forgets what stood until `now_ms` at most.
    pub(crate) fn forget(&mut self, now_ms: u64) {
        while let Some((expires_ms, key)) = self.by_expiry.first().copied() {
            if expires_ms > now_ms {
                break;
            }
            self.by_expiry.pop_first();
            self.seen.remove(&key);
        }
    }
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
