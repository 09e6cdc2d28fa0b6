//! What a worker tells about itself while it works, for notices and counters.
//!
//! Hooks are called where the event happens, so they must be quick; whoever has more to do hands a clone on.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

/// Something that a person may want to know of; see [`Worker::on_event`](crate::Worker::on_event). Shown (`{event}`), it
/// is one line for a log or a notice.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// An attempt failed, and the message will be tried again.
    #[non_exhaustive]
    AttemptFailed {
        /// The message.
        job: JobInfo,
        /// Why it failed.
        error: String,
        /// When it is tried again, from now.
        retry_in: Duration,
    },
    /// A message was moved to the dead-letter queue.
    #[non_exhaustive]
    DeadLettered {
        /// The message.
        job: JobInfo,
        /// Why its last attempt failed.
        error: String,
        /// The name of the dead-letter queue.
        dead_letter_queue: String,
    },
    /// A message was deleted without having been handled, as its policy says.
    #[non_exhaustive]
    Dropped {
        /// The message.
        job: JobInfo,
        /// Why its last attempt failed.
        error: String,
        /// What the policy gives as the reason.
        reason: String,
    },
    /// A time of a schedule was passed over, because no worker was there for it, or none had room; see
    /// [`Missed`](crate::Missed).
    #[non_exhaustive]
    Missed {
        /// The tick.
        job: JobInfo,
        /// Why it was not run.
        error: String,
        /// Whether a later time of the schedule stands for it, as [`Missed::RunOnce`](crate::Missed::RunOnce) has it.
        superseded: bool,
    },
    /// A scheduled run could not be enqueued, or its handler failed for good; or whether runs are still enqueued is not known,
    /// because the scheduler can't be asked: told once, until that is over.
    #[non_exhaustive]
    ScheduleFailed {
        /// The schedule's name.
        schedule: String,
        /// Why.
        error: String,
    },
}

/// Which message an [`Event`] is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobInfo {
    /// The name of the queue.
    pub queue: String,
    /// The message's id, the same at every attempt; see [`Context::message_id`](crate::Context::message_id).
    pub message_id: String,
    /// Its type, where its body has an envelope.
    pub message_type: Option<String>,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// Its group, where it has one.
    pub group: Option<String>,
    /// The schedule's name, where it is a tick.
    pub schedule: Option<String>,
}

impl Event {
    /// The message, where it is about one.
    pub fn job(&self) -> Option<&JobInfo> {
        match self {
            Event::AttemptFailed { job, .. }
            | Event::DeadLettered { job, .. }
            | Event::Dropped { job, .. }
            | Event::Missed { job, .. } => Some(job),
            Event::ScheduleFailed { .. } => None,
        }
    }

    /// Why it came to this.
    pub fn error(&self) -> &str {
        match self {
            Event::AttemptFailed { error, .. }
            | Event::DeadLettered { error, .. }
            | Event::Dropped { error, .. }
            | Event::Missed { error, .. }
            | Event::ScheduleFailed { error, .. } => error,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::AttemptFailed { job, error, retry_in } => {
                write!(f, "{job} failed at attempt {}, again ", job.attempt)?;
                match retry_in.is_zero() {
                    true => write!(f, "at once: {error}"),
                    false => write!(f, "in {retry_in:.0?}: {error}"),
                }
            }
            Event::DeadLettered { job, error, dead_letter_queue } => {
                write!(f, "{job} was moved to `{dead_letter_queue}` at attempt {}: {error}", job.attempt)
            }
            Event::Dropped { job, error, reason } => {
                write!(f, "{job} was dropped at attempt {} ({reason}): {error}", job.attempt)
            }
            Event::Missed { job, error, .. } => write!(f, "{job} was not run: {error}"),
            Event::ScheduleFailed { schedule, error } => write!(f, "the schedule `{schedule}` failed: {error}"),
        }
    }
}

impl fmt::Display for JobInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schedule) = &self.schedule {
            return write!(f, "the tick {} of the schedule `{schedule}`", self.message_id);
        }
        match &self.message_type {
            Some(message_type) => write!(f, "`{message_type}` {} of `{}`", self.message_id, self.queue),
            None => write!(f, "message {} of `{}`", self.message_id, self.queue),
        }
    }
}

type Hook = Arc<dyn Fn(&Event) + Send + Sync>;

/// Who wants to know.
#[derive(Clone, Default)]
pub(super) struct Hooks(Vec<Hook>);

impl Hooks {
    pub(super) fn add(&mut self, hook: impl Fn(&Event) + Send + Sync + 'static) {
        self.0.push(Arc::new(hook));
    }

    /// Tells everybody. A hook that panics is logged, and takes neither the others nor the worker with it.
    pub(super) fn tell(&self, event: &Event) {
        for hook in &self.0 {
            if catch_unwind(AssertUnwindSafe(|| hook(event))).is_err() {
                tracing::error!(%event, "a hook panicked");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn job(message_type: Option<&str>) -> JobInfo {
        JobInfo {
            queue: "jobs".into(),
            message_id: "m1".into(),
            message_type: message_type.map(Into::into),
            attempt: 3,
            group: None,
            schedule: None,
        }
    }

    #[test]
    fn an_event_is_one_line_for_people() {
        let error = || "no invoice".to_owned();
        for (event, line) in [
            (
                Event::AttemptFailed { job: job(None), error: error(), retry_in: Duration::from_millis(5_000) },
                "message m1 of `jobs` failed at attempt 3, again in 5s: no invoice",
            ),
            (
                Event::DeadLettered { job: job(Some("order:new")), error: error(), dead_letter_queue: "dead".into() },
                "`order:new` m1 of `jobs` was moved to `dead` at attempt 3: no invoice",
            ),
            (
                Event::Dropped { job: job(Some("tick")), error: error(), reason: "too late".into() },
                "`tick` m1 of `jobs` was dropped at attempt 3 (too late): no invoice",
            ),
            (
                Event::Missed {
                    job: JobInfo { schedule: Some("hourly".into()), ..job(Some("afterward:tick")) },
                    error: error(),
                    superseded: true,
                },
                "the tick m1 of the schedule `hourly` was not run: no invoice",
            ),
            (
                Event::ScheduleFailed { schedule: "hourly".into(), error: error() },
                "the schedule `hourly` failed: no invoice",
            ),
        ] {
            assert_eq!((event.to_string().as_str(), event.error()), (line, "no invoice"));
        }
    }

    #[test]
    fn a_hook_that_panics_takes_nobody_with_it() {
        let told = Arc::new(Mutex::new(0));
        let mut hooks = Hooks::default();
        hooks.add(|_| panic!("no paper"));
        let count = told.clone();
        hooks.add(move |_| *count.lock().unwrap() += 1);
        hooks.tell(&Event::ScheduleFailed { schedule: "hourly".into(), error: "late".into() });
        assert_eq!(*told.lock().unwrap(), 1);
    }
}
