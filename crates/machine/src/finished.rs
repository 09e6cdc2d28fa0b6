//! What became of jobs whose messages are gone: remembered for an hour, and of each account the last 100,000.
//!
//! The limit is an account's own, so that nobody pushes out what others want to know: an account's jobs take some 10 MB at the
//! most, and 5 more if all of them were dropped. Which of them are remembered does not depend on the order in which they are told,
//! so a replay remembers the same. A queue that is deleted is still known here by its address, as long as jobs of it are
//! remembered.

use crate::{Location, QueueId};
use afterward_names::{AccountId, MessageId, QueueAddress};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How long a finished job is remembered.
pub(crate) const REMEMBERED_MS: u64 = 3_600_000;
/// How many are, of an account.
pub(crate) const REMEMBERED: usize = 100_000;

/// A finished job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished {
    pub(crate) receive_count: u32,
    pub(crate) finished_ms: u64,
    pub(crate) queue: QueueId,
}

/// The queue of finished jobs.
#[derive(Debug)]
struct Of {
    address: QueueAddress,
    /// How many of it are remembered.
    jobs: usize,
}

/// Jobs of an account by when they finished. Mostly that is the order in which they are told: a tree would be looked through for
/// each of them only to find that it comes last. Those that are told later, as compaction has them told after a restart, are in one.
#[derive(Debug, Default)]
struct InOrder {
    in_time: VecDeque<(u64, MessageId)>,
    late: BTreeSet<(u64, MessageId)>,
}

/// The finished jobs, by their ids at first.
#[derive(Debug, Default)]
pub(crate) struct FinishedJobs {
    jobs: BTreeMap<MessageId, Finished>,
    by_time: BTreeMap<AccountId, InOrder>,
    queues: BTreeMap<QueueId, Of>,
    /// Where it is told of those that were dropped, which are few.
    dropped: BTreeMap<MessageId, Location>,
    /// None of them finished before this.
    since_ms: u64,
}

impl InOrder {
    fn insert(&mut self, finished_ms: u64, id: MessageId) {
        let job = (finished_ms, id);
        match self.in_time.back() {
            Some(last) if *last > job => {
                self.late.insert(job);
            }
            _ => self.in_time.push_back(job),
        }
    }

    fn remove(&mut self, finished_ms: u64, id: MessageId) {
        let job = (finished_ms, id);
        if self.in_time.front() == Some(&job) {
            self.in_time.pop_front();
        } else if !self.late.remove(&job)
            && let Ok(at) = self.in_time.binary_search(&job)
        {
            self.in_time.remove(at);
        }
    }

    fn len(&self) -> usize {
        self.in_time.len() + self.late.len()
    }

    /// The one that finished first.
    fn first(&self) -> Option<(u64, MessageId)> {
        let (in_time, late) = (self.in_time.front(), self.late.first());
        in_time.into_iter().chain(late).min().copied()
    }
}

impl FinishedJobs {
    pub(crate) fn get(&self, id: MessageId) -> Option<(&Finished, &QueueAddress)> {
        let finished = self.jobs.get(&id.after_redrives(0))?;
        Some((finished, self.address(finished.queue)?))
    }

    /// Where the job with this id, at first, is told to have been dropped, if it was.
    pub(crate) fn dropped(&self, id: MessageId) -> Option<Location> {
        self.dropped.get(&id.after_redrives(0)).copied()
    }

    /// The address of a queue that jobs are remembered of.
    pub(crate) fn address(&self, queue: QueueId) -> Option<&QueueAddress> {
        self.queues.get(&queue).map(|of| &of.address)
    }

    /// The finished jobs whose messages were kept under `key`. More than one is rare.
    pub(crate) fn under(&self, key: u64) -> impl Iterator<Item = (MessageId, &Finished)> {
        let first = MessageId::new(key, 0);
        let last = MessageId::new(key, u64::MAX);
        self.jobs.range(first..=last).map(|(id, finished)| (*id, finished))
    }

