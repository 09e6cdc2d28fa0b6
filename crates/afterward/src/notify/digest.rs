//! What a worker's events come to, said at most once in a while.
//!
//! A hook must not wait, so it only counts; a task of its own, which lives while there is something to tell, sends. Locks are
//! held for a moment, never while something is sent, but for the one that keeps one notice from overtaking another.

use super::{
    Notifier, escaped,
    notifier::{NotifyError, Speaks},
    runs::FailedRuns,
    tally::{Notice, Tally},
};
use crate::Event;
use serde_json::json;
use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep_until},
};

/// How often there is a notice at most unless set.
const EVERY: Duration = Duration::from_secs(60);
/// The waits after notices that could not be delivered: the first, and what they double up to.
const AFTER_FAILURE_FIRST: Duration = Duration::from_secs(1);
const AFTER_FAILURE_LONGEST: Duration = Duration::from_secs(60);

/// Gathers events and sends notices of them: a lone event as one line, a burst as counts (`37 jobs dead-lettered in the last
/// minute: order:new ×30, mail ×7…`). The first notice after a quiet time comes within two seconds, further ones at most once
/// a minute. What can't be delivered is logged and told with the next, after a second at least, and the longer the more often
/// it fails, up to a minute.
///
/// Told of are jobs dead-lettered and dropped, and scheduled runs that failed or were skipped; see
/// [`watching`](Digest::watching). A scheduled run that failed is counted as that, and not once more as the dead letter or the
/// dropped job that it becomes. Clones share what was gathered, so one digest serves several workers.
#[derive(Clone)]
pub struct Digest {
    gathered: Arc<Gathered>,
    every: Duration,
    watching: Arc<dyn Fn(&Event) -> bool + Send + Sync>,
}

struct Gathered {
    outlet: Outlet,
    /// Held while a notice is on its way.
    sending: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tally: Tally,
    failed_runs: FailedRuns,
    last: Option<Instant>,
    /// How many notices in a row could not be delivered, and when the next may be tried.
    failures: u32,
    not_before: Option<Instant>,
    /// Whether a task is there that will send.
    attended: bool,
}

type Sending = Pin<Box<dyn Future<Output = Result<(), NotifyError>> + Send>>;
/// Where notices go.
pub(super) type Outlet = Box<dyn Fn(Notice) -> Sending + Send + Sync>;

impl Digest {
    /// Notices by this notifier.
    #[must_use]
    pub fn new(notifier: Notifier) -> Digest {
        Digest::through(Box::new(move |notice| {
            let notifier = notifier.clone();
            Box::pin(async move {
                match notifier.speaks {
                    Speaks::Slack => notifier.deliver(&json!({ "text": escaped(&notice.text) })).await,
                    Speaks::Json => notifier.deliver(&notice).await,
                }
            })
        }))
    }

    pub(super) fn through(outlet: Outlet) -> Digest {
        let gathered = Arc::new(Gathered { outlet, sending: tokio::sync::Mutex::default(), state: Mutex::default() });
        let watching =
            |event: &Event| !matches!(event, Event::AttemptFailed { .. } | Event::Missed { superseded: true, .. });
        Digest { gathered, every: EVERY, watching: Arc::new(watching) }
    }

    /// How often there is a notice at most: once a minute unless set.
    #[must_use]
    pub fn every(mut self, time: Duration) -> Digest {
        self.every = time;
        self
    }

    /// Which events are told of: unless set, all but [`Event::AttemptFailed`] and an [`Event::Missed`] that a later time of its
    /// schedule stands for.
    #[must_use]
    pub fn watching(mut self, which: impl Fn(&Event) -> bool + Send + Sync + 'static) -> Digest {
        self.watching = Arc::new(which);
        self
    }

    /// A hook for [`Worker::on_event`](crate::Worker::on_event).
    pub fn hook(&self) -> impl Fn(&Event) + Send + Sync + 'static {
        let digest = self.clone();
        move |event| digest.note(event)
    }

    /// Counts an event, if it is watched for.
    pub fn note(&self, event: &Event) {
        if !(self.watching)(event) {
            return;
        }
        let mut state = self.gathered.lock();
        if state.failed_runs.ends_as(event) {
            return;
        }
        state.tally.add(event, Instant::now());
        if state.attended {
            return;
        }
        // Outside a runtime it is gathered all the same, for `flush`.
        if let Ok(runtime) = Handle::try_current() {
            state.attended = true;
            runtime.spawn(self.gathered.clone().attend(self.every));
        }
    }

    /// Sends at once what was gathered, and waits for a notice that is on its way: when the worker has ended and the program is
    /// about to. Should that one not be delivered, it goes with this one.
    pub async fn flush(&self) {
        self.gathered.send().await;
    }
}

impl State {
    /// Has the next notice wait, for where this one could not be delivered, neither can one that follows at once.
    fn put_off(&mut self, now: Instant) {
        let doubled = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = (self.failures + 1).min(31);
        self.not_before = Some(now + AFTER_FAILURE_FIRST.saturating_mul(doubled).min(AFTER_FAILURE_LONGEST));
    }
}

impl Gathered {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what is gathered when it is due, until there is nothing more.
    async fn attend(self: Arc<Self>, every: Duration) {
        while let Some(due) = self.next_due(every) {
            sleep_until(due).await;
            self.send().await;
        }
    }

    fn next_due(&self, every: Duration) -> Option<Instant> {
        let mut state = self.lock();
        let due = state.tally.due(state.last, every).max(state.not_before.filter(|_| !state.tally.is_empty()));
        state.attended = due.is_some();
        due
    }

    async fn send(&self) {
        let _sending = self.sending.lock().await;
        let (tally, notice) = {
            let mut state = self.lock();
            if state.tally.is_empty() {
                return;
            }
            let now = Instant::now();
            state.last = Some(now);
            let tally = std::mem::take(&mut state.tally);
            let notice = tally.notice(now);
            (tally, notice)
        };
        let outcome = (self.outlet)(notice).await;
        let mut state = self.lock();
        match outcome {
            Ok(()) => (state.failures, state.not_before) = (0, None),
            Err(error) => {
                tracing::warn!("{error}");
                state.tally.restore(tally);
                state.put_off(Instant::now());
            }
        }
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").field("every", &self.every).finish_non_exhaustive()
    }
}
