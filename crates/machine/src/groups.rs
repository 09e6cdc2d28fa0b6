//! A queue's message groups, by number, so that a message holds four bytes for its group.

use crate::line::{Line, LineKey};
use afterward_names::GroupId;
use std::collections::{BTreeMap, BTreeSet};

/// A group that has messages in the queue.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: GroupId,
    /// Its messages, wherever they stand.
    pub(crate) messages: u32,
    pub(crate) in_flight: u32,
    /// Its visible messages.
    pub(crate) line: Line,
    /// FIFO: the orders of its delayed messages. Those behind the first of them wait for it.
    pub(crate) delayed: BTreeSet<u64>,
    /// The key under which it is among the queue's heads.
    pub(crate) listed: Option<LineKey>,
}

impl Group {
    /// FIFO: the visible message that is next, unless something of the group comes before it.
    pub(crate) fn fifo_head(&self) -> Option<(LineKey, u32)> {
        self.line.first().filter(|(key, _)| self.is_clear(key.order()))
    }

    /// FIFO: whether nothing of the group keeps a visible message of this order back, those before it in line aside.
    pub(crate) fn is_clear(&self, order: u64) -> bool {
        self.in_flight == 0 && self.delayed.first().is_none_or(|first| order < *first)
    }
}

/// The groups of a queue.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    numbers: BTreeMap<GroupId, u32>,
    groups: Vec<Option<Group>>,
    free: Vec<u32>,
}

impl Groups {
    pub(crate) fn number(&self, name: &GroupId) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Group> {
        self.groups.get(number as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut Group> {
        self.groups.get_mut(number as usize)?.as_mut()
    }

    /// The number of the group of this name, which a message is about to join.
    pub(crate) fn join(&mut self, name: &GroupId) -> u32 {
        let number = match self.numbers.get(name) {
            Some(number) => *number,
            None => self.found(name),
        };
        if let Some(group) = self.get_mut(number) {
            group.messages += 1;
        }
        number
    }

    fn found(&mut self, name: &GroupId) -> u32 {
        let group = Group {
            name: name.clone(),
            messages: 0,
            in_flight: 0,
            line: Line::Empty,
            delayed: BTreeSet::new(),
            listed: None,
        };
        let number = if let Some(number) = self.free.pop() {
            self.groups[number as usize] = Some(group);
            number
        } else {
            self.groups.push(Some(group));
            self.groups.len() as u32 - 1
        };
        self.numbers.insert(name.clone(), number);
        number
    }

    /// A message has left the group; the last one takes it along.
    pub(crate) fn leave(&mut self, number: u32) {
        let Some(group) = self.get_mut(number) else { return };
        group.messages -= 1;
        if group.messages > 0 {
            return;
        }
        if let Some(group) = self.groups[number as usize].take() {
            self.numbers.remove(&group.name);
        }
        if self.numbers.is_empty() {
            *self = Groups::default();
        } else {
            self.free.push(number);
        }
    }
}
