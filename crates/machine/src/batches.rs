//! Batches of messages, and what waits for them.
//!
//! A message is sent *in* a batch, or *after* it. While one of the batch is in the queue, what was sent after it is held,
//! and nobody sees it. The last one that leaves, however it leaves, makes the batch *over*, and what it held is to be
//! released. A batch is nothing but its messages: it begins with the first and needs no end, so nothing is left behind
//! by a sender who goes away half-way.
//!
//! That a batch is over follows from the state, but a replay that starts in the middle knows some of its messages later
//! than others. So a release is an event, which [`crate::Command::ReleaseHeld`] decides.
//!
//! This table knows slots. Where a message stands is its entry's business.

use crate::QueueId;
use crate::cells::Cells;
use afterward_names::BatchId;
use std::collections::{BTreeMap, BTreeSet};

/// What a message has to do with a batch of its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchTie {
    /// It is one of the batch.
    In(BatchId),
    /// It was sent after the batch, which is not over yet.
    Held(BatchId),
    /// It was sent after the batch, which was over then, or is by now.
    After(BatchId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    In,
    Held,
    After,
}

/// By its number, what a slot's message is tied to.
#[derive(Debug, Clone, Copy)]
struct Tie {
    batch: u32,
    part: Part,
    /// The message's place in line: what is held is released in the order in which it was sent.
    order: u64,
}

#[derive(Debug)]
struct Batch {
    queue: QueueId,
    id: BatchId,
    /// How many messages of it are in the queue.
    members: u32,
    /// What waits for it: place in line and slot.
    held: BTreeSet<(u64, u32)>,
    /// How many messages, of whatever part, know it.
    ties: u32,
}

/// All batches that a message knows.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    batches: Cells<Batch, 16>,
    numbers: BTreeMap<(QueueId, BatchId), u32>,
    ties: BTreeMap<u32, Tie>,
    /// Those that hold something and have no members.
    over: BTreeSet<u32>,
    /// What the names take.
    names_bytes: usize,
}

impl Batches {
    /// Whether a message of this batch is in the queue.
    pub(crate) fn has_members(&self, queue: QueueId, id: &BatchId) -> bool {
        !self.ties.is_empty() && self.numbers.get(&(queue, id.clone())).is_some_and(|number| self.members(*number) > 0)
    }

    fn members(&self, number: u32) -> u32 {
        self.batches.get(number).map_or(0, |batch| batch.members)
    }

    /// A message that has just come is tied so.
    pub(crate) fn tie(&mut self, slot: u32, order: u64, queue: QueueId, tie: &BatchTie) {
        self.forget(slot);
        let (part, id) = match tie {
            BatchTie::In(id) => (Part::In, id),
            BatchTie::Held(id) => (Part::Held, id),
            BatchTie::After(id) => (Part::After, id),
        };
        let number = self.number(queue, id);
        let Some(batch) = self.batches.get_mut(number) else { return };
        batch.ties += 1;
        match part {
            Part::In => batch.members += 1,
            Part::Held => _ = batch.held.insert((order, slot)),
            Part::After => {}
        }
        self.ties.insert(slot, Tie { batch: number, part, order });
        self.renew(number);
    }

    fn number(&mut self, queue: QueueId, id: &BatchId) -> u32 {
        let Batches { batches, numbers, names_bytes, .. } = self;
        *numbers.entry((queue, id.clone())).or_insert_with(|| {
            let number = batches.next_vacant();
            *names_bytes += 2 * id.as_str().len();
            batches.insert(number, Batch { queue, id: id.clone(), members: 0, held: BTreeSet::new(), ties: 0 });
            number
        })
    }

    /// The message in this slot is gone.
    pub(crate) fn forget(&mut self, slot: u32) {
        if let Some(tie) = self.ties.remove(&slot) {
            self.loosen(slot, tie);
            if let Some(batch) = self.batches.get_mut(tie.batch) {
                batch.ties -= 1;
            }
            self.renew(tie.batch);
        }
    }

    /// The message in this slot has left its place: for another queue, or, where it was held, for the line. What was sent
    /// after a batch is so wherever it goes.
    pub(crate) fn moved(&mut self, slot: u32) {
        let Some(tie) = self.ties.get_mut(&slot) else { return };
        match tie.part {
            Part::In => self.forget(slot),
            Part::After => {}
            Part::Held => {
                let before = *tie;
                tie.part = Part::After;
                self.loosen(slot, before);
                self.renew(before.batch);
            }
        }
    }

    fn loosen(&mut self, slot: u32, tie: Tie) {
        let Some(batch) = self.batches.get_mut(tie.batch) else { return };
        match tie.part {
            Part::In => batch.members -= 1,
            Part::Held => _ = batch.held.remove(&(tie.order, slot)),
            Part::After => {}
        }
    }

    /// Notes whether a batch that has changed is over; one that nobody knows any more is no more.
    fn renew(&mut self, number: u32) {
        let Some(batch) = self.batches.get(number) else { return };
        if batch.members == 0 && !batch.held.is_empty() {
            self.over.insert(number);
        } else {
            self.over.remove(&number);
        }
        if batch.ties == 0
            && let Some(batch) = self.batches.remove(number)
        {
            self.names_bytes -= 2 * batch.id.as_str().len();
            self.numbers.remove(&(batch.queue, batch.id));
        }
    }

    /// What the message in this slot has to do with a batch.
    pub(crate) fn of(&self, slot: u32) -> Option<BatchTie> {
        let tie = self.ties.get(&slot)?;
        let id = self.batches.get(tie.batch)?.id.clone();
        Some(match tie.part {
            Part::In => BatchTie::In(id),
            Part::Held => BatchTie::Held(id),
            Part::After => BatchTie::After(id),
        })
    }

    /// Whether a batch is over that holds something.
    pub(crate) fn has_held_to_release(&self) -> bool {
        !self.over.is_empty()
    }

    /// The slots of what is held by batches that are over, in the order of sending: so many at most.
    pub(crate) fn to_release(&self, most: usize) -> Vec<u32> {
        let over = self.over.iter().filter_map(|number| self.batches.get(*number));
        let mut held: Vec<(u64, u32)> = over.flat_map(|batch| batch.held.iter().copied().take(most)).collect();
        held.sort_unstable();
        held.into_iter().take(most).map(|(_, slot)| slot).collect()
    }

    /// What they take on the heap, about, but for what is held: that is mostly one message of a batch.
    pub(crate) fn heap_bytes(&self) -> usize {
        let numbers = self.numbers.len() * size_of::<((QueueId, BatchId), u32)>();
        let ties = self.ties.len() * size_of::<(u32, Tie)>();
        self.batches.heap_bytes() + self.names_bytes + (numbers + ties) * 3 / 2
    }
}
