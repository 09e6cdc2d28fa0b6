//! Working off a queue of invocations.
//!
//! A receive is an attempt: the receive count counts them, across restarts too, but for those that are handed back. What fails and may pass comes back when
//! its visibility timeout ends; what fails for good goes to the dead-letter queue of its target, once.

use crate::{attempt::attempt, crew::Crew, hosts::Hosts, invocation::LEASE_MS};
use afterward_broker::{
    Failure, Received,
    machine::{Receive, Refusal},
};
use afterward_names::QueueAddress;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// Calls of one queue at a time, those included that wait for their turn.
const AT_A_TIME: usize = 64;
const RECEIVED_AT_ONCE: usize = 10;
const WAIT: Duration = Duration::from_secs(20);
/// After a receive that gave nothing or failed: a broker that won't wait any more is not asked in a busy loop.
const PAUSE: Duration = Duration::from_millis(100);
/// How long an answer that was on its way when the runner stopped is waited for: many flushes of a log.
const LAST_ANSWER: Duration = Duration::from_millis(200);

/// Works off `queue` until the runner stops or the queue is deleted.
pub(crate) async fn work(crew: Arc<Crew>, queue: QueueAddress) {
    let (mut calls, hosts) = (JoinSet::new(), Arc::new(Hosts::default()));
    loop {
        while calls.try_join_next().is_some() || (calls.len() >= AT_A_TIME && calls.join_next().await.is_some()) {}
        match receive(&crew, &queue, AT_A_TIME - calls.len()).await {
            Some(Ok(received)) if !received.is_empty() => {
                for received in received {
                    let (crew, queue, hosts) = (crew.clone(), queue.clone(), hosts.clone());
                    calls.spawn(async move { attempt(&crew, &queue, &hosts, received).await });
                }
            }
            Some(Err(Failure::Refused(Refusal::NoSuchQueue))) => {
                if !goes_on(&crew, &queue).await {
                    break;
                }
            }
            Some(Ok(_) | Err(_)) => {
                tokio::select! {
                    () = crew.stopped() => break,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
            None => break,
        }
    }
    while calls.join_next().await.is_some() {}
}

/// The next messages; `None` when the runner stops.
async fn receive(crew: &Crew, queue: &QueueAddress, room: usize) -> Option<Result<Vec<Received>, Failure>> {
    if crew.is_stopping() {
        return None;
    }
    let receive = Receive {
        queue: queue.clone(),
        max: room.min(RECEIVED_AT_ONCE),
        visibility_timeout_ms: Some(LEASE_MS),
        attempt: None,
    };
    let mut received = pin!(crew.broker.receive(receive, Some(WAIT)));
    tokio::select! {
        biased;
        received = &mut received => Some(received),
        // What is leased by now is on its way. If nobody took it, a receive would have been counted, and no call made.
        () = crew.stopped() => tokio::time::timeout(LAST_ANSWER, received).await.ok(),
    }
}

/// The queue was deleted. Whether it has been made again meanwhile: whoever made it may have counted on this task, so it
/// is looked for after this task has signed off.
async fn goes_on(crew: &Crew, queue: &QueueAddress) -> bool {
    crew.end(queue);
    let looked_for = queue.clone();
    let is_there = crew.broker.read(move |state| state.queue_at(&looked_for).is_some()).await;
    is_there.unwrap_or(false) && crew.begin(queue)
}
