//! Making, changing, deleting and running schedules.

use super::one;
use super::sends::Sends;
use crate::{
    Decision, Event, NextRun, Refusal, Reply, RunSchedule, ScheduleGroupId, ScheduleId, SchedulePut, ScheduleRead,
    State,
};
use afterward_names::{ScheduleAddress, limits};

impl State {
    pub(super) fn create_schedule(
        &self,
        address: &ScheduleAddress,
        definition_bytes: usize,
        next_ms: Option<u64>,
    ) -> Result<Decision, Refusal> {
        small_enough(definition_bytes)?;
        let (group, made) = self.group_for_schedule(address)?;
        if self.schedules.at(address).is_some() {
            return Err(Refusal::ScheduleExists);
        }
        let revision = self.last_order + 1 + made.iter().len() as u64;
        let put = SchedulePut {
            // Like a message's key, it comes from the count rather than from the slot.
            schedule: ScheduleId { slot: self.schedules.next_free(), generation: revision as u32 },
            revision,
            group,
            name: address.name.clone(),
            created_ms: self.now_ms,
            modified_ms: self.now_ms,
            next_ms,
        };
        let reply = Reply::Schedule(put.schedule);
        Ok(Decision { events: made.into_iter().chain([Event::SchedulePut(put)]).collect(), reply })
    }

    /// The group that a new schedule goes to. The default one is made when it is first used.
    fn group_for_schedule(&self, address: &ScheduleAddress) -> Result<(ScheduleGroupId, Option<Event>), Refusal> {
        match self.schedules.groups.at(&address.group) {
            Some((_, group)) if group.deleting => Err(Refusal::ScheduleGroupDeleting),
            Some((id, _)) => Ok((id, None)),
            None if address.group.name.is_default() => {
                let put = self.new_schedule_group(&address.group);
                Ok((put.group, Some(Event::ScheduleGroupPut(put))))
            }
            None => Err(Refusal::NoSuchScheduleGroup),
        }
    }

    pub(super) fn update_schedule(
        &self,
        address: &ScheduleAddress,
        definition_bytes: usize,
        next_ms: Option<u64>,
        as_read: Option<ScheduleRead>,
    ) -> Result<Decision, Refusal> {
        small_enough(definition_bytes)?;
        let (slot, entry) = self.schedules.at(address).ok_or(Refusal::NoSuchSchedule)?;
        if self.schedules.groups.get(entry.group()).is_some_and(|group| group.deleting) {
            return Err(Refusal::ScheduleGroupDeleting);
        }
        // Who has worked out when it is due next from what it was must not undo a run, or have one made again.
        if as_read.is_some_and(|read| read != entry.read()) {
            return Err(Refusal::StaleRun);
        }
        let put = SchedulePut {
            schedule: entry.id(slot),
            revision: self.last_order + 1,
            group: entry.group(),
            name: entry.name.clone(),
            created_ms: entry.created_ms(),
            modified_ms: self.now_ms,
            next_ms,
        };
        let reply = Reply::Schedule(put.schedule);
        Ok(Decision { events: vec![Event::SchedulePut(put)], reply })
    }

    pub(super) fn delete_schedule(&self, address: &ScheduleAddress) -> Result<Decision, Refusal> {
        let (slot, entry) = self.schedules.at(address).ok_or(Refusal::NoSuchSchedule)?;
        Ok(one(Event::ScheduleDeleted { schedule: entry.id(slot) }))
    }

    /// All of a run, or nothing: the sends and what becomes of the schedule are events of one decision. So a schedule
    /// that was read once runs once, whoever else has read it.
    pub(super) fn run_schedule(&self, run: &RunSchedule) -> Result<Decision, Refusal> {
        let schedule = run.schedule;
        let read = ScheduleRead { revision: run.revision, next_ms: run.due_ms };
        self.schedules.get(schedule).filter(|entry| entry.read() == read).ok_or(Refusal::StaleRun)?;
        let mut sends = Sends::new(self);
        for (number, message) in run.sends.iter().enumerate() {
            sends.add(message).map_err(|refusal| Refusal::SendRefused { number, refusal: Box::new(refusal) })?;
        }
        let (mut events, sent) = sends.done();
        events.push(match run.next {
            NextRun::At(at_ms) => Event::ScheduleRan { schedule, next_ms: Some(at_ms) },
            NextRun::Never => Event::ScheduleRan { schedule, next_ms: None },
            NextRun::Delete => Event::ScheduleDeleted { schedule },
        });
        Ok(Decision { events, reply: Reply::Ran(sent) })
    }
}

fn small_enough(definition_bytes: usize) -> Result<(), Refusal> {
    let maximum_bytes = limits::SCHEDULE_DEFINITION_BYTES;
    if definition_bytes > maximum_bytes { Err(Refusal::DefinitionTooLong { maximum_bytes }) } else { Ok(()) }
}
