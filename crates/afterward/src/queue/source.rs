//! A queue as a worker's source.

use super::{
    Queue,
    enqueue::seconds_up,
    later::marks,
    lists, receipt,
    received::{Received, ReceivedAll},
    tally,
    ticks::of_call,
};
use crate::{
    Attribute, Cause, DeadLetter, Delivery, Receive, Redrive, Schedule, Source, SourceError,
    claim::{Key, Pointer, SIZE_ATTRIBUTES},
    sqs,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest error text that is reported, cut at a character.
const LONGEST_ERROR_BYTES: usize = 1024;
/// How long SQS waits at most.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// What a delivery tells, and what says whether a message is due: of all that a service knows, the rest would be read and
/// thrown away. The last two only an Afterward server knows; others may refuse a receive that asks for them.
const ATTRIBUTES: [&str; 6] = [
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SentTimestamp",
    "MessageGroupId",
    "AfterwardBatch",
    "AfterwardAfter",
];

/// The codes that say: this receipt holds nothing any more. `InvalidParameterValue` (in JSON with `Exception` behind it) is
/// what FIFO queues answer, and every queue when a lease would last longer than twelve hours; nothing else in these calls
/// can be at fault.
const LEASE_LOST: [&str; 5] = [
    "ReceiptHandleIsInvalid",
    "MessageNotInflight",
    "InvalidParameterValue",
    "InvalidParameterValueException",
    "InvalidIdFormat",
];

impl Source for Queue {
    fn name(&self) -> &str {
        Queue::name(self)
    }

    async fn visibility_timeout(&self) -> Result<Duration, SourceError> {
        let request = sqs::GetQueueAttributesRequest {
            queue_url: self.url().to_owned(),
            attribute_names: vec!["VisibilityTimeout".to_owned()],
        };
        let attributes = self.client().get_queue_attributes(request).await.map_err(of_queue)?.attributes;
        let seconds = attributes.get("VisibilityTimeout").and_then(|text| text.parse().ok());
        seconds.map(Duration::from_secs).ok_or_else(|| {
            SourceError::Refused(format!("the queue `{}` did not say its VisibilityTimeout", self.name()).into())
        })
    }

    async fn receive_limit(&self) -> usize {
        // Asks, if nobody has so far.
        self.longest_list().await;
        self.longest_receive()
    }

    async fn receive(&self, ask: Receive) -> Result<Vec<Delivery>, SourceError> {
        // Of somebody unknown, all there is.
        let names =
            self.is_known_as_afterward().map_or(&["All"][..], |is| if is { &ATTRIBUTES } else { &ATTRIBUTES[..4] });
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let limit = ask.limit.clamp(1, self.longest_receive());
        let request = |limit| sqs::ReceiveMessageRequest {
            queue_url: self.url().to_owned(),
            // Both names of the one thing: older servers know only the first.
            attribute_names: names.clone(),
            message_system_attribute_names: names.clone(),
            message_attribute_names: vec!["All".to_owned()],
            max_number_of_messages: i64::try_from(limit).ok(),
            visibility_timeout: Some(seconds_up(ask.visibility_timeout)),
            wait_time_seconds: Some(seconds_up(ask.wait.min(LONGEST_WAIT))),
            // A FIFO queue hands the same messages to a second try of the same attempt, should the first reply be lost.
            receive_request_attempt_id: self.is_fifo().then(attempt_id),
        };
        let messages = match self.receive_messages(request(limit), limit).await {
            Err(error) if self.lists().were_refused(limit, &error) => {
                let limit = self.longest_receive();
                self.receive_messages(request(limit), limit).await
            }
            outcome => outcome,
        };
        let messages = messages.map_err(of_queue)?;
        let due = self.send_on_early(messages).await;
        Ok(due.into_iter().filter_map(|message| self.delivery(message)).collect())
    }

    async fn delete(&self, receipt: &str) -> Result<(), SourceError> {
        // Most jobs are in no batch, and have nothing to remove: they need no place for that.
        if receipt::member(receipt).is_some() {
            Box::pin(self.tell_end(receipt)).await?;
        }
        let (handle, claim) = receipt::parts(receipt);
        self.0.deletes.delete(handle).await?;
        if let Some(key) = claim {
            Box::pin(self.remove_payload(&key)).await;
        }
        Ok(())
    }

    async fn discard(&self, receipt: &str, why: &str) -> Result<(), SourceError> {
        if self.is_known_as_afterward() != Some(true) {
            return self.delete(receipt).await;
        }
        self.tell_end(receipt).await?;
        let (handle, claim) = receipt::parts(receipt);
        let request = sqs::Request::DeleteMessage(sqs::DeleteMessageRequest {
            queue_url: self.url().to_owned(),
            receipt_handle: handle.to_owned(),
        });
        self.client().call(&request, error_header(why)).await.map_err(|error| of_lease(&error))?;
        if let Some(key) = claim {
            self.remove_payload(&key).await;
        }
        Ok(())
    }

    async fn body(&self, delivery: &Delivery) -> Result<Option<String>, Cause> {
        let Some(pointer) = Pointer::read(&delivery.body) else { return Ok(None) };
        let Some(claims) = self.claims()? else {
            let why =
                "this worker has no store to read it from: set AFTERWARD_CLAIM_CHECK_URL or Queue::claim_check_at";
            return Err(format!("the message's payload is at {}, and {why}", pointer.url()).into());
        };
        let said_bytes = SIZE_ATTRIBUTES.iter().find_map(|name| match delivery.attributes.get(*name)? {
            Attribute::Number(digits) => digits.parse().ok(),
            _ => None,
        });
        claims.redeem(&pointer, said_bytes).await.map(Some)
    }

    fn is_whole(&self, delivery: &Delivery) -> bool {
        Pointer::read(&delivery.body).is_none()
    }

    async fn change_visibility(&self, receipt: &str, after: Duration, error: Option<&str>) -> Result<(), SourceError> {
        if error.is_some() {
            self.0.tallies.forget(receipt);
        }
        self.change(receipt, after, error.map(error_header).unwrap_or_default()).await
    }

    async fn hand_back(&self, receipt: &str, wait: Duration) -> Result<(), SourceError> {
        let unbegun = HeaderMap::from_iter([(sqs::UNBEGUN_HEADER, HeaderValue::from_static("true"))]);
        self.change(receipt, wait, unbegun).await
    }

    async fn counts_attempts(&self) -> Result<bool, SourceError> {
        self.is_afterward().await.map_err(of_call)
    }

    async fn report_progress(&self, receipt: &str, after: Duration, progress: &str) -> Result<(), SourceError> {
        self.change(receipt, after, text_header(sqs::PROGRESS_HEADER, progress)).await
    }

    async fn redrive(&self) -> Result<Option<Redrive>, SourceError> {
        self.redrive_policy().await
    }

    async fn now(&self) -> Result<SystemTime, SourceError> {
        self.time().await
    }

    async fn put_schedules(&self, schedules: &[Schedule]) -> Result<(), SourceError> {
        self.put_ticking(schedules).await
    }

    async fn keep_schedules(&self, schedules: &[Schedule], failed: impl Fn(&str, &SourceError) + Send + Sync) {
        self.keep_ticking(schedules, failed).await;
    }

    async fn delete_schedule(&self, name: &str) -> Result<(), SourceError> {
        self.end_ticking(name).await
    }

    async fn keep_batches(&self) {
        self.keep_tallies().await;
    }

    async fn dead_letter(&self, letter: &DeadLetter<'_>) -> Result<(), SourceError> {
        self.move_to_dead_letters(letter).await
    }
}

impl Queue {
    /// Removes the payload of a message that is gone.
    async fn remove_payload(&self, key: &Key) {
        if let Ok(Some(claims)) = self.claims()
            && let Err(error) = claims.remove(key).await
        {
            tracing::warn!(queue = Queue::name(self), %key, %error, "a message's payload could not be removed with it");
        }
    }

    /// Receives up to `limit` messages, which the request says, too.
    async fn receive_messages(
        &self,
        request: sqs::ReceiveMessageRequest,
        limit: usize,
    ) -> Result<Vec<Received>, sqs::Error> {
        let request = sqs::Request::ReceiveMessage(request);
        let received: ReceivedAll = self.client().call_for(&request, lists::headers(limit)).await?;
        Ok(received.messages)
    }

    async fn change(&self, receipt: &str, after: Duration, headers: HeaderMap) -> Result<(), SourceError> {
        let request = sqs::Request::ChangeMessageVisibility(sqs::ChangeMessageVisibilityRequest {
            queue_url: self.url().to_owned(),
            receipt_handle: receipt::parts(receipt).0.to_owned(),
            visibility_timeout: seconds_up(after),
        });
        match self.client().call(&request, headers).await {
            Ok(_) => Ok(()),
            Err(error) => Err(of_lease(&error)),
        }
    }
}

/// An error of a call about the queue.
pub(super) fn of_queue(error: sqs::Error) -> SourceError {
    if error.is_transient() { SourceError::Unavailable(error.into()) } else { SourceError::Refused(error.into()) }
}

/// An error of a call about one lease, or about several: as text, for each of them gets it.
pub(super) fn of_lease(error: &sqs::Error) -> SourceError {
    let text = error.to_string().into();
    if error.has_code(&LEASE_LOST) {
        SourceError::LeaseLost(text)
    } else if error.is_transient() || error.is_of_another() {
        SourceError::Unavailable(text)
    } else {
        SourceError::Refused(text)
    }
}

/// The error of one entry in a batch about leases.
pub(super) fn of_entry(entry: sqs::BatchResultErrorEntry) -> SourceError {
    let text = format!("{}: {}", entry.code, entry.message.unwrap_or_default()).into();
    if LEASE_LOST.contains(&sqs::bare_code(&entry.code)) {
        SourceError::LeaseLost(text)
    } else if entry.sender_fault {
        SourceError::Refused(text)
    } else {
        SourceError::Unavailable(text)
    }
}

pub(super) fn error_header(error: &str) -> HeaderMap {
    text_header(sqs::ERROR_HEADER, error)
}

/// A header of text, cut where it is too long.
fn text_header(name: HeaderName, text: &str) -> HeaderMap {
    let end = text.floor_char_boundary(LONGEST_ERROR_BYTES);
    let encoded = utf8_percent_encode(&text[..end], NON_ALPHANUMERIC).to_string();
    // Percent-encoded text is ASCII without control characters: always a header value.
    HeaderValue::try_from(encoded).map(|value| HeaderMap::from_iter([(name, value)])).unwrap_or_default()
}

impl Queue {
    /// A message as delivered; `None` for one that lacks what the protocol promises, and which nobody could settle.
    fn delivery(&self, mut message: Received) -> Option<Delivery> {
        let (first_id, service_id) = (marks::first_id(&message).map(str::to_owned), message.message_id.take());
        let (id, service_id) = match first_id {
            Some(first_id) => (first_id, service_id),
            None => (service_id?, None),
        };
        let (handle, body) = (message.receipt_handle.take()?, message.body.take()?);
        // A store that can't be opened is told when the payload is asked for.
        let claim = self.claims().ok().flatten().and_then(|claims| claims.key_of(&body));
        let member = tally::take_member(&mut message.message_attributes);
        let receipt = receipt::with_member(receipt::with_claim(handle, claim.as_ref()), member.as_ref());
        let mut delivery = Delivery::new(id, receipt, body);
        delivery.service_id = service_id;
        let said = message.attributes;
        delivery.group = said.message_group_id;
        delivery.receive_count = said.approximate_receive_count.unwrap_or(1);
        delivery.sent_at = said.sent_timestamp.and_then(time);
        delivery.ordered = self.is_fifo();
        delivery.batch = said.afterward_batch.or_else(|| member.map(|member| member.batch));
        delivery.completes = said.afterward_after.or_else(|| tally::completes(&message.message_attributes));
        delivery.attributes = message
            .message_attributes
            .into_iter()
            .filter_map(|(name, value)| Some((name, Attribute::from_wire(value)?)))
            .collect();
        Some(delivery)
    }
}

fn time(since_epoch_ms: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(since_epoch_ms))
}

/// Anything that no other receive of the last five minutes used.
fn attempt_id() -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(_) => format!("{:?}", SystemTime::now()).chars().filter(char::is_ascii_alphanumeric).collect(),
    }
}
