//! One queue: its settings, its counts, and the order in which it hands its messages out.

use crate::fair::Fair;
use crate::groups::{Group, Groups};
use crate::line::{Line, LineKey};
use crate::slab::{Entry, NO_GROUP, Place};
use crate::{QueueAttributes, QueueId, Tags};
use afterward_names::{GroupId, QueueAddress, limits};
use std::collections::BTreeSet;
use std::ops::Bound;

/// When a message was sent, and its slot: 10 bytes, big-endian, for there is one per message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SentKey([u8; 10]);

impl SentKey {
    /// Of `sent_ms`, 48 bits count.
    pub(crate) fn new(sent_ms: u64, slot: u32) -> SentKey {
        let mut key = [0; 10];
        key[..6].copy_from_slice(&sent_ms.to_be_bytes()[2..]);
        key[6..].copy_from_slice(&slot.to_be_bytes());
        SentKey(key)
    }

    pub(crate) fn sent_ms(self) -> u64 {
        self.0[..6].iter().fold(0, |ms, byte| ms << 8 | u64::from(*byte))
    }

    pub(crate) fn slot(self) -> u32 {
        u32::from_be_bytes(self.0[6..].try_into().unwrap_or_default())
    }
}

/// A queue. A message is first entered, then attached where it stands; detached, then left.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) id: QueueId,
    pub(crate) address: QueueAddress,
    pub(crate) attributes: QueueAttributes,
    pub(crate) tags: Tags,
    pub(crate) created_ms: u64,
    pub(crate) modified_ms: u64,
    /// When it was last purged, or 0.
    pub(crate) purged_ms: u64,
    pub(crate) visible: u32,
    pub(crate) delayed: u32,
    pub(crate) in_flight: u32,
    /// What can be delivered: messages without a group, and of each group that is not blocked the first.
    pub(crate) heads: Line,
    /// All messages, by the time they were sent.
    pub(crate) sent: BTreeSet<SentKey>,
    pub(crate) groups: Groups,
    pub(crate) fair: Fair,
    /// When retention ends the oldest message, as the timers have it.
    pub(crate) retention_due_ms: Option<u64>,
}

impl Queue {
    pub(crate) fn new(
        id: QueueId,
        address: QueueAddress,
        attributes: QueueAttributes,
        tags: Tags,
        now_ms: u64,
    ) -> Queue {
        Queue {
            id,
            address,
            attributes,
            tags,
            created_ms: now_ms,
            modified_ms: now_ms,
            purged_ms: 0,
            visible: 0,
            delayed: 0,
            in_flight: 0,
            heads: Line::Empty,
            sent: BTreeSet::new(),
            groups: Groups::default(),
            fair: Fair::default(),
            retention_due_ms: None,
        }
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.attributes.fifo.is_some()
    }

    /// A message joins the queue; the number of its group.
    pub(crate) fn enter(&mut self, sent_ms: u64, slot: u32, group: Option<&GroupId>) -> u32 {
        self.sent.insert(SentKey::new(sent_ms, slot));
        group.map_or(NO_GROUP, |name| self.groups.join(name))
    }

    /// A message, detached before, leaves the queue.
    pub(crate) fn leave(&mut self, entry: &Entry, slot: u32) {
        self.sent.remove(&SentKey::new(entry.sent_ms, slot));
        if entry.group != NO_GROUP {
            self.groups.leave(entry.group);
        }
    }

    pub(crate) fn group_name(&self, group: u32) -> Option<&GroupId> {
        Some(&self.groups.get(group)?.name)
    }

    /// Where a visible message stands in line.
    pub(crate) fn line_key(&self, entry: &Entry) -> LineKey {
        LineKey::new(if self.is_fifo() { 0 } else { entry.due_ms }, entry.order)
    }

