//! `GET /jobs/ID`.

use super::{
    admit,
    failure::{self, JobError},
};
use crate::{gateway::Exchange, progress::Shown, reply, time::rfc3339};
use afterward_broker::{
    Unavailable,
    machine::{JobView, Location, MessageKey, Standing, State},
};
use afterward_names::{AccountId, MessageId, QueueAddress, Region};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;

/// What became of a job, or of any message as long as it is there.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Job {
    id: String,
    queue: String,
    status: &'static str,
    attempts: u32,
    last_error: Option<String>,
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

/// 200 with the job as it stands; 404 for what is none, or one that ended too long ago.
pub(super) async fn status(exchange: &Exchange<'_>, id: &str) -> Result<Response<Bytes>, JobError> {
    admit(exchange)?;
    let unknown = || JobError {
        status: StatusCode::NOT_FOUND,
        code: "JobNotFound",
        message: format!(
            "There is no job {id}, or it ended more than an hour ago, or 100,000 others ended after it, or its queue was deleted. \
             Of messages that were not sent as jobs (x-afterward-job), the end is not kept."
        ),
    };
    let message: MessageId = id.parse().map_err(|_| unknown())?;
    let QueueAddress { account, region, .. } = exchange.gateway.settings.jobs.queue.clone();
    let found = exchange.gateway.broker.read(move |state| look_up(state, message, account, &region)).await;
    let (mut job, more) = found.map_err(failure::unavailable)?.ok_or_else(unknown)?;
    fill_in(exchange, &mut job, more).await.map_err(failure::unavailable)?;
    Ok(reply::json(StatusCode::OK, &job))
}

/// What of a job is not in the state, and is still to be looked up.
#[derive(Default)]
struct More {
    /// Where the text of its last failure is.
    failure: Option<Location>,
    /// The message that is being worked on.
    active: Option<MessageKey>,
}

async fn fill_in(exchange: &Exchange<'_>, job: &mut Job, more: More) -> Result<(), Unavailable> {
    let broker = &exchange.gateway.broker;
    if let Some(at) = more.failure {
        job.last_error = broker.failures(vec![at]).await?.pop().flatten();
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
    let job = Job {
        id: id.to_string(),
        queue: String::new(),
        status: "succeeded",
        attempts: 0,
        last_error: None,
        progress: None,
        enqueued_at: None,
        finished_at: None,
        dead_letter_queue: None,
    };
    match state.job(id)? {
        JobView::Succeeded { receive_count, finished_ms, queue } => {
            // Of a queue that is gone nobody knows any more whose it was.
            let queue = Some(state.queue(queue)?.address).filter(is_ours)?.name.to_string();
            let finished_at = Some(rfc3339(finished_ms));
            Some((Job { queue, attempts: receive_count, finished_at, ..job }, More::default()))
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
            // Whoever looks into a dead-letter queue by receiving attempts nothing.
            let attempts = match message.source {
                Some(_) => message.received_elsewhere,
                None => message.receive_count,
            };
            let more = More { failure: message.failure, active: (status == "active").then_some(message.key) };
            Some((Job { queue, status, attempts, enqueued_at, dead_letter_queue, ..job }, more))
        }
    }
}
