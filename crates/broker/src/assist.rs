//! Threads that commit what they have done themselves.
//!
//! A thread that serves many callers on a runtime of its own polls [`Broker::assist`](crate::Broker::assist) there, as
//! one task among the callers' tasks. The first change that a caller makes wakes that task, which puts it at the end of
//! the runtime's queue: behind every other caller who is ready. When its turn comes, all of them have done what they came
//! for. If that were few, it appends and flushes here and now, opens the gate, and they go on, still on this thread:
//! nobody had to be woken elsewhere. If they were many, it is time for the partition's thread to flush, once for all of
//! them; without assistants that thread flushes what there is as soon as it can, which is more and smaller batches.
//!
//! To wake a task of another thread's runtime takes a call of the system, and a batch of many has many who wait for it. So
//! on a thread with an assistant only the assistant waits at a gate, and it wakes the others who do, here (`party.rs`).
//!
//! Invariants:
//! - what is done on an assisting thread is committed by that thread, or the partition's thread is told;
//! - at most one batch is in flight, whoever has it; what is left to the partition's thread meanwhile is `due`, and
//!   whoever lands the batch tells it so;
//! - a gate that somebody waits at in the assistant's care wakes the assistant: when its waker changes, or it ends, all of
//!   them are woken, and go to their gates again.

use crate::{Unavailable, partition::Gate, party::Parties, shared::Shared};
use std::{
    cell::RefCell,
    convert::Infallible,
    future::poll_fn,
    mem,
    sync::Weak,
    task::{Poll, Waker},
};

thread_local! {
    /// The assistant of this thread, if it has one.
    static ASSISTANT: RefCell<Option<Assistant>> = const { RefCell::new(None) };
}

struct Assistant {
    of: Weak<Shared>,
    waker: Waker,
    /// Called, and its turn hasn't come yet.
    called: bool,
    /// Who waits on this thread.
    parties: Parties,
}

/// See [`Broker::assist`](crate::Broker::assist).
pub(crate) async fn assist(shared: Weak<Shared>) -> Infallible {
    let leaving = Leaving(shared);
    loop {
        poll_fn(|context| match leaving.look(context.waker()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
        if let Some(shared) = leaving.0.upgrade() {
            shared.assist();
        }
    }
}

/// An assistant at work; when it is dropped, the thread has none any more.
struct Leaving(Weak<Shared>);

impl Leaving {
    /// Wakes whose gate has opened. Whether it was called since it last looked; if not, `waker` is woken when it is.
    fn look(&self, waker: &Waker) -> bool {
        let (called, free, _old) = ASSISTANT.with_borrow_mut(|assistant| match assistant {
            Some(known) if known.of.ptr_eq(&self.0) => {
                let called = mem::take(&mut known.called);
                if known.waker.will_wake(waker) {
                    return (called, known.parties.take_free(), None);
                }
                let old = mem::replace(&mut known.waker, waker.clone());
                (called, known.parties.take_all(), Some(old))
            }
            // One of another broker: a thread has one assistant, which keeps its place.
            Some(_) => (false, Vec::new(), None),
            None => {
                let (of, waker) = (self.0.clone(), waker.clone());
                *assistant = Some(Assistant { of, waker, called: false, parties: Parties::default() });
                (false, Vec::new(), None)
            }
        });
        // Wakers run others' code, also when they are dropped: not while the assistant is borrowed.
        free.into_iter().for_each(Waker::wake);
        called
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        // A runtime drops its tasks on the thread that ran them. Elsewhere, there is nothing to take back.
        let gone =
            ASSISTANT.try_with(|assistant| assistant.borrow_mut().take_if(|assistant| assistant.of.ptr_eq(&self.0)));
        if let Ok(Some(mut gone)) = gone {
            gone.parties.take_all().into_iter().for_each(Waker::wake);
        }
        if let Some(shared) = self.0.upgrade() {
            shared.lock().due = true;
            shared.nudge();
        }
    }
}

/// Has this thread's assistant commit when its turn comes. `false`: it has none for this partition.
pub(crate) fn call(shared: &Shared) -> bool {
    let called = ASSISTANT.try_with(|assistant| match &mut *assistant.borrow_mut() {
        Some(assistant) if std::ptr::eq(assistant.of.as_ptr(), shared) => {
            if !mem::replace(&mut assistant.called, true) {
                assistant.waker.wake_by_ref();
            }
            true
        }
        _ => false,
    });
    called.unwrap_or(false)
}

/// How `gate` opened, or `None` and `waker`, of a task of this thread, is woken when it does: in the care of the thread's
/// assistant, if it has one.
pub(crate) fn opened_or_wake(gate: &Gate, waker: &Waker) -> Option<Result<(), Unavailable>> {
    let opened = ASSISTANT.try_with(|assistant| {
        let mut assistant = assistant.borrow_mut();
        let assistant = assistant.as_mut()?;
        let opened = gate.opened_or_wake(&assistant.waker);
        if opened.is_none() {
            assistant.parties.add(gate, waker);
        }
        Some(opened)
    });
    opened.ok().flatten().unwrap_or_else(|| gate.opened_or_wake(waker))
}
