//! What the state takes in memory, by what it is for: so many bytes per message, queue and schedule, whatever the messages'
//! sizes.

use crate::State;
use crate::queue::Queue;

/// What the state takes in memory, in bytes.
///
/// Chunks count whole. Where maps are used, for what few messages need, a node is taken to be two thirds full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Every message's entry.
    pub messages_bytes: u64,
    /// The order of the messages in their queues.
    pub lines_bytes: u64,
    /// Message groups, their names and the order of their messages.
    pub groups_bytes: u64,
    /// When delays, leases and retention end.
    pub timers_bytes: u64,
    /// What is known of the messages that have been received, moved or failed, or have to do with a batch.
    pub histories_bytes: u64,
    /// Deduplication ids, idempotency keys, receive attempts and finished jobs.
    pub remembered_bytes: u64,
    /// The queues: names, attributes, tags.
    pub queues_bytes: u64,
    /// The schedules and their groups: names, and what is due when.
    pub schedules_bytes: u64,
}

impl Memory {
    /// All of it.
    pub fn total_bytes(&self) -> u64 {
        self.by_kind().iter().map(|(_, bytes)| bytes).sum()
    }

    /// Each kind by a name for it.
    pub fn by_kind(&self) -> [(&'static str, u64); 8] {
        [
            ("messages", self.messages_bytes),
            ("lines", self.lines_bytes),
            ("groups", self.groups_bytes),
            ("timers", self.timers_bytes),
            ("histories", self.histories_bytes),
            ("remembered", self.remembered_bytes),
            ("queues", self.queues_bytes),
            ("schedules", self.schedules_bytes),
        ]
    }
}

impl State {
    /// What the state takes in memory. It costs a few steps per queue, and none per message or group.
    pub fn memory(&self) -> Memory {
        let remembered = self.dedup.heap_bytes() + self.attempts.heap_bytes() + self.finished.heap_bytes();
        let mut memory = Memory {
            messages_bytes: self.slab.heap_bytes() as u64,
            timers_bytes: self.timers.heap_bytes() as u64,
            histories_bytes: (self.sides.heap_bytes() + self.batches.heap_bytes()) as u64,
            remembered_bytes: remembered as u64,
            queues_bytes: self.directory.heap_bytes() as u64,
            schedules_bytes: self.schedules.heap_bytes() as u64,
            ..Memory::default()
        };
        for bytes in self.queues.values().map(|queue| Queue::bytes(queue)) {
            memory.lines_bytes += bytes.lines as u64;
            memory.groups_bytes += bytes.groups as u64;
            memory.queues_bytes += (bytes.settings + 2 * size_of::<usize>()) as u64;
        }
        memory
    }
}
