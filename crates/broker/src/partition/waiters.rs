//! Receives that wait for a message to become visible.
//!
//! Those of a queue wait in the order in which they came. Serving one hands it a [`Gated`] answer: the caller's task
//! is not woken until the gate opens, so a long poll costs one wake-up, not two.

use super::gate::{Gate, Gated};
use crate::{Unavailable, metrics::Counters};
use afterward_machine::{Command, Delivery, QueueId, Refusal};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    task::{Context, Poll, Waker},
};

/// What a receive finds.
pub type Found = Result<Vec<Delivery>, Refusal>;

/// A receive that waits: a future of what it finds. Dropping it ends the wait, and nothing is leased to it any more.
#[must_use = "the receive's answer"]
pub struct Waiting {
    slot: Arc<Slot>,
    place: Place,
    left: Arc<Left>,
    counters: Arc<Counters>,
    served: Option<Gated<Found>>,
}

/// The queue that a receive waits for, and its number among all arrivals.
type Place = (QueueId, u64);

/// Those whose callers went away before they were served, to be taken out when the next one comes.
#[derive(Default)]
struct Left(Mutex<Vec<Place>>);

impl Left {
    fn places(&self) -> MutexGuard<'_, Vec<Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the partition and the caller's task meet.
struct Slot(Mutex<Seat>);

enum Seat {
    Waiting(Option<Waker>),
    Served(Gated<Found>),
    /// The caller went away, or has its answer.
    Left,
}

impl Slot {
    fn seat(&self) -> MutexGuard<'_, Seat> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// The answer if it is there and its gate is open; itself if not.
    ///
    /// # Errors
    /// Itself, to ask again.
    pub fn try_open(mut self) -> Result<Result<Found, Unavailable>, Waiting> {
        self.take_served();
        let Some(served) = self.served.take() else { return Err(self) };
        served.try_open().map_err(|gated| {
            self.served = Some(gated);
            self
        })
    }

    /// Ends the wait. What it was served by then, though nobody has seen it, is for the caller to give back.
    pub(crate) fn leave(mut self) -> Option<Gated<Found>> {
        self.served.take().or_else(|| self.vacate())
    }

    /// Leaves the seat, and takes along what lies there.
    fn vacate(&self) -> Option<Gated<Found>> {
        let seat = mem::replace(&mut *self.slot.seat(), Seat::Left);
        match seat {
            Seat::Served(gated) => Some(gated),
            Seat::Waiting(_) => {
                self.left.places().push(self.place);
                None
            }
            Seat::Left => None,
        }
    }

    fn take_served(&mut self) {
        if self.served.is_none() {
            let mut seat = self.slot.seat();
            if matches!(*seat, Seat::Served(_))
                && let Seat::Served(gated) = mem::replace(&mut *seat, Seat::Left)
            {
                self.served = Some(gated);
            }
        }
    }
}

impl Future for Waiting {
    type Output = Result<Found, Unavailable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.take_served();
        if let Some(served) = &mut self.served {
            return Pin::new(served).poll(context);
        }
        let mut seat = self.slot.seat();
        match &mut *seat {
            Seat::Waiting(waker) => *waker = Some(context.waker().clone()),
            // Served since we looked: look again.
            Seat::Served(_) => context.waker().wake_by_ref(),
            Seat::Left => {}
        }
        Poll::Pending
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // What has been served by now is lost with its task: `leave` is for those who can give it back.
        let _unseen = self.vacate();
        self.counters.waiting.fetch_sub(1, Relaxed);
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}

/// The partition's side of a waiting receive.
pub(super) struct Waiter {
    deadline_ms: u64,
    /// The receive.
    pub(super) command: Command,
    slot: Arc<Slot>,
}

impl Waiter {
    fn is_gone(&self) -> bool {
        matches!(*self.slot.seat(), Seat::Left)
    }

    /// Hands the answer over, or gives it back: the caller may go away at any time, also since they were looked for.
    pub(super) fn serve(&self, answer: Gated<Found>) -> Result<(), Gated<Found>> {
        let mut seat = self.slot.seat();
        let Seat::Waiting(waker) = &mut *seat else { return Err(answer) };
        let waker = waker.take();
        let gate = answer.gate();
        *seat = Seat::Served(answer);
        // Waking may end the task and with it the seat: not under its lock.
        drop(seat);
        let Some(waker) = waker else { return Ok(()) };
        if gate.is_none_or(|gate| gate.opened_or_wake(&waker).is_some()) {
            waker.wake();
        }
        Ok(())
    }

