//! Who is begun, who waits, and who is sent away.

use super::{Claim, Entry, GiveBack, Leave, SendingAway, State, stays_at_stop};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::Instant;

/// Who has its turn within such time is not sent away: it would be late, for queues count in seconds.
const SOON: Duration = Duration::from_secs(2);

/// What stands in a message's way.
enum Obstacle {
    Paused(usize),
    Limit(Claim, Option<Instant>),
    Slot,
}

impl State {
    /// Messages have been received.
    pub(super) fn arrive(&mut self, entries: Vec<Entry>) {
        // Of a group whose head is given back, those that follow in the same receive are, too.
        let given_back = self.give_back.len();
        let now = Instant::now();
        for entry in entries {
            self.held.add(&entry);
            let group = entry.ordered_group().map(Box::<str>::from);
            let Some(group) = group else {
                self.admit(entry, true, now);
                continue;
            };
            let follows = |earlier: &&GiveBack| earlier.entry.ordered_group() == Some(&*group);
            if let Some(GiveBack { away, .. }) = self.give_back[given_back..].iter().find(follows) {
                let away = *away;
                self.give_back_all(vec![entry], away);
            } else if let Some(behind) = self.groups.get_mut(&group) {
                behind.push_back(entry);
            } else {
                self.groups.insert(group, Default::default());
                self.admit(entry, true, now);
            }
        }
    }

    /// Begins a message, or lets it wait for what stands in its way; `new`: it was not in the waiting room before.
    pub(super) fn admit(&mut self, mut entry: Entry, new: bool, now: Instant) {
        // One that is lost would only use up a slot and its share of its limits.
        if self.all_paused || entry.is_lost() {
            return self.give_back_all(vec![entry], None);
        }
        match self.obstacle(&entry, now) {
            None => {
                self.running += 1;
                self.held.remove(&entry);
                if !entry.claims.is_empty() {
                    entry.begun = Some(now);
                    self.limits.begin(&entry.claims, !new, now);
                }
                self.begin.push(entry);
            }
            Some(Obstacle::Slot) => self.ready.push_back(entry),
            Some(Obstacle::Paused(place)) => self.wait_for_place(entry, place, new, now),
            Some(Obstacle::Limit(claim, until)) => self.wait_for_limit(entry, (claim, until), new, now),
        }
    }

    fn obstacle(&mut self, entry: &Entry, now: Instant) -> Option<Obstacle> {
        if let Some(place) = entry.place().filter(|place| self.paused.has(*place)) {
            return Some(Obstacle::Paused(place));
        }
        if let Some((claim, until)) = self.limits.full(&entry.claims, now) {
            return Some(Obstacle::Limit(claim, until));
        }
        (self.running >= self.concurrency).then_some(Obstacle::Slot)
    }

    fn wait_for_place(&mut self, entry: Entry, place: usize, new: bool, now: Instant) {
        if self.stopping.is_some() {
            return self.give_back_all(vec![entry], None);
        }
        if new && self.is_to_go(&entry, |_| false) {
            let away = self.paused.send_away(place, now);
            return self.give_back_all(vec![entry], Some(away));
        }
        self.waiting += 1;
        self.paused.wait(place, entry);
    }

    fn wait_for_limit(&mut self, entry: Entry, (claim, until): (Claim, Option<Instant>), new: bool, now: Instant) {
        if self.stopping.is_some_and(|deadline| !stays_at_stop(self.sending_away, &entry, until, deadline)) {
            return self.give_back_all(vec![entry], None);
        }
        if new && self.is_to_go(&entry, |state| state.limits.is_soon(&claim, SOON, now)) {
            let away = self.limits.send_away(&claim, now);
            return self.give_back_all(vec![entry], Some(away));
        }
        self.waiting += 1;
        self.limits.wait(claim, until, entry, now);
    }

    /// Whether a message that has to wait is to be sent away for it.
    fn is_to_go(&mut self, entry: &Entry, is_soon: impl FnOnce(&mut State) -> bool) -> bool {
        if self.waiting < self.room || !self.sending_away.is_possible(entry) {
            return false;
        }
        let must = self.held.is_much();
        must || (self.sending_away == SendingAway::IsFree && !is_soon(self))
    }

    /// The work on one that was begun is done.
    pub(super) fn finish(&mut self) {
        self.running -= 1;
        self.leaving += 1;
        // Most leave nobody behind who waits for their slot, and need not know the time.
        if !self.ready.is_empty() {
            self.fill_slots(Instant::now());
        }
    }

    /// One that was begun is done with.
    pub(super) fn leave(&mut self, entry: &Entry, Leave { finished, gone }: Leave) {
        let place = if finished { &mut self.leaving } else { &mut self.running };
        *place -= 1;
        if entry.claims.is_empty() && entry.ordered_group().is_none() && self.ready.is_empty() {
            return;
        }
        let now = Instant::now();
        if let Some(begun) = entry.begun {
            self.limits.end(&entry.claims, begun, now);
        }
        if let Some(group) = entry.ordered_group() {
            let next = self.groups.get_mut(group).and_then(|behind| behind.pop_front());
            match next {
                Some(next) if gone => self.admit(next, true, now),
                Some(next) => self.give_back_all(vec![next], None),
                None => drop(self.groups.remove(group)),
            }
        }
        for claim in &entry.claims {
            self.let_in(claim, now);
        }
        self.fill_slots(now);
    }

    /// Begins those that only lack a slot.
    pub(super) fn fill_slots(&mut self, now: Instant) {
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
    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        for claim in self.limits.due(now) {
            self.let_in(&claim, now);
        }
    }

    pub(super) fn set_paused(&mut self, all: bool, places: &BTreeSet<usize>) {
        self.all_paused = all;
        let now = Instant::now();
        let resumed = self.paused.set(places, now);
        if all {
            let mut out = self.limits.take_waiting();
            out.extend(resumed);
            out.extend(self.paused.take_waiting());
            self.waiting = 0;
            out.extend(self.ready.drain(..));
            return self.give_back_all(out, None);
        }
        for entry in resumed {
            self.waiting -= 1;
            self.admit(entry, false, now);
        }
    }

    /// Gives back these, each followed by those behind it in its group.
    pub(super) fn give_back_all(&mut self, entries: Vec<Entry>, away: Option<Duration>) {
        for entry in entries {
            let behind = entry.ordered_group().and_then(|group| self.groups.remove(group));
            for entry in std::iter::once(entry).chain(behind.into_iter().flatten()) {
                self.held.remove(&entry);
                self.give_back.push(GiveBack { entry, away });
            }
        }
    }
}
