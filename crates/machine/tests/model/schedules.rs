//! Schedules, told to both, and all that can be seen of them compared.

use crate::ops::{GROUPS, GroupChange, Op, group_address};
use crate::pair::{Names, Pair, batched, dedup, same, tags};
use crate::reference::Model;
use crate::reference::schedules::{Group, Schedule};
use afterward_machine::{
    Command, NewMessage, NextRun, RunSchedule, ScheduleGroupView, ScheduleId, ScheduleRead, Send, State, Tags,
};
use afterward_names::{ScheduleAddress, ScheduleGroupAddress};

/// A schedule as a runner has read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read {
    id: ScheduleId,
    revision: u64,
    due_ms: Option<u64>,
}

/// How many of the newest reads may be run.
const FRESH: usize = 8;

impl Pair {
    pub(crate) fn schedule(&mut self, op: &Op) -> Result<(), String> {
        let at = |from_ms: Option<u64>| from_ms.map(|from_ms| self.model.now_ms + from_ms.saturating_sub(2000));
        match op.clone() {
            Op::Group { group, change } => self.run(&group_command(group_address(group), change)),
            Op::CreateSchedule { of, bytes, next_ms } => {
                let (schedule, next_ms) = (of.address(), at(next_ms));
                self.run(&Command::CreateSchedule { schedule, definition_bytes: bytes, next_ms })
            }
            Op::UpdateSchedule { of, bytes, next_ms, read } => {
                let (schedule, next_ms) = (of.address(), at(next_ms));
                self.read_schedules();
                // Of that schedule, as it is or was, or else of any.
                let as_read = read.and_then(|pick| {
                    let id = self.world.state.schedule_at(&schedule).map(|view| view.id);
                    let newest = self.names.read.iter().rev();
                    let own = newest.clone().filter(|read| Some(read.id) == id).nth(pick / 4);
                    own.or_else(|| newest.clone().nth(pick)).copied()
                });
                let as_read = as_read.map(|read| ScheduleRead { revision: read.revision, next_ms: read.due_ms });
                self.run(&Command::UpdateSchedule { schedule, definition_bytes: bytes, next_ms, as_read })
            }
            Op::DeleteSchedule { of } => self.run(&Command::DeleteSchedule { schedule: of.address() }),
            Op::RunSchedule { pick, next_ms, sends } => {
                let next = match next_ms.map(at) {
                    None => NextRun::Delete,
                    Some(None) => NextRun::Never,
                    Some(Some(at_ms)) => NextRun::At(at_ms),
                };
                self.read_schedules();
                let fresh = &self.names.read[self.names.read.len().saturating_sub(FRESH)..];
                let Some(read) = fresh.get(pick % fresh.len().max(1)).copied() else { return Ok(()) };
                let sends = sends.into_iter().enumerate().map(|(number, (at, group, same))| NewMessage {
                    send: Send {
                        queue: at.address(),
                        size_bytes: 100,
                        delay_ms: None,
                        group: group.map(|group| format!("g{group}").parse().unwrap()),
                        dedup: dedup(same, at.is_fifo()),
                        job: group == Some(0),
                        // A run may send in a batch and after it.
                        batch: group.and_then(|group| batched(group + 2)),
                    },
                    random: (self.names.ids.len() + number) as u64,
                });
                let (schedule, revision, due_ms) = (read.id, read.revision, read.due_ms);
                self.run(&Command::RunSchedule(RunSchedule {
                    schedule,
                    revision,
                    due_ms,
                    next,
                    sends: sends.collect(),
                }))
            }
            other => Err(format!("{other:?} is about no schedule")),
        }
    }

    /// A runner looks at what is due, and now and then somebody at one that is not.
    fn read_schedules(&mut self) {
        let state = &self.world.state;
        let any = self.names.schedules.iter().rev().find_map(|id| state.schedule(*id));
        for view in state.due_schedules().take(4).chain(any) {
            let read = Read { id: view.id, revision: view.revision, due_ms: view.next_ms };
            if !self.names.read.contains(&read) {
                self.names.read.push(read);
            }
        }
    }

    /// Both have made or changed a schedule.
    pub(crate) fn scheduled(&mut self, id: ScheduleId, number: usize, definition: usize) -> Result<(), String> {
        if number == self.names.schedules.len() {
            same!("a schedule's id that was given out before", self.names.schedules.contains(&id), false);
            self.names.schedules.push(id);
        }
        same!("which schedule it is", self.names.schedules.get(number), Some(&id));
        let revision = self.world.state.schedule(id).map_or(0, |view| view.revision);
        same!("whether its revision is new", self.names.definitions.iter().all(|known| *known < revision), true);
        same!("its definition's number", self.names.definitions.len(), definition);
        self.names.definitions.push(revision);
        Ok(())
    }
}

fn group_command(group: ScheduleGroupAddress, change: GroupChange) -> Command {
    match change {
        GroupChange::Create { tags: count } => Command::CreateScheduleGroup { group, tags: tags(0, count) },
        GroupChange::Delete => Command::DeleteScheduleGroup { group },
        GroupChange::Tag { first, count } => Command::TagScheduleGroup { group, tags: tags(first, count) },
        GroupChange::Untag { first, count } => {
            Command::UntagScheduleGroup { group, keys: tags(first, count).into_keys().collect() }
        }
        GroupChange::Sweep => Command::SweepScheduleGroups,
    }
}

