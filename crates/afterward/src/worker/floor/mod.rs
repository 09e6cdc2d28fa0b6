//! The floor: who of the messages in hand may be begun, and how many more may be received.
//!
//! A message is begun when nothing stands in its way, and takes all it needs at once: its group's turn, a share of each of its
//! limits, a slot. If something does, the message waits for just that, and holds nothing meanwhile; when it is tried again,
//! something else may be in its way. So nobody waits for what somebody holds who waits himself.
//!
//! Invariants:
//! - At most [`concurrency`](Plan::concurrency) messages run. What follows a running one in its ordered group waits with it, and
//!   takes no slot meanwhile.
//! - A message whose work is done gives its slot back before it is deleted, and keeps its limits and its group's turn until then.
//!   As many may be on their way out as there are slots; those beyond that count as running where more is to be received.
//! - Messages of an ordered group are begun in the order of their receipt, each when the one before it has gone from the queue;
//!   when one stays there, those behind it are given back.
//! - What waits for limits and paused types fills the waiting room. While whatever might come would have to wait as well, no more
//!   is received than there is room for ([`intake`]).
//! - Else there may be others behind those that have to wait, and they are looked for. Who finds no room meanwhile is sent away
//!   until about its turn ([`line`]), unless that is soon, or sending it away would cost it a receive that it needs for its
//!   attempts ([`room`]): then it stays, and when too much is held, nothing is received.
//! - After a stop nothing is begun that had to wait for a limit, but what would not be handed out again.
//!
//! This knows no source and runs no handler: it tells the worker's loop what to begin and what to give back.

mod admission;
mod entry;
mod intake;
mod limits;
mod line;
mod meter;
mod paused;
mod room;
#[cfg(test)]
mod tests;

pub(super) use entry::{Admitted, Entry};
pub(super) use intake::Ask;
pub(super) use room::{Most as MostHeld, SendingAway};

use super::limit::Most;
use entry::Leave;
use intake::WORTH_A_RECEIVE;
use limits::{Claim, Limits};
use paused::Paused;
use room::Held;
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

#[derive(Debug)]
pub(super) struct Floor {
    state: Mutex<State>,
    changed: Notify,
}

/// What a floor is given.
pub(super) struct Plan {
    /// How many messages run at a time.
    pub(super) concurrency: usize,
    /// How many may wait for limits and paused types.
    pub(super) room: usize,
    /// All limits, by their numbers.
    pub(super) limits: Vec<Most>,
    /// Of each place, the limits that hold for all of its messages together.
    pub(super) common: Vec<Vec<usize>>,
    pub(super) most_held: MostHeld,
}

/// What the floor wants the worker's loop to do.
#[derive(Debug, Default)]
pub(super) struct ToDo {
    pub(super) begin: Vec<Admitted>,
    pub(super) give_back: Vec<GiveBack>,
}

/// A message that can't stay here.
#[derive(Debug)]
pub(super) struct GiveBack {
    pub(super) entry: Entry,
    /// There was no room for it, or for one before it in its group: it should come back after so long, and not before.
    pub(super) away: Option<Duration>,
}

#[derive(Debug, Default)]
struct State {
    concurrency: usize,
    room: usize,
    running: usize,
    /// Those whose work is done, until they are deleted.
    leaving: usize,
    /// Receives under way, and how many messages they may bring.
    receives: usize,
    asked: usize,
    /// How many messages one receive may ask for.
    receive_limit: usize,
    /// How many receives are worth having under way: more while they come back full.
    worth: usize,
    limits: Limits,
    common: Vec<Vec<usize>>,
    /// Those that only lack a slot.
    ready: VecDeque<Entry>,
    paused: Paused,
    /// Nothing is received, and nothing begun.
    all_paused: bool,
    /// Until when what has been begun may go on, once the worker stops.
    stopping: Option<Instant>,
    /// How many wait for limits and paused types.
    waiting: usize,
    /// Ordered groups that have a message running or waiting, and those behind it.
    groups: HashMap<Box<str>, VecDeque<Entry>>,
    held: Held,
    sending_away: SendingAway,
    begin: Vec<Entry>,
    give_back: Vec<GiveBack>,
}

