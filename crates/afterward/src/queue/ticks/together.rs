//! Ticks that all workers send: a FIFO queue takes one of them, by the schedule's name and the time as deduplication id.
//!
//! SQS remembers a deduplication id for five minutes, so workers whose clocks agree to within that send each tick once. Until
//! when ticks have been sent is kept in a tag of the queue, for those who come later: of what was missed while nobody was
//! there, the latest is sent. A worker that wakes from a suspended machine comes later, too: what it knows is old, so it looks
//! at the tag before it sends what is late.

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
/// From when on a queue may have forgotten that it was given a tick when that was due: it remembers for five minutes, and
/// the clocks may differ a little.
const LATE_MS: u64 = 4 * 60_000;
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
            let of_tag: Option<u64> = tags.get(&format!("{TAG}{name}")).and_then(|text| text.parse().ok());
            // The tag may lag behind what this process has sent, where it could not be set.
            let own = self.queue.0.sent_until.get(name);
            match of_tag.max(own) {
                // Without a tag, nobody knows whether others have sent what the queue has forgotten.
                Some(_) if of_tag.is_none() && self.is_late(schedule, now_ms) => self.note(name, now_ms).await,
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
        let now_ms = ms_of(self.queue.time().await?);
        if failed_before || self.is_late(schedule, now_ms) {
            // The machine was asleep, or the queue away: others may have sent it, longer ago than the queue remembers.
            self.begin(std::slice::from_ref(schedule)).await?;
        } else {
            self.send_due(schedule, now_ms).await?;
        }
        let next_ms = schedule.next_after_ms(now_ms).unwrap_or(u64::MAX);
        Ok(Duration::from_millis(next_ms - now_ms))
    }

    /// Whether there is a tick to send that others may have sent so long ago that the queue would take another.
    fn is_late(&self, schedule: &Schedule, now_ms: u64) -> bool {
        let until_ms = self.queue.0.sent_until.get(schedule.name());
        let due_ms = until_ms.and_then(|until_ms| latest(schedule, until_ms, now_ms));
        due_ms.is_some_and(|due_ms| now_ms - due_ms > LATE_MS)
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
            Err(error) if error.is_transient() || error.is_insecure() || error.is_queue_missing() => {
                Err(of_queue(error))
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Scheduler,
        sqs::tests::{
            client,
            server::{Server, error, ok},
        },
    };
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    };

    const MINUTE_MS: u64 = 60_000;
    const HOUR_MS: u64 = 60 * MINUTE_MS;
    /// Midnight, at the start of the stories.
    const MIDNIGHT_MS: u64 = 1_767_225_600_000;

    /// What a queue answers about its tags.
    type Tags = Arc<Mutex<Option<BTreeMap<String, String>>>>;

    /// A queue at a server whose clock and tags the test has in hand; tags that are `None` may not be asked for.
    async fn fifo(now_ms: &Arc<AtomicU64>, tags: &Tags) -> (Server, Queue) {
        let (now_ms, tags) = (now_ms.clone(), tags.clone());
        let server = Server::ruled(move |asked| {
            if asked.uri().path() == "/_afterward/clock" {
                let now_ms = now_ms.load(SeqCst);
                return ok(&format!(r#"{{"clock":"manual","now":"","now_ms":{now_ms}}}"#));
            }
            let body: serde_json::Value = serde_json::from_slice(asked.body()).unwrap();
            match (asked.headers()["x-amz-target"].to_str().unwrap(), &mut *tags.lock().unwrap()) {
                ("AmazonSQS.ListQueueTags", Some(tags)) => ok(&serde_json::json!({"Tags": tags}).to_string()),
                ("AmazonSQS.TagQueue", Some(tags)) => {
                    let set: BTreeMap<String, String> = serde_json::from_value(body["Tags"].clone()).unwrap();
                    tags.extend(set);
                    ok("{}")
                }
                ("AmazonSQS.SendMessage", _) => ok(r#"{"MessageId":"m"}"#),
                _ => error(403, "AccessDenied", "no"),
            }
        })
        .await;
        let queue = Queue::with_client(client(&server.url()), "http://elsewhere/000000000000/jobs.fifo");
        (server, queue.scheduler(Scheduler::None))
    }

    /// The times of the ticks that were sent.
    fn sent(server: &Server) -> Vec<String> {
        let ids = server
            .bodies_of("/")
            .into_iter()
            .filter_map(|body| Some(body["MessageDeduplicationId"].as_str()?.to_owned()));
        ids.map(|id| id.replace("tick.hourly.2026-01-01T", "")).collect()
    }

    #[tokio::test]
    async fn a_worker_that_wakes_sends_no_tick_that_others_have_sent() {
        let schedule = Schedule::every("hourly", "rate(1 hour)").unwrap();
        let until =
            |ms: u64| Some(BTreeMap::from([("afterward:tick:hourly".to_owned(), (MIDNIGHT_MS + ms).to_string())]));
        for (story, woken_ms, tags_then, expected) in [
            ("others have sent it, and the queue has forgotten", 90 * MINUTE_MS, until(HOUR_MS), &[][..]),
            ("nobody has sent it", 90 * MINUTE_MS, until(0), &["01:00:00Z"]),
            ("others have sent one before it", 150 * MINUTE_MS, until(HOUR_MS), &["02:00:00Z"]),
            ("the queue still knows whether it was sent", 62 * MINUTE_MS, until(HOUR_MS), &["01:00:00Z"]),
            ("nobody can know", 90 * MINUTE_MS, None, &[]),
            ("nobody can know, but the queue does", 62 * MINUTE_MS, None, &["01:00:00Z"]),
        ] {
            let (now_ms, tags) = (Arc::new(AtomicU64::new(MIDNIGHT_MS)), Tags::default());
            *tags.lock().unwrap() = Some(BTreeMap::new());
            let (server, queue) = fifo(&now_ms, &tags).await;
            let way = Together { queue: &queue };
            way.begin(std::slice::from_ref(&schedule)).await.unwrap();
            assert_eq!(way.pass(&schedule, false).await.unwrap(), Duration::from_secs(3600), "{story}");
            now_ms.store(MIDNIGHT_MS + woken_ms, SeqCst);
            *tags.lock().unwrap() = tags_then;
            way.pass(&schedule, false).await.unwrap();
            assert_eq!(sent(&server), expected, "{story}");
            // And from then on as ever.
            now_ms.store(MIDNIGHT_MS + 3 * HOUR_MS, SeqCst);
            way.pass(&schedule, false).await.unwrap();
            assert_eq!(sent(&server).last().map(|time| &**time), Some("03:00:00Z"), "{story}");
        }
    }
}