pub(crate) fn compare_schedules(model: &Model, state: &State, names: &Names) -> Result<(), String> {
    same!("how many schedules", state.schedule_count(), model.schedules.len() as u64);
    same!("when one is due", state.next_schedule_ms(), model.schedules.iter().filter_map(|of| of.next_ms).min());
    same!("whether a group is to be swept", state.has_groups_to_sweep(), false);
    let due: Vec<_> = state.due_schedules().map(|view| view.id).collect();
    let is_due = |of: &&Schedule| of.next_ms.is_some_and(|next_ms| next_ms <= model.now_ms);
    let mut meant: Vec<&Schedule> = model.schedules.iter().filter(is_due).collect();
    meant.sort_by_key(|schedule| (schedule.next_ms, schedule.number));
    let meant: Vec<_> = meant.iter().map(|schedule| names.schedules[schedule.number]).collect();
    same!("what is due, in its order", due, meant);
    let mut all: Vec<&Schedule> = model.schedules.iter().collect();
    all.sort_by_key(|schedule| &schedule.address);
    for schedule in &all {
        let of = |difference| format!("{:?}: {difference}", schedule.address);
        compare_schedule(state, schedule, names).map_err(of)?;
        compare_schedule_lists(state, schedule, &all).map_err(of)?;
    }
    (0..GROUPS).try_for_each(|group| compare_group(model, state, &group_address(group)))
}

fn compare_schedule(state: &State, schedule: &Schedule, names: &Names) -> Result<(), String> {
    let Some(view) = state.schedule_at(&schedule.address) else { return Err("it is not at its address".to_owned()) };
    same!("its id", view.id, names.schedules[schedule.number]);
    same!("its revision", view.revision, names.definitions[schedule.definition]);
    same!("its address", view.address, schedule.address);
    let times = (schedule.created_ms, schedule.modified_ms, schedule.next_ms);
    same!("its times", (view.created_ms, view.modified_ms, view.next_ms), times);
    same!("where its definition is", state.definition_at(view.id), Some(view.location));
    same!("by its id", state.schedule(view.id), Some(view));
    Ok(())
}

/// The lists that it is in.
fn compare_schedule_lists(state: &State, schedule: &Schedule, all: &[&Schedule]) -> Result<(), String> {
    let ScheduleAddress { group, name } = &schedule.address;
    let (account, region) = (group.account, &group.region);
    let here = |other: &&&Schedule| (other.address.group.account, &other.address.group.region) == (account, region);
    let here: Vec<&ScheduleAddress> = all.iter().filter(here).map(|other| &other.address).collect();
    let after = (group.name.clone(), name.clone());
    let listed: Vec<_> = state.schedules(account, region, None, "", Some(&after)).map(|view| view.address).collect();
    let behind: Vec<_> = here.iter().filter(|other| ***other > schedule.address).copied().cloned().collect();
    same!("the schedules listed behind it", listed, behind);
    let prefix = &name.as_str()[..1];
    let named = |group: Option<&_>| -> Vec<ScheduleAddress> {
        state.schedules(account, region, group, prefix, None).map(|view| view.address).collect()
    };
    let begins = |other: &&&ScheduleAddress| other.name.as_str().starts_with(prefix);
    let alike: Vec<_> = here.iter().filter(begins).copied().cloned().collect();
    same!("the schedules named like it", named(None), alike);
    let beside: Vec<_> = alike.into_iter().filter(|other| other.group == *group).collect();
    same!("those of its group", named(Some(&group.name)), beside);
    Ok(())
}

fn compare_group(model: &Model, state: &State, address: &ScheduleGroupAddress) -> Result<(), String> {
    let of = |group: &Group| ScheduleGroupView {
        address: group.address.clone(),
        tags: group.tags.clone(),
        created_ms: group.created_ms,
        modified_ms: group.modified_ms,
        deleting: false,
        schedules: model.schedules.iter().filter(|of| of.address.group == group.address).count() as u64,
    };
    let mut groups: Vec<_> = model.groups.iter().map(of).collect();
    // The default one is there before it is used.
    for default in [group_address(0), group_address(GROUPS - 1)] {
        if groups.iter().all(|group| group.address != default) {
            let (tags, created_ms, modified_ms) = (Tags::new(), 0, 0);
            groups.push(ScheduleGroupView {
                address: default,
                tags,
                created_ms,
                modified_ms,
                deleting: false,
                schedules: 0,
            });
        }
    }
    groups.retain(|group| (group.address.account, &group.address.region) == (address.account, &address.region));
    groups.sort_by(|one, other| one.address.cmp(&other.address));
    let found = groups.iter().find(|group| group.address == *address);
    same!(format!("group {}", address.name), state.schedule_group_at(address), found.cloned());
    let list = |prefix, after, limit| state.schedule_groups(address.account, &address.region, prefix, after, limit);
    same!("the groups", list("", None, 9), groups);
    let behind: Vec<_> = groups.iter().filter(|group| group.address > *address).take(1).cloned().collect();
    same!(format!("the one behind {}", address.name), list("", Some(&address.name), 1), behind);
    let prefix = &address.name.as_str()[..1];
    let alike: Vec<_> =
        groups.iter().filter(|group| group.address.name.as_str().starts_with(prefix)).cloned().collect();
    same!(format!("those like {}", address.name), list(prefix, None, 9), alike);
    Ok(())
}
