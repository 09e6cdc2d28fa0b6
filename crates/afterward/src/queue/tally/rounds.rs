//! How a worker looks after the tallies of its queue: receives some, merges them, sends what has waited long enough.
//!
//! A group of a FIFO queue is handed to one receiver at a time, so at most one worker works on a batch, and each batch is
//! anybody's. Whatever is done is done in an order that loses nothing: first what is sent, then what is deleted. If somebody dies
//! in between, or the lease ends too soon, tallies are there twice, which changes nothing, or a completion is: a FIFO queue takes
//! one of them by its id, a standard queue hands out both, as it may anyway.

use super::{
    record::Tally,
    step::{Known, Received, Rules, Step},
    telling::request,
};
use crate::{
    Error,
    queue::{
        Queue,
        batch::{self, Parcel},
        enqueue::seconds_up,
    },
    sqs::{self, retry::Backoff, service::now_ms},
};
use afterward_names::limits;
use std::{collections::BTreeMap, time::Duration};

/// How long a receive waits.
const WAIT_S: i64 = 20;
/// How long tallies are out of others' sight: some calls.
const LEASE_S: i64 = 30;
/// What one receive brings at most.
const MOST: i64 = 10;
/// How long tallies are left alone that are not this queue's, or can't be read.
const LEFT_ALONE: Duration = Duration::from_secs(60);
/// The codes that find fault with a message itself, and will whenever it is sent.
const NEVER_TAKEN: [&str; 6] = [
    "InvalidMessageContents",
    "InvalidParameterValue",
    "InvalidParameterValueException",
    "InvalidAttributeValue",
    "MissingParameter",
    "UnsupportedOperation",
];
const RETRY_FIRST: Duration = Duration::from_secs(1);
/// No longer than a batch that is over waits for its turn at the most.
const RETRY_LONGEST: Duration = Duration::from_secs(10);

