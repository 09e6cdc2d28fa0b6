//! What is to be done with some tallies of one batch that were received together.
//!
//! A receive may bring any number of those that are there; some servers hand out one of a group at a time. So a worker remembers
//! for a while what it has put into the queue or left there, and unites with that what it receives: the queue has a tally then that
//! knows both. Only what is about the same jobs, for a batch may be over meanwhile, by another worker, and another one have its name;
//! and not what waits, which is taken only from what was received, so that nobody sends it who does not hold it.
//! A tally that knows less than another one which is there can be spared; one that knows the same can't, for it may be that other
//! one itself.
//!
//! Where tallies are handed out singly, several can't become one by being received together, and with several completions the first
//! one that is sent would take away what the others need to know: who knows of others in the queue leaves what is known for
//! them, as below, and waits but shortly, for they have their turns behind it. It keeps that there for as long as it knows of
//! others that wait, for it may be the next to stop. And what a worker has seen to be [over](super::past) is over.
//!
//! A tally that was merged has gone to the group's end. When it comes to its beginning, what was there before has been looked
//! at, and either it waits there for a while or the batch is over. After its wait it goes to the end again, and lets pass what
//! has come meanwhile.
//!
//! What does not fit into one tally is put into several, and the group turns with those in the same way. None is ever taken
//! apart, so each still says all that it said; and where there is room, each says all that is known of jobs, so that it needs
//! none of the others to be over. When what waited in one has been sent, it stays for a while without it, for the others may
//! need to know what it does; and it says what was sent, or two workers would each leave theirs for what the other one has sent.

use super::{member::Members, record::Tally};
use crate::sqs::SendMessageRequest;
use std::time::Duration;

const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// Where something waits for the batch.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Where nothing does so far.
const LONGEST_IDLE_WAIT: Duration = Duration::from_secs(60);
/// A delay that comes before a job's retention: what a queue keeps at most, in milliseconds.
const LONGEST_DELAY_MS: u64 = 900_000;

/// How long a tally that nothing waits for stays for the sake of others, in milliseconds.
const LONGEST_REST_MS: u64 = 3_600_000;

/// How long it is remembered what is in the queue: some rounds of a group whose tallies are handed out one at a time, and each of
/// them waits.
const LONGEST_MEMORY_MS: u64 = 300_000;

/// How long it is united with what names no job at all, which may be of another batch that has the name now.
const LONGEST_UNNAMED_MEMORY_MS: u64 = 10_000;

/// How many tallies of one batch are remembered.
const MOST_KNOWN: usize = 10;

/// A tally as it was received.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) tally: Tally,
    pub(super) receipt: String,
    pub(super) receive_count: u32,
}

/// A tally that this process has put into the queue, or left there: it is there, or one that knows more, or the batch was over.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) tally: Tally,
    pub(super) since_ms: u64,
    /// What waited in it has been sent.
    pub(super) is_over: bool,
}

impl Known {
    pub(super) fn new(mut tally: Tally, since_ms: u64) -> Known {
        // That they are there is enough to know, and they may be long.
        tally.completions.values_mut().for_each(|request| *request = SendMessageRequest::default());
        Known { tally, since_ms, is_over: false }
    }

    /// One that was over: who holds some of it has nothing to do any more.
    pub(super) fn over(tally: Tally, since_ms: u64) -> Known {
        Known { is_over: true, ..Known::new(tally, since_ms) }
    }

    /// Learns from a tally that another worker has sent what waited in one that is known here.
    pub(super) fn learn(all: &mut [Known], tally: &Tally) {
        for known in all {
            let waiting = &known.tally.completions;
            let are_sent = !waiting.is_empty() && waiting.keys().all(|id| tally.sent.contains(id));
            known.is_over |= are_sent && tally.covers_jobs(&known.tally);
        }
    }

    /// Whether somebody may still receive a tally that it has to do with: soon, if at all. That something was sent is known for
    /// longer than that others wait, so that what was left for their sake can be dropped then.
    pub(super) fn is_of_use(&self, now_ms: u64) -> bool {
        let longest_ms = if self.is_over { 2 * LONGEST_MEMORY_MS } else { LONGEST_MEMORY_MS };
        now_ms.saturating_sub(self.since_ms) < longest_ms
    }

