//! What became of jobs whose messages are gone: remembered for an hour, and of the last 100,000.

use crate::QueueId;
use afterward_names::MessageId;
use std::collections::{BTreeMap, BTreeSet};

/// How long a finished job is remembered.
pub(crate) const REMEMBERED_MS: u64 = 3_600_000;
/// How many are.
pub(crate) const REMEMBERED: usize = 100_000;

/// A finished job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished {
    pub(crate) receive_count: u32,
    pub(crate) finished_ms: u64,
    pub(crate) queue: QueueId,
}

/// The finished jobs, by their ids at first.
#[derive(Debug, Default)]
pub(crate) struct FinishedJobs {
    jobs: BTreeMap<MessageId, Finished>,
    by_time: BTreeSet<(u64, MessageId)>,
}

impl FinishedJobs {
    pub(crate) fn get(&self, id: MessageId) -> Option<&Finished> {
        self.jobs.get(&id.after_redrives(0))
    }

    /// The finished jobs whose messages were kept under `key`. More than one is rare.
    pub(crate) fn under(&self, key: u64) -> impl Iterator<Item = (MessageId, &Finished)> {
        let first = MessageId::new(key, 0);
        let last = MessageId::new(key, u64::MAX);
        self.jobs.range(first..=last).map(|(id, finished)| (*id, finished))
    }

    pub(crate) fn insert(&mut self, id: MessageId, finished: Finished) {
        if let Some(before) = self.jobs.insert(id, finished) {
            self.by_time.remove(&(before.finished_ms, id));
        }
        self.by_time.insert((finished.finished_ms, id));
        while self.by_time.len() > REMEMBERED {
            self.forget_first();
        }
    }

    /// What they take on the heap, about: the maps' nodes are two thirds full.
    pub(crate) fn heap_bytes(&self) -> usize {
        let each = size_of::<(MessageId, Finished)>() + size_of::<(u64, MessageId)>();
        self.jobs.len() * each * 3 / 2
    }

    /// Forgets what has been remembered long enough.
    pub(crate) fn forget(&mut self, now_ms: u64) {
        while self.by_time.first().is_some_and(|(at_ms, _)| at_ms.saturating_add(REMEMBERED_MS) <= now_ms) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, id)) = self.by_time.pop_first() {
            self.jobs.remove(&id);
        }
    }
}
