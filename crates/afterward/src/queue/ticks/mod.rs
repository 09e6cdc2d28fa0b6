//! Who sends the ticks of schedules into a queue, each once, however many workers there are.
//!
//! A scheduler, where one is known to run ([`scheduled`]): an Afterward server's, or Amazon's with a role. Else the workers
//! themselves, where the queue takes one of what they all send ([`together`]): a FIFO queue does, by the deduplication id.

mod scheduled;
mod together;

pub(super) use together::SentUntil;

use super::{Queue, Scheduler, later::NO_ROLE, source::of_queue};
use crate::{Error, Schedule, SourceError, scheduler::Client};
use scheduled::Scheduled;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use together::Together;

/// How ticks get into a queue.
enum Way<'a> {
    Scheduled(Scheduled<'a>),
    Together(Together<'a>),
}

impl Queue {
    async fn way(&self) -> Result<Way<'_>, SourceError> {
        let setting = self.scheduler_setting();
        let client = match &setting {
            Scheduler::Role(_) => Some(Client::beside(self.client())),
            Scheduler::Detect if self.is_afterward().await.map_err(of_call)? => {
                Some(Client::at(self.client(), self.client().endpoint().clone()))
            }
            _ => None,
        };
        if let Some(client) = client {
            let role = if let Scheduler::Role(role) = setting { role } else { NO_ROLE.to_owned() };
            let client = client.map_err(|error| SourceError::Refused(error.into()))?;
            return Ok(Way::Scheduled(Scheduled { queue: self, client, role }));
        }
        if self.is_fifo() {
            return Ok(Way::Together(Together { queue: self }));
        }
        Err(SourceError::Refused(self.no_way().into()))
    }

    fn no_way(&self) -> String {
        format!(
            "nobody would send the ticks of this worker's schedules: the queue `{}` is a standard queue at {}, where no \
             Afterward server answers. Two ways: a FIFO queue, which takes one of the ticks that all workers send; or \
             Amazon's EventBridge Scheduler, by the ARN of a role for it in AFTERWARD_SCHEDULER_ROLE or \
             Queue::scheduler(Scheduler::Role(…))",
            self.name(),
            self.client().endpoint()
        )
    }

    /// What time it is where delays and schedules are kept.
    pub(super) async fn time(&self) -> Result<SystemTime, SourceError> {
        let now_ms = self.end_of(Duration::ZERO).await.map_err(of_call)?;
        Ok(UNIX_EPOCH + Duration::from_millis(now_ms))
    }

    pub(super) async fn put_ticking(&self, schedules: &[Schedule]) -> Result<(), SourceError> {
        match self.way().await? {
            Way::Scheduled(way) => way.put(schedules).await,
            Way::Together(way) => way.begin(schedules).await,
        }
    }

    pub(super) async fn keep_ticking(&self, schedules: &[Schedule], failed: impl Fn(&str, &SourceError) + Send + Sync) {
        match self.way().await {
            Ok(Way::Scheduled(way)) => way.keep(schedules, failed).await,
            Ok(Way::Together(way)) => way.keep(schedules, failed).await,
            // It was found when the schedules were put in place, and what was found stays.
            Err(error) => schedules.iter().for_each(|schedule| failed(schedule.name(), &error)),
        }
    }

    pub(super) async fn end_ticking(&self, name: &str) -> Result<(), SourceError> {
        match self.way().await? {
            Way::Scheduled(way) => way.delete(name).await,
            Way::Together(way) => way.forget(name).await,
        }
    }
}

pub(super) fn of_call(error: Error) -> SourceError {
    match error {
        Error::Sqs(error) => of_queue(error),
        Error::Source(error) => error,
        other => SourceError::Refused(other.into()),
    }
}

/// The message group of a schedule's ticks on a FIFO queue.
fn group(name: &str) -> String {
    format!("afterward.tick.{name}")
}

/// The deduplication id of a tick on a FIFO queue; `time` may be a placeholder for one.
fn deduplication_id(name: &str, time: &str) -> String {
    format!("tick.{name}.{time}")
}