    /// Tells the caller, if they are still there, that there is nothing.
    pub(super) fn end(&self, gate: Option<Gate>) {
        let _gone = self.serve(Gated::new(Ok(Vec::new()), gate));
    }
}

/// All that wait. Both maps hold the same receives: by queue and arrival, and by deadline. Those whose callers went away are
/// in them until the next one comes.
#[derive(Default)]
pub(super) struct Waiters {
    arrivals: u64,
    left: Arc<Left>,
    by_queue: BTreeMap<Place, Waiter>,
    by_deadline: BTreeSet<(u64, QueueId, u64)>,
}

impl Waiters {
    /// Lets `command`, a receive from `queue`, wait behind the others until `deadline_ms`.
    pub(super) fn add(
        &mut self,
        queue: QueueId,
        command: Command,
        deadline_ms: u64,
        counters: &Arc<Counters>,
    ) -> Waiting {
        self.remove_left();
        let slot = Arc::new(Slot(Mutex::new(Seat::Waiting(None))));
        self.arrivals += 1;
        self.by_deadline.insert((deadline_ms, queue, self.arrivals));
        self.by_queue.insert((queue, self.arrivals), Waiter { deadline_ms, command, slot: slot.clone() });
        counters.waiting.fetch_add(1, Relaxed);
        let (place, left) = ((queue, self.arrivals), self.left.clone());
        Waiting { slot, place, left, counters: counters.clone(), served: None }
    }

    fn remove_left(&mut self) {
        let left = mem::take(&mut *self.left.places());
        for (queue, arrival) in left {
            self.remove(queue, arrival);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_queue.is_empty()
    }

    /// The receive of `queue` that has waited longest, once those whose callers went away are out of the way.
    pub(super) fn first(&mut self, queue: QueueId) -> Option<&Waiter> {
        loop {
            let (&(_, arrival), waiter) = self.by_queue.range((queue, 0)..=(queue, u64::MAX)).next()?;
            if !waiter.is_gone() {
                return self.by_queue.get(&(queue, arrival));
            }
            self.remove(queue, arrival);
        }
    }

    /// Takes out the one that [`Self::first`] shows.
    pub(super) fn pop(&mut self, queue: QueueId) -> Option<Waiter> {
        let (&(_, arrival), _) = self.by_queue.range((queue, 0)..=(queue, u64::MAX)).next()?;
        self.remove(queue, arrival)
    }

    fn remove(&mut self, queue: QueueId, arrival: u64) -> Option<Waiter> {
        let waiter = self.by_queue.remove(&(queue, arrival))?;
        self.by_deadline.remove(&(waiter.deadline_ms, queue, arrival));
        Some(waiter)
    }

    /// When the first of them has waited long enough.
    pub(super) fn next_deadline_ms(&self) -> Option<u64> {
        self.by_deadline.first().map(|(deadline_ms, ..)| *deadline_ms)
    }

    /// Takes out one that has waited long enough.
    pub(super) fn pop_expired(&mut self, now_ms: u64) -> Option<Waiter> {
        let &(deadline_ms, queue, arrival) = self.by_deadline.first()?;
        if deadline_ms <= now_ms { self.remove(queue, arrival) } else { None }
    }

    /// Tells all of them why they wait in vain.
    pub(super) fn fail(self, why: &Unavailable) {
        for waiter in self.by_queue.into_values() {
            let gate = Gate::default();
            gate.open(Err(why.clone()));
            waiter.end(Some(gate));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use afterward_machine::Receive;
    use afterward_names::QueueAddress;

    fn a_receive() -> Command {
        let queue = QueueAddress {
            account: "000000000000".parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            name: "q".parse().unwrap(),
        };
        Command::Receive(Receive { queue, max: 1, visibility_timeout_ms: None, attempt: None })
    }

    #[test]
    fn those_who_left_do_not_pile_up_behind_one_who_stays() {
        let (mut waiters, counters, queue) = (Waiters::default(), Arc::new(Counters::default()), QueueId(1));
        let stays = waiters.add(queue, a_receive(), 20_000, &counters);
        for number in 0..1_000 {
            let one = waiters.add(queue, a_receive(), 20_000 + number, &counters);
            let other = waiters.add(QueueId(2), a_receive(), 20_000, &counters);
            drop(one);
            assert!(other.leave().is_none(), "it was served nothing");
            assert!(waiters.by_queue.len() <= 3 && waiters.by_deadline.len() <= 3, "after {number}");
        }
        assert_eq!(counters.waiting.load(Relaxed), 1);
        let first = waiters.pop(queue).unwrap();
        assert!(!first.is_gone());
        drop(stays);
        // It had been taken out by then.
        let last = waiters.add(queue, a_receive(), 20_000, &counters);
        assert_eq!(waiters.by_queue.len(), 1);
        drop(last);
    }
}
