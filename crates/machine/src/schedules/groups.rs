//! Groups of schedules, and the order of each one's schedules by name.

use super::entry::Entry;
use crate::cells::Cells;
use crate::sorted::{Iter, Sorted};
use crate::{ScheduleGroupId, ScheduleGroupPut, Tags, definitions};
use afterward_names::{AccountId, Region, ScheduleGroupAddress, ScheduleGroupName, ScheduleName};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// The entries of all schedules, by slot.
pub(crate) type Entries = Cells<Entry, 256>;

/// A group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) address: ScheduleGroupAddress,
    pub(crate) tags: Tags,
    pub(crate) created_ms: u64,
    pub(crate) modified_ms: u64,
    /// It goes as soon as its schedules are gone.
    pub(crate) deleting: bool,
    /// Its schedules, by name.
    names: Sorted<u32>,
    pub(crate) schedules: u32,
}

impl Group {
    pub(crate) fn find(&self, name: &ScheduleName, entries: &Entries) -> Option<u32> {
        let slot = *self.names.find(|other| named(entries, *other) < Some(name))?;
        (named(entries, slot) == Some(name)).then_some(slot)
    }

    /// Its schedules from the first on that is not `before` the name that is meant.
    pub(crate) fn slots_from(&self, entries: &Entries, before: impl Fn(&ScheduleName) -> bool) -> Iter<'_, u32> {
        self.names.iter_from(|other| named(entries, *other).is_some_and(&before))
    }

    pub(crate) fn slots(&self) -> Iter<'_, u32> {
        self.names.iter()
    }

    /// What its definition takes in the log, at the most.
    pub(crate) fn definition_bytes(&self) -> u64 {
        definitions::of_group(&self.address, &self.tags)
    }

    fn heap_bytes(&self) -> usize {
        let texts: usize = self.tags.iter().map(|(key, value)| key.len() + value.len()).sum();
        let tags = self.tags.len() * size_of::<(Box<str>, Box<str>)>() * 3 / 2 + texts;
        self.names.heap_bytes() + self.address.name.as_str().len() + tags
    }
}

fn named(entries: &Entries, slot: u32) -> Option<&ScheduleName> {
    entries.get(slot).map(|entry| &entry.name)
}

/// All groups. The default group of an account and region is here once it has been used.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    by_id: BTreeMap<ScheduleGroupId, Group>,
    by_address: BTreeMap<ScheduleGroupAddress, ScheduleGroupId>,
    deleting: BTreeSet<ScheduleGroupId>,
    definitions_bytes: u64,
}

impl Groups {
    pub(crate) fn get(&self, id: ScheduleGroupId) -> Option<&Group> {
        self.by_id.get(&id)
    }

    pub(crate) fn at(&self, address: &ScheduleGroupAddress) -> Option<(ScheduleGroupId, &Group)> {
        let id = *self.by_address.get(address)?;
        self.by_id.get(&id).map(|group| (id, group))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ScheduleGroupId, &Group)> {
        self.by_id.iter().map(|(id, group)| (*id, group))
    }

    /// The groups of an account and region in the order of their names, from `from` on.
    pub(crate) fn of<'a>(
        &'a self,
        account: AccountId,
        region: &'a Region,
        from: Bound<ScheduleGroupName>,
    ) -> impl Iterator<Item = &'a Group> {
        let here = move |name| ScheduleGroupAddress { account, region: region.clone(), name };
        // The least name of all: a dot and a hyphen are names, and the hyphen comes first.
        let least = || Bound::Included("-".parse::<ScheduleGroupName>().unwrap_or_default());
        let from = if from == Bound::Unbounded { least() } else { from };
        self.by_address
            .range((from.map(here), Bound::Unbounded))
            .take_while(move |(address, _)| (address.account, &address.region) == (account, region))
            .filter_map(|(_, id)| self.by_id.get(id))
    }

    /// Those that go as soon as their schedules are gone.
    pub(crate) fn deleting(&self) -> impl Iterator<Item = (ScheduleGroupId, &Group)> {
        self.deleting.iter().filter_map(|id| self.by_id.get(id).map(|group| (*id, group)))
    }

    pub(crate) fn put(&mut self, put: &ScheduleGroupPut) {
        let ScheduleGroupPut { group: id, address, tags, created_ms, modified_ms, deleting } = put;
        self.definitions_bytes -= self.get(*id).map_or(0, Group::definition_bytes);
        let group = self.by_id.entry(*id).or_insert_with(|| Group {
            address: address.clone(),
            tags: Tags::new(),
            created_ms: *created_ms,
            modified_ms: *modified_ms,
            deleting: false,
            names: Sorted::default(),
            schedules: 0,
        });
        group.tags.clone_from(tags);
        self.definitions_bytes += group.definition_bytes();
        (group.created_ms, group.modified_ms, group.deleting) = (*created_ms, *modified_ms, *deleting);
        self.by_address.insert(address.clone(), *id);
        if *deleting {
            self.deleting.insert(*id);
        }
    }

    /// Takes a group out. Its schedules must be gone.
    pub(crate) fn remove(&mut self, id: ScheduleGroupId) {
        self.deleting.remove(&id);
        let Some(group) = self.by_id.remove(&id) else { return };
        self.definitions_bytes -= group.definition_bytes();
        if self.by_address.get(&group.address) == Some(&id) {
            self.by_address.remove(&group.address);
        }
    }

    /// Puts the schedule in this slot among the names of its group.
    pub(crate) fn link(&mut self, slot: u32, entries: &Entries) {
        let Some(entry) = entries.get(slot) else { return };
        let Some(group) = self.by_id.get_mut(&entry.group()) else { return };
        group.names.insert(slot, |other| named(entries, *other) < Some(&entry.name));
        group.schedules += 1;
    }

    /// Takes it out again.
    pub(crate) fn unlink(&mut self, slot: u32, entries: &Entries) {
        let Some(entry) = entries.get(slot) else { return };
        let Some(group) = self.by_id.get_mut(&entry.group()) else { return };
        if group.names.remove(&slot, |other| named(entries, *other) < Some(&entry.name)) {
            group.schedules -= 1;
        }
    }

    /// What their definitions take in the log, at the most.
    pub(crate) fn definitions_bytes(&self) -> u64 {
        self.definitions_bytes
    }

    /// What they take on the heap, the order of their schedules included; of the maps, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        let each = size_of::<(ScheduleGroupId, Group)>() + size_of::<(ScheduleGroupAddress, ScheduleGroupId)>();
        self.by_id.values().map(|group| group.heap_bytes() + each * 3 / 2).sum()
    }
}
