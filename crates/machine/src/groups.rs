//! A queue's message groups, by number, so that a message holds four bytes for its group.

use crate::cells::Cells;
use crate::line::{Line, Ranks};
use crate::sorted::Sorted;
use afterward_names::GroupId;

/// A group that has messages in the queue.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: GroupId,
    /// Its messages, wherever they stand.
    pub(crate) messages: u32,
    pub(crate) in_flight: u32,
    /// Its visible messages, and on FIFO queues the delayed ones.
    pub(crate) line: Line,
}

impl Group {
    /// FIFO: the visible message that is next, unless something of the group comes before it.
    pub(crate) fn fifo_head(&self, ranks: Ranks<'_>) -> Option<u32> {
        let head = self.line.first().filter(|_| self.in_flight == 0)?;
        let order = ranks.slab.get(head)?.order;
        self.is_clear(order, ranks).then_some(head)
    }

    /// FIFO: whether nothing of the group keeps a visible message of this order back, those before it in line aside.
    pub(crate) fn is_clear(&self, order: u64, ranks: Ranks<'_>) -> bool {
        self.in_flight == 0 && self.line.is_undelayed(order, ranks)
    }
}

/// A group in the order of names: by their digests, then by themselves. Digests can be made to be the same on purpose;
/// names can't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Named {
    digest: u32,
    number: u32,
}

/// The groups of a queue.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    cells: Cells<Group, 16>,
    names: Sorted<Named>,
    /// What the groups hold on the heap: their names, and lines of more than one.
    held_bytes: usize,
}

impl Groups {
    pub(crate) fn number(&self, name: &GroupId) -> Option<u32> {
        let digest = digest(name);
        let named = self.names.find(|named| self.is_before(*named, digest, name))?;
        (named.digest == digest && self.get(named.number)?.name == *name).then_some(named.number)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Group> {
        self.cells.get(number)
    }

    /// Changes a group.
    pub(crate) fn change<T>(&mut self, number: u32, change: impl FnOnce(&mut Group) -> T) -> Option<T> {
        let group = self.cells.get_mut(number)?;
        let before_bytes = group.line.heap_bytes();
        let changed = change(group);
        self.held_bytes = self.held_bytes + group.line.heap_bytes() - before_bytes;
        Some(changed)
    }

    /// The number of the group of this name, which a message is about to join.
    pub(crate) fn join(&mut self, name: &GroupId) -> u32 {
        let number = self.number(name).unwrap_or_else(|| self.found(name));
        if let Some(group) = self.cells.get_mut(number) {
            group.messages += 1;
        }
        number
    }

    fn found(&mut self, name: &GroupId) -> u32 {
        let number = self.cells.next_vacant();
        self.cells.insert(number, Group { name: name.clone(), messages: 0, in_flight: 0, line: Line::default() });
        let digest = digest(name);
        let Groups { cells, names, .. } = self;
        names.insert(Named { digest, number }, |named| is_before(cells, *named, digest, name));
        self.held_bytes += name.as_str().len();
        number
    }

    /// A message has left the group; the last one takes it along.
    pub(crate) fn leave(&mut self, number: u32) {
        let Some(group) = self.cells.get_mut(number) else { return };
        group.messages -= 1;
        if group.messages > 0 {
            return;
        }
        let Groups { cells, names, .. } = self;
        if let Some(Group { name, .. }) = cells.get(number) {
            let digest = digest(name);
            names.remove(&Named { digest, number }, |named| is_before(cells, *named, digest, name));
            self.held_bytes -= name.as_str().len();
        }
        self.cells.remove(number);
    }

    /// What they take on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.cells.heap_bytes() + self.names.heap_bytes() + self.held_bytes
    }

    fn is_before(&self, named: Named, digest: u32, name: &GroupId) -> bool {
        is_before(&self.cells, named, digest, name)
    }
}

fn is_before(cells: &Cells<Group, 16>, named: Named, digest: u32, name: &GroupId) -> bool {
    named.digest < digest || named.digest == digest && cells.get(named.number).is_some_and(|group| group.name < *name)
}

/// FNV-1a.
fn digest(name: &GroupId) -> u32 {
    name.as_str().bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn names_with_the_same_digest_are_told_apart() {
        // Two words that FNV-1a of 32 bits is known to take for the same.
        let (one, other): (GroupId, GroupId) = ("costarring".parse().unwrap(), "liquid".parse().unwrap());
        assert_eq!(digest(&one), digest(&other));
        let mut groups = Groups::default();
        assert_eq!((groups.join(&one), groups.join(&other), groups.join(&one)), (0, 1, 0));
        groups.leave(1);
        assert_eq!((groups.number(&one), groups.number(&other)), (Some(0), None));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_group_lives_from_its_first_message_to_its_last(
            steps in proptest::collection::vec((any::<bool>(), 0..60_u32), 1..400),
        ) {
            let (mut groups, mut model) = (Groups::default(), BTreeMap::<GroupId, u32>::new());
            for (joins, name) in steps {
                let name: GroupId = format!("group-{name}").parse().unwrap();
                if joins {
                    groups.join(&name);
                    *model.entry(name).or_default() += 1;
                } else if let Some(number) = groups.number(&name) {
                    groups.leave(number);
                    let messages = model.get_mut(&name).unwrap();
                    *messages -= 1;
                    if *messages == 0 {
                        model.remove(&name);
                    }
                }
                for (name, messages) in &model {
                    let group = groups.number(name).and_then(|number| groups.get(number)).unwrap();
                    prop_assert_eq!((&group.name, group.messages), (name, *messages));
                }
                prop_assert_eq!(groups.cells.len() as usize, model.len());
                let names_bytes: usize = model.keys().map(|name| name.as_str().len()).sum();
                prop_assert_eq!(groups.held_bytes, names_bytes);
            }
        }
    }
}
