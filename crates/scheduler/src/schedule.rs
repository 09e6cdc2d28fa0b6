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
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    timetable: Timetable,
    window_ms: u64,
    seed: u64,
    enabled: bool,
    deletes_itself: bool,
    pub(crate) call: Call,
}

/// How late a one-time schedule may be made and still run: EventBridge Scheduler runs a schedule within the minute that
/// begins when it is due.
const LATE_MS: u64 = 60_000;

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
    pub fn first_due_ms(&self, now_ms: u64) -> Option<u64> {
        let time_ms = self.timetable.first_from(self.first_of_its_own(now_ms))?;
        self.enabled.then(|| self.due_of(time_ms))
    }

    /// When a schedule is next due that was there already, and is changed now. What is over stays over; a time whose window
    /// is open keeps its moment.
    pub fn due_after_change_ms(&self, now_ms: u64) -> Option<u64> {
        let made_ms = self.timetable.anchor_ms.min(now_ms);
        let from_ms = now_ms.saturating_sub(self.window_ms).max(self.first_of_its_own(made_ms));
        let times = self.timetable.occurrences_from(from_ms);
        let due_ms = times.map(|time_ms| self.due_of(time_ms)).find(|due_ms| *due_ms >= now_ms)?;
        self.enabled.then_some(due_ms)
    }

    /// The earliest time that a schedule made at `made_ms` runs for.
    fn first_of_its_own(&self, made_ms: u64) -> u64 {
        made_ms.saturating_sub(if self.timetable.expression.is_one_time() { LATE_MS } else { 0 })
    }

    /// Of a schedule that was due at `due_ms`, which of its times that was.
    pub(crate) fn time_of(&self, due_ms: u64) -> u64 {
        let times = self.timetable.occurrences_from(due_ms.saturating_sub(self.window_ms));
        let mut times = times.take_while(|time_ms| *time_ms <= due_ms);
        times.find(|time_ms| self.due_of(*time_ms) == due_ms).unwrap_or(due_ms)
    }

    /// What becomes of it, having run now for its time `time_ms`. Times whose window has passed meanwhile are over:
    /// what is missed is run once, not one by one.
    pub(crate) fn after_run(&self, time_ms: u64, now_ms: u64) -> NextRun {
        let after_ms = time_ms.max(now_ms.saturating_sub(self.window_ms));
        match self.timetable.next_after(after_ms).filter(|_| self.enabled) {
            Some(time_ms) => NextRun::At(self.due_of(time_ms)),
            None if self.enabled && self.deletes_itself => NextRun::Delete,
            None => NextRun::Never,
        }
    }

    fn due_of(&self, time_ms: u64) -> u64 {
        match self.window_ms {
            0 => time_ms,
            window_ms => time_ms + hash(&[&self.seed.to_le_bytes(), &time_ms.to_le_bytes()]) % window_ms,
        }
    }
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