impl Floor {
    pub(super) fn new(plan: Plan) -> Floor {
        let state = State {
            concurrency: plan.concurrency,
            room: plan.room.max(1),
            limits: Limits::new(plan.limits),
            common: plan.common,
            held: Held::at_most(plan.most_held),
            receive_limit: WORTH_A_RECEIVE,
            worth: 1,
            ..State::default()
        };
        Floor { state: Mutex::new(state), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there may be something to do.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What is to be begun, and what to be given back.
    pub(super) fn to_do(self: &Arc<Self>) -> ToDo {
        let mut state = self.state();
        if let Some(due) = state.limits.next_timer()
            && due <= Instant::now()
        {
            state.tick();
        }
        let begin = mem::take(&mut state.begin);
        let give_back = mem::take(&mut state.give_back);
        drop(state);
        let begin = begin.into_iter().map(|entry| Admitted::new(self.clone(), entry)).collect();
        ToDo { begin, give_back }
    }

    /// When time alone gives something to do.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.state().limits.next_timer()
    }

    /// A message that was begun unread, and has been read, lines up as what it is. It keeps its group's turn.
    fn read(&self, entry: Entry) {
        let mut state = self.state();
        state.running -= 1;
        let now = Instant::now();
        state.held.add(&entry);
        state.admit(entry, true, now);
        state.fill_slots(now);
        self.changed.notify_one();
    }

    /// The work on a message that was begun is done: its slot is free while it is being deleted.
    fn finish(&self) {
        let mut state = self.state();
        state.finish();
        self.tell(&state);
    }

    /// A message that was begun is done with.
    fn leave(&self, entry: &Entry, leave: Leave) {
        let mut state = self.state();
        state.leave(entry, leave);
        self.tell(&state);
    }

    /// Tells the worker's loop, if there may be something for it to do.
    fn tell(&self, state: &State) {
        let to_do = !state.begin.is_empty() || !state.give_back.is_empty();
        if to_do || state.stopping.is_some() || state.askable().is_some() {
            self.changed.notify_one();
        }
    }

    /// How many messages one receive may bring.
    pub(super) fn set_receive_limit(&self, messages: usize) {
        self.state().receive_limit = messages.max(1);
    }

    /// What sending messages away costs them.
    pub(super) fn set_sending_away(&self, costs: SendingAway) {
        self.state().sending_away = costs;
    }

    /// Begins nothing of these places, nor of any, until told otherwise.
    pub(super) fn set_paused(&self, all: bool, places: &BTreeSet<usize>) {
        self.state().set_paused(all, places);
        self.changed.notify_one();
    }

    /// Receives nothing more, and gives back who waits for a limit or a paused type: who has a slot by then may go on until the
    /// deadline. Only those that would not be handed out again stay, if they may be begun before it.
    pub(super) fn stop(&self, deadline: Instant) {
        let mut state = self.state();
        state.stopping = Some(deadline);
        let costs = state.sending_away;
        let stays = |entry: &Entry, until: Option<Instant>| stays_at_stop(costs, entry, until, deadline);
        let mut out = state.limits.take_waiting_but(Instant::now(), stays);
        out.extend(state.paused.take_waiting());
        state.waiting -= out.len();
        state.give_back_all(out, None);
    }

    /// Lets go of those who lost their leases while they waited for a limit or a paused type: they are somebody else's, and
    /// what is held of them would keep others from being received.
    pub(super) fn let_go_of_lost(&self) {
        let mut state = self.state();
        let mut out = state.limits.take_waiting_but(Instant::now(), |entry, _| !entry.is_lost());
        out.extend(state.paused.take_lost());
        state.waiting -= out.len();
        state.give_back_all(out, None);
    }

    /// Whether nothing is left to begin or to give back.
    pub(super) fn is_clear(&self) -> bool {
        let state = self.state();
        state.begin.is_empty() && state.give_back.is_empty() && state.ready.is_empty() && state.waiting == 0
    }

    /// Whether nothing here goes on by itself: who waits, if anybody, waits for time to pass or for a paused type.
    pub(super) fn is_still(&self) -> bool {
        let state = self.state();
        let to_do = !state.begin.is_empty() || !state.give_back.is_empty();
        !to_do && state.ready.is_empty() && state.running + state.leaving == 0
    }

    /// Whether all is paused.
    pub(super) fn is_paused(&self) -> bool {
        self.state().all_paused
    }

    /// Gives back all that has not been begun.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        let mut out = state.limits.take_waiting();
        out.extend(mem::take(&mut state.ready));
        out.extend(state.paused.take_waiting());
        // Whoever ends now lets nobody of their group begin.
        out.extend(state.groups.values_mut().flat_map(mem::take));
        state.waiting = 0;
        state.give_back_all(out, None);
    }
}

/// Whether one stays that waits for a limit while the worker stops: `until` when time makes room for it, where time does.
fn stays_at_stop(costs: SendingAway, entry: &Entry, until: Option<Instant>, deadline: Instant) -> bool {
    costs.is_the_last(entry) && until.is_none_or(|until| until < deadline)
}
