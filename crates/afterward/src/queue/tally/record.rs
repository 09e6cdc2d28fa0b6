//! A tally: what somebody knows of a batch, as it lies in the tally queue.
//!
//! Tallies are united, and that is all that is ever done to them: to unite a tally twice, or in another order, comes to the
//! same. So a tally that is sent, received or merged more than once does no harm.

use super::member::{Member, Members};
use crate::sqs;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

/// A range of jobs in a tally's text: no more than this, with its origin.
const RANGE_BYTES: usize = 128;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// The name of the queue that the batch is in.
    pub(super) queue: String,
    /// When the last of it became known, in milliseconds since 1970.
    pub(super) at_ms: u64,
    /// The jobs that there are.
    #[serde(default, skip_serializing_if = "Members::is_empty")]
    pub(super) announced: Members,
    /// The jobs that are over.
    #[serde(default, skip_serializing_if = "Members::is_empty")]
    pub(super) ended: Members,
    /// The messages that wait for the batch, by their ids, as they will be sent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) completions: BTreeMap<String, sqs::SendMessageRequest>,
    /// The ids of messages that waited for the batch and have been sent: nobody need wait for those.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) sent: BTreeSet<String>,
    /// A worker has merged it, and put it at the group's end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) merged: bool,
    /// All that is known did not fit into one tally: there may be others, which need to know what this one knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) split: bool,
}

impl Tally {
    /// One that says nothing yet.
    pub(super) fn of(queue: &str, at_ms: u64) -> Tally {
        Tally { queue: queue.to_owned(), at_ms, ..Tally::default() }
    }

    /// Adds what another one knows.
    pub(super) fn unite(&mut self, other: &Tally) {
        self.at_ms = self.at_ms.max(other.at_ms);
        self.announced.unite(&other.announced);
        self.ended.unite(&other.ended);
        self.split |= other.split;
        for (id, request) in &other.completions {
            self.completions.entry(id.clone()).or_insert_with(|| request.clone());
        }
        self.sent.extend(other.sent.iter().cloned());
        self.completions.retain(|id, _| !self.sent.contains(id));
    }

    /// What it says when all that waits in it has been sent: it is no longer than before.
    pub(super) fn sent_off(mut self) -> Tally {
        self.sent.extend(mem::take(&mut self.completions).into_keys());
        self
    }

    /// Whether all the jobs that it knows of are over.
    pub(super) fn is_over(&self) -> bool {
        self.ended.cover(&self.announced)
    }

    /// Whether it is there for the sake of others: nothing waits in it any more.
    pub(super) fn is_rest(&self) -> bool {
        (self.split || !self.sent.is_empty()) && self.completions.is_empty()
    }

    /// Whether it knows something of any job.
    pub(super) fn names_jobs(&self) -> bool {
        !(self.announced.is_empty() && self.ended.is_empty())
    }

    /// Whether both know something of the same job.
    pub(super) fn meets(&self, other: &Tally) -> bool {
        [&self.announced, &self.ended].iter().any(|own| own.meet(&other.announced) || own.meet(&other.ended))
    }

    /// Whether it knows all that the other one knows of jobs.
    pub(super) fn covers_jobs(&self, other: &Tally) -> bool {
        self.announced.cover(&other.announced) && self.ended.cover(&other.ended)
    }

    /// Whether it knows all that the other one knows, of jobs and of what waits or was sent.
    pub(super) fn covers(&self, other: &Tally) -> bool {
        self.covers_jobs(other)
            && other.completions.keys().all(|id| self.completions.contains_key(id) || self.sent.contains(id))
            && self.sent.is_superset(&other.sent)
    }

    /// The same in several, if it is longer than so many bytes by the jobs that it announces. The last one says what the whole
    /// did: it announces the others as if they were jobs of this `origin`, and each of them tells its own end; so who knows of the last
    /// one waits until it knows of the others.
    pub(super) fn portions(mut self, most_bytes: usize, origin: String) -> Vec<Tally> {
        let announced = std::mem::take(&mut self.announced).portions(most_bytes / RANGE_BYTES);
        let count = announced.len() as u64;
        let mut portions: Vec<Tally> = Vec::with_capacity(announced.len() + 1);
        for (index, announced) in (0..).zip(announced) {
            let mut portion = Tally { announced, ..Tally::of(&self.queue, self.at_ms) };
            portion.ended.add(&Member { batch: String::new(), origin: origin.clone(), index });
            portions.push(portion);
        }
        self.announced = Members::counted(origin, count);
        portions.push(self);
        portions
    }

    /// Its text in the tally queue.
    pub(super) fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}
