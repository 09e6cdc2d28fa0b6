//! What is to be done with some tallies of one batch that were received together.
//!
//! A receive may bring any number of those that are there; some servers hand out one of a group at a time. So a worker remembers
//! for a while what it has put into the queue last, and unites with that what it receives: the queue has a tally then that knows
//! both. Only what is about the same jobs, for a batch may be over meanwhile, by another worker, and another one have its name;
//! and not what waits, which is taken only from what was received, so that nobody sends it who does not hold it.
//! A tally that knows less than another one which is there can be spared; one that knows the same can't, for it may be that other
//! one itself.
//!
//! A tally that was merged has gone to the group's end. When it comes to its beginning, what was there before has been looked
//! at, and either it waits there for a while or the batch is over. After its wait it goes to the end again, and lets pass what
//! has come meanwhile.
//!
//! What does not fit into one tally is put into several, and the group turns with those in the same way. None is ever taken
//! apart, so each still says all that it said; and where there is room, each says all that is known of jobs, so that it needs
//! none of the others to be over. Those that have been sent what waited in them stay for a while without it, for the others may
//! need to know what they do.

use super::record::Tally;
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

/// How long what was put into the queue is merged with what is received.
const LONGEST_MEMORY_MS: u64 = 10_000;

/// How long it is remembered at all, to spare what says less: longer than a receive waits.
const LONGEST_USE_MS: u64 = 60_000;

/// How many tallies of one batch are remembered.
const MOST_KNOWN: usize = 10;

/// A tally as it was received.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) tally: Tally,
    pub(super) receipt: String,
    pub(super) receive_count: u32,
}

/// A tally that this process has put into the queue: it is there, or one that knows more, or the batch was over.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) tally: Tally,
    pub(super) since_ms: u64,
}

impl Known {
    pub(super) fn new(mut tally: Tally, since_ms: u64) -> Known {
        // That they are there is enough to know, and they may be long.
        tally.completions.values_mut().for_each(|request| *request = SendMessageRequest::default());
        Known { tally, since_ms }
    }

    /// Whether somebody may still receive a tally that it has to do with: soon, if at all.
    pub(super) fn is_of_use(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.since_ms) < LONGEST_USE_MS
    }

    /// What it has to say of jobs.
    fn of_jobs(&self) -> Tally {
        let mut tally = self.tally.clone();
        tally.completions.clear();
        tally
    }

    /// Notes those that were put into the queue together, in place of those that they have grown from.
    pub(super) fn note(all: &mut Vec<Known>, new: Vec<Known>) {
        all.retain(|known| !new.iter().any(|new| known.tally.meets(&new.tally)));
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
    pub(super) fn of(received: &[Received], known: &[Known], rules: Rules) -> Step {
        let all = united(received, known, rules.now_ms);
        let is_waited_for = !all.completions.is_empty();
        let quiet_ms = rules.now_ms.saturating_sub(all.at_ms);
        if quiet_ms > rules.retention_ms.saturating_add(LONGEST_DELAY_MS) {
            return if is_waited_for { Step::Complete { over: all, rest: Vec::new() } } else { Step::Drop };
        }
        if all.split && !is_waited_for && all.is_over() && quiet_ms > LONGEST_REST_MS {
            return Step::Drop;
        }
        if received.iter().all(|one| known.iter().any(|known| can_be_spared(one, known))) {
            return Step::Drop;
        }
        let parts = parts(received, &all, rules);
        let are_in_turn =
            received.iter().all(|one| one.receive_count <= 1) && parts.iter().eq(received.iter().map(|one| &one.tally));
        match (are_in_turn, is_waited_for && all.is_over()) {
            (true, true) => Step::complete(received, all, rules),
            (true, false) => {
                // A quarter of the time that nothing has happened for, so that a batch that rests costs little.
                let longest = if is_waited_for { LONGEST_WAIT } else { LONGEST_IDLE_WAIT };
                Step::Wait(Duration::from_millis(quiet_ms / 4).clamp(SHORTEST_WAIT, longest))
            }
            (false, _) => Step::Merge(parts),
        }
    }

    fn complete(received: &[Received], over: Tally, rules: Rules) -> Step {
        let mut rest = Vec::new();
        if over.split {
            let mut without = received.to_vec();
            without.iter_mut().for_each(|one| one.tally.completions.clear());
            rest = parts(&without, &over, rules);
        }
        Step::Complete { over, rest }
    }
}

/// All that is known of these tallies' jobs, and what waits according to them.
fn united(received: &[Received], known: &[Known], now_ms: u64) -> Tally {
    let mut all = received[0].tally.clone();
    received.iter().for_each(|one| all.unite(&one.tally));
    let is_fresh = |known: &&Known| now_ms.saturating_sub(known.since_ms) < LONGEST_MEMORY_MS;
    let mut left: Vec<&Known> = known.iter().filter(is_fresh).collect();
    // One that says nothing of these jobs may say something of others that belong to them by what a third one says.
    while let Some(place) = left.iter().position(|known| known.tally.meets(&all)) {
        all.unite(&left.swap_remove(place).of_jobs());
    }
    all.merged = true;
    all
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

/// Whether another one is in the queue that knows more than this one.
fn can_be_spared(one: &Received, known: &Known) -> bool {
    let both = both(&known.tally, &one.tally);
    let same = |tally: &Tally| {
        tally.at_ms == both.at_ms
            && tally.split == both.split
            && tally.announced == both.announced
            && tally.ended == both.ended
            && tally.completions.keys().eq(both.completions.keys())
    };
    !one.tally.split && same(&known.tally) && !same(&one.tally)
}

fn fits(tally: &Tally, rules: Rules) -> bool {
    tally.text().is_ok_and(|text| text.len() <= rules.most_bytes)
}
