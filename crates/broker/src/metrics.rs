//! What the broker counts.

use afterward_machine::{Event, Memory};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What the broker has counted since it was opened, and how things stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Messages stored by sends.
    pub sent: u64,
    /// Messages handed out by receives, each as often as it was.
    pub delivered: u64,
    /// Messages deleted by consumers.
    pub deleted: u64,
    /// Messages moved to a dead-letter queue.
    pub dead_lettered: u64,
    /// Batches made durable.
    pub batches: u64,
    /// Flushes of the log.
    pub flushes: u64,
    /// Receives that are waiting now.
    pub waiting_receives: u64,
    /// Queues that there are; 0 while the partition is unavailable.
    pub queues: u64,
    /// Messages that there are; 0 while the partition is unavailable.
    pub messages: u64,
    /// What the state takes in memory: it grows with the number of messages, not with their size.
    pub memory: Memory,
    /// Bytes of the messages' contents, all of them in the log.
    pub contents_bytes: u64,
    /// Schedules that there are; 0 while the partition is unavailable.
    pub schedules: u64,
    /// Bytes of the schedules' definitions, all of them in the log.
    pub definitions_bytes: u64,
    /// Bytes of the last batches, kept in memory for those who receive soon; bounded.
    pub recent_bytes: u64,
    /// Bytes that the log takes where it is stored.
    pub log_allocated_bytes: u64,
    /// Bytes of these that hold retained batches.
    pub log_retained_bytes: u64,
    /// How often the partition was replayed after a failed append.
    pub reopened: u64,
}

/// The counters behind [`Metrics`]: they outlive a partition that is dropped and replayed, and a replay counts nothing.
#[derive(Debug, Default)]
pub struct Counters {
    pub(crate) sent: AtomicU64,
    pub(crate) delivered: AtomicU64,
    pub(crate) deleted: AtomicU64,
    pub(crate) dead_lettered: AtomicU64,
    pub(crate) batches: AtomicU64,
    pub(crate) waiting: AtomicU64,
    pub(crate) reopened: AtomicU64,
}

impl Counters {
    /// Counts what has happened just now.
    pub(crate) fn count(&self, event: &Event) {
        match event {
            Event::Sent(_) => self.sent.fetch_add(1, Relaxed),
            Event::Leased { messages, .. } => self.delivered.fetch_add(messages.len() as u64, Relaxed),
            Event::Deleted { .. } | Event::Dropped { .. } => self.deleted.fetch_add(1, Relaxed),
            Event::DeadLettered { .. } => self.dead_lettered.fetch_add(1, Relaxed),
            _ => 0,
        };
    }

    /// The counters' part of the metrics.
    pub(crate) fn read(&self) -> Metrics {
        Metrics {
            sent: self.sent.load(Relaxed),
            delivered: self.delivered.load(Relaxed),
            deleted: self.deleted.load(Relaxed),
            dead_lettered: self.dead_lettered.load(Relaxed),
            batches: self.batches.load(Relaxed),
            waiting_receives: self.waiting.load(Relaxed),
            reopened: self.reopened.load(Relaxed),
            ..Metrics::default()
        }
    }
}
