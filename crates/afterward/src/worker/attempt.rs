//! One attempt at one message: its handler runs, for as long as it may.
//!
//! Invariants:
//! - A handler that panics takes nothing with it: that is a failure like another.
//! - A handler that hangs past its timeout, or past the deadline of a stop, is dropped at its next `.await`.
//!
//! What then becomes of the message is [`settle`](super::settle)'s; that its lease lasts meanwhile, the
//! [`keeper`](super::keeper)'s.

use super::{Cancelled, Context, Job, failure::describe_panic, hand::Hand, shared::Shared};
use crate::{Source, queue::tally, source::Cause};
use std::{
    future::{pending, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// How the work on a message ended, before it is settled.
pub(super) enum Ending {
    Done,
    Failed(Cause),
    /// The worker stops.
    GivenUp,
}

/// Runs the handler in `place` until it returns, or may go on no longer.
pub(super) async fn work<S: Source>(shared: &Shared<S>, hand: &Arc<Hand>, place: usize) -> Ending {
    let job = Job::new(Context::new(hand.clone(), shared.surroundings.clone()), place);
    let timeout = shared.policies[place].timeout;
    // Known before the handler is: one that blocks its thread leaves no time to say so later.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    deadline.inspect(|deadline| hand.set_deadline(*deadline));
    let mut handling = pin!(caught(tally::within(&hand.delivery.receipt, shared.route.run(job))));
    tokio::select! {
        biased;
        result = &mut handling => match result {
            Ok(()) => Ending::Done,
            Err(cause) => Ending::Failed(cause),
        },
        () = hand.interrupted() => Ending::GivenUp,
        () = reached(deadline) => {
            hand.cancel(Cancelled::TimedOut);
            Ending::Failed(overtime(timeout))
        }
    }
}

/// Fetches the body of a message that only says where it is; gives up when the attempt is to end.
pub(super) async fn fetch<S: Source>(shared: &Shared<S>, hand: &Hand) -> Result<Option<String>, Ending> {
    tokio::select! {
        biased;
        body = shared.source.body(&hand.delivery) => body.map_err(Ending::Failed),
        () = hand.interrupted() => Err(Ending::GivenUp),
    }
}

/// Waits for a time; for ever, where there is none.
async fn reached(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

fn overtime(timeout: Option<Duration>) -> Cause {
    format!("the handler took longer than its {:?}", timeout.unwrap_or_default()).into()
}

/// What a handler comes to, a panic among it.
pub(super) async fn caught(mut running: Pin<Box<dyn Future<Output = Result<(), Cause>> + Send>>) -> Result<(), Cause> {
    poll_fn(|cx| {
        // What a panic leaves broken is dropped with the future, and not looked at again.
        match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(payload) => Poll::Ready(Err(describe_panic(&*payload).into())),
        }
    })
    .await
}
