//! A source whose messages, answers and failures a test scripts, and which keeps the minutes.

use crate::{Cause, DeadLetter, Delivery, Receive, Redrive, Source, SourceError};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until, timeout},
};

/// What a worker did with a message, and after how many seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Deed {
    Deleted {
        id: String,
        at_s: u64,
    },
    Changed {
        id: String,
        at_s: u64,
        after_s: u64,
        error: Option<String>,
    },
    Reported {
        id: String,
        at_ms: u64,
        after_s: u64,
        progress: String,
    },
    DeadLettered {
        id: String,
        at_s: u64,
        error: String,
    },
    /// Of a stage that counts attempts.
    HandedBack {
        id: String,
        at_s: u64,
        after_s: u64,
    },
}

#[derive(Clone)]
pub(super) struct Stage(Arc<Inner>);

struct Inner {
    start: Instant,
    script: Mutex<Script>,
    changed: Notify,
}

#[derive(Default)]
struct Script {
    waiting: VecDeque<Delivery>,
    /// Once the stage is a queue: what was handed out and has not been settled, by id, and when it comes again.
    out: Option<BTreeMap<String, (Instant, Delivery)>>,
    limits: Vec<usize>,
    deeds: Vec<Deed>,
    /// What the next calls answer instead of doing anything.
    receive_faults: VecDeque<SourceError>,
    delete_faults: VecDeque<SourceError>,
    change_faults: VecDeque<SourceError>,
    visibility_faults: VecDeque<SourceError>,
    dead_letter_faults: VecDeque<SourceError>,
    redrive: Option<Redrive>,
    counts_attempts: bool,
    counting_faults: VecDeque<SourceError>,
    receive_limit: Option<usize>,
}

pub(super) const LEASE: Duration = Duration::from_secs(30);

impl Stage {
    pub(super) fn new(deliveries: impl IntoIterator<Item = Delivery>) -> Stage {
        let script = Script { waiting: deliveries.into_iter().collect(), ..Script::default() };
        Stage(Arc::new(Inner { start: Instant::now(), script: Mutex::new(script), changed: Notify::new() }))
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.script.lock().unwrap()
    }

    pub(super) fn add(&self, delivery: Delivery) {
        self.script().waiting.push_back(delivery);
        self.0.changed.notify_waiters();
    }

    pub(super) fn fail_receives(&self, faults: impl IntoIterator<Item = SourceError>) {
        self.script().receive_faults.extend(faults);
    }

    pub(super) fn fail_deletes(&self, faults: impl IntoIterator<Item = SourceError>) {
        self.script().delete_faults.extend(faults);
    }

    pub(super) fn fail_changes(&self, faults: impl IntoIterator<Item = SourceError>) {
        self.script().change_faults.extend(faults);
    }

    pub(super) fn fail_visibility(&self, faults: impl IntoIterator<Item = SourceError>) {
        self.script().visibility_faults.extend(faults);
    }

    pub(super) fn fail_dead_letters(&self, faults: impl IntoIterator<Item = SourceError>) {
        self.script().dead_letter_faults.extend(faults);
    }

    /// From now on the queue has a dead-letter queue, `dead`.
    pub(super) fn set_redrive(&self, max_receive_count: u32) {
        self.script().redrive = Some(Redrive::new("arn:aws:sqs:us-east-1:000000000000:dead", max_receive_count));
    }

    /// From now on what is handed back does not count as received.
    pub(super) fn count_attempts(&self) {
        self.script().counts_attempts = true;
    }

    /// From now on what is handed out comes again, received once more often, when its time is over, as from a queue.
    pub(super) fn hand_out_again(&self) {
        self.script().out = Some(BTreeMap::new());
    }

    /// What the next questions whether it counts attempts are answered.
    pub(super) fn fail_counting(&self, faults: impl IntoIterator<Item = SourceError>) {
        self.script().counting_faults.extend(faults);
    }

    /// From now on a receive can bring so many.
    pub(super) fn hand_out(&self, messages: usize) {
        self.script().receive_limit = Some(messages);
    }

    pub(super) fn deeds(&self) -> Vec<Deed> {
        self.script().deeds.clone()
    }

    /// How many deeds are such.
    pub(super) fn count(&self, such: impl Fn(&Deed) -> bool) -> usize {
        self.script().deeds.iter().filter(|deed| such(deed)).count()
    }

    pub(super) fn deleted(&self) -> Vec<String> {
        let of = |deed| match deed {
            Deed::Deleted { id, .. } => Some(id),
            _ => None,
        };
        self.deeds().into_iter().filter_map(of).collect()
    }

    /// How many messages each receive asked for.
    pub(super) fn limits(&self) -> Vec<usize> {
        self.script().limits.clone()
    }

    /// Waits until the worker has done `count` deeds.
    pub(super) async fn done(&self, count: usize) {
        loop {
            let changed = self.0.changed.notified();
            if self.script().deeds.len() >= count {
                return;
            }
            changed.await;
        }
    }

    pub(super) fn seconds(&self) -> u64 {
        self.0.start.elapsed().as_secs()
    }

    fn take(&self, limit: usize, lease: Duration) -> Vec<Delivery> {
        let script = &mut *self.script();
        let now = Instant::now();
        if let Some(out) = &mut script.out {
            let again = |_: &String, (until, _): &mut (Instant, Delivery)| *until <= now;
            let mut due: Vec<_> = out.extract_if(.., again).map(|(_, due)| due).collect();
            due.sort_by_key(|(until, _)| *until);
            script.waiting.extend(due.into_iter().map(|(_, delivery)| delivery));
        }
        let count = script.waiting.len().min(limit);
        let taken: Vec<Delivery> = script.waiting.drain(..count).collect();
        if let Some(out) = &mut script.out {
            for delivery in &taken {
                let mut again = delivery.clone();
                again.receive_count += 1;
                out.insert(delivery.id.clone(), (now + lease, again));
            }
        }
        taken
    }

