//! Ticks that all workers send: a FIFO queue takes one of them, by the schedule's name and the time as deduplication id.
//!
//! SQS remembers a deduplication id for five minutes, so workers whose clocks agree to within that send each tick once. Until
//! when ticks have been sent is kept in a tag of the queue, for those who come later: of what was missed while nobody was
//! there, the latest is sent.

use super::{deduplication_id, group};
use crate::{
    Queue, Schedule, SourceError,
    queue::source::of_queue,
    sqs,
    worker::schedule::{body, format, ms_of},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// What the tags' names start with; the schedule's name follows, and the value is milliseconds since 1970.
const TAG: &str = "afterward:tick:";
/// The longest sleep: clocks are put right meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// How soon a tick that could not be sent is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Until when ticks have been sent, by schedule, in milliseconds since 1970.
#[derive(Default)]
pub(in crate::queue) struct SentUntil(Mutex<BTreeMap<String, u64>>);

impl SentUntil {
    fn get(&self, name: &str) -> Option<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    fn set(&self, name: &str, ms: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), ms);
    }
}

pub(super) struct Together<'a> {
    pub(super) queue: &'a Queue,
}

impl Together<'_> {
    /// Sends what was missed, and notes from when on nothing is.
    pub(super) async fn begin(&self, schedules: &[Schedule]) -> Result<(), SourceError> {
        let tags = self.tags().await?;
        let now_ms = ms_of(self.queue.time().await?);
        for schedule in schedules {
            let name = schedule.name();
            match tags.get(&format!("{TAG}{name}")).and_then(|text| text.parse().ok()) {
                Some(until_ms) => {
                    self.queue.0.sent_until.set(name, until_ms);
                    self.send_due(schedule, now_ms).await?;
                }
                None => self.note(name, now_ms).await,
            }
        }
        Ok(())
    }

    pub(super) async fn keep(&self, schedules: &[Schedule], failed: impl Fn(&str, &SourceError) + Send + Sync) {
        let mut failing = BTreeSet::new();
        loop {
            let mut wait = LONGEST_SLEEP;
            for schedule in schedules {
                let name = schedule.name();
                match self.pass(schedule, failing.contains(name)).await {
                    Ok(next) => {
                        failing.remove(name);
                        wait = wait.min(next);
                    }
                    Err(error) => {
                        // Told once, until it works again.
                        if failing.insert(name.to_owned()) {
                            failed(name, &error);
                        }
                        wait = wait.min(RETRY);
                    }
                }
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Sends what is due, and tells how long it is to the next time.
    async fn pass(&self, schedule: &Schedule, failed_before: bool) -> Result<Duration, SourceError> {
        if failed_before {
            // Others may have sent it, longer ago than the queue remembers.
            self.begin(std::slice::from_ref(schedule)).await?;
        }
        let now_ms = ms_of(self.queue.time().await?);
        self.send_due(schedule, now_ms).await?;
        let next_ms = schedule.next_after_ms(now_ms).unwrap_or(u64::MAX);
        Ok(Duration::from_millis(next_ms - now_ms))
    }

    /// Sends the latest tick that is due and has not been sent.
    async fn send_due(&self, schedule: &Schedule, now_ms: u64) -> Result<(), SourceError> {
        let name = schedule.name();
        let Some(until_ms) = self.queue.0.sent_until.get(name) else {
            self.queue.0.sent_until.set(name, now_ms);
            return Ok(());
        };
        let Some(due_ms) = latest(schedule, until_ms, now_ms) else { return Ok(()) };
        let time = format(due_ms);
        let request = sqs::SendMessageRequest {
            queue_url: self.queue.url().to_owned(),
            message_body: body(name, &time),
            message_group_id: Some(group(name)),
            message_deduplication_id: Some(deduplication_id(name, &time)),
            ..Default::default()
        };
        self.queue.client().send_message(request).await.map_err(of_queue)?;
        self.note(name, due_ms).await;
        Ok(())
    }

    /// Notes until when ticks have been sent.
    async fn note(&self, name: &str, until_ms: u64) {
        self.queue.0.sent_until.set(name, until_ms);
        let tags = BTreeMap::from([(format!("{TAG}{name}"), until_ms.to_string())]);
        let request = sqs::TagQueueRequest { queue_url: self.queue.url().to_owned(), tags };
        if let Err(error) = self.queue.client().tag_queue(request).await {
            tracing::warn!(
                schedule = name,
                %error,
                "the queue's tag could not be set: what is missed while no worker runs will not be known"
            );
        }
    }

    /// The queue's tags; none, where they may not be asked for.
    async fn tags(&self) -> Result<BTreeMap<String, String>, SourceError> {
        let request = sqs::ListQueueTagsRequest { queue_url: self.queue.url().to_owned() };
        match self.queue.client().list_queue_tags(request).await {
            Ok(found) => Ok(found.tags),
            Err(error) if error.is_transient() || error.is_queue_missing() => Err(of_queue(error)),
            Err(error) => {
                tracing::warn!(%error, "the queue's tags can't be read: what was missed while no worker ran is not known");
                Ok(BTreeMap::new())
            }
        }
    }

    /// Forgets a schedule that no worker has.
    pub(super) async fn forget(&self, name: &str) -> Result<(), SourceError> {
        let tag_keys = vec![format!("{TAG}{name}")];
        let request = sqs::UntagQueueRequest { queue_url: self.queue.url().to_owned(), tag_keys };
        self.queue.client().untag_queue(request).await.map(drop).map_err(of_queue)
    }
}

/// The latest time of a schedule after `after_ms` and until `now_ms`.
fn latest(schedule: &Schedule, after_ms: u64, now_ms: u64) -> Option<u64> {
    let next = |ms: u64| schedule.next_after_ms(ms).filter(|next| *next <= now_ms);
    std::iter::successors(next(after_ms), |ms| next(*ms)).last()
}
