//! The jobs of a batch, each with a key of its own.
//!
//! A job's key is drawn by the process that enqueues it: the process's *origin* in this batch, which is random, and a number that
//! is counted up. So nobody need be asked for it, and what is known of many jobs is a few ranges.

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

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
