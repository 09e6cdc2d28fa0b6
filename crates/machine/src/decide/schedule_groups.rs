//! Making, tagging and deleting groups of schedules.

use super::{nothing, one};
use crate::schedules::Group;
use crate::{Decision, Event, Refusal, Reply, ScheduleGroupId, ScheduleGroupPut, State, Tags};
use afterward_names::{ScheduleGroupAddress, limits};

/// How many schedules one round of deleting a group takes at the most.
const ROUND: usize = 1000;

impl State {
    pub(super) fn create_schedule_group(
        &self,
        address: &ScheduleGroupAddress,
        tags: &Tags,
    ) -> Result<Decision, Refusal> {
        match self.schedules.groups.at(address) {
            Some((_, group)) if group.deleting => return Err(Refusal::ScheduleGroupDeleting),
            None if !address.name.is_default() => {}
            _ => return Err(Refusal::ScheduleGroupExists),
        }
        let put = ScheduleGroupPut { tags: few_enough(tags.clone())?, ..self.new_schedule_group(address) };
        Ok(one(Event::ScheduleGroupPut(put)))
    }

    /// A group as it is made now.
    pub(super) fn new_schedule_group(&self, address: &ScheduleGroupAddress) -> ScheduleGroupPut {
        ScheduleGroupPut {
            group: ScheduleGroupId(self.last_order + 1),
            address: address.clone(),
            tags: Tags::new(),
            created_ms: self.now_ms,
            modified_ms: self.now_ms,
            deleting: false,
        }
    }

    pub(super) fn tag_schedule_group(&self, address: &ScheduleGroupAddress, tags: &Tags) -> Result<Decision, Refusal> {
        let mut put = self.known_schedule_group(address)?;
        put.tags.extend(tags.clone());
        let tags = few_enough(put.tags)?;
        Ok(one(Event::ScheduleGroupPut(ScheduleGroupPut { tags, modified_ms: self.now_ms, ..put })))
    }

    pub(super) fn untag_schedule_group(
        &self,
        address: &ScheduleGroupAddress,
        keys: &[Box<str>],
    ) -> Result<Decision, Refusal> {
        let mut put = self.known_schedule_group(address)?;
        let before = put.tags.len();
        put.tags.retain(|key, _| !keys.contains(key));
        if put.tags.len() == before {
            return Ok(nothing());
        }
        Ok(one(Event::ScheduleGroupPut(ScheduleGroupPut { modified_ms: self.now_ms, ..put })))
    }

    /// A group that can be changed, as it is. The default one need not have been used yet.
    fn known_schedule_group(&self, address: &ScheduleGroupAddress) -> Result<ScheduleGroupPut, Refusal> {
        match self.schedules.groups.at(address) {
            Some((_, group)) if group.deleting => Err(Refusal::ScheduleGroupDeleting),
            Some((id, group)) => Ok(put(id, group)),
            None if address.name.is_default() => Ok(self.new_schedule_group(address)),
            None => Err(Refusal::NoSuchScheduleGroup),
        }
    }

    pub(super) fn delete_schedule_group(&self, address: &ScheduleGroupAddress) -> Result<Decision, Refusal> {
        if address.name.is_default() {
            return Err(Refusal::DefaultScheduleGroup);
        }
        let (id, group) = self.schedules.groups.at(address).ok_or(Refusal::NoSuchScheduleGroup)?;
        if group.deleting {
            return Ok(nothing());
        }
        let mut events = Vec::new();
        if group.schedules as usize > ROUND {
            events.push(Event::ScheduleGroupPut(ScheduleGroupPut { deleting: true, ..put(id, group) }));
        }
        self.sweep(id, group, &mut events, ROUND);
        Ok(Decision { events, reply: Reply::Done })
    }

    pub(super) fn sweep_schedule_groups(&self) -> Decision {
        let mut events = Vec::new();
        for (id, group) in self.schedules.groups.deleting() {
            let left = ROUND.saturating_sub(events.len());
            if left == 0 {
                break;
            }
            self.sweep(id, group, &mut events, left);
        }
        Decision { events, reply: Reply::Done }
    }

    /// Deletes `most` schedules of a group, and the group when that was all.
    fn sweep(&self, id: ScheduleGroupId, group: &Group, events: &mut Vec<Event>, most: usize) {
        let ids = group.slots().take(most).filter_map(|slot| Some(self.schedules.in_slot(*slot)?.id(*slot)));
        events.extend(ids.map(|schedule| Event::ScheduleDeleted { schedule }));
        if group.schedules as usize <= most {
            events.push(Event::ScheduleGroupDeleted { group: id });
        }
    }
}

/// A group as it is.
pub(crate) fn put(id: ScheduleGroupId, group: &Group) -> ScheduleGroupPut {
    ScheduleGroupPut {
        group: id,
        address: group.address.clone(),
        tags: group.tags.clone(),
        created_ms: group.created_ms,
        modified_ms: group.modified_ms,
        deleting: group.deleting,
    }
}

fn few_enough(tags: Tags) -> Result<Tags, Refusal> {
    if tags.len() > limits::SCHEDULE_GROUP_TAGS { Err(Refusal::TooManyScheduleGroupTags) } else { Ok(tags) }
}