    /// `address`: its queue's. `dropped`: where it is told, if it was.
    pub(crate) fn insert(
        &mut self,
        id: MessageId,
        finished: Finished,
        address: &QueueAddress,
        dropped: Option<Location>,
    ) {
        let Finished { finished_ms, queue, .. } = finished;
        let before = self.jobs.insert(id, finished);
        if let Some(before) = before {
            if (before.finished_ms, before.queue) == (finished_ms, queue) {
                // Told again, as compaction does: it is where it was.
                self.dropped.remove(&id);
                self.dropped.extend(dropped.map(|at| (id, at)));
                return;
            }
            self.unlist(id, before);
        }
        self.dropped.extend(dropped.map(|at| (id, at)));
        self.queues.entry(queue).or_insert_with(|| Of { address: address.clone(), jobs: 0 }).jobs += 1;
        let by_time = self.by_time.entry(address.account).or_default();
        by_time.insert(finished_ms, id);
        let too_many = if by_time.len() > REMEMBERED { by_time.first() } else { None };
        self.since_ms = self.since_ms.min(finished_ms);
        if let Some((_, first)) = too_many {
            self.remove(first);
        }
    }

    /// What they take on the heap, about: the maps' nodes, and what is in order, are two thirds full.
    pub(crate) fn heap_bytes(&self) -> usize {
        let each = size_of::<(MessageId, Finished)>() + size_of::<(u64, MessageId)>();
        let dropped = self.dropped.len() * size_of::<(MessageId, Location)>();
        (self.jobs.len() * each + dropped + self.queues.len() * size_of::<(QueueId, Of)>()) * 3 / 2
    }

    /// Forgets what has been remembered long enough.
    pub(crate) fn forget(&mut self, now_ms: u64) {
        let is_over = |at_ms: u64| at_ms.saturating_add(REMEMBERED_MS) <= now_ms;
        if !is_over(self.since_ms) {
            return;
        }
        let over = |by_time: &InOrder| {
            let (in_time, late) = (by_time.in_time.iter(), by_time.late.iter());
            let in_time = in_time.take_while(|(at_ms, _)| is_over(*at_ms));
            in_time.chain(late.take_while(|(at_ms, _)| is_over(*at_ms))).map(|(_, id)| *id).collect::<Vec<_>>()
        };
        for id in self.by_time.values().flat_map(over).collect::<Vec<_>>() {
            self.remove(id);
        }
        let first = |by_time: &InOrder| by_time.first().map(|(at_ms, _)| at_ms);
        self.since_ms = self.by_time.values().filter_map(first).min().unwrap_or(u64::MAX);
    }

    fn remove(&mut self, id: MessageId) {
        if let Some(finished) = self.jobs.remove(&id) {
            self.unlist(id, finished);
        }
    }

    /// One that is no longer among the jobs is nowhere else either.
    fn unlist(&mut self, id: MessageId, Finished { finished_ms, queue, .. }: Finished) {
        self.dropped.remove(&id);
        let Some(of) = self.queues.get_mut(&queue) else { return };
        let account = of.address.account;
        of.jobs -= 1;
        if of.jobs == 0 {
            self.queues.remove(&queue);
        }
        if let Some(by_time) = self.by_time.get_mut(&account) {
            by_time.remove(finished_ms, id);
            if by_time.len() == 0 {
                self.by_time.remove(&account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_known_however_jobs_are_told_and_wherever_they_go() {
        let id = |random| MessageId::new(1, random);
        let mut jobs = InOrder::default();
        for (at_ms, random) in [(5, 1), (7, 2), (6, 3), (7, 1), (4, 9), (7, 3), (9, 1)] {
            jobs.insert(at_ms, id(random));
        }
        for (at_ms, random) in [(7, 1), (7, 2), (8, 1)] {
            jobs.remove(at_ms, id(random));
        }
        let mut order = Vec::new();
        while let Some((at_ms, id)) = jobs.first() {
            order.push((at_ms, id.random()));
            jobs.remove(at_ms, id);
        }
        assert_eq!(order, [(4, 9), (5, 1), (6, 3), (7, 3), (9, 1)]);
        assert_eq!(jobs.len(), 0);
    }
}
