//! Reading schedules and their groups.

use super::{Entry, Group};
use crate::{ScheduleGroupView, ScheduleId, ScheduleView, State, Tags};
use afterward_names::{AccountId, Region, ScheduleAddress, ScheduleGroupAddress, ScheduleGroupName, ScheduleName};
use std::ops::Bound;

impl State {
    /// The schedule at an address.
    pub fn schedule_at(&self, address: &ScheduleAddress) -> Option<ScheduleView> {
        let (slot, entry) = self.schedules.at(address)?;
        self.schedule_view(slot, entry)
    }

    /// The schedule with an id.
    pub fn schedule(&self, id: ScheduleId) -> Option<ScheduleView> {
        self.schedules.get(id).and_then(|entry| self.schedule_view(id.slot, entry))
    }

    /// The schedules that are due now, the longest due first; of one due time, the one first that was made first.
    pub fn due_schedules(&self) -> impl Iterator<Item = ScheduleView> {
        let now_ms = self.now_ms;
        let due = self.schedules.by_due().take_while(move |(_, entry)| entry.next_ms().is_some_and(|at| at <= now_ms));
        due.filter_map(|(slot, entry)| self.schedule_view(slot, entry))
    }

    /// The schedules of an account and region, all or those of one `group`, whose names start with `prefix`, in the order
    /// of group and name, after `after`.
    pub fn schedules<'a>(
        &'a self,
        account: AccountId,
        region: &'a Region,
        group: Option<&'a ScheduleGroupName>,
        prefix: &'a str,
        after: Option<&'a (ScheduleGroupName, ScheduleName)>,
    ) -> impl Iterator<Item = ScheduleView> + 'a {
        let first = group.into_iter().chain(after.map(|(group, _)| group)).max().cloned();
        let groups = self.schedules.groups.of(account, region, first.map_or(Bound::Unbounded, Bound::Included));
        let groups = groups.take_while(move |of| group.is_none_or(|group| of.address.name == *group));
        groups.flat_map(move |of| {
            let after = after.filter(|(group, _)| of.address.name == *group).map(|(_, name)| name);
            let before = move |name: &ScheduleName| name.as_str() < prefix || after.is_some_and(|after| name <= after);
            let named = self.schedules.of(of, before);
            let named = named.take_while(move |(_, entry)| entry.name.as_str().starts_with(prefix));
            named.filter_map(|(slot, entry)| self.schedule_view(slot, entry))
        })
    }

    /// The group at an address. The default one is always there.
    pub fn schedule_group_at(&self, address: &ScheduleGroupAddress) -> Option<ScheduleGroupView> {
        match self.schedules.groups.at(address) {
            Some((_, group)) => Some(group.view()),
            None => address.name.is_default().then(|| unused(address.clone())),
        }
    }

    /// The groups of an account and region whose names start with `prefix`, in order, after `after`; at most `limit`.
    pub fn schedule_groups(
        &self,
        account: AccountId,
        region: &Region,
        prefix: &str,
        after: Option<&ScheduleGroupName>,
        limit: usize,
    ) -> Vec<ScheduleGroupView> {
        let meant =
            |name: &ScheduleGroupName| name.as_str().starts_with(prefix) && after.is_none_or(|after| name > after);
        let from = match (after, prefix.parse::<ScheduleGroupName>()) {
            (Some(after), Ok(prefix)) if *after < prefix => Bound::Included(prefix),
            (Some(after), _) => Bound::Excluded(after.clone()),
            (None, Ok(prefix)) => Bound::Included(prefix),
            (None, Err(_)) => Bound::Unbounded,
        };
        let there = self.schedules.groups.of(account, region, from);
        let there = there.take_while(|group| meant(&group.address.name)).take(limit);
        let mut views: Vec<_> = there.map(Group::view).collect();
        let default = ScheduleGroupAddress { account, region: region.clone(), name: ScheduleGroupName::default() };
        if meant(&default.name) && self.schedules.groups.at(&default).is_none() {
            let at = views.partition_point(|view| view.address < default);
            views.insert(at, unused(default));
            views.truncate(limit);
        }
        views
    }

    /// How many schedules there are in all.
    pub fn schedule_count(&self) -> u64 {
        u64::from(self.schedules.len())
    }

    /// How many bytes of the log the records of their definitions take.
    pub fn definition_bytes(&self) -> u64 {
        self.schedules.content_bytes()
    }

    fn schedule_view(&self, slot: u32, entry: &Entry) -> Option<ScheduleView> {
        let group = self.schedules.groups.get(entry.group())?;
        Some(ScheduleView {
            id: entry.id(slot),
            revision: entry.revision(),
            address: ScheduleAddress { group: group.address.clone(), name: entry.name.clone() },
            created_ms: entry.created_ms(),
            modified_ms: entry.modified_ms(),
            next_ms: entry.next_ms(),
            location: entry.location(),
        })
    }
}

impl Group {
    fn view(&self) -> ScheduleGroupView {
        ScheduleGroupView {
            address: self.address.clone(),
            tags: self.tags.clone(),
            created_ms: self.created_ms,
            modified_ms: self.modified_ms,
            deleting: self.deleting,
            schedules: u64::from(self.schedules),
        }
    }
}

/// The default group of an account and region that has not used it.
fn unused(address: ScheduleGroupAddress) -> ScheduleGroupView {
    ScheduleGroupView { address, tags: Tags::new(), created_ms: 0, modified_ms: 0, deleting: false, schedules: 0 }
}
