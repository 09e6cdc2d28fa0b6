//! The shop's worker: one handler for each type of message.

mod contact;
mod orders;
mod report;
mod stripe;

pub use contact::contact;
pub use orders::{FOLLOW_UP_AFTER, follow_up, order_new};
pub use report::hourly_report;

use crate::callback::Callback;
use afterward::{
    Backoff, Queue, Worker, handler,
    notify::{Digest, Notifier, OnFailure},
};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The worker of this queue: all handlers, and the hourly report. On standard queues elsewhere than on an Afterward server, the
/// report needs a role for EventBridge Scheduler (`AFTERWARD_SCHEDULER_ROLE`).
pub fn worker(queue: Queue, api: Callback, slack: Notifier, failures: &Digest) -> Worker<Queue> {
    handlers(queue, api, slack, failures).every("rate(1 hour)", hourly_report)
}

/// The handlers, which work on every queue. Notices go to `slack`; what became of jobs that failed for good to `failures`, which
/// gathers them, so that a hundred of them are one message. Whoever stops the worker flushes it.
pub fn handlers(queue: Queue, api: Callback, slack: Notifier, failures: &Digest) -> Worker<Queue> {
    Worker::new(queue.clone())
        .on(contact)
        .on(handler(order_new).concurrency(4).max_attempts(10))
        .on(follow_up)
        .on(stripe::router())
        // A handler that hangs gives its slot back.
        .timeout(30 * SECOND)
        .retry(Backoff::exponential(SECOND..=300 * SECOND).jitter())
        // A notice is these handlers' very work, so one that can't be delivered is a failed attempt.
        .state(slack.on_failure(OnFailure::Fail))
        .state(api)
        .state(queue)
        .on_event(failures.hook())
}
