//! The way from a handle to the store: one at a time, in order, and shut on demand.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub(super) struct Door {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    shut: bool,
    next_ticket: u64,
    serving: u64,
}

/// The turn of whoever holds it.
pub(super) struct Turn<'a>(&'a Door);

impl Door {
    /// Waits for its turn, in the order of the calls.
    pub(super) fn enter(&self) -> Turn<'_> {
        let mut state = self.state();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        self.changed.notify_all();
        while state.shut || state.serving != ticket {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Turn(self)
    }

    pub(super) fn hold(&self) {
        self.state().shut = true;
    }

    pub(super) fn release(&self) {
        self.state().shut = false;
        self.changed.notify_all();
    }

    pub(super) fn wait_until_held(&self, count: usize) {
        let mut state = self.state();
        while !(state.shut && state.next_ticket - state.serving >= count as u64) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state().serving += 1;
        self.0.changed.notify_all();
    }
}
