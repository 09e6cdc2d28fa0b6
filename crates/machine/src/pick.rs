//! In which order a receive, or a move task, takes a queue's visible messages.

use crate::line::{LineKey, Ranks};
use crate::queue::Queue;
use crate::slab::{NO_GROUP, Slab};
use std::collections::BTreeMap;
use std::iter::Peekable;

/// The messages that can be delivered now, as FIFO and standard queues order them; standard queues fairly.
pub(crate) fn deliverable<'a>(queue: &'a Queue, slab: &'a Slab, now_ms: u64) -> impl Iterator<Item = u32> + 'a {
    let (fifo, standard) = match queue.is_fifo() {
        true => (Some(fifo(queue, slab)), None),
        false => (None, Some(standard(queue, slab, noisy(queue, now_ms)))),
    };
    fifo.into_iter().flatten().chain(standard.into_iter().flatten())
}

/// The same without fairness: oldest first.
pub(crate) fn in_order<'a>(queue: &'a Queue, slab: &'a Slab) -> impl Iterator<Item = u32> + 'a {
    let (fifo, standard) = match queue.is_fifo() {
        true => (Some(fifo(queue, slab)), None),
        false => (None, Some(standard(queue, slab, Vec::new()))),
    };
    fifo.into_iter().flatten().chain(standard.into_iter().flatten())
}

/// Group by group, as many of one as can be had; the group whose first message is oldest first.
fn fifo<'a>(queue: &'a Queue, slab: &'a Slab) -> impl Iterator<Item = u32> + 'a {
    let ranks = queue.ranks(slab);
    let groups = queue.heads().filter_map(|slot| queue.group(slab.get(slot)?.group));
    groups.flat_map(move |group| {
        let is_clear = move |slot: &u32| slab.get(*slot).is_some_and(|entry| group.is_clear(entry.order, ranks));
        group.line.iter().take_while(is_clear)
    })
}

/// The noisy groups that have something to deliver.
fn noisy(queue: &Queue, now_ms: u64) -> Vec<Noisy> {
    let Some(fair) = queue.fair() else { return Vec::new() };
    let by_concurrency = fair.noisy_by_concurrency(queue.in_flight);
    let by_time = fair.noisy_by_time(now_ms).filter_map(|name| queue.group_named(name));
    let mut numbers: Vec<u32> = by_concurrency.chain(by_time).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let with_next = |number| {
        let group = queue.group(number)?;
        Some(Noisy { group: number, in_flight: group.in_flight, next: Some(group.line.first()?) })
    };
    numbers.into_iter().filter_map(with_next).collect()
}

/// A noisy group, while a receive picks.
struct Noisy {
    group: u32,
    /// With what this receive has taken.
    in_flight: u32,
    next: Option<u32>,
}

/// Quiet messages in the order in which they became visible; then noisy ones, from the group with the fewest in flight.
struct Standard<'a, H: Iterator<Item = u32>> {
    queue: &'a Queue,
    ranks: Ranks<'a>,
    heads: Peekable<H>,
    /// What follows in its group on messages taken.
    followers: BTreeMap<LineKey, u32>,
    noisy: Vec<Noisy>,
}

/// A queue's visible messages, those of the noisy groups last.
fn standard<'a>(queue: &'a Queue, slab: &'a Slab, noisy: Vec<Noisy>) -> impl Iterator<Item = u32> + 'a {
    let heads = queue.heads().peekable();
    Standard { queue, ranks: queue.ranks(slab), heads, followers: BTreeMap::new(), noisy }
}

impl<H: Iterator<Item = u32>> Standard<'_, H> {
    fn group_of(&self, slot: u32) -> u32 {
        self.ranks.slab.get(slot).map_or(NO_GROUP, |entry| entry.group)
    }

    /// The message behind this one in its group.
    fn follower(&self, slot: u32) -> Option<u32> {
        self.queue.group(self.group_of(slot))?.line.after(self.ranks.of_slot(slot), self.ranks)
    }

    fn next_quiet(&mut self) -> Option<u32> {
        if !self.noisy.is_empty() {
            while let Some(group) = self.heads.peek().copied().map(|slot| self.group_of(slot)) {
                if self.noisy.iter().all(|noisy| noisy.group != group) {
                    break;
                }
                self.heads.next();
            }
        }
        let slot = self.next_head_or_follower()?;
        if let Some(follower) = self.follower(slot) {
            self.followers.insert(self.ranks.of_slot(follower), follower);
        }
        Some(slot)
    }

    fn next_head_or_follower(&mut self) -> Option<u32> {
        let Some(follower) = self.followers.first_entry() else { return self.heads.next() };
        match self.heads.peek() {
            Some(head) if self.ranks.of_slot(*head) < *follower.key() => self.heads.next(),
            _ => Some(follower.remove()),
        }
    }

    fn next_noisy(&mut self) -> Option<u32> {
        let (queue, ranks) = (self.queue, self.ranks);
        let waiting = self.noisy.iter_mut().filter(|noisy| noisy.next.is_some());
        let noisy = waiting.min_by_key(|noisy| (noisy.in_flight, noisy.next.map(|slot| ranks.of_slot(slot))))?;
        let slot = noisy.next?;
        noisy.in_flight += 1;
        noisy.next = queue.group(noisy.group).and_then(|group| group.line.after(ranks.of_slot(slot), ranks));
        Some(slot)
    }
}

impl<H: Iterator<Item = u32>> Iterator for Standard<'_, H> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.next_quiet().or_else(|| self.next_noisy())
    }
}
