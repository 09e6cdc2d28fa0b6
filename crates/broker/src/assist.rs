//! Threads that commit what they have done themselves.
//!
//! A thread that serves many callers on a runtime of its own polls [`Broker::assist`](crate::Broker::assist) there, as
//! one task among the callers' tasks. The first change that a caller makes wakes that task, which puts it at the end of
//! the runtime's queue: behind every other caller who is ready. When its turn comes, all of them have done what they came
//! for. If that were few, it appends and flushes here and now, opens the gate, and they go on, still on this thread:
//! nobody had to be woken elsewhere. If they were many, it is time for the partition's thread to flush, once for all of
//! them; without assistants that thread flushes what there is as soon as it can, which is more and smaller batches.
//!
//! Invariants:
//! - what is done on an assisting thread is committed by that thread, or the partition's thread is told;
//! - at most one batch is in flight, whoever has it; what is left to the partition's thread meanwhile is `due`, and
//!   whoever lands the batch tells it so.

use crate::shared::Shared;
use std::{cell::RefCell, convert::Infallible, future::poll_fn, sync::Weak, task::Poll, task::Waker};

thread_local! {
    /// The assistant of this thread, if it has one.
    static ASSISTANT: RefCell<Option<Assistant>> = const { RefCell::new(None) };
}

struct Assistant {
    of: Weak<Shared>,
    waker: Waker,
    /// Called, and its turn hasn't come yet.
    called: bool,
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
    /// Whether it was called since it last looked; if not, `waker` is woken when it is.
    fn look(&self, waker: &Waker) -> bool {
        ASSISTANT.with_borrow_mut(|assistant| match assistant {
            Some(known) if known.of.ptr_eq(&self.0) && known.waker.will_wake(waker) => {
                std::mem::take(&mut known.called)
            }
            _ => {
                *assistant = Some(Assistant { of: self.0.clone(), waker: waker.clone(), called: false });
                false
            }
        })
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        // A runtime drops its tasks on the thread that ran them. Elsewhere, there is nothing to take back.
        let _gone =
            ASSISTANT.try_with(|assistant| assistant.borrow_mut().take_if(|assistant| assistant.of.ptr_eq(&self.0)));
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
            if !std::mem::replace(&mut assistant.called, true) {
                assistant.waker.wake_by_ref();
            }
            true
        }
        _ => false,
    });
    called.unwrap_or(false)
}
