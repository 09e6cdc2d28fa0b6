//! A definition understood: when it is due, what becomes of it, and what it calls.

use crate::{AfterCompletion, Definition, InvalidDefinition, WindowDefinition, call::Call, hash::hash};
use afterward_broker::machine::NextRun;
use afterward_names::{QueueAddress, ScheduleAddress};
use afterward_timetable::{Timetable, Zone};

/// A schedule that makes sense.
///
/// A *time* of its timetable is what its author wrote; it is *due* then, or, with a flexible window, at a moment drawn
/// within the window after it. The draw is a function of the schedule's address and of the time, so it is made once
/// however often it is asked for, and a due moment leads back to its time.
///
/// It runs in the order of its due moments, which in windows longer than the period is not that of its times. Each due
/// moment comes after the one before; times that have drawn the same one are run once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    timetable: Timetable,
    window_ms: u64,
    seed: u64,
    enabled: bool,
    deletes_itself: bool,
    pub(crate) call: Call,
}

/// How late a one-time schedule may be made and still run, and how late any may run before what was due meanwhile counts as
/// missed: EventBridge Scheduler runs a schedule within the minute that begins when it is due.
const LATE_MS: u64 = 60_000;

/// When a schedule is "due" of which nothing is to run any more, and that is to be deleted when it is complete: at once, and
/// without a run. No time of a schedule is due then.
pub(crate) const OVER_MS: u64 = 0;

const MINUTE_MS: u64 = 60_000;

impl Schedule {
    /// Understands the definition of the schedule at `address`.
    ///
    /// # Errors
    /// [`InvalidDefinition`], where it makes no sense or asks for what does not exist here.
    pub fn of(address: &ScheduleAddress, definition: &Definition) -> Result<Schedule, InvalidDefinition> {
        let window_ms = match definition.window {
            WindowDefinition::Off => 0,
            WindowDefinition::Flexible { minutes } if (1..=1440).contains(&minutes) => u64::from(minutes) * MINUTE_MS,
            WindowDefinition::Flexible { minutes } => return Err(InvalidDefinition::Window(minutes)),
        };
        Ok(Schedule {
            timetable: timetable(definition)?,
            window_ms,
            seed: hash(&[address.arn().to_string().as_bytes()]),
            enabled: definition.enabled,
            deletes_itself: definition.after_completion == AfterCompletion::Delete,
            call: Call::of(address, &definition.target)?,
        })
    }

    /// The times that its author wrote, without windows, and whether or not it is enabled.
    pub fn timetable(&self) -> &Timetable {
        &self.timetable
    }

    /// The queues that it sends to, its dead-letter queue among them.
    pub fn queues(&self) -> impl Iterator<Item = &QueueAddress> {
        self.call.queues()
    }

    /// When a schedule that is made now is first due. A one-time schedule may be up to a minute late; a time whose window
    /// is open, but which came before the schedule was made, is not its time.
    ///
    /// One whose times are all over is not refused, as Amazon does not: it never runs, and if it is to be deleted on
    /// completion, it is.
    pub fn first_due_ms(&self, now_ms: u64) -> Option<u64> {
        let own_ms = self.first_of_its_own(now_ms);
        self.due_or_over(self.first_due_from(own_ms, own_ms, |_| false))
    }

    /// When a schedule is next due that is changed now: that was `before`, if that made sense, and was to be due at `next_ms`.
    ///
    /// What is due already and has not run yet stays due, and runs by the new definition: the change does not lose a run,
    /// unless it disables the schedule. What was due by now has run or was not to run: it stays over. A time that is new and
    /// whose window is open has its moment yet to come, and a one-time schedule may be set to a time up to a minute ago.
    pub fn due_after_change_ms(&self, before: Option<&Schedule>, next_ms: Option<u64>, now_ms: u64) -> Option<u64> {
        if self.enabled && next_ms.is_some_and(|next_ms| next_ms != OVER_MS && next_ms <= now_ms) {
            return next_ms;
        }
        let is_over = |time_ms| before.is_some_and(|before| before.was_due(time_ms, now_ms));
        let own_ms = self.first_of_its_own(self.timetable.anchor_ms.min(now_ms));
        self.due_or_over(self.first_due_from(self.first_of_its_own(now_ms), own_ms, is_over))
    }

    fn due_or_over(&self, due_ms: Option<u64>) -> Option<u64> {
        let over = || self.deletes_itself.then_some(OVER_MS);
        due_ms.or_else(over).filter(|_| self.enabled)
    }

