//! Scheduled runs that have failed, of which a worker tells twice: that the run has failed, and then what became of its
//! message.

use crate::Event;
use std::collections::VecDeque;

/// So many runs may be on their way from the one to the other at a time. More are told of twice.
const MOST: usize = 100;

/// Runs that were told to have failed, and whose messages have not yet been told of: schedules and errors.
#[derive(Debug, Default)]
pub(super) struct FailedRuns(VecDeque<(String, String)>);

impl FailedRuns {
    /// Whether this event is the end of a run that was told to have failed. One that fails is remembered.
    pub(super) fn ends_as(&mut self, event: &Event) -> bool {
        match event {
            Event::ScheduleFailed { schedule, error } => {
                // The oldest are those that could not be sent: they have no message.
                if self.0.len() >= MOST {
                    self.0.pop_front();
                }
                self.0.push_back((schedule.clone(), error.clone()));
                false
            }
            Event::DeadLettered { job, error, .. } | Event::Dropped { job, error, .. } => {
                let is_it = |(of, why): &(String, String)| job.schedule.as_ref() == Some(of) && why == error;
                let place = self.0.iter().position(is_it);
                place.and_then(|place| self.0.remove(place)).is_some()
            }
            _ => false,
        }
    }
}