    /// When something that was handed out comes again.
    fn next_again(&self) -> Instant {
        let ages = Instant::now() + Duration::from_secs(86_400);
        let script = self.script();
        script.out.iter().flat_map(|out| out.values()).map(|(until, _)| *until).min().unwrap_or(ages)
    }

    /// It comes again after so long; `uncounted`: as if it had not been received.
    fn put_off(&self, id: &str, after: Duration, uncounted: bool) {
        if let Some((until, delivery)) = self.script().out.as_mut().and_then(|out| out.get_mut(id)) {
            *until = Instant::now() + after;
            delivery.receive_count -= u32::from(uncounted);
        }
    }

    fn remove(&self, id: &str) {
        self.script().out.as_mut().and_then(|out| out.remove(id));
    }

    fn minute(&self, deed: Deed) {
        self.script().deeds.push(deed);
        self.0.changed.notify_waiters();
    }
}

impl Source for Stage {
    fn name(&self) -> &str {
        "stage"
    }

    async fn visibility_timeout(&self) -> Result<Duration, SourceError> {
        self.script().visibility_faults.pop_front().map_or(Ok(LEASE), Err)
    }

    async fn receive_limit(&self) -> usize {
        self.script().receive_limit.unwrap_or(10)
    }

    async fn receive(&self, ask: Receive) -> Result<Vec<Delivery>, SourceError> {
        self.script().limits.push(ask.limit);
        if let Some(fault) = self.script().receive_faults.pop_front() {
            return Err(fault);
        }
        let some = async {
            loop {
                let changed = self.0.changed.notified();
                let taken = self.take(ask.limit, ask.visibility_timeout);
                if !taken.is_empty() {
                    return taken;
                }
                tokio::select! {
                    () = changed => {}
                    () = sleep_until(self.next_again()) => {}
                }
            }
        };
        Ok(timeout(ask.wait, some).await.unwrap_or_default())
    }

    async fn delete(&self, receipt: &str) -> Result<(), SourceError> {
        if let Some(fault) = self.script().delete_faults.pop_front() {
            return Err(fault);
        }
        self.remove(receipt);
        self.minute(Deed::Deleted { id: receipt.to_owned(), at_s: self.seconds() });
        Ok(())
    }

    async fn change_visibility(&self, receipt: &str, after: Duration, error: Option<&str>) -> Result<(), SourceError> {
        if let Some(fault) = self.script().change_faults.pop_front() {
            return Err(fault);
        }
        self.put_off(receipt, after, false);
        let (id, error) = (receipt.to_owned(), error.map(str::to_owned));
        self.minute(Deed::Changed { id, at_s: self.seconds(), after_s: after.as_secs(), error });
        Ok(())
    }

    async fn hand_back(&self, receipt: &str, wait: Duration) -> Result<(), SourceError> {
        if !self.script().counts_attempts {
            return self.change_visibility(receipt, wait, None).await;
        }
        self.put_off(receipt, wait, true);
        self.minute(Deed::HandedBack { id: receipt.to_owned(), at_s: self.seconds(), after_s: wait.as_secs() });
        Ok(())
    }

    async fn counts_attempts(&self) -> Result<bool, SourceError> {
        let mut script = self.script();
        script.counting_faults.pop_front().map_or(Ok(script.counts_attempts), Err)
    }

    async fn report_progress(&self, receipt: &str, after: Duration, progress: &str) -> Result<(), SourceError> {
        let at_ms = u64::try_from(self.0.start.elapsed().as_millis()).unwrap();
        let (id, progress) = (receipt.to_owned(), progress.to_owned());
        self.minute(Deed::Reported { id, at_ms, after_s: after.as_secs(), progress });
        Ok(())
    }

    async fn redrive(&self) -> Result<Option<Redrive>, SourceError> {
        Ok(self.script().redrive.clone())
    }

    async fn dead_letter(&self, letter: &DeadLetter<'_>) -> Result<(), SourceError> {
        if let Some(fault) = self.script().dead_letter_faults.pop_front() {
            return Err(fault);
        }
        self.remove(&letter.delivery.id);
        let (id, error) = (letter.delivery.id.clone(), letter.error.to_owned());
        self.minute(Deed::DeadLettered { id, at_s: self.seconds(), error });
        Ok(())
    }

    fn is_whole(&self, delivery: &Delivery) -> bool {
        !delivery.body.starts_with("elsewhere:")
    }

    /// A claim check: what follows the colon, after three seconds; or why not.
    async fn body(&self, delivery: &Delivery) -> Result<Option<String>, Cause> {
        sleep(Duration::from_secs(3)).await;
        match delivery.body.strip_prefix("elsewhere:") {
            Some("gone") => Err("no such object".into()),
            body => Ok(body.map(str::to_owned)),
        }
    }
}

/// A message whose id is its receipt.
pub(super) fn message(id: &str, body: &str) -> Delivery {
    Delivery::new(id, id, body)
}

pub(super) fn away() -> SourceError {
    SourceError::Unavailable("away".into())
}

pub(super) fn lost() -> SourceError {
    SourceError::LeaseLost("gone".into())
}

pub(super) fn refused() -> SourceError {
    SourceError::Refused("no such queue".into())
}