    /// The earliest time that a schedule made at `made_ms` runs for.
    fn first_of_its_own(&self, made_ms: u64) -> u64 {
        made_ms.saturating_sub(if self.timetable.expression.is_one_time() { LATE_MS } else { 0 })
    }

    /// Whether that is one of its times, and was due by `now_ms`.
    fn was_due(&self, time_ms: u64, now_ms: u64) -> bool {
        self.timetable.first_from(time_ms) == Some(time_ms) && self.due_of(time_ms) <= now_ms
    }

    /// Of a schedule that was due at `due_ms`, which of its times that was; that moment itself, where its definition has
    /// changed since.
    pub(crate) fn time_of(&self, due_ms: u64) -> u64 {
        let times = self.timetable.occurrences_from(due_ms.saturating_sub(self.window_ms));
        let mut times = times.take_while(|time_ms| *time_ms <= due_ms);
        times.find(|time_ms| self.due_of(*time_ms) == due_ms).unwrap_or(due_ms)
    }

    /// For which of its times it runs now, having been due at `due_ms`: where that is late, for the latest of those that are
    /// over with it ([`after_run`](Schedule::after_run)), so that whoever does not want what is too old judges it by its age.
    pub(crate) fn time_of_run(&self, due_ms: u64, now_ms: u64) -> u64 {
        if !is_late(due_ms, now_ms) {
            return self.time_of(due_ms);
        }
        // The windows of the times up to here are over, so that one of them is among those that are asked for; beside it
        // only those can be whose windows are open at either end.
        let closed_ms = self.timetable.last_within(due_ms, now_ms.saturating_sub(self.window_ms));
        let times = self.timetable.occurrences_from(closed_ms.unwrap_or(due_ms.saturating_sub(self.window_ms)));
        let missed = times
            .take_while(|time_ms| *time_ms <= now_ms)
            .filter(|time_ms| (due_ms..=now_ms).contains(&self.due_of(*time_ms)));
        missed.last().unwrap_or(due_ms)
    }

    /// What becomes of it, having run now for what was due at `due_ms`. Where that is late, by more than a schedule may
    /// be, all that was due meanwhile is over: what is missed is run once, not one by one.
    pub(crate) fn after_run(&self, due_ms: u64, now_ms: u64) -> NextRun {
        let after_ms = if is_late(due_ms, now_ms) { now_ms } else { due_ms };
        let own_ms = self.first_of_its_own(self.timetable.anchor_ms);
        match self.first_due_from(after_ms.saturating_add(1), own_ms, |_| false).filter(|_| self.enabled) {
            Some(due_ms) => NextRun::At(due_ms),
            None if self.enabled && self.deletes_itself => NextRun::Delete,
            None => NextRun::Never,
        }
    }

    /// The first due moment at or after `from_ms`, of its times at and after `own_ms` but those that are over.
    fn first_due_from(&self, from_ms: u64, own_ms: u64, is_over: impl Fn(u64) -> bool) -> Option<u64> {
        let earliest_ms = from_ms.saturating_sub(self.window_ms).max(own_ms);
        let mut first_ms: Option<u64> = None;
        for time_ms in self.timetable.occurrences_from(earliest_ms) {
            // No time is due before it comes.
            if first_ms.is_some_and(|first_ms| first_ms <= time_ms) {
                break;
            }
            let due_ms = self.due_of(time_ms);
            if due_ms >= from_ms && first_ms.is_none_or(|first_ms| due_ms < first_ms) && !is_over(time_ms) {
                first_ms = Some(due_ms);
            }
        }
        first_ms
    }

    fn due_of(&self, time_ms: u64) -> u64 {
        match self.window_ms {
            0 => time_ms,
            window_ms => time_ms + hash(&[&self.seed.to_le_bytes(), &time_ms.to_le_bytes()]) % window_ms,
        }
    }
}

fn is_late(due_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(due_ms) >= LATE_MS
}

fn timetable(definition: &Definition) -> Result<Timetable, InvalidDefinition> {
    let expression = definition
        .expression
        .parse()
        .map_err(|why| InvalidDefinition::Expression { expression: definition.expression.clone(), why })?;
    let zone = match definition.zone.as_deref() {
        Some(name) => Zone::named(name).map_err(InvalidDefinition::Zone)?,
        None => Zone::UTC,
    };
    let (start_ms, end_ms) = (definition.start_ms, definition.end_ms);
    if start_ms.zip(end_ms).is_some_and(|(start_ms, end_ms)| end_ms <= start_ms) {
        return Err(InvalidDefinition::Dates);
    }
    Ok(Timetable { expression, zone, anchor_ms: definition.anchor_ms, start_ms, end_ms })
}

#[cfg(test)]
mod tests;
