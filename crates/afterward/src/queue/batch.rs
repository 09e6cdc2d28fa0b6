//! Many messages in few calls.
//!
//! A call takes ten messages, or as many as an Afterward server's [list](super::lists) may have, and a mebibyte in all; a server
//! that takes less says so, and its part is sent in halves, or by tens. On a
//! standard queue a few calls are under way at a time, callers may share one ([`sends`](super::sends)), and a message that the
//! service failed at is sent again. On a FIFO
//! queue one call follows another, and once a message was not taken, nothing more of its group is sent: the rest of the group
//! would overtake it.

use super::{MessageId, Queue, completion::Tie, entries::Sent, lists};
use crate::{
    Error,
    sqs::{self, retry::Backoff},
};
use afterward_aws::sqs::send_batch_json;
use afterward_names::limits;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::{collections::HashSet, time::Duration};
use tokio::task::JoinSet;

/// Calls under way at a time.
const CALLS: usize = 4;
/// How often a message is sent that the service fails at.
const ATTEMPTS: u32 = 3;
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LONGEST: Duration = Duration::from_secs(2);
/// Has an Afterward server remember how each message of a send ended, for `GET /jobs/ID`.
const JOB: HeaderName = HeaderName::from_static("x-afterward-job");

pub(super) type Outcome = Result<MessageId, Error>;
/// A message and its place among all that are to be sent.
pub(super) type Numbered = (usize, Parcel);

/// What is sent of a message. Those of one call have the same to do with a batch, for a call has one set of headers.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) request: sqs::SendMessageRequest,
    pub(super) batch: Option<Tie>,
}

impl Parcel {
    /// One that has nothing to do with a batch.
    pub(super) fn plain(request: sqs::SendMessageRequest) -> Parcel {
        Parcel { request, batch: None }
    }

    fn group(&self) -> Option<&String> {
        self.request.message_group_id.as_ref()
    }
}

/// The groups of a FIFO queue that have a message which was not taken: nothing more of them is sent.
#[derive(Debug, Default)]
pub(super) struct Broken(HashSet<String>);

impl Broken {
    /// Why a message of this group can't be sent any more.
    pub(super) fn refusal(&self, group: Option<&String>) -> Option<Error> {
        let group = group.filter(|group| self.0.contains(*group))?;
        Some(Error::Refused(format!(
            "not sent: one before it in its group `{group}` was not taken, and it would have overtaken that"
        )))
    }

    /// Notes how a message of this group fared.
    pub(super) fn note(&mut self, group: Option<&String>, outcome: &Outcome) {
        if outcome.is_err() {
            self.0.extend(group.cloned());
        }
    }
}

/// Sends messages to one queue. The outcomes are in the order of the parcels.
pub(super) async fn send_all(queue: &Queue, parcels: Vec<Parcel>) -> Vec<Outcome> {
    send_after(queue, parcels, &mut Broken::default()).await
}

/// The same, after others of which not all were taken.
pub(super) async fn send_after(queue: &Queue, parcels: Vec<Parcel>, broken: &mut Broken) -> Vec<Outcome> {
    let count = parcels.len();
    let numbered = parcels.into_iter().enumerate().collect();
    let told = if queue.is_fifo() { in_order(queue, numbered, broken).await } else { at_once(queue, numbered).await };
    in_place(queue, count, told)
}

/// Sends what one call takes to a standard queue, and again what the service failed at. The outcomes are in the order of the
/// parcels.
pub(super) async fn insist_on(queue: &Queue, parcels: Vec<Parcel>) -> Vec<Outcome> {
    let count = parcels.len();
    let told = insist(queue, parcels.into_iter().enumerate().collect()).await;
    in_place(queue, count, told)
}

/// So many outcomes, each at its place.
fn in_place(queue: &Queue, count: usize, told: Vec<(usize, Outcome)>) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = (0..count).map(|_| None).collect();
    for (number, outcome) in told {
        if let Some(place) = outcomes.get_mut(number) {
            *place = Some(outcome);
        }
    }
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(unsaid(queue)))).collect()
}

/// The service may have taken the message.
pub(super) fn unsaid(queue: &Queue) -> Error {
    let why = "it does not say whether the message was taken";
    sqs::Error::of_reply(queue.client().endpoint(), "SendMessageBatch", queue.name(), why).into()
}