    /// Whether it may be about the same jobs as this one.
    fn concerns(&self, other: &Tally, now_ms: u64) -> bool {
        let is_fresh = now_ms.saturating_sub(self.since_ms) < LONGEST_UNNAMED_MEMORY_MS;
        match self.tally.names_jobs() && other.names_jobs() {
            true => self.is_of_use(now_ms) && self.tally.meets(other),
            false => is_fresh,
        }
    }

    /// Whether something waits in it for the same jobs that does not in this one.
    fn waits_beside(&self, other: &Tally) -> bool {
        let is_another = |id: &String| !other.completions.contains_key(id);
        !self.is_over && self.tally.meets(other) && self.tally.completions.keys().any(is_another)
    }

    /// Whether it is there for the sake of others, and knows all that this one knows.
    fn stands_for(&self, rest: &Tally, now_ms: u64) -> bool {
        self.tally.is_rest() && !self.is_over && self.is_of_use(now_ms) && self.tally.covers(rest)
    }

    /// Whether it is there beside this one.
    fn is_beside(&self, other: &Tally, now_ms: u64) -> bool {
        let is_itself = self.tally.covers(other) && other.covers(&self.tally) && self.tally.at_ms == other.at_ms;
        !self.is_over && self.is_of_use(now_ms) && !is_itself
    }

    /// What it has to say of jobs, and of what has been sent.
    fn of_jobs(&self) -> Tally {
        let mut tally = self.tally.clone();
        if self.is_over {
            return tally.sent_off();
        }
        tally.completions.clear();
        tally
    }

    /// Notes those that were put into the queue together, in place of those of which they know as much.
    pub(super) fn note(all: &mut Vec<Known>, new: Vec<Known>) {
        // That something was sent is not known from what is left for the sake of others.
        let says_more = |new: &Known, known: &Known| new.is_over >= known.is_over && new.tally.covers(&known.tally);
        all.retain(|known| !new.iter().any(|new| says_more(new, known)));
        all.splice(..0, new);
        all.truncate(MOST_KNOWN);
    }
}

/// What holds for all batches of a queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) now_ms: u64,
    /// How long a job may be in its queue.
    pub(super) retention_ms: u64,
    /// The longest text of a tally.
    pub(super) most_bytes: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The batch is over: what waits for it is sent, then the rest of the tallies for the sake of others, and they are deleted.
    Complete { over: Tally, rest: Vec<Tally> },
    /// These are sent for all of them, which are deleted: one, if it holds all that there is to say.
    Merge(Vec<Tally>),
    /// They are left, out of sight for a while.
    Wait(Duration),
    /// They are deleted: another one knows more, or nothing of the batch can be in the queue any more and nothing waits for it.
    Drop,
}

impl Step {
    /// What to do with tallies of one batch, of which there is one at least.
    pub(super) fn of(received: &[Received], known: &[Known], past: &Members, rules: Rules) -> Step {
        let all = united(received, known, past, rules.now_ms);
        let is_waited_for = !all.completions.is_empty();
        let quiet_ms = rules.now_ms.saturating_sub(all.at_ms);
        if quiet_ms > rules.retention_ms.saturating_add(LONGEST_DELAY_MS) {
            return if is_waited_for { Step::Complete { over: all, rest: Vec::new() } } else { Step::Drop };
        }
        if all.is_rest() && all.is_over() && (quiet_ms > LONGEST_REST_MS || is_done_with(&all, known)) {
            return Step::Drop;
        }
        if received.iter().all(|one| known.iter().any(|known| can_be_spared(one, known))) {
            return Step::Drop;
        }
        let parts = parts(received, &all, rules);
        let are_in_turn =
            received.iter().all(|one| one.receive_count <= 1) && parts.iter().eq(received.iter().map(|one| &one.tally));
        match (are_in_turn, is_waited_for && all.is_over()) {
            (true, true) => Step::complete(received, known, all, rules),
            (true, false) => {
                // A quarter of the time that nothing has happened for, so that a batch that rests costs little.
                let longest = match is_waited_for {
                    // Those have their turns behind this one, and would wait with it.
                    _ if known.iter().any(|known| known.is_beside(&all, rules.now_ms)) => SHORTEST_WAIT,
                    true => LONGEST_WAIT,
                    false => LONGEST_IDLE_WAIT,
                };
                Step::Wait(Duration::from_millis(quiet_ms / 4).clamp(SHORTEST_WAIT, longest))
            }
            (false, _) => Step::Merge(parts),
        }
    }

