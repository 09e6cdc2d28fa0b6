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

use super::record::Tally;
use std::time::Duration;

const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// Where something waits for the batch.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Where nothing does so far.
const LONGEST_IDLE_WAIT: Duration = Duration::from_secs(60);
/// A delay that comes before a job's retention: what a queue keeps at most, in milliseconds.
const LONGEST_DELAY_MS: u64 = 900_000;

/// How long what was put into the queue is merged with what is received.
const LONGEST_MEMORY_MS: u64 = 10_000;

/// How many tallies of one batch are remembered that know nothing of each other's jobs.
const MOST_KNOWN: usize = 8;

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
    /// What it has to say beside these tallies.
    fn beside(&self, received: &[Received]) -> Option<Tally> {
        let mut known = self.tally.clone();
        known.completions.clear();
        received.iter().any(|one| known.meets(&one.tally)).then_some(known)
    }

    /// Notes one, in place of those that it has grown from.
    pub(super) fn note(all: &mut Vec<Known>, new: Known) {
        all.retain(|known| !known.tally.meets(&new.tally));
        all.truncate(MOST_KNOWN - 1);
        all.insert(0, new);
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
    /// The batch is over: what waits for it is sent, and the tallies are deleted.
    Complete(Tally),
    /// One tally is sent for all of them, which are deleted.
    Merge(Tally),
    /// They are left, out of sight for a while.
    Wait(Duration),
    /// They are deleted: another one knows more, or nothing of the batch can be in the queue any more and nothing waits for it.
    Drop,
}

impl Step {
    /// What to do with tallies of one batch, of which there is one at least.
    pub(super) fn of(received: &[Received], known: &[Known], rules: Rules) -> Step {
        let mut all = received[0].tally.clone();
        received.iter().for_each(|one| all.unite(&one.tally));
        let is_fresh = |known: &&Known| rules.now_ms.saturating_sub(known.since_ms) < LONGEST_MEMORY_MS;
        known.iter().filter(is_fresh).filter_map(|known| known.beside(received)).for_each(|tally| all.unite(&tally));
        all.merged = true;
        let is_waited_for = !all.completions.is_empty();
        let quiet_ms = rules.now_ms.saturating_sub(all.at_ms);
        if quiet_ms > rules.retention_ms.saturating_add(LONGEST_DELAY_MS) {
            return if is_waited_for { Step::Complete(all) } else { Step::Drop };
        }
        if received.iter().all(|one| known.iter().any(|known| can_be_spared(one, known))) {
            return Step::Drop;
        }
        let is_over = is_waited_for && all.is_over();
        // A quarter of the time that nothing has happened for, so that a batch that rests costs little.
        let longest = if is_waited_for { LONGEST_WAIT } else { LONGEST_IDLE_WAIT };
        let wait = Step::Wait(Duration::from_millis(quiet_ms / 4).clamp(SHORTEST_WAIT, longest));
        let is_first_in_turn = received.len() == 1 && received[0].receive_count <= 1 && received[0].tally == all;
        match (is_first_in_turn || !fits(&all, rules), is_over) {
            (true, true) => Step::Complete(all),
            (true, false) => wait,
            (false, _) => Step::Merge(all),
        }
    }
}

/// Whether another one is in the queue that knows more than this one.
fn can_be_spared(one: &Received, known: &Known) -> bool {
    let mut both = known.tally.clone();
    both.unite(&one.tally);
    let same = |tally: &Tally| {
        tally.at_ms == both.at_ms
            && tally.announced == both.announced
            && tally.ended == both.ended
            && tally.completions == both.completions
    };
    same(&known.tally) && !same(&one.tally)
}

fn fits(tally: &Tally, rules: Rules) -> bool {
    tally.text().is_ok_and(|text| text.len() <= rules.most_bytes)
}