/// A standard queue: several calls at a time, in no order.
async fn at_once(queue: &Queue, requests: Vec<Numbered>) -> Vec<(usize, Outcome)> {
    let mut told = Vec::with_capacity(requests.len());
    // Nobody is asked for more than is to be sent.
    let most = if requests.len() > limits::BATCH_ENTRIES { queue.longest_list().await } else { limits::BATCH_ENTRIES };
    let mut parts = parts(requests, most);
    if parts.len() == 1 {
        return queue.send_with_others(parts.remove(0)).await;
    }
    let mut calls = JoinSet::new();
    for part in parts {
        if calls.len() >= CALLS
            && let Some(Ok(outcomes)) = calls.join_next().await
        {
            told.extend(outcomes);
        }
        let queue = queue.clone();
        calls.spawn(async move { insist(&queue, part).await });
    }
    for outcomes in calls.join_all().await {
        told.extend(outcomes);
    }
    told
}

/// Sends a part, and again what the service failed at.
pub(super) async fn insist(queue: &Queue, mut part: Vec<Numbered>) -> Vec<(usize, Outcome)> {
    let mut told = Vec::with_capacity(part.len());
    let mut backoff = Backoff::new(RETRY_FIRST, RETRY_LONGEST);
    for attempt in 1.. {
        let outcomes = send_part(queue, &part).await;
        if attempt == 1 && !outcomes.iter().any(|(_, outcome)| was_failed_at(outcome)) {
            return outcomes;
        }
        // What is here again is what the service failed at, and who fails may have taken it.
        let outcomes = outcomes.into_iter().map(|(number, outcome)| (number, after(outcome, attempt > 1)));
        let may_retry = attempt < ATTEMPTS;
        let (again, settled): (Vec<_>, Vec<_>) = outcomes.partition(|(_, outcome)| may_retry && was_failed_at(outcome));
        told.extend(settled);
        if again.is_empty() {
            break;
        }
        let again: HashSet<usize> = again.into_iter().map(|(number, _)| number).collect();
        part.retain(|(number, _)| again.contains(number));
        tokio::time::sleep(backoff.wait()).await;
    }
    told
}

/// The outcome of sending a message that may have been taken before.
fn after(outcome: Outcome, is_perhaps_done: bool) -> Outcome {
    outcome.map_err(|error| match error {
        Error::Sqs(error) => error.after(is_perhaps_done).into(),
        other => other,
    })
}

/// Whether the service answered that it did not take this one message, through no fault of the message. A call that failed
/// as a whole has been tried again already.
fn was_failed_at(outcome: &Outcome) -> bool {
    matches!(outcome, Err(Error::Sqs(error)) if error.is_of_entry() && error.is_transient())
}

/// A FIFO queue: one call after another, and no further message of a group that has one which was not taken.
async fn in_order(queue: &Queue, requests: Vec<Numbered>, broken: &mut Broken) -> Vec<(usize, Outcome)> {
    let mut told = Vec::with_capacity(requests.len());
    let groups: Vec<Option<String>> = requests.iter().map(|(_, parcel)| parcel.group().cloned()).collect();
    for part in parts(requests, limits::BATCH_ENTRIES) {
        let mut sendable = Vec::with_capacity(part.len());
        for (number, parcel) in part {
            match broken.refusal(parcel.group()) {
                Some(refusal) => told.push((number, Err(refusal))),
                None => sendable.push((number, parcel)),
            }
        }
        for (number, outcome) in send_part(queue, &sendable).await {
            broken.note(groups.get(number).and_then(Option::as_ref), &outcome);
            told.push((number, outcome));
        }
    }
    told
}

/// Cuts the messages into what one call takes, of which there may be so many.
fn parts(requests: Vec<Numbered>, most: usize) -> Vec<Vec<Numbered>> {
    let mut parts: Vec<Vec<Numbered>> = Vec::new();
    let mut bytes = 0;
    for one in requests {
        let size = size_bytes(&one.1.request);
        bytes += size;
        match parts.last_mut() {
            Some(part) if part.len() < most && bytes <= limits::MESSAGE_BYTES && is_like(part, &one) => part.push(one),
            _ => {
                bytes = size;
                parts.push(vec![one]);
            }
        }
    }
    parts
}