    fn complete(received: &[Received], known: &[Known], over: Tally, rules: Rules) -> Step {
        let mut rest = Vec::new();
        if over.split {
            let sent_off = |one: &Received| Received { tally: one.tally.clone().sent_off(), ..one.clone() };
            let without: Vec<Received> = received.iter().map(sent_off).collect();
            rest = parts(&without, &over.clone().sent_off(), rules);
            rest.retain(|part| !known.iter().any(|known| known.stands_for(part, rules.now_ms)));
        }
        Step::Complete { over, rest }
    }
}

/// All that is known of these tallies' jobs, and what waits according to them.
fn united(received: &[Received], known: &[Known], past: &Members, now_ms: u64) -> Tally {
    let mut all = received[0].tally.clone();
    received.iter().for_each(|one| all.unite(&one.tally));
    let mut left: Vec<&Known> = known.iter().collect();
    // One that says nothing of these jobs may say something of others that belong to them by what a third one says.
    while let Some(place) = left.iter().position(|known| known.concerns(&all, now_ms)) {
        let known = left.swap_remove(place);
        // What waits there needs to know what these know, and may not be handed out together with them.
        all.split |= !all.completions.is_empty() && known.waits_beside(&all);
        all.unite(&known.of_jobs());
    }
    let over = all.announced.common(past);
    all.ended.unite(&over);
    all.merged = true;
    all
}

/// Whether something that waited for these jobs has been sent from here, and nothing else is known of that waits for them.
fn is_done_with(all: &Tally, known: &[Known]) -> bool {
    let is_sent = known.iter().any(|known| known.is_over && known.tally.covers_jobs(all));
    is_sent && !known.iter().any(|known| known.waits_beside(all))
}

/// What is sent for them: one tally if all fits into one, and else as few as it takes, in their order.
fn parts(received: &[Received], all: &Tally, rules: Rules) -> Vec<Tally> {
    let mut of_jobs = all.clone();
    of_jobs.completions.clear();
    let mut parts: Vec<Tally> = received.iter().map(|one| both(&one.tally, &of_jobs)).collect();
    if !parts.iter().all(|part| fits(part, rules)) {
        parts = received.iter().map(|one| Tally { at_ms: all.at_ms, merged: true, ..one.tally.clone() }).collect();
    }
    let mut packed: Vec<Tally> = Vec::with_capacity(parts.len());
    for part in parts {
        let united =
            |(place, other): (usize, &Tally)| Some((place, both(other, &part))).filter(|(_, both)| fits(both, rules));
        match packed.iter().enumerate().find_map(united) {
            Some((place, both)) => packed[place] = both,
            None => packed.push(part),
        }
    }
    let are_split = packed.len() > 1;
    packed.iter_mut().for_each(|part| part.split |= are_split);
    packed
}

fn both(one: &Tally, other: &Tally) -> Tally {
    let mut both = Tally { merged: true, ..one.clone() };
    both.unite(other);
    both
}

/// Whether another one is in the queue that knows more than this one, or all that waited in it has been sent from here.
fn can_be_spared(one: &Received, known: &Known) -> bool {
    if known.is_over {
        // Not what was left then for the sake of others: the one that was sent is not there any more to say it.
        return !one.tally.is_rest() && known.tally.covers(&one.tally);
    }
    let both = both(&known.tally, &one.tally);
    let same = |tally: &Tally| {
        tally.at_ms == both.at_ms
            && tally.split == both.split
            && tally.announced == both.announced
            && tally.ended == both.ended
            && tally.sent == both.sent
            && tally.completions.keys().eq(both.completions.keys())
    };
    same(&known.tally) && !same(&one.tally)
}

fn fits(tally: &Tally, rules: Rules) -> bool {
    tally.text().is_ok_and(|text| text.len() <= rules.most_bytes)
}
