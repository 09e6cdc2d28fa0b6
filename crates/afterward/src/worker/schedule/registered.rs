//! The schedules that a worker was given, and the handlers of their ticks.

use super::{Missed, Orphan, Schedule, Tick, called, missed::CatchingUp, orphan::Orphans};
use crate::worker::hand::Hand;
use std::time::SystemTime;

/// What is said around a tick's handler ([`Handling::name`](crate::Handling::name), [`Handling::missed`](crate::Handling::missed)).
#[derive(Debug, Default)]
pub(crate) struct TickSetup {
    pub(crate) name: Option<String>,
    pub(crate) missed: Option<Missed>,
}

impl TickSetup {
    pub(crate) fn is_empty(&self) -> bool {
        self.name.is_none() && self.missed.is_none()
    }
}

/// When the ticks come, as it was given.
pub(crate) enum Times {
    Every(String),
    Cron(String, String),
}

/// A worker's schedules.
#[derive(Default)]
pub(crate) struct Registered {
    schedules: Vec<Schedule>,
    /// The handler of each, by its place.
    places: Vec<usize>,
    defect: Option<String>,
    catching_up: CatchingUp,
    orphans: Orphans,
}

impl Registered {
    /// Adds one, whose handler is the function of this type, in this place.
    pub(crate) fn add(&mut self, times: &Times, setup: TickSetup, handler: &'static str, place: usize) {
        match self.schedule(times, setup.name, handler) {
            Ok(mut schedule) => {
                schedule.missed = setup.missed.unwrap_or_default();
                self.schedules.push(schedule);
                self.places.push(place);
            }
            Err(defect) => drop(self.defect.get_or_insert(defect)),
        }
    }

    fn schedule(&self, times: &Times, name: Option<String>, handler: &'static str) -> Result<Schedule, String> {
        let (Times::Every(expression) | Times::Cron(expression, _)) = times;
        let name = match name {
            Some(name) if called::is_name(&name) => name,
            Some(name) => {
                return Err(format!(
                    "a schedule can't be called `{name}`: a name is 1 to 64 of letters (a to z), digits, `-`, `_` and `.`"
                ));
            }
            None => called::function(handler).map(str::to_owned).ok_or_else(|| {
                format!("the schedule `{expression}` has no name, for its handler is no named function: handler(…).name(\"…\")")
            })?,
        };
        if self.schedules.iter().any(|known| known.name == name) {
            return Err(format!("two schedules are called `{name}`: tell them apart by handler({name}).name(\"…\")"));
        }
        let schedule = match times {
            Times::Every(expression) => Schedule::every(&name, expression),
            Times::Cron(expression, zone) => Schedule::cron(&name, expression, zone),
        };
        schedule.map_err(|why| format!("the schedule `{name}`: {why}"))
    }

    /// What is wrong with these schedules, if anything.
    pub(crate) fn defect(&self) -> Option<String> {
        self.defect.clone()
    }

    pub(crate) fn all(&self) -> &[Schedule] {
        &self.schedules
    }

    /// The place that ticks of this schedule go to.
    pub(crate) fn place_of(&self, name: &str) -> Option<usize> {
        self.schedules.iter().position(|schedule| schedule.name == name).map(|at| self.places[at])
    }

    /// The schedule whose ticks go to this place.
    pub(crate) fn at(&self, place: usize) -> Option<&Schedule> {
        self.places.iter().position(|known| *known == place).map(|at| &self.schedules[at])
    }

    /// Why the tick in hand is not to be run now that it could be begun; `None`, where it is.
    pub(crate) fn missed(&self, hand: &Hand, schedule: &Schedule, now: SystemTime) -> Option<String> {
        // Somebody has begun it before, and may have died over it.
        if hand.delivery.receive_count > 1 {
            return None;
        }
        let tick = hand.payload().and_then(Tick::read)?;
        let sent_at = hand.delivery.sent_at.unwrap_or(tick.scheduled_at);
        let why = schedule.missed.reason(schedule, &tick, sent_at, now);
        self.catching_up.judge(schedule, &tick, now, why)
    }

    /// What becomes of the tick in hand, whose schedule is none of these; `allowed`: so many receives it may have, where they count.
    pub(crate) fn orphan(&self, hand: &Hand, now: Option<SystemTime>, allowed: Option<u32>) -> Orphan {
        self.orphans.judge(&hand.delivery.id, now, hand.delivery.receive_count, allowed)
    }
}