impl Queue {
    /// Looks after the tallies, for as long as this is polled; returns if there are none to be looked after.
    pub(in crate::queue) async fn keep_tallies(&self) {
        let mut backoff = Backoff::new(RETRY_FIRST, RETRY_LONGEST);
        loop {
            match self.look_after_tallies().await {
                Ok(true) => backoff = Backoff::new(RETRY_FIRST, RETRY_LONGEST),
                Ok(false) => return,
                Err(error) => {
                    let wait = backoff.wait();
                    tracing::warn!(queue = self.name(), %error, ?wait, "the tally queue could not be looked after: trying again");
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// One round; `false`, if there is nothing to look after.
    pub(in crate::queue) async fn look_after_tallies(&self) -> Result<bool, Error> {
        if self.tally_setting().is_none() || self.is_afterward().await? {
            return Ok(false);
        }
        let Some(tallies) = self.tally_queue().await? else { return Ok(false) };
        let request = sqs::ReceiveMessageRequest {
            queue_url: tallies.url().to_owned(),
            attribute_names: vec!["All".to_owned()],
            message_system_attribute_names: vec!["All".to_owned()],
            max_number_of_messages: Some(MOST),
            visibility_timeout: Some(LEASE_S),
            wait_time_seconds: Some(WAIT_S),
            ..Default::default()
        };
        let mut batches: BTreeMap<String, Vec<sqs::Message>> = BTreeMap::new();
        for mut message in tallies.client().receive_message(request).await?.messages {
            let batch = message.attributes.remove("MessageGroupId").unwrap_or_default();
            batches.entry(batch).or_default().push(message);
        }
        let rules = Rules {
            now_ms: now_ms(),
            retention_ms: ms(self.longest_retention().await?),
            most_bytes: self.most_tally_bytes().await,
        };
        let mut outcome = Ok(true);
        for (batch, messages) in batches {
            if let Err(error) = self.look_after(tallies, &batch, messages, rules).await {
                outcome = Err(error);
            }
        }
        outcome
    }

    async fn look_after(
        &self,
        tallies: &Queue,
        batch: &str,
        messages: Vec<sqs::Message>,
        rules: Rules,
    ) -> Result<(), Error> {
        let mut received = Vec::with_capacity(messages.len());
        for message in &messages {
            match read(message).filter(|one| one.tally.queue == self.name()) {
                Some(one) => received.push(one),
                None => {
                    let tally = message.body.as_deref().unwrap_or_default();
                    let tally = &tally[..tally.floor_char_boundary(200)];
                    tracing::warn!(
                        queue = self.name(),
                        batch,
                        tally,
                        "not a tally of this queue: a tally queue belongs to one queue"
                    );
                    return leave(tallies, messages.iter().filter_map(|one| one.receipt_handle.as_deref()), LEFT_ALONE)
                        .await;
                }
            }
        }
        let (known, past) = (self.0.tallies.known(batch, &received), self.0.tallies.past(batch));
        let know = |known: Vec<Known>| self.0.tallies.know(batch, known, rules.now_ms);
        let there = |tally: Tally| Known::new(tally, rules.now_ms);
        match Step::of(&received, &known, &past, rules) {
            Step::Complete { over, rest } => {
                self.send_completions(batch, &over).await?;
                put(tallies, batch, &rest).await?;
                // Others may have put some of it into the queue again: that can be spared.
                know([Known::over(over, rules.now_ms)].into_iter().chain(rest.into_iter().map(there)).collect());
                // Those that hold a completion first: whatever is left after a crash, nothing waits for it.
                let (holding, others): (Vec<_>, Vec<_>) =
                    received.into_iter().partition(|one| !one.tally.completions.is_empty());
                delete(tallies, holding).await?;
                delete(tallies, others).await
            }
            Step::Merge(parts) => {
                put(tallies, batch, &parts).await?;
                know(parts.into_iter().map(there).collect());
                delete(tallies, received).await
            }
            Step::Wait(wait) => {
                leave(tallies, received.iter().map(|one| &*one.receipt), wait).await?;
                know(received.into_iter().map(|one| there(one.tally)).collect());
                Ok(())
            }
            Step::Drop => delete(tallies, received).await,
        }
    }

    /// How long a job may be in its queue; where the queue does not say it, that is what SQS keeps at most.
    async fn longest_retention(&self) -> Result<Duration, Error> {
        let said = self.attributes_or_why_not().await?;
        Ok(if said.known { said.retention } else { Duration::from_secs(*limits::RETENTION_S.end()) })
    }

    /// Sends what waited, each by itself: what is refused for good must not hold up the others, nor be tried for ever.
    async fn send_completions(&self, batch: &str, over: &Tally) -> Result<(), Error> {
        let mut outcome = Ok(());
        for (id, request) in &over.completions {
            let mut request = request.clone();
            request.queue_url = self.url().to_owned();
            if self.is_fifo() && request.message_deduplication_id.is_none() {
                request.message_deduplication_id = Some(format!("afterward-{id}"));
            }
            match batch::send_all(self, vec![Parcel::plain(request)])
                .await
                .into_iter()
                .try_for_each(|sent| sent.map(drop))
            {
                Err(Error::Sqs(error)) if error.has_code(&NEVER_TAKEN) => {
                    tracing::error!(queue = self.name(), batch, id, %error, "a batch's completion was refused for good: it is dropped");
                }
                Err(error) => outcome = Err(error),
                Ok(()) => {}
            }
        }
        outcome?;
        tracing::debug!(queue = self.name(), batch, "the batch is over");
        Ok(())
    }
}

fn read(message: &sqs::Message) -> Option<Received> {
    let number = |name: &str| message.attributes.get(name)?.parse::<u64>().ok();
    Some(Received {
        tally: serde_json::from_str(message.body.as_deref()?).ok()?,
        receipt: message.receipt_handle.clone()?,
        receive_count: number("ApproximateReceiveCount").and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
    })
}

/// Puts these at the end of their batch's group.
async fn put(tallies: &Queue, batch: &str, parts: &[Tally]) -> Result<(), Error> {
    let parcel = |tally| request(tallies, batch, tally).map(Parcel::plain);
    let parcels = parts.iter().map(parcel).collect::<Result<_, _>>()?;
    batch::send_all(tallies, parcels).await.into_iter().try_for_each(|outcome| outcome.map(drop))
}

async fn delete(tallies: &Queue, received: Vec<Received>) -> Result<(), Error> {
    let receipts = received.into_iter().map(|one| one.receipt).collect();
    for outcome in tallies.0.deletes.delete_all(receipts).await {
        outcome?;
    }
    Ok(())
}

async fn leave(tallies: &Queue, receipts: impl Iterator<Item = &str>, wait: Duration) -> Result<(), Error> {
    for receipt in receipts {
        let request = sqs::ChangeMessageVisibilityRequest {
            queue_url: tallies.url().to_owned(),
            receipt_handle: receipt.to_owned(),
            visibility_timeout: seconds_up(wait),
        };
        tallies.client().change_message_visibility(request).await?;
    }
    Ok(())
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
