//! What becomes of schedules.
//!
//! Calls about schedules are taken in the order of asking, so what may have become of one is told by going over them:
//! one that was done changes it, one that was refused finds it as it must be for that, and one of which nobody knows
//! leaves both possible. What is read, all being durable, is one of the possibilities, and from there it goes on.

use super::{Checker, Fate, Violation, ensure};
use crate::history::{Answer, Call, CallId, ScheduleIndex, Scheduling, SeenSchedule, Sending, Tick};
use afterward_machine::Refusal;
use std::collections::BTreeSet;

/// A schedule: by which call it was defined, and when it is due.
type Stand = (CallId, Option<u64>);

/// What may have become of a schedule.
#[derive(Debug)]
pub(super) struct Timeline {
    /// What it may have been before the calls; `None`: there was none.
    possible: BTreeSet<Option<Stand>>,
    calls: Vec<CallId>,
    /// Of the calls, those that were refused for what the schedule was.
    refused: BTreeSet<CallId>,
}

impl Default for Timeline {
    fn default() -> Timeline {
        Timeline { possible: BTreeSet::from([None]), calls: Vec::new(), refused: BTreeSet::new() }
    }
}

fn schedule_of(call: &Call) -> Option<ScheduleIndex> {
    match call {
        Call::Schedule(schedule, _) => Some(*schedule),
        Call::Send(Sending { tick: Some(tick), .. }) => Some(tick.of.schedule),
        _ => None,
    }
}

impl Checker {
    /// A call about a schedule is being taken.
    pub(super) fn scheduling(&mut self, id: CallId, call: &Call) {
        if let Some(schedule) = schedule_of(call) {
            self.timelines[schedule].calls.push(id);
        }
        if let Call::Send(Sending { tick: Some(Tick { of, .. }), .. }) = call {
            self.ticks.entry((of.definition, of.next_ms)).or_default().push(id);
        }
    }

    /// A call was answered: what the schedule was must allow it.
    pub(super) fn schedule_answered(&mut self, call: CallId, answer: &Answer) -> Result<(), Violation> {
        let Some(schedule) = schedule_of(&self.calls[call].call) else { return Ok(()) };
        let for_its_state =
            matches!(answer, Answer::Refused(Refusal::ScheduleExists | Refusal::NoSuchSchedule | Refusal::StaleRun));
        if for_its_state {
            self.timelines[schedule].refused.insert(call);
        }
        ensure(!self.possible(schedule).is_empty(), || {
            format!("#{call} was told {answer:?}, which can't be: {:?}", self.calls[call].call)
        })
    }

    /// All that the schedule may be by now.
    fn possible(&self, schedule: ScheduleIndex) -> BTreeSet<Option<Stand>> {
        let timeline = &self.timelines[schedule];
        timeline.calls.iter().fold(timeline.possible.clone(), |possible, call| {
            let (record, after) = (&self.calls[*call], |stand: &Option<Stand>| self.after(*call, *stand));
            let changed = possible.iter().filter_map(after);
            match record.fate {
                Fate::Answered => changed.collect(),
                _ if record.message.is_some() => changed.collect(),
                Fate::Refused if timeline.refused.contains(call) => {
                    possible.iter().filter(|stand| after(stand).is_none()).copied().collect()
                }
                Fate::Refused => possible,
                Fate::Open | Fate::Maybe => changed.chain(possible.iter().copied()).collect(),
            }
        })
    }

    /// What a call makes of a schedule; `None` if it is refused for what that is.
    fn after(&self, call: CallId, stand: Option<Stand>) -> Option<Option<Stand>> {
        match (&self.calls[call].call, stand) {
            (Call::Schedule(_, Scheduling::Create(next_ms)), None)
            | (Call::Schedule(_, Scheduling::Update(next_ms)), Some(_)) => Some(Some((call, *next_ms))),
            (Call::Schedule(_, Scheduling::Delete), Some(_)) => Some(None),
            (Call::Send(Sending { tick: Some(Tick { of, next_ms }), .. }), Some(stand))
                if stand == (of.definition, of.next_ms) =>
            {
                Some(next_ms.map(|next_ms| (of.definition, Some(next_ms))))
            }
            _ => None,
        }
    }

    /// This is what the schedules are at `now_ms`, all being durable, and which of them a runner finds due.
    ///
    /// # Errors
    /// [`Violation`] where one can't be so, or is due and not found.
    pub fn schedules_seen(
        &mut self,
        now_ms: u64,
        all: &[SeenSchedule],
        due: &[ScheduleIndex],
    ) -> Result<(), Violation> {
        for schedule in 0..self.timelines.len() {
            let seen = all.iter().find(|seen| seen.schedule == schedule);
            let stand = seen.map(|seen| (seen.definition, seen.next_ms));
            let possible = self.possible(schedule);
            ensure(possible.contains(&stand), || {
                format!("schedule {schedule} is {stand:?}, and can only be one of {possible:?}")
            })?;
            let is_due = stand.and_then(|(_, next_ms)| next_ms).is_some_and(|next_ms| next_ms <= now_ms);
            let found = due.iter().filter(|other| **other == schedule).count();
            ensure(found == usize::from(is_due), || {
                format!("schedule {schedule}, {stand:?}, is found {found} times among those due at {now_ms}")
            })?;
            let calls = std::mem::take(&mut self.timelines[schedule].calls);
            self.timelines[schedule] = Timeline { possible: BTreeSet::from([stand]), ..Timeline::default() };
            // Due as it was: of the runs that nobody knows of, none has happened.
            for call in calls {
                let vain = stand.is_some_and(|stand| self.is_run_of(call, stand));
                if vain && self.calls[call].fate == Fate::Maybe {
                    self.calls[call].fate = Fate::Refused;
                }
            }
        }
        Ok(())
    }

    fn is_run_of(&self, call: CallId, stand: Stand) -> bool {
        let tick = self.sending(call).and_then(|sending| sending.tick);
        tick.is_some_and(|tick| (tick.of.definition, tick.of.next_ms) == stand)
    }

    /// Each time that a schedule was due, it ran once at the most.
    pub(super) fn check_runs(&self) -> Result<(), Violation> {
        for ((definition, due_ms), calls) in &self.ticks {
            let ran = |call: &&CallId| {
                let record = &self.calls[**call];
                record.fate == Fate::Answered || record.message.is_some()
            };
            let ran: Vec<_> = calls.iter().filter(ran).collect();
            ensure(ran.len() <= 1, || {
                format!("what #{definition} defined ran more than once when it was due at {due_ms:?}: {ran:?}")
            })?;
        }
        Ok(())
    }
}
