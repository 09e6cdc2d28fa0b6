//! Batches that this process has seen to be over: what they were about, for a while.
//!
//! The tallies of a batch that is over are deleted, and with them that its jobs have ended. A completion may come after that: the
//! same `Batch` sends one more, or several were sent and an endpoint hands out one tally at a time. It tells of jobs whose ends nobody
//! will tell again. Who saw them knows.
//!
//! Only those jobs are noted that were announced, and not what else has ended with them: so nothing is said here of a job
//! that comes later, under whatever id. And only where all of them had ended, so that those which their handlers have enqueued
//! are among them, and have ended as well.

use super::{member::Members, record::Tally};
use std::collections::{HashMap, VecDeque};

/// How long a batch is remembered, in milliseconds.
const LONGEST_MS: u64 = 3_600_000;
/// How many ranges of jobs are remembered together: some 10 MB at the most.
const MOST_RANGES: usize = 100_000;

#[derive(Default)]
pub(super) struct Past {
    /// By batch, the oldest first.
    over: HashMap<String, VecDeque<Members>>,
    /// When each was noted, how many ranges it has, and its batch: the oldest first.
    order: VecDeque<(u64, usize, String)>,
    ranges: usize,
}

impl Past {
    /// Notes what this tally is about, if all of it is over.
    pub(super) fn note(&mut self, batch: &str, tally: &Tally, now_ms: u64) {
        self.forget(now_ms);
        if tally.announced.is_empty() || !tally.is_over() || self.of(batch).cover(&tally.announced) {
            return;
        }
        let ranges = tally.announced.ranges();
        self.over.entry(batch.to_owned()).or_default().push_back(tally.announced.clone());
        self.order.push_back((now_ms, ranges, batch.to_owned()));
        self.ranges += ranges;
    }

    /// The jobs under a batch's name that are known to be over.
    pub(super) fn of(&self, batch: &str) -> Members {
        let mut over = Members::default();
        self.over.get(batch).into_iter().flatten().for_each(|jobs| over.unite(jobs));
        over
    }

    /// Forgets what is too old, or too much.
    fn forget(&mut self, now_ms: u64) {
        let is_enough = |since_ms: u64, all: usize| now_ms.saturating_sub(since_ms) > LONGEST_MS || all > MOST_RANGES;
        while let Some((_, ranges, batch)) = self.order.pop_front_if(|(since_ms, ..)| is_enough(*since_ms, self.ranges))
        {
            self.ranges -= ranges;
            if let Some(of_batch) = self.over.get_mut(&batch) {
                of_batch.pop_front();
                if of_batch.is_empty() {
                    self.over.remove(&batch);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::tally::member::Member;

    fn tally(announced: std::ops::Range<u64>, ended: std::ops::Range<u64>) -> Tally {
        let member = |index| Member { batch: "b".into(), origin: "o".into(), index };
        let mut tally = Tally::of("jobs", 0);
        announced.for_each(|index| tally.announced.add(&member(index)));
        ended.for_each(|index| tally.ended.add(&member(index)));
        tally
    }

    #[test]
    fn jobs_of_batches_that_were_over_are_known_to_have_ended() {
        let mut past = Past::default();
        past.note("b", &tally(0..3, 0..2), 0);
        past.note("b", &tally(0..3, 0..9), 1);
        past.note("b", &tally(20..22, 20..22), 2);
        let mut expected = tally(0..3, 0..0).announced;
        expected.unite(&tally(20..22, 0..0).announced);
        assert_eq!(past.of("b"), expected);
        assert!(past.of("c").is_empty());
    }

    #[test]
    fn what_is_old_or_too_much_is_forgotten() {
        let mut past = Past::default();
        past.note("b", &tally(0..1, 0..1), 0);
        past.note("b", &tally(2..3, 2..3), LONGEST_MS + 1);
        assert!(!past.of("b").meet(&tally(0..1, 0..0).announced));
        for index in 0..2 * MOST_RANGES as u64 {
            past.note(&index.to_string(), &tally(2..3, 2..3), LONGEST_MS + 2);
        }
        assert!(past.ranges <= MOST_RANGES + 1 && past.over.len() == past.ranges, "{}", past.ranges);
        assert!(past.of("b").is_empty());
    }
}
