//! Schedules and their groups.

use super::{Model, Told};
use afterward_machine::{NewMessage, NextRun, Refusal, Tags};
use afterward_names::{ScheduleAddress, ScheduleGroupAddress};

const MEBIBYTE: usize = 1 << 20;

/// A group that was made, or has been used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) address: ScheduleGroupAddress,
    pub(crate) tags: Tags,
    pub(crate) created_ms: u64,
    pub(crate) modified_ms: u64,
}

/// A schedule. Each has a number, and so has each of its definitions.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) number: usize,
    pub(crate) definition: usize,
    pub(crate) address: ScheduleAddress,
    pub(crate) created_ms: u64,
    pub(crate) modified_ms: u64,
    pub(crate) next_ms: Option<u64>,
}

/// A run, by the model's numbers.
pub(crate) struct Run<'a> {
    pub(crate) schedule: usize,
    pub(crate) definition: usize,
    pub(crate) due_ms: Option<u64>,
    pub(crate) next: NextRun,
    pub(crate) sends: &'a [NewMessage],
}

impl Model {
    pub(crate) fn schedule_at(&self, address: &ScheduleAddress) -> Option<&Schedule> {
        self.schedules.iter().find(|schedule| schedule.address == *address)
    }

    fn group_at(&self, address: &ScheduleGroupAddress) -> Option<usize> {
        self.groups.iter().position(|group| group.address == *address)
    }

    /// The group, made if it is a default one that was never used.
    fn used_group(&mut self, address: &ScheduleGroupAddress) -> Result<usize, Refusal> {
        if let Some(at) = self.group_at(address) {
            return Ok(at);
        }
        if address.name.as_str() != "default" {
            return Err(Refusal::NoSuchScheduleGroup);
        }
        self.add_group(address, Tags::new());
        Ok(self.groups.len() - 1)
    }

    fn add_group(&mut self, address: &ScheduleGroupAddress, tags: Tags) {
        let now_ms = self.now_ms;
        self.groups.push(Group { address: address.clone(), tags, created_ms: now_ms, modified_ms: now_ms });
    }

    pub(crate) fn create_group(&mut self, address: &ScheduleGroupAddress, tags: &Tags) -> Result<Told, Refusal> {
        if self.group_at(address).is_some() || address.name.as_str() == "default" {
            return Err(Refusal::ScheduleGroupExists);
        }
        if tags.len() > 200 {
            return Err(Refusal::TooManyScheduleGroupTags);
        }
        self.add_group(address, tags.clone());
        Ok(Told::Done)
    }

    pub(crate) fn delete_group(&mut self, address: &ScheduleGroupAddress) -> Result<Told, Refusal> {
        if address.name.as_str() == "default" {
            return Err(Refusal::DefaultScheduleGroup);
        }
        let at = self.group_at(address).ok_or(Refusal::NoSuchScheduleGroup)?;
        self.groups.remove(at);
        self.schedules.retain(|schedule| schedule.address.group != *address);
        Ok(Told::Done)
    }

    pub(crate) fn tag_group(&mut self, address: &ScheduleGroupAddress, more: &Tags) -> Result<Told, Refusal> {
        let mut after = self.clone();
        let at = after.used_group(address)?;
        after.groups[at].tags.extend(more.clone());
        if after.groups[at].tags.len() > 200 {
            return Err(Refusal::TooManyScheduleGroupTags);
        }
        after.groups[at].modified_ms = self.now_ms;
        *self = after;
        Ok(Told::Done)
    }

    pub(crate) fn untag_group(&mut self, address: &ScheduleGroupAddress, keys: &[Box<str>]) -> Result<Told, Refusal> {
        let mut after = self.clone();
        let at = after.used_group(address)?;
        let before = after.groups[at].tags.len();
        after.groups[at].tags.retain(|key, _| !keys.contains(key));
        if after.groups[at].tags.len() < before {
            after.groups[at].modified_ms = self.now_ms;
            *self = after;
        }
        Ok(Told::Done)
    }

    pub(crate) fn create_schedule(
        &mut self,
        address: &ScheduleAddress,
        definition_bytes: usize,
        next_ms: Option<u64>,
    ) -> Result<Told, Refusal> {
        small_enough(definition_bytes)?;
        if self.schedule_at(address).is_some() {
            return Err(Refusal::ScheduleExists);
        }
        self.used_group(&address.group)?;
        let (number, definition, now_ms) = (self.scheduled, self.defined, self.now_ms);
        self.scheduled += 1;
        self.defined += 1;
        let address = address.clone();
        self.schedules.push(Schedule { number, definition, address, created_ms: now_ms, modified_ms: now_ms, next_ms });
        Ok(Told::Schedule { number, definition })
    }

    pub(crate) fn update_schedule(
        &mut self,
        address: &ScheduleAddress,
        definition_bytes: usize,
        next_ms: Option<u64>,
        as_read: Option<(usize, Option<u64>)>,
    ) -> Result<Told, Refusal> {
        small_enough(definition_bytes)?;
        let (definition, now_ms) = (self.defined, self.now_ms);
        let schedule = self.schedules.iter_mut().find(|schedule| schedule.address == *address);
        let schedule = schedule.ok_or(Refusal::NoSuchSchedule)?;
        if as_read.is_some_and(|read| read != (schedule.definition, schedule.next_ms)) {
            return Err(Refusal::StaleRun);
        }
        (schedule.definition, schedule.modified_ms, schedule.next_ms) = (definition, now_ms, next_ms);
        self.defined += 1;
        Ok(Told::Schedule { number: schedule.number, definition })
    }

    pub(crate) fn delete_schedule(&mut self, address: &ScheduleAddress) -> Result<Told, Refusal> {
        let before = self.schedules.len();
        self.schedules.retain(|schedule| schedule.address != *address);
        if self.schedules.len() < before { Ok(Told::Done) } else { Err(Refusal::NoSuchSchedule) }
    }

    /// All of it, or nothing.
    pub(crate) fn run_schedule(&mut self, run: &Run<'_>) -> Result<Told, Refusal> {
        let as_read = |schedule: &Schedule| {
            (schedule.number, schedule.definition, schedule.next_ms) == (run.schedule, run.definition, run.due_ms)
        };
        let at = self.schedules.iter().position(as_read).ok_or(Refusal::StaleRun)?;
        let mut after = self.clone();
        let mut sent = Vec::new();
        for (number, message) in run.sends.iter().enumerate() {
            match after.send(&message.send) {
                Ok(Told::Sent { message, duplicate }) => sent.push((message, duplicate)),
                Ok(other) => panic!("a send is told {other:?}"),
                Err(refusal) => return Err(Refusal::SendRefused { number, refusal: Box::new(refusal) }),
            }
        }
        match run.next {
            NextRun::At(at_ms) => after.schedules[at].next_ms = Some(at_ms),
            NextRun::Never => after.schedules[at].next_ms = None,
            NextRun::Delete => drop(after.schedules.remove(at)),
        }
        *self = after;
        Ok(Told::Ran(sent))
    }
}

fn small_enough(bytes: usize) -> Result<(), Refusal> {
    if bytes > MEBIBYTE { Err(Refusal::DefinitionTooLong { maximum_bytes: MEBIBYTE }) } else { Ok(()) }
}
