//! Sends that happen at the same time travel together, where a server takes long [lists](super::lists).
//!
//! Who sends alone sends at once, and asks nobody. When others are sending to the same queue just then, a few calls are under way,
//! and each takes along all that has come up by then. There is no timer. The calls are made by tasks of their own: a caller that
//! is dropped must not leave others in doubt about their messages.
//!
//! Each caller's messages keep together, and have their own outcomes. Only what one call takes comes here, and on standard queues
//! only: there is no order to keep.

use super::{
    Queue,
    batch::{self, Numbered, Outcome, Parcel},
};
use afterward_names::limits;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// Calls under way at a time.
const CALLS: usize = 2;

/// Who sends to one queue.
#[derive(Debug, Default)]
pub(super) struct Sends(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Those whose messages are not yet in the queue.
    callers: usize,
    waiting: VecDeque<Waiting>,
    calls: usize,
}

/// A caller that waits for a call.
#[derive(Debug)]
struct Waiting {
    parcels: Vec<Parcel>,
    bytes: usize,
    told: oneshot::Sender<Vec<Outcome>>,
}

/// A caller, until it has its outcomes or is dropped.
struct Caller<'a>(&'a Sends);

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.0.state().callers -= 1;
    }
}

/// One of the calls that may be under way, as long as its task lives and finds somebody who waits.
struct Call {
    queue: Queue,
    is_over: bool,
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.is_over {
            self.queue.0.sends.state().calls -= 1;
        }
    }
}

impl Sends {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether others are here, too.
    fn enter(&self) -> (Caller<'_>, bool) {
        let mut state = self.state();
        state.callers += 1;
        (Caller(self), state.callers > 1)
    }

    /// Who goes with this call: all that a list of so many takes, in the order in which they came. When it is nobody, the call is
    /// over before anybody else can come and rely on it.
    fn gather(&self, longest: usize, call: &mut Call) -> Vec<Waiting> {
        let (mut together, mut count, mut bytes) = (Vec::new(), 0, 0);
        let mut state = self.state();
        while let Some(next) = state.waiting.pop_front() {
            // Who has gone does not want to send any more.
            if next.told.is_closed() {
                continue;
            }
            count += next.parcels.len();
            bytes += next.bytes;
            if !together.is_empty() && (count > longest || bytes > limits::MESSAGE_BYTES) {
                state.waiting.push_front(next);
                break;
            }
            together.push(next);
        }
        if together.is_empty() {
            state.calls -= 1;
            call.is_over = true;
        }
        together
    }
}

impl Queue {
    /// Sends what one call takes, together with what others send at the same time.
    pub(super) async fn send_with_others(&self, part: Vec<Numbered>) -> Vec<(usize, Outcome)> {
        let (_caller, others) = self.0.sends.enter();
        let is_plain = part.iter().all(|(_, parcel)| parcel.batch.is_none());
        if !(others && is_plain && self.longest_list().await > limits::BATCH_ENTRIES) {
            return batch::insist(self, part).await;
        }
        let (numbers, parcels): (Vec<usize>, Vec<Parcel>) = part.into_iter().unzip();
        let (told, news) = oneshot::channel();
        let bytes = parcels.iter().map(|parcel| batch::size_bytes(&parcel.request)).sum();
        self.0.sends.state().waiting.push_back(Waiting { parcels, bytes, told });
        self.call_up();
        // Without news, the task that had the messages was ended with its runtime.
        let outcomes = news.await.unwrap_or_else(|_| numbers.iter().map(|_| Err(batch::unsaid(self))).collect());
        numbers.into_iter().zip(outcomes).collect()
    }

    /// Begins a call, if somebody waits for one and it may be under way.
    fn call_up(&self) {
        {
            let mut state = self.0.sends.state();
            if state.waiting.is_empty() || state.calls >= CALLS {
                return;
            }
            state.calls += 1;
        }
        let call = Call { queue: Queue(Arc::clone(&self.0)), is_over: false };
        tokio::spawn(call.carry());
    }
}

impl Call {
    /// Makes calls for as long as somebody waits.
    async fn carry(mut self) {
        let queue = self.queue.clone();
        loop {
            // Others that are ready to run may have something to send.
            tokio::task::yield_now().await;
            let together = queue.0.sends.gather(queue.lists().longest(), &mut self);
            if together.is_empty() {
                return;
            }
            queue.call_up();
            let (told, parcels): (Vec<_>, Vec<_>) =
                together.into_iter().map(|one| ((one.told, one.parcels.len()), one.parcels)).unzip();
            let mut outcomes = batch::insist_on(&queue, parcels.into_iter().flatten().collect()).await.into_iter();
            for (told, count) in told {
                // A caller that has gone does not want to know.
                drop(told.send(outcomes.by_ref().take(count).collect()));
            }
        }
    }
}
