//! What happens to messages that are received before they are due.
//!
//! On a **standard queue** they are sent again with as much delay as the queue takes of what is left, and deleted. The order
//! is this one, so that a crash in between doubles a message rather than losing it; both carry the id of the first.
//!
//! A **FIFO queue** keeps no delay of one message, so there they wait as received: in a group of their own, hidden for up to
//! twelve hours. A message that comes back from that is sent again, into its waiting group, or into the group it is for when
//! it is due; the deduplication id is made from the id it had, so that of two workers who do that one succeeds. So no
//! message is received more than twice.
//!
//! A message that can't be sent on is held where it is, for as long as its delay lasts and the queue allows: it would come
//! at the end of each lease, and be a dead letter before it is due.
//!
//! The work is done beside the worker, by calls that take as many messages at once as they may; a few such calls may be under
//! way before a receive waits for one of them.

use super::marks::{self, Marks};
use crate::{
    SourceError,
    claim::sha256,
    queue::{
        Queue,
        batch::{self, Parcel},
        enqueue::seconds_up,
        received::Received,
    },
    sqs::{self, service::now_ms},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// How many batches may be on their way at a time.
const UNDER_WAY: usize = 4;
/// How long a FIFO message is hidden at most: SQS ends a lease after twelve hours, and the clocks may differ a little.
const LONGEST_HOLD: Duration = Duration::from_secs(12 * 3600 - 300);
/// The longest delay of a message on a standard queue.
const LONGEST_DELAY: Duration = Duration::from_secs(900);

/// The early messages of one queue that are being sent on.
pub(in crate::queue) struct SendingOn {
    under_way: Arc<Semaphore>,
}

impl Default for SendingOn {
    fn default() -> SendingOn {
        SendingOn { under_way: Arc::new(Semaphore::new(UNDER_WAY)) }
    }
}

#[cfg(test)]
impl SendingOn {
    /// Waits until nothing is under way.
    pub(in crate::queue) async fn idle(&self) -> tokio::sync::OwnedSemaphorePermit {
        let all = u32::try_from(UNDER_WAY).unwrap();
        self.under_way.clone().acquire_many_owned(all).await.unwrap()
    }
}

/// A message that was received before its time.
struct Early {
    message: Received,
    marks: Marks,
    left: Duration,
}

impl Early {
    /// `Err`: it is due, or was never told to wait.
    fn new(message: Received) -> Result<Early, Box<Received>> {
        let Some(marks) = Marks::of(&message) else { return Err(Box::new(message)) };
        let left = Duration::from_millis(marks.due_ms.saturating_sub(now_of(&message)));
        // One that is due, but in its waiting group, still has a way to go.
        if left.is_zero() && marks.group.is_none() {
            Err(Box::new(message))
        } else {
            Ok(Early { message, marks, left })
        }
    }

    fn receive_count(&self) -> u32 {
        self.message.attributes.approximate_receive_count.unwrap_or(1)
    }

    /// The message as it is sent again.
    fn again(&self, queue: &Queue, retention: Duration) -> sqs::SendMessageRequest {
        let message = &self.message;
        let mut message_attributes = message.message_attributes.clone();
        let current_id = message.message_id.clone().unwrap_or_default();
        if marks::first_id(message).is_none() {
            marks::set_text(&mut message_attributes, marks::ID, current_id.clone());
        }
        let arrived = self.left.is_zero();
        let group = match (&self.marks.group, arrived) {
            (Some(group), true) => {
                message_attributes.remove(marks::GROUP);
                message_attributes.remove(marks::DUE);
                Some(group.clone())
            }
            _ => message.attributes.message_group_id.clone(),
        };
        let fifo = queue.is_fifo();
        sqs::SendMessageRequest {
            queue_url: queue.url().to_owned(),
            message_body: message.body.clone().unwrap_or_default(),
            delay_seconds: (!fifo).then(|| delay_seconds(self.left, retention)),
            message_attributes,
            message_deduplication_id: fifo.then(|| format!("afterward-{current_id}")),
            message_group_id: group,
            ..Default::default()
        }
    }
}

/// What a standard queue keeps of what is left of a delay. A message must not expire while it is delayed.
pub(in crate::queue) fn delay_seconds(left: Duration, retention: Duration) -> i64 {
    seconds_up(left.min(LONGEST_DELAY).min(retention / 2)).max(1)
}

/// The group in which a message waits in a FIFO queue. Messages of one deduplication id share it, so that they are compared
/// where ids are compared within groups only; all others have one each, so that none waits for another.
pub(in crate::queue) fn waiting_group(group: &str, deduplication_id: Option<&str>, body: &str, due_ms: u64) -> String {
    let text = match deduplication_id {
        Some(id) => format!("id\0{group}\0{id}"),
        None => format!("body\0{group}\0{due_ms}\0{body}"),
    };
    format!("afterward.later.{}", sha256(text.as_bytes()))
}

/// What time it is: by this machine, or by the queue when it handed the message out, whichever is later. So a queue whose
/// clock a test has moved is believed.
fn now_of(message: &Received) -> u64 {
    message.attributes.approximate_first_receive_timestamp.unwrap_or(0).max(now_ms())
}

impl Queue {
    /// Takes the early ones out of what was received and sends them on. Returns what is due.
    pub(in crate::queue) async fn send_on_early(&self, received: Vec<Received>) -> Vec<Received> {
        if !received.iter().any(|message| message.message_attributes.contains_key(marks::DUE)) {
            return received;
        }
        let (mut due, mut early) = (Vec::new(), Vec::new());
        for message in received {
            match Early::new(message) {
                Ok(one) => early.push(one),
                Err(message) => due.push(*message),
            }
        }
        // The semaphore is never closed.
        if !early.is_empty()
            && let Ok(permit) = self.0.sending_on.under_way.clone().acquire_owned().await
        {
            let queue = self.clone();
            // In a task, so that a worker that stops does not leave a message sent but not deleted.
            tokio::spawn(async move {
                queue.send_on(early).await;
                drop(permit);
            });
        }
        due
    }

    async fn send_on(&self, early: Vec<Early>) {
        let retention = self.attributes().await.retention;
        let (held, again): (Vec<Early>, Vec<Early>) =
            early.into_iter().partition(|one| self.is_fifo() && !one.left.is_zero() && one.receive_count() == 1);
        for one in held {
            self.hold(&one, retention).await;
        }
        if again.is_empty() {
            return;
        }
        let parcels = again.iter().map(|one| Parcel::plain(one.again(self, retention))).collect();
        let outcomes = batch::send_all(self, parcels).await;
        let (mut sent, mut kept) = (Vec::new(), Vec::new());
        for (one, outcome) in again.into_iter().zip(outcomes) {
            match outcome {
                Ok(_) => sent.extend(one.message.receipt_handle),
                Err(error) => {
                    tracing::warn!(
                        queue = self.name(),
                        message_id = one.message.message_id,
                        %error,
                        "an early message could not be sent on: it is held for what is left of its delay"
                    );
                    kept.push(one);
                }
            }
        }
        self.delete_sent(sent).await;
        // One that is due comes again when its lease ends, as what fails does.
        for one in kept.iter().filter(|one| !one.left.is_zero()) {
            self.hold(one, retention).await;
        }
    }

    async fn hold(&self, early: &Early, retention: Duration) {
        let (message, hold) = (&early.message, early.left.min(LONGEST_HOLD).min(retention / 2));
        let request = sqs::ChangeMessageVisibilityRequest {
            queue_url: self.url().to_owned(),
            receipt_handle: message.receipt_handle.clone().unwrap_or_default(),
            visibility_timeout: seconds_up(hold.max(Duration::from_secs(1))),
        };
        if let Err(error) = self.client().change_message_visibility(request).await {
            tracing::warn!(queue = self.name(), message_id = message.message_id, %error, "an early message could not be held");
        }
    }

    async fn delete_sent(&self, receipts: Vec<String>) {
        for (receipt, outcome) in receipts.iter().zip(self.0.deletes.delete_all(receipts.clone()).await) {
            match outcome {
                Ok(()) | Err(SourceError::LeaseLost(_)) => {}
                Err(error) => tracing::warn!(
                    queue = self.name(),
                    receipt,
                    %error,
                    "an early message was sent on, but not deleted: it may come twice"
                ),
            }
        }
    }
}
