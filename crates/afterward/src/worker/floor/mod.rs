//! The floor: who of the messages in hand may be begun, and how many more may be received.
//!
//! A message is begun when nothing stands in its way, and takes all it needs at once: its group's turn, a share of each of its
//! limits, a slot. If something does, the message waits for just that, and holds nothing meanwhile; when it is tried again,
//! something else may be in its way. So nobody waits for what somebody holds who waits himself.
//!
//! Invariants:
//! - At most [`concurrency`](Plan::concurrency) messages run. What follows a running one in its ordered group waits with it, and
//!   takes no slot meanwhile.
//! - Messages of an ordered group are begun in the order of their receipt, each when the one before it has gone from the queue;
//!   when one stays there, those behind it are given back.
//! - At most as many messages wait for limits and paused types as the waiting room holds, and as many again that may not be
//!   received once more. When these are too many, nothing is received.
//!
//! This knows no source and runs no handler: it tells the worker's loop what to begin and what to give back.

mod entry;
mod limits;
mod meter;

pub(super) use entry::{Admitted, Entry};

use super::limit::Most;
use limits::{Claim, Limits};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{sync::Notify, time::Instant};

/// How many messages are worth a further receive beside others: what SQS hands out at once.
const WORTH_A_RECEIVE: usize = 10;
/// How many receives are under way at most.
const MOST_RECEIVES: usize = 4;

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
    /// There was no room for it, or for one before it in its group: it should not come back at once.
    pub(super) limited: bool,
}

#[derive(Debug, Default)]
struct State {
    concurrency: usize,
    room: usize,
    running: usize,
    /// Receives under way, and how many messages they may bring.
    receives: usize,
    asked: usize,
    /// How many messages one receive may ask for.
    receive_limit: usize,
    /// How many receives are worth having under way: more while they come back full.
    worth: usize,
    limits: Limits,
    /// Those that only lack a slot.
    ready: VecDeque<Entry>,
    /// Paused handlers, by place, and who waits for them.
    paused: BTreeMap<usize, VecDeque<Entry>>,
    /// Nothing is received, and nothing begun.
    all_paused: bool,
    stopping: bool,
    /// How many wait for limits and paused types.
    waiting: usize,
    /// Ordered groups that have a message running or waiting, and those behind it.
    groups: HashMap<Box<str>, VecDeque<Entry>>,
    /// How many receives a message may have had and still be received again; by the queue's redrive policy.
    max_receives: Option<u32>,
    begin: Vec<Entry>,
    give_back: Vec<GiveBack>,
}

/// A receive under way: its messages count as asked for until it is answered, or dropped.
#[derive(Debug)]
pub(super) struct Ask {
    floor: Arc<Floor>,
    /// How many messages to ask for.
    pub(super) count: usize,
    answered: bool,
}

