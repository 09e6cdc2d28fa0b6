//! How many messages to receive, and when.
//!
//! A message is received into a slot that is free. While whatever might come would have to wait for a limit that somebody waits
//! for already, or for a paused type, it is received into the waiting room, in few receives that bring many.

use super::{Entry, Floor, State};
use std::sync::Arc;

/// How many messages are worth a further receive beside others: what SQS hands out at once.
pub(super) const WORTH_A_RECEIVE: usize = 10;
/// How many receives are under way at most.
const MOST_RECEIVES: usize = 4;

/// A receive under way: its messages count as asked for until it is answered, or dropped.
#[derive(Debug)]
pub(in super::super) struct Ask {
    floor: Arc<Floor>,
    /// How many messages to ask for.
    pub(in super::super) count: usize,
    answered: bool,
}

impl Ask {
    /// The receive has brought these.
    pub(in super::super) fn answered(mut self, entries: Vec<Entry>) {
        self.answered = true;
        self.floor.received(self.count, entries);
    }
}

impl Drop for Ask {
    fn drop(&mut self) {
        if !self.answered {
            self.floor.received(self.count, Vec::new());
        }
    }
}

impl Floor {
    /// One more receive now, if there is room for what it may bring.
    pub(in super::super) fn ask(self: &Arc<Self>) -> Option<Ask> {
        let mut state = self.state();
        let count = state.askable()?;
        state.receives += 1;
        state.asked += count;
        Some(Ask { floor: self.clone(), count, answered: false })
    }

    /// A receive that asked for so many has ended with these.
    fn received(&self, asked: usize, entries: Vec<Entry>) {
        let mut state = self.state();
        state.receives -= 1;
        state.asked -= asked;
        state.worth = if entries.len() < asked { 1 } else { (state.worth + 1).min(MOST_RECEIVES) };
        state.arrive(entries);
    }
}

impl State {
    /// How many messages to ask for now, if any.
    pub(super) fn askable(&self) -> Option<usize> {
        let closed = self.stopping.is_some() || self.all_paused || self.held.is_too_much();
        if closed || self.receives >= self.worth {
            return None;
        }
        // Where deletes don't keep up, they hold up receives.
        let leaving = self.leaving.saturating_sub(self.concurrency);
        let taken = self.running + self.asked + self.ready.len() + leaving;
        let free = self.concurrency.saturating_sub(taken).min(self.receive_limit);
        if free > 0 && self.waiting > 0 && self.is_barred() {
            return self.askable_to_wait();
        }
        // One more receive is worth its request only if it may bring as much as most do.
        let enough = if self.receives == 0 { 1 } else { WORTH_A_RECEIVE.min(self.receive_limit).min(self.concurrency) };
        (free >= enough).then_some(free)
    }

    /// How many messages to ask for that will have to wait: many at once, when there is room for them.
    fn askable_to_wait(&self) -> Option<usize> {
        let left = self.room.saturating_sub(self.waiting + self.asked);
        let enough = (self.room / 4).clamp(1, self.receive_limit);
        (left >= enough).then_some(left.min(self.receive_limit))
    }

    /// Whether whatever a handler is for would have to wait. What is limited by keys need not, for it may have another key.
    fn is_barred(&self) -> bool {
        self.common.iter().enumerate().all(|(place, common)| {
            self.paused.has(place) || common.iter().any(|limit| self.limits.is_waited_for(*limit))
        })
    }
}
