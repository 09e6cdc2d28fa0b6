//! The jobs of a batch, each with a key of its own.
//!
//! A job's key is drawn by the process that enqueues it: the process's *origin* in this batch, which is random, and a number that
//! is counted up. So nobody need be asked for it, and what is known of many jobs is a few ranges.
//!
//! A job of a FIFO queue may be enqueued again, by the next attempt of a handler for one, and the queue takes only the first,
//! with the first one's key. So its origin is its deduplication id's, and the number is the time; and with the one that the queue took, all end
//! that were announced under its id while the queue took no other.

use super::ranges::Ranges;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// The key of one job, with its batch. As text: three words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::queue) struct Member {
    pub(in crate::queue) batch: String,
    pub(super) origin: String,
    pub(super) index: u64,
}

/// What the origin of a job begins with that is known by its deduplication id.
const OF_ID: &str = "=";
/// How long a FIFO queue takes no other message of an id.
const DEDUPLICATION_MS: u64 = 300_000;
/// How far apart clocks may be, and an announcement and its message.
const SLACK_MS: u64 = 30_000;

impl Member {
    /// A job with this digest of its deduplication id.
    pub(super) fn of_id(batch: &str, digest: &str, now_ms: u64) -> Member {
        Member { batch: batch.to_owned(), origin: format!("{OF_ID}{digest}"), index: now_ms }
    }

    /// The first and the last of those that end with it.
    fn ending_with_it(&self) -> (u64, u64) {
        match self.origin.starts_with(OF_ID) {
            true => (self.index.saturating_sub(SLACK_MS), self.index.saturating_add(DEDUPLICATION_MS + SLACK_MS)),
            false => (self.index, self.index),
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.batch, self.origin, self.index)
    }
}

impl FromStr for Member {
    type Err = ();

    fn from_str(text: &str) -> Result<Member, ()> {
        let mut words = text.split(' ');
        let (Some(batch), Some(origin), Some(index), None) = (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(());
        };
        let index = index.parse().map_err(drop)?;
        Ok(Member { batch: batch.to_owned(), origin: origin.to_owned(), index })
    }
}

/// Some jobs of one batch, by origin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Members(BTreeMap<String, Ranges>);

impl Members {
    pub(super) fn add(&mut self, member: &Member) {
        self.0.entry(member.origin.clone()).or_default().add(member.index, member.index);
    }

    /// Adds a job that is over, with those that are over with it.
    pub(super) fn add_ended(&mut self, member: &Member) {
        let (first, last) = member.ending_with_it();
        self.0.entry(member.origin.clone()).or_default().add(first, last);
    }

    /// Those of one origin, from 0 up to, but not including, `count`.
    pub(super) fn counted(origin: String, count: u64) -> Members {
        let mut ranges = Ranges::default();
        if let Some(last) = count.checked_sub(1) {
            ranges.add(0, last);
        }
        Members(BTreeMap::from([(origin, ranges)]))
    }

    /// The same in portions of so many ranges at the most.
    pub(super) fn portions(&self, most: usize) -> Vec<Members> {
        let mut portions: Vec<Members> = Vec::new();
        let all = self.0.iter().flat_map(|(origin, ranges)| ranges.iter().map(move |range| (origin, range)));
        for (place, (origin, (first, last))) in all.enumerate() {
            if place % most.max(1) == 0 {
                portions.push(Members::default());
            }
            if let Some(portion) = portions.last_mut() {
                portion.0.entry(origin.clone()).or_default().add(first, last);
            }
        }
        portions
    }

    pub(super) fn unite(&mut self, other: &Members) {
        for (origin, ranges) in &other.0 {
            self.0.entry(origin.clone()).or_default().unite(ranges);
        }
    }

    /// Whether all of the others are among these.
    pub(super) fn cover(&self, others: &Members) -> bool {
        let none = Ranges::default();
        others.0.iter().all(|(origin, ranges)| self.0.get(origin).unwrap_or(&none).cover(ranges))
    }

    /// Whether some job is among both.
    pub(super) fn meet(&self, others: &Members) -> bool {
        others.0.iter().any(|(origin, ranges)| self.0.get(origin).is_some_and(|own| own.meet(ranges)))
    }

    /// Those that are among both.
    pub(super) fn common(&self, others: &Members) -> Members {
        let both = |(origin, ranges): (&String, &Ranges)| {
            let common = ranges.common(others.0.get(origin)?);
            (!common.is_empty()).then(|| (origin.clone(), common))
        };
        Members(self.0.iter().filter_map(both).collect())
    }

    /// How many ranges they are.
    pub(super) fn ranges(&self) -> usize {
        self.0.values().map(|ranges| ranges.iter().count()).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
