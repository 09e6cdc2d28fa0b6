//! `GET /jobs/ID`.
//!
//! A job is found by its id as a message, or as one that has ended. One of the Rust library's that its queue can't keep so long waits
//! as a one-time schedule, which is named after its id; once that has sent the message, this has an id of its own, and the first
//! one finds nothing any more.

use super::{
    admit,
    failure::{self, JobError},
};
use crate::{gateway::Exchange, progress::Shown, reply, time::rfc3339};
use afterward_broker::{
    Unavailable,
    machine::{JobView, Location, MessageKey, Standing, State},
};
use afterward_names::{
    AccountId, MessageId, QueueAddress, Region, ScheduleAddress, ScheduleGroupAddress, ScheduleGroupName,
};
use afterward_scheduler::{Definition, Schedule};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;

/// What a schedule calls that is a message's delay.
const SEND_MESSAGE: &str = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";

/// What became of a job, or of any message as long as it is there.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Job {
    id: String,
    queue: String,
    status: &'static str,
    attempts: u32,
    last_error: Option<String>,
    /// When a delay is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
    /// Of the attempt that goes on, where its consumer has told.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enqueued_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter_queue: Option<String>,
}

impl Job {
    /// One of which no more is known than its end.
    fn new(id: String) -> Job {
        Job {
            id,
            queue: String::new(),
            status: "succeeded",
            attempts: 0,
            last_error: None,
            due_at: None,
            progress: None,
            enqueued_at: None,
            finished_at: None,
            dead_letter_queue: None,
        }
    }
}

/// 200 with the job as it stands; 404 for what is none, or one that ended too long ago.
pub(super) async fn status(exchange: &Exchange<'_>, id: &str) -> Result<Response<Bytes>, JobError> {
    admit(exchange)?;
    let unknown = || JobError {
        status: StatusCode::NOT_FOUND,
        code: "JobNotFound",
        message: format!(
            "There is no job {id}, or it ended more than an hour ago, or 100,000 others ended after it, or it was deleted with its \
             queue. Of messages that were not sent as jobs (x-afterward-job), the end is not kept; and one that had to wait as a \
             schedule has had an id of its own since it was sent."
        ),
    };
    let found = match id.parse() {
        Ok(message) => as_message(exchange, message).await,
        Err(_) => as_schedule(exchange, id).await,
    };
    let job = found.map_err(failure::unavailable)?.ok_or_else(unknown)?;
    Ok(reply::json(StatusCode::OK, &job))
}

async fn as_message(exchange: &Exchange<'_>, id: MessageId) -> Result<Option<Job>, Unavailable> {
    let QueueAddress { account, region, .. } = exchange.gateway.settings.jobs.queue.clone();
    let found = exchange.gateway.broker.read(move |state| look_up(state, id, account, &region)).await?;
    let Some((mut job, more)) = found else { return Ok(None) };
    fill_in(exchange, &mut job, more).await?;
    Ok(Some(job))
}

/// The job that waits as a schedule. The library has drawn its id, which is no message's, and named the schedule after it. Of others
/// nothing is told: their names can be guessed.
async fn as_schedule(exchange: &Exchange<'_>, id: &str) -> Result<Option<Job>, Unavailable> {
    if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let QueueAddress { account, region, .. } = exchange.gateway.settings.jobs.queue.clone();
    let Ok(name) = format!("afterward-{id}").parse() else { return Ok(None) };
    let group = ScheduleGroupAddress { account, region, name: ScheduleGroupName::default() };
    let stored = exchange.gateway.broker.schedule(&ScheduleAddress { group, name }).await?;
    Ok(stored.and_then(|stored| {
        let definition = Definition::decode(&stored.definition).ok().filter(|of| of.target.arn == SEND_MESSAGE)?;
        let queue = Schedule::of(&stored.address, &definition).ok()?.queues().next()?.name.to_string();
        // "Due" before it was made is what will not run any more, and is being deleted.
        let due_ms = stored.next_ms.filter(|due_ms| *due_ms >= stored.created_ms);
        let (enqueued_at, due_at) = (Some(rfc3339(stored.created_ms)), due_ms.map(rfc3339));
        Some(Job { queue, status: "delayed", enqueued_at, due_at, ..Job::new(id.to_owned()) })
    }))
}

/// What of a job is not in the state, and is still to be looked up.
#[derive(Default)]
struct More {
    /// Of what, and where, the text of the last failure is.
    failure: Option<(MessageId, Location)>,
    /// The message that is being worked on.
    active: Option<MessageKey>,
}

async fn fill_in(exchange: &Exchange<'_>, job: &mut Job, more: More) -> Result<(), Unavailable> {
    let broker = &exchange.gateway.broker;
    if let Some(failed) = more.failure {
        job.last_error = broker.failures(vec![failed]).await?.pop().flatten();
    }
    if let Some(message) = more.active {
        job.progress = broker.progress(vec![message]).await?.pop().flatten().as_ref().map(Shown::of);
    }
    Ok(())
}

/// The job, and what else there is to look up. Jobs live in the front door's account and region, wherever they
/// were dead-lettered to or redriven; messages of others are not told of here.
fn look_up(state: &State, id: MessageId, account: AccountId, region: &Region) -> Option<(Job, More)> {
    let is_ours = |queue: &&QueueAddress| queue.account == account && queue.region == *region;
    let job = Job::new(id.to_string());
    match state.job(id)? {
        JobView::Succeeded { receive_count, finished_ms, address, .. } => {
            let queue = Some(&address).filter(is_ours)?.name.to_string();
            let finished_at = Some(rfc3339(finished_ms));
            Some((Job { queue, attempts: receive_count, finished_at, ..job }, More::default()))
        }
        JobView::Dropped { receive_count, finished_ms, address, failure, .. } => {
            let queue = Some(&address).filter(is_ours)?.name.to_string();
            let finished_at = Some(rfc3339(finished_ms));
            let more = More { failure: Some((id, failure)), active: None };
            Some((Job { queue, status: "dropped", attempts: receive_count, finished_at, ..job }, more))
        }
        JobView::Present(message) => {
            let holder = Some(state.queue(message.queue)?.address).filter(is_ours)?.name.to_string();
            let (queue, dead_letter_queue) = match &message.source {
                Some(source) => (source.0.name.to_string(), Some(holder)),
                None => (holder, None),
            };
            let status = match message.standing {
                _ if message.source.is_some() => "dead",
                Standing::Ready | Standing::BehindGroup | Standing::Held => "waiting",
                Standing::Delayed { .. } => "delayed",
                Standing::Leased { .. } => "active",
            };
            let enqueued_at = Some(rfc3339(message.sent_ms));
            let due_at = match message.standing {
                Standing::Delayed { until_ms } if status == "delayed" => Some(rfc3339(until_ms)),
                _ => None,
            };
            // Whoever looks into a dead-letter queue by receiving attempts nothing.
            let attempts = match message.source {
                Some(_) => message.received_elsewhere,
                None => message.receive_count,
            };
            let more = More {
                failure: message.failure.map(|at| (id, at)),
                active: (status == "active").then_some(message.key),
            };
            Some((Job { queue, status, attempts, enqueued_at, due_at, dead_letter_queue, ..job }, more))
        }
    }
}