/// Whether a message can go with those of a part.
fn is_like(part: &[Numbered], one: &Numbered) -> bool {
    part.first().is_some_and(|(_, first)| first.batch == one.1.batch)
}

/// A message's size as SQS counts it: its body, and the names, types and values of its attributes.
pub(super) fn size_bytes(request: &sqs::SendMessageRequest) -> usize {
    let attribute = |(name, value): (&String, &sqs::MessageAttributeValue)| {
        let text = value.string_value.as_ref().map_or(0, String::len);
        let bytes = value.binary_value.as_ref().map_or(0, |sqs::Blob(bytes)| bytes.len());
        name.len() + value.data_type.len() + text + bytes
    };
    request.message_body.len() + request.message_attributes.iter().map(attribute).sum::<usize>()
}

/// One call, or as many as it takes where the service takes less at once than we thought.
async fn send_part(queue: &Queue, part: &[Numbered]) -> Vec<(usize, Outcome)> {
    let (mut waiting, mut told) = (vec![part], Vec::with_capacity(part.len()));
    while let Some(part) = waiting.pop() {
        if let [(number, parcel)] = part {
            told.push((*number, send_one(queue, parcel.clone()).await));
            continue;
        }
        if part.is_empty() {
            continue;
        }
        match call(queue, part).await {
            Ok(outcomes) => told.extend(outcomes),
            Err(error) if error.has_code(&["BatchRequestTooLong"]) => {
                let (first_half, second_half) = part.split_at(part.len() / 2);
                // The last one pushed goes first: order matters to a FIFO queue.
                waiting.push(second_half);
                waiting.push(first_half);
            }
            Err(error) if queue.lists().were_refused(part.len(), &error) => {
                waiting.extend(part.chunks(queue.lists().longest()));
            }
            Err(error) => told.extend(part.iter().map(|(number, _)| (*number, Err(error.for_another().into())))),
        }
    }
    told
}

async fn send_one(queue: &Queue, parcel: Parcel) -> Outcome {
    let headers = headers(Some(&parcel));
    match queue.client().call(&sqs::Request::SendMessage(parcel.request), headers).await? {
        sqs::Response::SendMessage(result) => queue.id_of(result.message_id),
        _ => queue.id_of(None),
    }
}

fn headers(one: Option<&Parcel>) -> HeaderMap {
    headers_of(one.and_then(|parcel| parcel.batch.as_ref()))
}

/// The headers of a send, which all of its messages share.
pub(super) fn headers_of(batch: Option<&Tie>) -> HeaderMap {
    let mut headers = batch.map(Tie::headers).unwrap_or_default();
    headers.insert(JOB, HeaderValue::from_static("true"));
    headers
}

async fn call(queue: &Queue, part: &[Numbered]) -> Result<Vec<(usize, Outcome)>, sqs::Error> {
    let mut headers = headers(part.first().map(|(_, parcel)| parcel));
    headers.extend(lists::headers(part.len()));
    let body = send_batch_json(queue.url(), part.iter().map(|(_, parcel)| &parcel.request));
    let Sent { successful, failed } = queue.client().call_json("SendMessageBatch", body, headers).await?;
    // None of those that a reply does not tell of.
    let mut told: Vec<Option<Outcome>> = part.iter().map(|_| None).collect();
    let mut tell = |place: Option<usize>, outcome: Outcome| {
        // Of what was not asked about, it has nothing to say.
        if let Some(unsaid) = place.and_then(|place| told.get_mut(place)) {
            *unsaid = Some(outcome);
        }
    };
    for taken in successful {
        tell(taken.id, Ok(MessageId::new(taken.message_id)));
    }
    for refused in failed {
        let (endpoint, place) = (queue.client().endpoint(), refused.id.parse().ok());
        tell(place, Err(sqs::Error::of_entry(endpoint, "SendMessageBatch", queue.name(), refused).into()));
    }
    let of =
        |((number, _), outcome): (&Numbered, Option<Outcome>)| (*number, outcome.unwrap_or_else(|| Err(unsaid(queue))));
    Ok(part.iter().zip(told).map(of).collect())
}
