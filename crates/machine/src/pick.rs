//! In which order a receive, or a move task, takes a queue's visible messages.

use crate::line::LineKey;
use crate::queue::Queue;
use crate::slab::{NO_GROUP, Slab};
use std::collections::BTreeMap;
use std::iter::Peekable;

/// The messages that can be delivered now, as FIFO and standard queues order them; standard queues fairly.
pub(crate) fn deliverable<'a>(queue: &'a Queue, slab: &'a Slab, now_ms: u64) -> Box<dyn Iterator<Item = u32> + 'a> {
    if queue.is_fifo() {
        Box::new(fifo(queue, slab))
    } else {
        Box::new(Standard::new(queue, slab, noisy(queue, now_ms)))
    }
}

/// The same without fairness: oldest first.
pub(crate) fn in_order<'a>(queue: &'a Queue, slab: &'a Slab) -> Box<dyn Iterator<Item = u32> + 'a> {
    if queue.is_fifo() { Box::new(fifo(queue, slab)) } else { Box::new(Standard::new(queue, slab, Vec::new())) }
}

/// Group by group, as many of one as can be had; the group whose first message is oldest first.
fn fifo<'a>(queue: &'a Queue, slab: &'a Slab) -> impl Iterator<Item = u32> + 'a {
    let groups = queue.heads.iter().filter_map(|(_, slot)| queue.groups.get(slab.get(slot)?.group));
    groups.flat_map(|group| group.line.iter().take_while(|(key, _)| group.is_clear(key.order())).map(|(_, slot)| slot))
}

/// The noisy groups that have something to deliver.
fn noisy(queue: &Queue, now_ms: u64) -> Vec<Noisy> {
    let by_concurrency = queue.fair.noisy_by_concurrency(queue.in_flight);
    let by_time = queue.fair.noisy_by_time(now_ms).filter_map(|name| queue.groups.number(name));
    let mut numbers: Vec<u32> = by_concurrency.chain(by_time).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let with_next = |number| {
        let group = queue.groups.get(number)?;
        Some(Noisy { group: number, in_flight: group.in_flight, next: Some(group.line.first()?) })
    };
    numbers.into_iter().filter_map(with_next).collect()
}

/// A noisy group, while a receive picks.
struct Noisy {
    group: u32,
    /// With what this receive has taken.
    in_flight: u32,
    next: Option<(LineKey, u32)>,
}

/// Quiet messages in the order in which they became visible; then noisy ones, from the group with the fewest in flight.
struct Standard<'a, H: Iterator<Item = (LineKey, u32)>> {
    queue: &'a Queue,
    slab: &'a Slab,
    heads: Peekable<H>,
    /// What follows in its group on messages taken.
    followers: BTreeMap<LineKey, u32>,
    noisy: Vec<Noisy>,
}

impl<'a> Standard<'a, Box<dyn Iterator<Item = (LineKey, u32)> + 'a>> {
    fn new(queue: &'a Queue, slab: &'a Slab, noisy: Vec<Noisy>) -> Self {
        let heads: Box<dyn Iterator<Item = (LineKey, u32)> + 'a> = Box::new(queue.heads.iter());
        Standard { queue, slab, heads: heads.peekable(), followers: BTreeMap::new(), noisy }
    }
}

impl<H: Iterator<Item = (LineKey, u32)>> Standard<'_, H> {
    fn group_of(&self, slot: u32) -> u32 {
        self.slab.get(slot).map_or(NO_GROUP, |entry| entry.group)
    }

    fn next_quiet(&mut self) -> Option<u32> {
        while let Some((_, slot)) = self.heads.peek().copied() {
            let group = self.group_of(slot);
            if self.noisy.iter().all(|noisy| noisy.group != group) {
                break;
            }
            self.heads.next();
        }
        let head = self.heads.peek().copied();
        let follower = self.followers.first_key_value().map(|(key, slot)| (*key, *slot));
        let (key, slot) = match (head, follower) {
            (Some(head), Some(follower)) if follower.0 < head.0 => follower,
            (Some(head), _) => head,
            (None, follower) => follower?,
        };
        if head == Some((key, slot)) {
            self.heads.next();
        } else {
            self.followers.remove(&key);
        }
        let group = self.queue.groups.get(self.group_of(slot));
        if let Some((key, slot)) = group.and_then(|group| group.line.after(key)) {
            self.followers.insert(key, slot);
        }
        Some(slot)
    }

    fn next_noisy(&mut self) -> Option<u32> {
        let waiting = self.noisy.iter_mut().filter(|noisy| noisy.next.is_some());
        let noisy = waiting.min_by_key(|noisy| (noisy.in_flight, noisy.next))?;
        let (key, slot) = noisy.next?;
        noisy.in_flight += 1;
        noisy.next = self.queue.groups.get(noisy.group).and_then(|group| group.line.after(key));
        Some(slot)
    }
}

impl<H: Iterator<Item = (LineKey, u32)>> Iterator for Standard<'_, H> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.next_quiet().or_else(|| self.next_noisy())
    }
}