    /// Takes a message up where its entry says it stands. True if something may have become receivable by it.
    pub(crate) fn attach(&mut self, entry: &Entry, slot: u32) -> bool {
        match entry.place {
            Place::Visible => {
                self.visible += 1;
                let key = self.line_key(entry);
                if entry.group == NO_GROUP {
                    self.heads.insert(key, slot);
                    return true;
                }
                self.change_group(entry.group, |group| group.line.insert(key, slot))
            }
            Place::Delayed => {
                self.delayed += 1;
                if self.is_fifo() {
                    self.change_group(entry.group, |group| {
                        group.delayed.insert(entry.order);
                    });
                }
                false
            }
            Place::Leased => {
                self.in_flight += 1;
                self.change_in_flight(entry.group, |in_flight| in_flight + 1);
                false
            }
            Place::Free => false,
        }
    }

    /// Lets a message go from where its entry says it stands. True if something may have become receivable by it.
    pub(crate) fn detach(&mut self, entry: &Entry) -> bool {
        match entry.place {
            Place::Visible => {
                self.visible -= 1;
                let key = self.line_key(entry);
                if entry.group == NO_GROUP {
                    self.heads.remove(key);
                } else {
                    self.change_group(entry.group, |group| group.line.remove(key));
                }
                // What is left of the group was as receivable before.
                false
            }
            Place::Delayed => {
                self.delayed -= 1;
                self.is_fifo()
                    && self.change_group(entry.group, |group| {
                        group.delayed.remove(&entry.order);
                    })
            }
            Place::Leased => {
                let was_full = self.is_full();
                self.in_flight -= 1;
                let unblocked = self.change_in_flight(entry.group, |in_flight| in_flight - 1);
                unblocked || was_full && !self.heads.is_empty()
            }
            Place::Free => false,
        }
    }

    /// Whether as many messages are in flight as may be.
    pub(crate) fn is_full(&self) -> bool {
        self.in_flight as usize >= limits::IN_FLIGHT
    }

    /// Whether a receive would find something, if only that there is too much in flight.
    pub(crate) fn is_receivable(&self) -> bool {
        let refuses_quietly = self.is_fifo() && self.is_full();
        !self.heads.is_empty() && !refuses_quietly
    }

    /// FIFO: whether a visible message waits for another one of its group, in flight or delayed before it.
    pub(crate) fn is_behind_group(&self, entry: &Entry) -> bool {
        self.is_fifo() && self.groups.get(entry.group).is_some_and(|group| !group.is_clear(entry.order))
    }

    fn change_in_flight(&mut self, number: u32, change: impl FnOnce(u32) -> u32) -> bool {
        let Some(group) = self.groups.get_mut(number) else { return false };
        let before = group.in_flight;
        let after = change(before);
        if self.attributes.fifo.is_none() {
            group.in_flight = after;
            self.fair.in_flight_changed(number, before, after);
            return false;
        }
        self.change_group(number, |group| group.in_flight = after)
    }

    /// Changes a group and lists it anew among the heads. True if it is among them.
    fn change_group(&mut self, number: u32, change: impl FnOnce(&mut Group)) -> bool {
        let fifo = self.is_fifo();
        let Some(group) = self.groups.get_mut(number) else { return false };
        change(group);
        let head = if fifo { group.fifo_head() } else { group.line.first() };
        let key = head.map(|(key, _)| key);
        if key != group.listed {
            if let Some(before) = std::mem::replace(&mut group.listed, key) {
                self.heads.remove(before);
            }
            if let Some((key, slot)) = head {
                self.heads.insert(key, slot);
            }
        }
        head.is_some()
    }

    /// When retention ends the oldest message.
    pub(crate) fn retention_ends_ms(&self) -> Option<u64> {
        Some(self.sent.first()?.sent_ms().saturating_add(self.attributes.retention_ms))
    }

    /// The slots of the messages, by the time they were sent, behind `after`.
    pub(crate) fn slots_after(&self, after: Option<SentKey>) -> impl Iterator<Item = u32> {
        self.sent.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)).map(|key| key.slot())
    }
}
