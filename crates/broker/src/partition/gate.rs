//! The reply gate: an answer leaves once everything that it rests on is durable.
//!
//! Each batch has one gate, shared by all who wait for it, and it opens once: with the batch durable, or with the
//! reason why it is not. What waits behind it is a [`Gated`] value, which nobody can look at before. Nothing here
//! needs a runtime: the waiting is a plain future, and a simulation asks [`Gated::try_open`].

use crate::{Unavailable, assist};
use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// A gate, shut at first. Clones are the same gate.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<Door>>);

enum Door {
    Shut(Vec<Waker>),
    Open(Result<(), Unavailable>),
}

impl Default for Door {
    fn default() -> Self {
        Door::Shut(Vec::new())
    }
}

impl Gate {
    fn door(&self) -> MutexGuard<'_, Door> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens it, and wakes who waits. Opening again changes nothing.
    pub(crate) fn open(&self, outcome: Result<(), Unavailable>) {
        let mut door = self.door();
        let Door::Shut(wakers) = &mut *door else { return };
        let wakers = mem::take(wakers);
        *door = Door::Open(outcome);
        drop(door);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// How it opened, or `None` and `waker` is woken when it does.
    pub(crate) fn opened_or_wake(&self, waker: &Waker) -> Option<Result<(), Unavailable>> {
        match &mut *self.door() {
            Door::Open(outcome) => Some(outcome.clone()),
            Door::Shut(wakers) => {
                if !wakers.iter().rev().take(8).any(|known| known.will_wake(waker)) {
                    wakers.push(waker.clone());
                }
                None
            }
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(&*self.door(), Door::Open(_))
    }

    /// Whether it is the same gate.
    pub(crate) fn is(&self, other: &Gate) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn opened(&self) -> Option<Result<(), Unavailable>> {
        match &*self.door() {
            Door::Open(outcome) => Some(outcome.clone()),
            Door::Shut(_) => None,
        }
    }
}

/// A value that rests on what may not be durable yet. Awaiting it gives the value once it is, or [`Unavailable`].
#[must_use = "the answer is behind the gate"]
pub struct Gated<T> {
    /// Taken when it is given out.
    value: Option<T>,
    gate: Option<Gate>,
}

impl<T> Gated<T> {
    pub(crate) fn new(value: T, gate: Option<Gate>) -> Gated<T> {
        Gated { value: Some(value), gate }
    }

    /// The same gate before another value.
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Gated<U> {
        Gated { value: self.value.map(map), gate: self.gate }
    }

    /// The value if its gate has opened; itself if not.
    ///
    /// # Errors
    /// Itself, to ask again.
    pub fn try_open(mut self) -> Result<Result<T, Unavailable>, Gated<T>> {
        let outcome = match &self.gate {
            None => Ok(()),
            Some(gate) => match gate.opened() {
                Some(outcome) => outcome,
                None => return Err(self),
            },
        };
        match (outcome, self.value.take()) {
            (Ok(()), Some(value)) => Ok(Ok(value)),
            (Err(unavailable), _) => Ok(Err(unavailable)),
            (Ok(()), None) => Err(self),
        }
    }

    /// The value, for the partition that it came from: nobody else has seen it.
    pub(super) fn unseen(self) -> Option<T> {
        self.value
    }

    /// What it waits for; `None` for a value that rests on nothing that isn't durable.
    pub(super) fn gate(&self) -> Option<Gate> {
        self.gate.clone()
    }
}

// The value is never pinned: it is moved out when it is ready.
impl<T> Unpin for Gated<T> {}

impl<T> Future for Gated<T> {
    type Output = Result<T, Unavailable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(gate) = &self.gate {
            match assist::opened_or_wake(gate, context.waker()) {
                None => return Poll::Pending,
                Some(Err(unavailable)) => return Poll::Ready(Err(unavailable)),
                Some(Ok(())) => self.gate = None,
            }
        }
        // A future is not polled again after it was ready; if it is, it never is again.
        self.value.take().map_or(Poll::Pending, |value| Poll::Ready(Ok(value)))
    }
}

impl<T> fmt::Debug for Gated<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gated").field("open", &self.gate.as_ref().is_none_or(|gate| gate.opened().is_some())).finish()
    }
}

/// Callers whose answers are ready to leave. Opened without the partition's lock, because waking takes time.
#[must_use = "the callers wait until it is opened"]
#[derive(Default)]
pub struct Release {
    gates: Vec<Gate>,
    outcome: Option<Unavailable>,
}

impl Release {
    pub(super) fn durable(gate: Option<Gate>) -> Release {
        Release { gates: gate.into_iter().collect(), outcome: None }
    }

    pub(super) fn failed(gates: impl IntoIterator<Item = Gate>, why: Unavailable) -> Release {
        Release { gates: gates.into_iter().collect(), outcome: Some(why) }
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.gates.is_empty()
    }

    /// Lets them go.
    pub fn open(self) {
        for gate in self.gates {
            gate.open(self.outcome.clone().map_or(Ok(()), Err));
        }
    }
}

impl fmt::Debug for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Release").field("gates", &self.gates.len()).field("outcome", &self.outcome).finish()
    }
}
