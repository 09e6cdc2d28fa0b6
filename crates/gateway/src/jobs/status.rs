//! `GET /jobs/ID`.

use super::{
    admit,
    failure::{self, JobError},
};
use crate::{gateway::Exchange, reply, time::rfc3339};
use afterward_broker::machine::{JobView, Location, Standing, State};
use afterward_names::{AccountId, MessageId, QueueAddress, Region};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Job {
    id: String,
    queue: String,
    status: &'static str,
    attempts: u32,
    last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enqueued_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter_queue: Option<String>,
}

/// 200 with the job as it stands; 404 for what is no job, or one that ended too long ago.
pub(super) async fn status(exchange: &Exchange<'_>, id: &str) -> Result<Response<Bytes>, JobError> {
    admit(exchange)?;
    let unknown = || JobError {
        status: StatusCode::NOT_FOUND,
        code: "JobNotFound",
        message: format!("There is no job {id}, or it ended more than an hour ago."),
    };
    let message: MessageId = id.parse().map_err(|_| unknown())?;
    let QueueAddress { account, region, .. } = exchange.gateway.settings.jobs.queue.clone();
    let found = exchange.gateway.broker.read(move |state| look_up(state, message, account, &region)).await;
    let (mut job, failure) = found.map_err(failure::unavailable)?.ok_or_else(unknown)?;
    if let Some(at) = failure {
        let mut texts = exchange.gateway.broker.failures(vec![at]).await.map_err(failure::unavailable)?;
        job.last_error = texts.pop().flatten();
    }
    Ok(reply::json(StatusCode::OK, &job))
}

/// The job, and where the text of its last failure is. Jobs live in the front door's account and region, wherever they
/// were dead-lettered to or redriven; other messages are not told of here.
fn look_up(state: &State, id: MessageId, account: AccountId, region: &Region) -> Option<(Job, Option<Location>)> {
    let is_ours = |queue: &&QueueAddress| queue.account == account && queue.region == *region;
    let job = Job {
        id: id.to_string(),
        queue: String::new(),
        status: "succeeded",
        attempts: 0,
        last_error: None,
        enqueued_at: None,
        finished_at: None,
        dead_letter_queue: None,
    };
    match state.job(id)? {
        JobView::Succeeded { receive_count, finished_ms, queue } => {
            // The queue may be gone by now; that the job ended well is true all the same.
            let name = state.queue(queue).map(|queue| queue.address.name.to_string());
            let finished_at = Some(rfc3339(finished_ms));
            Some((Job { queue: name.unwrap_or_default(), attempts: receive_count, finished_at, ..job }, None))
        }
        JobView::Present(message) => {
            let holder = Some(state.queue(message.queue)?.address).filter(is_ours)?.name.to_string();
            let (queue, dead_letter_queue) = match &message.source {
                Some(source) => (source.0.name.to_string(), Some(holder)),
                None => (holder, None),
            };
            let status = match message.standing {
                _ if message.source.is_some() => "dead",
                Standing::Ready | Standing::BehindGroup => "waiting",
                Standing::Delayed { .. } => "delayed",
                Standing::Leased { .. } => "active",
            };
            let enqueued_at = Some(rfc3339(message.sent_ms));
            // Whoever looks into a dead-letter queue by receiving attempts nothing.
            let attempts = match message.source {
                Some(_) => message.received_elsewhere,
                None => message.receive_count,
            };
            Some((Job { queue, status, attempts, enqueued_at, dead_letter_queue, ..job }, message.failure))
        }
    }
}
