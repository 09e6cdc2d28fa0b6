//! Schedules are made, changed, read and run, and who waits for one to be due is told.

use super::{World, violation};
use crate::checker::{Violation, ensure};
use crate::client::Pending;
use crate::history::{Call, QueueIndex, SCHEDULES, ScheduleIndex, Scheduling, Sending, Tick};
use crate::system::Schedules;

/// How many of the last reads may be run.
const READS: usize = 8;

impl World {
    /// A client has to do with schedules.
    pub(super) fn schedule(&mut self, who: usize) -> Result<(), Violation> {
        let call = match self.rng.below(100) {
            0..25 => Some(self.reschedule()),
            25..50 => {
                self.read_schedules()?;
                None
            }
            _ => self.run_of_schedule(),
        };
        let Some(call) = call else { return Ok(()) };
        let id = self.note(who, call.clone());
        let pending = self.perform(id, &call);
        self.wait_for(who, pending);
        Ok(())
    }

    fn reschedule(&mut self) -> Call {
        let schedule = self.rng.below(SCHEDULES as u64) as ScheduleIndex;
        let now_ms = self.system.now_ms();
        let next_ms = if self.rng.chance(100) { None } else { Some(now_ms + self.rng.below(20_000)) };
        let scheduling = match self.rng.below(10) {
            0..5 => Scheduling::Create(next_ms),
            5..9 => Scheduling::Update(next_ms),
            _ => Scheduling::Delete,
        };
        Call::Schedule(schedule, scheduling)
    }

    /// A runner looks at what is due, and somebody else at any schedule.
    fn read_schedules(&mut self) -> Result<(), Violation> {
        let Some(seen) = self.system.schedules().map_err(violation)? else { return Ok(()) };
        if seen.due.is_empty() {
            self.runner = self.system.wait_for_schedules();
        }
        self.remember(&seen);
        Ok(())
    }

    fn remember(&mut self, seen: &Schedules) {
        let any = self.rng.below(SCHEDULES as u64) as ScheduleIndex;
        let of_interest = |schedule: ScheduleIndex| schedule == any || seen.due.contains(&schedule);
        self.read.extend(seen.all.iter().filter(|seen| of_interest(seen.schedule)));
        self.read.drain(..self.read.len().saturating_sub(READS));
    }

    /// Runs one of those that were read, perhaps a while ago.
    fn run_of_schedule(&mut self) -> Option<Call> {
        if self.read.is_empty() {
            return None;
        }
        let at = self.rng.below(self.read.len() as u64) as usize;
        let of = if self.rng.chance(600) { self.read.remove(at) } else { self.read[at] };
        let queue = 2 + self.rng.below(self.queues.len() as u64 - 2) as QueueIndex;
        let sending = self.supply.sending(&mut self.rng, &self.queues, queue);
        let after_ms = of.next_ms.unwrap_or(0).max(self.system.now_ms());
        let next_ms = if self.rng.chance(100) { None } else { Some(after_ms + 1 + self.rng.below(15_000)) };
        self.tally.runs += 1;
        Some(Call::Send(Sending { tick: Some(Tick { of, next_ms }), ..sending }))
    }

    /// All is durable and told: the schedules are what they can be, and nobody waits for one that is due.
    pub(super) fn check_schedules(&mut self) -> Result<(), Violation> {
        let Some(seen) = self.system.schedules().map_err(violation)? else { return Ok(()) };
        let now_ms = self.system.now_ms();
        self.checker.schedules_seen(now_ms, &seen.all, &seen.due)?;
        self.tally.due_schedules += seen.due.len() as u64;
        if self.rng.chance(800) {
            self.remember(&seen);
        }
        if let Some(Err(waits)) = self.runner.take().map(afterward_broker::partition::Gated::try_open) {
            self.runner = Some(waits);
            ensure(seen.due.is_empty(), || format!("{:?} are due, and who waits for that is not told", seen.due))?;
        }
        Ok(())
    }

    pub(super) fn perform_scheduling(
        &mut self,
        id: usize,
        schedule: ScheduleIndex,
        scheduling: Scheduling,
    ) -> Option<Pending> {
        self.system.schedule(id, schedule, scheduling).map(|gated| Pending::Act(id, gated))
    }
}