impl Ask {
    /// The receive has brought these.
    pub(super) fn answered(mut self, entries: Vec<Entry>) {
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

/// What stands in a message's way.
enum Obstacle {
    Paused(usize),
    Limit(Claim, Option<Instant>),
    Slot,
}

impl Floor {
    pub(super) fn new(plan: Plan) -> Floor {
        let state = State {
            concurrency: plan.concurrency,
            room: plan.room,
            limits: Limits::new(plan.limits),
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

    /// One more receive now, if there is room for what it may bring.
    pub(super) fn ask(self: &Arc<Self>) -> Option<Ask> {
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
        state.admit(entry, true, now);
        state.fill_slots(now);
        self.changed.notify_one();
    }

    /// A message that was begun is done with; `gone`: it is out of the queue.
    fn leave(&self, entry: &Entry, gone: bool) {
        let mut state = self.state();
        state.leave(entry, gone);
        let to_do = !state.begin.is_empty() || !state.give_back.is_empty();
        if to_do || state.stopping || state.askable().is_some() {
            self.changed.notify_one();
        }
    }

    /// How many messages one receive may bring.
    pub(super) fn set_receive_limit(&self, messages: usize) {
        self.state().receive_limit = messages.max(1);
    }

    /// How many receives the queue's redrive policy allows.
    pub(super) fn set_max_receives(&self, max: Option<u32>) {
        self.state().max_receives = max;
    }

    /// Begins nothing of these places, nor of any, until told otherwise.
    pub(super) fn set_paused(&self, all: bool, places: &BTreeSet<usize>) {
        self.state().set_paused(all, places);
        self.changed.notify_one();
    }

    /// Receives nothing more; gives back what can't be begun soon.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.stopping = true;
        // What is paused stays so.
        let held: Vec<Entry> = state.paused.values_mut().flat_map(mem::take).collect();
        state.waiting -= held.len();
        state.give_back_all(held, false);
    }

    /// Whether nothing is left to begin or to give back.
    pub(super) fn is_clear(&self) -> bool {
        let state = self.state();
        state.begin.is_empty() && state.give_back.is_empty() && state.ready.is_empty() && state.waiting == 0
    }

    /// Gives back all that has not been begun.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        let mut out: Vec<Entry> = state.limits.take_waiting(|_| true);
        out.extend(mem::take(&mut state.ready));
        out.extend(state.paused.values_mut().flat_map(mem::take));
        // Whoever ends now lets nobody of their group begin.
        out.extend(state.groups.values_mut().flat_map(mem::take));
        state.waiting = 0;
        state.give_back_all(out, false);
    }
}

impl State {
    fn askable(&self) -> Option<usize> {
        let crowded = self.waiting >= self.room.saturating_mul(2).max(1);
        if self.stopping || self.all_paused || crowded || self.receives >= self.worth {
            return None;
        }
        let taken = self.running + self.asked + self.ready.len();
        let free = self.concurrency.saturating_sub(taken).min(self.receive_limit);
        // One more receive is worth its request only if it may bring as much as most do.
        let enough = if self.receives == 0 { 1 } else { WORTH_A_RECEIVE.min(self.receive_limit).min(self.concurrency) };
        (free >= enough).then_some(free)
    }

    fn arrive(&mut self, entries: Vec<Entry>) {
        // Of a group whose head is given back, those that follow in the same receive are, too.
        let given_back = self.give_back.len();
        let now = Instant::now();
        for entry in entries {
            let group = entry.ordered_group().map(Box::<str>::from);
            let Some(group) = group else {
                self.admit(entry, true, now);
                continue;
            };
            let follows = |earlier: &&GiveBack| earlier.entry.ordered_group() == Some(&*group);
            if let Some(GiveBack { limited, .. }) = self.give_back[given_back..].iter().find(follows) {
                let limited = *limited;
                self.give_back.push(GiveBack { entry, limited });
            } else if let Some(behind) = self.groups.get_mut(&group) {
                behind.push_back(entry);
            } else {
                self.groups.insert(group, VecDeque::new());
                self.admit(entry, true, now);
            }
        }
    }

    /// Begins a message, or lets it wait for what stands in its way; `new`: it was not in the waiting room before.
    fn admit(&mut self, entry: Entry, new: bool, now: Instant) {
        if self.all_paused {
            return self.give_back_all(vec![entry], false);
        }
        match self.obstacle(&entry, now) {
            None => {
                self.running += 1;
                self.limits.begin(&entry.claims, now);
                self.begin.push(entry);
            }
            Some(Obstacle::Slot) => self.ready.push_back(entry),
            Some(_) if new && self.is_full_for(&entry) => self.give_back_all(vec![entry], !self.stopping),
            Some(Obstacle::Paused(_)) if self.stopping => self.give_back_all(vec![entry], false),
            Some(Obstacle::Paused(place)) => {
                self.waiting += 1;
                self.paused.entry(place).or_default().push_back(entry);
            }
            Some(Obstacle::Limit(claim, until)) => {
                self.waiting += 1;
                self.limits.wait(claim, until, entry);
            }
        }
    }

    fn obstacle(&mut self, entry: &Entry, now: Instant) -> Option<Obstacle> {
        if let Some(place) = entry.place().filter(|place| self.paused.contains_key(place)) {
            return Some(Obstacle::Paused(place));
        }
        if let Some((claim, until)) = self.limits.full(&entry.claims, now) {
            return Some(Obstacle::Limit(claim, until));
        }
        (self.running >= self.concurrency).then_some(Obstacle::Slot)
    }

    /// Whether the waiting room has no place for a message. One that may not be received again is always let in.
    fn is_full_for(&self, entry: &Entry) -> bool {
        let last = self.max_receives.is_some_and(|max| entry.hand.delivery.receive_count >= max);
        self.stopping || (self.waiting >= self.room && !last)
    }

    fn leave(&mut self, entry: &Entry, gone: bool) {
        self.running -= 1;
        self.limits.end(&entry.claims);
        let now = Instant::now();
        if let Some(group) = entry.ordered_group() {
            let next = self.groups.get_mut(group).and_then(VecDeque::pop_front);
            match next {
                Some(next) if gone => self.admit(next, true, now),
                Some(next) => self.give_back_all(vec![next], false),
                None => drop(self.groups.remove(group)),
            }
        }
        for claim in &entry.claims {
            self.let_in(claim, now);
        }
        self.fill_slots(now);
    }

    /// Begins those that only lack a slot.
    fn fill_slots(&mut self, now: Instant) {
        while self.running < self.concurrency
            && let Some(next) = self.ready.pop_front()
        {
            let claims = next.claims.clone();
            self.admit(next, false, now);
            // Those behind it may have been held up by the lack of slots alone.
            for claim in &claims {
                self.let_in(claim, now);
            }
        }
    }

    /// Tries those again who waited for this limit, while it has room. Once one of them lacks nothing but a slot, the rest wait
    /// until that one has it ([`fill_slots`](State::fill_slots)).
    fn let_in(&mut self, claim: &Claim, now: Instant) {
        while let Some(next) = self.limits.next(claim, now) {
            let ready = self.ready.len();
            self.waiting -= 1;
            self.admit(next, false, now);
            if self.ready.len() > ready {
                break;
            }
        }
    }

    /// Tries those again who waited for time to pass.
    fn tick(&mut self) {
        let now = Instant::now();
        for claim in self.limits.due(now) {
            self.let_in(&claim, now);
        }
    }

    fn set_paused(&mut self, all: bool, places: &BTreeSet<usize>) {
        self.all_paused = all;
        let mut before = mem::take(&mut self.paused);
        for place in places {
            self.paused.insert(*place, before.remove(place).unwrap_or_default());
        }
        if all {
            let mut out: Vec<Entry> = self.limits.take_waiting(|_| true);
            out.extend(before.into_values().flatten());
            out.extend(mem::take(&mut self.paused).into_values().flatten());
            self.paused = places.iter().map(|place| (*place, VecDeque::new())).collect();
            self.waiting = 0;
            out.extend(mem::take(&mut self.ready));
            return self.give_back_all(out, false);
        }
        let now = Instant::now();
        for entry in before.into_values().flatten() {
            self.waiting -= 1;
            self.admit(entry, false, now);
        }
    }

    /// Gives back these, each followed by those behind it in its group.
    fn give_back_all(&mut self, entries: Vec<Entry>, limited: bool) {
        for entry in entries {
            let behind = entry.ordered_group().and_then(|group| self.groups.remove(group));
            let all = std::iter::once(entry).chain(behind.into_iter().flatten());
            self.give_back.extend(all.map(|entry| GiveBack { entry, limited }));
        }
    }
}
