//! Schedules: what each is called, when it is next due, and where its definition lies in the log.
//!
//! A schedule is kept like a message. What it is to do, and by which expression it recurs, is a definition that nothing
//! in here looks at; who runs it works out the next time and says it with the run. Nothing happens by itself when a
//! schedule comes due: [`State::next_schedule_ms`](crate::State::next_schedule_ms) tells when somebody should look.
//!
//! Ids and revisions are drawn from the count that numbers places in line and leases, so that they are never given twice.

mod entry;
mod groups;
mod views;

use crate::sorted::Sorted;
use crate::{Location, ScheduleGroupId, ScheduleGroupPut, ScheduleId, SchedulePut};
use afterward_names::{ScheduleAddress, ScheduleName};
pub(crate) use entry::Entry;
use groups::Entries;
pub(crate) use groups::{Group, Groups};

/// All schedules and their groups.
#[derive(Debug, Default)]
pub(crate) struct Schedules {
    entries: Entries,
    /// Those that are due some time, by when, then in the order of their making.
    due: Sorted<u32>,
    pub(crate) groups: Groups,
    /// What the records of all definitions take in the log.
    content_bytes: u64,
    names_bytes: usize,
}

impl Schedules {
    pub(crate) fn len(&self) -> u32 {
        self.entries.len()
    }

    pub(crate) fn content_bytes(&self) -> u64 {
        self.content_bytes
    }

    /// The slot that the next schedule goes to.
    pub(crate) fn next_free(&self) -> u32 {
        self.entries.next_vacant()
    }

    pub(crate) fn in_slot(&self, slot: u32) -> Option<&Entry> {
        self.entries.get(slot)
    }

    /// The entry of this very schedule, not of a later user of its slot.
    pub(crate) fn get(&self, id: ScheduleId) -> Option<&Entry> {
        self.entries.get(id.slot).filter(|entry| entry.id(id.slot) == id)
    }

    pub(crate) fn at(&self, address: &ScheduleAddress) -> Option<(u32, &Entry)> {
        let (_, group) = self.groups.at(&address.group)?;
        let slot = group.find(&address.name, &self.entries)?;
        self.entries.get(slot).map(|entry| (slot, entry))
    }

    /// A group's schedules from the first on that is not `before` the name that is meant.
    pub(crate) fn of<'a>(
        &'a self,
        group: &'a Group,
        before: impl Fn(&ScheduleName) -> bool,
    ) -> impl Iterator<Item = (u32, &'a Entry)> {
        group.slots_from(&self.entries, before).filter_map(|slot| Some((*slot, self.entries.get(*slot)?)))
    }

    /// Those that have a next time, the soonest first.
    pub(crate) fn by_due(&self) -> impl Iterator<Item = (u32, &Entry)> {
        self.due.iter().filter_map(|slot| Some((*slot, self.entries.get(*slot)?)))
    }

    /// A schedule is so from now on, and its definition at `at`. Not one of a group that isn't there.
    pub(crate) fn put(&mut self, put: &SchedulePut, at: Location) {
        let slot = put.schedule.slot;
        self.remove(slot);
        if self.groups.get(put.group).is_none() {
            return;
        }
        let entry = Entry::new(put, at);
        self.content_bytes += entry.length_bytes();
        self.names_bytes += entry.name.as_str().len();
        self.entries.insert(slot, entry);
        self.groups.link(slot, &self.entries);
        self.link_due(slot);
    }

    pub(crate) fn set_next(&mut self, id: ScheduleId, next_ms: Option<u64>) {
        if self.get(id).is_none() {
            return;
        }
        self.unlink_due(id.slot);
        if let Some(entry) = self.entries.get_mut(id.slot) {
            entry.set_next_ms(next_ms);
        }
        self.link_due(id.slot);
    }

    pub(crate) fn delete(&mut self, id: ScheduleId) {
        if self.get(id).is_some() {
            self.remove(id.slot);
        }
    }

    pub(crate) fn put_group(&mut self, put: &ScheduleGroupPut) {
        self.groups.put(put);
    }

    pub(crate) fn delete_group(&mut self, id: ScheduleGroupId) {
        let slots: Vec<u32> = self.groups.get(id).map(|group| group.slots().copied().collect()).unwrap_or_default();
        slots.into_iter().for_each(|slot| self.remove(slot));
        self.groups.remove(id);
    }

    /// What they take on the heap; of the names, without what the allocator adds.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.entries.heap_bytes() + self.due.heap_bytes() + self.groups.heap_bytes() + self.names_bytes
    }

    fn remove(&mut self, slot: u32) {
        self.unlink_due(slot);
        self.groups.unlink(slot, &self.entries);
        if let Some(entry) = self.entries.remove(slot) {
            self.content_bytes -= entry.length_bytes();
            self.names_bytes -= entry.name.as_str().len();
        }
    }

    fn link_due(&mut self, slot: u32) {
        let Schedules { entries, due, .. } = self;
        if let Some(at) = due_of(entries, slot) {
            due.insert(slot, |other| due_of(entries, *other) < Some(at));
        }
    }

    fn unlink_due(&mut self, slot: u32) {
        let Schedules { entries, due, .. } = self;
        if let Some(at) = due_of(entries, slot) {
            due.remove(&slot, |other| due_of(entries, *other) < Some(at));
        }
    }
}

/// What stands for a schedule in the order of due times: that, when it was made, and the count at that moment.
fn due_of(entries: &Entries, slot: u32) -> Option<(u64, u64, u32, u32)> {
    let entry = entries.get(slot)?;
    Some((entry.next_ms()?, entry.created_ms(), entry.id(slot).generation, slot))
}
