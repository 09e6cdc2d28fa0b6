//! The state: all that a partition knows, and how time moves in it.

use crate::attempts::Attempts;
use crate::batches::Batches;
use crate::dedup::DedupTable;
use crate::definitions;
use crate::directory::Directory;
use crate::finished::FinishedJobs;
use crate::moves::Moves;
use crate::queue::Queue;
use crate::schedules::Schedules;
use crate::sides::Sides;
use crate::slab::Slab;
use crate::timers::Timers;
use crate::{LeaseRef, QueueAttributes, QueueId};
use afterward_names::{QueueAddress, limits};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Everything that a partition knows.
#[derive(Debug, Default)]
pub struct State {
    pub(crate) now_ms: u64,
    pub(crate) secret: Option<[u8; 32]>,
    /// The last queue id given out.
    pub(crate) last_queue: u32,
    /// The last place in line, lease or schedule's revision given out: they share one count, so that a lease is higher than the place of
    /// the message it was given on, and powerless over a message that came to its place later (in the same slot, or by
    /// a redrive).
    pub(crate) last_order: u64,
    /// The last move task.
    pub(crate) last_task: u64,
    pub(crate) slab: Slab,
    pub(crate) sides: Sides,
    pub(crate) batches: Batches,
    pub(crate) queues: BTreeMap<QueueId, Box<Queue>>,
    /// What the definitions of all queues take in the log, at the most.
    pub(crate) queues_bytes: u64,
    pub(crate) directory: Directory,
    /// Settings that queues have lately been given, to be shared with the next ones.
    pub(crate) settings: VecDeque<Arc<QueueAttributes>>,
    pub(crate) timers: Timers,
    pub(crate) dedup: DedupTable,
    pub(crate) attempts: Attempts,
    pub(crate) finished: FinishedJobs,
    pub(crate) moves: Moves,
    pub(crate) deleted: DeletedNames,
    pub(crate) schedules: Schedules,
    pub(crate) woken: BTreeSet<QueueId>,
}

impl State {
    /// An empty partition.
    pub fn new() -> State {
        State::default()
    }

    /// The time that the state stands at, in milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Moves time to `now_ms` (never back) and fires what came due.
    pub fn advance(&mut self, now_ms: u64) {
        self.fire_due(now_ms);
        self.now_ms = self.now_ms.max(now_ms);
        self.dedup.forget(self.now_ms);
        self.attempts.forget(self.now_ms);
        self.finished.forget(self.now_ms);
        self.deleted.forget(self.now_ms);
    }

    /// Fires what is due at `now_ms`, each at its own time.
    pub(crate) fn fire_due(&mut self, now_ms: u64) {
        while let Some((at_ms, due)) = self.timers.first(&self.slab) {
            if at_ms > now_ms {
                break;
            }
            self.now_ms = self.now_ms.max(at_ms);
            self.fire(at_ms, due);
        }
    }

    /// When [`Self::advance`] next has something to fire that may make a message visible or a count change.
    pub fn next_due_ms(&self) -> Option<u64> {
        self.timers.first(&self.slab).map(|(at_ms, _)| at_ms)
    }

    /// When [`crate::Command::RunMoves`] next has something to move, or a task to end.
    pub fn next_move_ms(&self) -> Option<u64> {
        self.moves.next_ms(self.now_ms)
    }

    /// When a schedule is next due; it may have been for a while.
    pub fn next_schedule_ms(&self) -> Option<u64> {
        self.schedules.by_due().next().and_then(|(_, entry)| entry.next_ms())
    }

    /// Whether [`crate::Command::SweepScheduleGroups`] has something to do.
    pub fn has_groups_to_sweep(&self) -> bool {
        self.schedules.groups.deleting().next().is_some()
    }

    /// Whether [`crate::Command::ReleaseHeld`] has something to do.
    pub fn has_held_to_release(&self) -> bool {
        self.batches.has_held_to_release()
    }

    /// Queues in which a message has become receivable since the last call, each once.
    pub fn take_woken(&mut self) -> Vec<QueueId> {
        std::mem::take(&mut self.woken).into_iter().filter(|queue| self.is_receivable(*queue)).collect()
    }

    /// Whether a receive from this queue would find something.
    pub fn is_receivable(&self, queue: QueueId) -> bool {
        self.queues.get(&queue).is_some_and(|queue| queue.is_receivable())
    }

    /// The partition's secret, once founded.
    pub fn secret(&self) -> Option<&[u8; 32]> {
        self.secret.as_ref()
    }

    /// The queue at an address.
    pub(crate) fn at(&self, address: &QueueAddress) -> Option<&Queue> {
        self.queues.get(&self.directory.get(address)?).map(AsRef::as_ref)
    }

    /// The slot of the message that `lease` was given on, if the message is still where it was then.
    pub(crate) fn leased_message(&self, lease: &LeaseRef) -> Option<u32> {
        let entry = self.slab.find(lease.message)?;
        (entry.queue == lease.queue && entry.order < lease.lease.0).then_some(lease.message.slot)
    }

    /// Whether `lease` holds the message in this slot now.
    pub(crate) fn holds(&self, slot: u32, lease: &LeaseRef) -> bool {
        self.is_leased(slot) && self.sides.receipts.get(&slot).is_some_and(|receipt| receipt.lease == lease.lease)
    }
}

/// Names of queues that were deleted within the cool-down.
#[derive(Debug, Default)]
pub(crate) struct DeletedNames {
    when: BTreeMap<QueueAddress, u64>,
    /// In the order of the times, in which a replay from definitions does not bring them.
    by_time: BTreeSet<(u64, QueueAddress)>,
    definitions_bytes: u64,
}

impl DeletedNames {
    pub(crate) fn insert(&mut self, address: QueueAddress, deleted_ms: u64) {
        if let Some(before_ms) = self.when.insert(address.clone(), deleted_ms) {
            self.by_time.remove(&(before_ms, address.clone()));
        } else {
            self.definitions_bytes += definitions::of_deletion(&address);
        }
        self.by_time.insert((deleted_ms, address));
    }

    /// Whether a queue of this name was deleted, and the cool-down lasts.
    pub(crate) fn rests(&self, address: &QueueAddress) -> bool {
        self.when.contains_key(address)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&QueueAddress, u64)> {
        self.when.iter().map(|(address, deleted_ms)| (address, *deleted_ms))
    }

    /// What they take in the log, at the most.
    pub(crate) fn definitions_bytes(&self) -> u64 {
        self.definitions_bytes
    }

    fn forget(&mut self, now_ms: u64) {
        let is_over = |(deleted_ms, _): &(u64, QueueAddress)| deleted_ms + limits::COOLDOWN_MS <= now_ms;
        while self.by_time.first().is_some_and(is_over)
            && let Some((_, address)) = self.by_time.pop_first()
        {
            self.when.remove(&address);
            self.definitions_bytes -= definitions::of_deletion(&address);
        }
    }
}
