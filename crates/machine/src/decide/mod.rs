//! What a command does: events and a reply, or a refusal. Nothing here changes the state.

mod batches;
mod held;
mod moves;
mod queues;
mod receive;
mod redrive;
pub(crate) mod schedule_groups;
mod schedules;
mod send;
mod sends;

use crate::queue::Queue;
use crate::{Command, Decision, Event, Refusal, Reply, State};
use afterward_names::QueueAddress;

impl State {
    /// What `command` does at the state's time; `random` are bits for a message id.
    ///
    /// # Errors
    /// A [`Refusal`], and nothing changes.
    pub fn decide(&self, command: &Command, random: u64) -> Result<Decision, Refusal> {
        let decision = self.decide_unbounded(command, random)?;
        if State::may_define(command) { self.within_budget(decision) } else { Ok(decision) }
    }

    /// The same, however much the definitions take.
    fn decide_unbounded(&self, command: &Command, random: u64) -> Result<Decision, Refusal> {
        match command {
            Command::CreateQueue(create) => self.create_queue(create),
            Command::DeleteQueue { queue } => self.delete_queue(queue),
            Command::SetAttributes(set) => self.set_attributes(set),
            Command::Tag { queue, tags } => self.tag(queue, tags),
            Command::Untag { queue, keys } => self.untag(queue, keys),
            Command::Purge { queue, cooldown } => self.purge(queue, *cooldown),
            Command::Send(send) => self.send(send, random),
            Command::Receive(receive) => self.receive(receive),
            Command::Delete { queue, lease } => self.delete(queue, lease, |message| Event::Deleted { message }),
            Command::Drop { queue, lease } => self.delete(queue, lease, |message| Event::Dropped { message }),
            Command::ChangeVisibility { queue, lease, timeout_ms, failure } => {
                self.change_visibility(queue, lease, *timeout_ms, *failure)
            }
            Command::HandBack { queue, lease, timeout_ms } => self.hand_back(queue, lease, *timeout_ms),
            Command::TakeBack { queue, lease, timeout_ms } => self.take_back(queue, lease, *timeout_ms),
            Command::DeadLetter { queue, lease, failure } => self.dead_letter(queue, lease, *failure),
            Command::ReleaseHeld => Ok(self.release_held()),
            Command::StartMove(start) => self.start_move(start),
            Command::CancelMove { account, task } => self.cancel_move(*account, *task),
            Command::RunMoves => Ok(self.run_moves()),
            Command::CreateScheduleGroup { group, tags } => self.create_schedule_group(group, tags),
            Command::DeleteScheduleGroup { group } => self.delete_schedule_group(group),
            Command::TagScheduleGroup { group, tags } => self.tag_schedule_group(group, tags),
            Command::UntagScheduleGroup { group, keys } => self.untag_schedule_group(group, keys),
            Command::SweepScheduleGroups => Ok(self.sweep_schedule_groups()),
            Command::CreateSchedule { schedule, definition_bytes, next_ms } => {
                self.create_schedule(schedule, *definition_bytes, *next_ms)
            }
            Command::UpdateSchedule { schedule, definition_bytes, next_ms, as_read } => {
                self.update_schedule(schedule, *definition_bytes, *next_ms, *as_read)
            }
            Command::DeleteSchedule { schedule } => self.delete_schedule(schedule),
            Command::RunSchedule(run) => self.run_schedule(run),
            Command::Found { secret } => Ok(self.found(secret)),
        }
    }

    fn found(&self, secret: &[u8; 32]) -> Decision {
        match self.secret {
            Some(_) => nothing(),
            None => one(Event::Founded { secret: *secret }),
        }
    }

    /// The queue at an address, which must be there.
    fn known(&self, address: &QueueAddress) -> Result<&Queue, Refusal> {
        self.at(address).ok_or(Refusal::NoSuchQueue)
    }
}

/// Nothing happens, and that is fine.
fn nothing() -> Decision {
    Decision { events: Vec::new(), reply: Reply::Done }
}

/// One thing happens, and there is no more to say.
fn one(event: Event) -> Decision {
    Decision { events: vec![event], reply: Reply::Done }
}
