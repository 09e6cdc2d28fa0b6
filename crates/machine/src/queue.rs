//! One queue: its settings, its counts, and the order in which it hands its messages out.

use crate::fair::Fair;
use crate::groups::{Group, Groups};
use crate::line::Ranks;
use crate::slab::{Entry, NO_GROUP, Place, Slab};
use crate::sorted::Sorted;
use crate::{Cursor, QueueAttributes, QueueId, Tags, definitions};
use afterward_names::{GroupId, QueueAddress, limits};
use std::sync::Arc;

static NO_TAGS: Tags = Tags::new();

/// A queue. A message is first entered, then attached where it stands; detached, then left. Between the two its entry
/// may change; in the slab it must be all the while.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) id: QueueId,
    pub(crate) address: QueueAddress,
    /// Shared with the queues that are set to the same.
    pub(crate) attributes: Arc<QueueAttributes>,
    tags: Option<Box<Tags>>,
    pub(crate) created_ms: u64,
    pub(crate) modified_ms: u64,
    /// When it was last purged, or 0.
    pub(crate) purged_ms: u64,
    pub(crate) visible: u32,
    pub(crate) delayed: u32,
    pub(crate) in_flight: u32,
    /// None while there is no message.
    lines: Option<Box<Lines>>,
    /// None until there is something to measure.
    fair: Option<Box<Fair>>,
}

/// A queue's messages, by slot.
#[derive(Debug, Default)]
struct Lines {
    /// What can be delivered: messages without a group, and of each group that is not blocked the first.
    heads: Sorted<u32>,
    /// All messages, by the time they were sent, then by slot; those last that are held.
    sent: Sorted<u32>,
    groups: Groups,
    /// When retention ends the oldest message, as the timers have it.
    retention_due_ms: Option<u64>,
}

/// By when a message was sent, and its slot.
fn sent_before(at: Cursor, slab: &Slab) -> impl Fn(&u32) -> bool {
    move |slot| sent(*slot, slab) < at
}

/// What is held comes last: it joins the line as newly sent.
fn sent(slot: u32, slab: &Slab) -> Cursor {
    slab.get(slot).map_or(Cursor { sent_ms: 0, slot }, |entry| Cursor::of(&entry, slot))
}

impl Queue {
    pub(crate) fn new(
        id: QueueId,
        address: QueueAddress,
        attributes: Arc<QueueAttributes>,
        tags: &Tags,
        now_ms: u64,
    ) -> Queue {
        let mut queue = Queue {
            id,
            address,
            attributes,
            tags: None,
            created_ms: now_ms,
            modified_ms: now_ms,
            purged_ms: 0,
            visible: 0,
            delayed: 0,
            in_flight: 0,
            lines: None,
            fair: None,
        };
        queue.set_tags(tags);
        queue
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.attributes.fifo.is_some()
    }

    pub(crate) fn tags(&self) -> &Tags {
        self.tags.as_ref().map_or(&NO_TAGS, AsRef::as_ref)
    }

    /// What its definition takes in the log, at the most.
    pub(crate) fn definition_bytes(&self) -> u64 {
        definitions::of_queue(&self.address, &self.attributes, self.tags())
    }

    pub(crate) fn set_tags(&mut self, tags: &Tags) {
        self.tags = (!tags.is_empty()).then(|| Box::new(tags.clone()));
    }

    /// The number of the group that a message is about to enter with.
    pub(crate) fn join(&mut self, group: Option<&GroupId>) -> u32 {
        group.map_or(NO_GROUP, |name| self.lines.get_or_insert_default().groups.join(name))
    }

    /// A message, in the slab now, is one of the queue's.
    pub(crate) fn enter(&mut self, slot: u32, slab: &Slab) {
        self.lines.get_or_insert_default().sent.insert(slot, sent_before(sent(slot, slab), slab));
    }

    /// A message, detached before and still in the slab, leaves the queue.
    pub(crate) fn leave(&mut self, slot: u32, entry: &Entry, slab: &Slab) {
        let Some(lines) = &mut self.lines else { return };
        lines.sent.remove(&slot, sent_before(sent(slot, slab), slab));
        if entry.group != NO_GROUP {
            lines.groups.leave(entry.group);
        }
    }

    pub(crate) fn group(&self, number: u32) -> Option<&Group> {
        self.lines.as_ref()?.groups.get(number)
    }

    pub(crate) fn group_named(&self, name: &GroupId) -> Option<u32> {
        self.lines.as_ref()?.groups.number(name)
    }

    pub(crate) fn group_name(&self, number: u32) -> Option<&GroupId> {
        Some(&self.group(number)?.name)
    }

    pub(crate) fn fair(&self) -> Option<&Fair> {
        self.fair.as_deref()
    }

    /// A consumer held a message of this group for `held_ms`, until `at_ms`.
    pub(crate) fn lease_ended(&mut self, group: u32, at_ms: u64, held_ms: u64) {
        if self.is_fifo() || held_ms == 0 {
            return;
        }
        let tenant = self.lines.as_ref().and_then(|lines| lines.groups.get(group)).map(|group| &group.name);
        self.fair.get_or_insert_default().lease_ended(tenant, at_ms, held_ms);
    }

    pub(crate) fn ranks<'a>(&self, slab: &'a Slab) -> Ranks<'a> {
        Ranks { slab, fifo: self.is_fifo() }
    }

    /// The slots of what can be delivered, in line.
    pub(crate) fn heads(&self) -> impl Iterator<Item = u32> {
        self.lines.iter().flat_map(|lines| lines.heads.iter().copied())
    }

    /// Takes a message up where its entry says it stands. True if something may have become receivable by it.
    pub(crate) fn attach(&mut self, slot: u32, entry: &Entry, slab: &Slab) -> bool {
        let ranks = self.ranks(slab);
        match entry.place {
            Place::Visible => {
                self.visible += 1;
                if entry.group == NO_GROUP {
                    self.lines.get_or_insert_default().heads.insert(slot, ranks.before(entry));
                    return true;
                }
                self.change_group(entry.group, ranks, |group| group.line.insert(slot, entry, ranks))
            }
            Place::Delayed => {
                self.delayed += 1;
                if ranks.fifo {
                    self.change_group(entry.group, ranks, |group| group.line.insert_delayed(slot, entry, ranks));
                }
                false
            }
            Place::Held => {
                self.delayed += 1;
                false
            }
            Place::Leased => {
                self.in_flight += 1;
                self.change_in_flight(entry.group, ranks, |in_flight| in_flight + 1);
                false
            }
        }
    }

    /// Lets a message go from where its entry says it stands. True if something may have become receivable by it.
    pub(crate) fn detach(&mut self, slot: u32, entry: &Entry, slab: &Slab) -> bool {
        let ranks = self.ranks(slab);
        match entry.place {
            Place::Visible => {
                self.visible -= 1;
                if entry.group != NO_GROUP {
                    self.change_group(entry.group, ranks, |group| group.line.remove(slot, entry, ranks));
                } else if let Some(lines) = &mut self.lines {
                    lines.heads.remove(&slot, ranks.before(entry));
                }
                // What is left of the group was as receivable before.
                false
            }
            Place::Delayed => {
                self.delayed -= 1;
                ranks.fifo
                    && self.change_group(entry.group, ranks, |group| group.line.remove_delayed(slot, entry, ranks))
            }
            Place::Held => {
                self.delayed -= 1;
                false
            }
            Place::Leased => {
                let was_full = self.is_full();
                self.in_flight -= 1;
                let unblocked = self.change_in_flight(entry.group, ranks, |in_flight| in_flight - 1);
                unblocked || was_full && self.has_heads()
            }
        }
    }

    /// Whether as many messages are in flight as may be.
    pub(crate) fn is_full(&self) -> bool {
        self.in_flight as usize >= limits::IN_FLIGHT
    }

    /// Whether a receive would find something, if only that there is too much in flight.
    pub(crate) fn is_receivable(&self) -> bool {
        let refuses_quietly = self.is_fifo() && self.is_full();
        self.has_heads() && !refuses_quietly
    }

    fn has_heads(&self) -> bool {
        self.lines.as_ref().is_some_and(|lines| !lines.heads.is_empty())
    }

    /// FIFO: whether a visible message waits for another one of its group, in flight or delayed before it.
    pub(crate) fn is_behind_group(&self, entry: &Entry, slab: &Slab) -> bool {
        let ranks = self.ranks(slab);
        ranks.fifo && self.group(entry.group).is_some_and(|group| !group.is_clear(entry.order, ranks))
    }

    fn change_in_flight(&mut self, number: u32, ranks: Ranks<'_>, change: impl FnOnce(u32) -> u32) -> bool {
        let Some(before) = self.group(number).map(|group| group.in_flight) else { return false };
        let after = change(before);
        if ranks.fifo {
            return self.change_group(number, ranks, |group| group.in_flight = after);
        }
        if let Some(lines) = &mut self.lines {
            lines.groups.change(number, |group| group.in_flight = after);
        }
        if Fair::counts(before) || Fair::counts(after) {
            self.fair.get_or_insert_default().in_flight_changed(number, before, after);
        }
        false
    }

    /// Changes a group and lists it anew among the heads. True if it is among them.
    fn change_group(&mut self, number: u32, ranks: Ranks<'_>, change: impl FnOnce(&mut Group)) -> bool {
        let Some(Lines { heads, groups, .. }) = self.lines.as_deref_mut() else { return false };
        let listed = groups.change(number, |group| {
            change(group);
            let head = if ranks.fifo { group.fifo_head(ranks) } else { group.line.first() };
            let before = group.line.listed();
            group.line.list(head);
            (before, head)
        });
        let Some((before, head)) = listed else { return false };
        if before != head {
            // A message that changes is detached before, so the one that was listed stands where it did.
            if let Some((slot, entry)) = before.and_then(|slot| Some((slot, ranks.slab.get(slot)?))) {
                heads.remove(&slot, ranks.before(&entry));
            }
            if let Some((slot, entry)) = head.and_then(|slot| Some((slot, ranks.slab.get(slot)?))) {
                heads.insert(slot, ranks.before(&entry));
            }
        }
        head.is_some()
    }

    /// The slot of the message that was sent first; what is held comes after all others.
    pub(crate) fn oldest(&self) -> Option<u32> {
        self.lines.as_ref()?.sent.first().copied()
    }

    /// When the message was sent that was sent first, apart from what is held.
    pub(crate) fn oldest_sent_ms(&self, slab: &Slab) -> Option<u64> {
        self.oldest()
            .and_then(|slot| slab.get(slot))
            .filter(|entry| entry.place != Place::Held)
            .map(|entry| entry.sent_ms)
    }

    /// When retention ends the oldest message. It does not end what is held.
    pub(crate) fn retention_ends_ms(&self, slab: &Slab) -> Option<u64> {
        Some(self.oldest_sent_ms(slab)?.saturating_add(self.attributes.retention_ms))
    }

    /// When retention ends the oldest message: as it was when it was last asked, and as it is. A queue without messages
    /// then takes no room for them.
    pub(crate) fn renew_retention(&mut self, slab: &Slab) -> (Option<u64>, Option<u64>) {
        let due_ms = self.retention_ends_ms(slab);
        let Some(lines) = &mut self.lines else { return (None, None) };
        let before_ms = std::mem::replace(&mut lines.retention_due_ms, due_ms);
        if lines.sent.is_empty() {
            self.lines = None;
        }
        (before_ms, due_ms)
    }

    /// The slots of the messages, by the time they were sent, behind `after`.
    pub(crate) fn slots_after(&self, after: Option<Cursor>, slab: &Slab) -> impl Iterator<Item = u32> {
        let seen = move |slot: &u32| after.is_some_and(|after| sent(*slot, slab) <= after);
        self.lines.iter().flat_map(move |lines| lines.sent.iter_from(seen)).copied()
    }

    /// What the queue takes, itself included: what its messages need, and all else.
    pub(crate) fn bytes(&self) -> QueueBytes {
        let lines = self.lines.as_deref();
        let of = |bytes: fn(&Lines) -> usize| lines.map_or(0, bytes);
        QueueBytes {
            lines: of(|lines| size_of::<Lines>() + lines.heads.heap_bytes() + lines.sent.heap_bytes()),
            groups: of(|lines| lines.groups.heap_bytes()),
            settings: size_of::<Queue>()
                + self.address.name.as_str().len()
                + self.tags().iter().map(|(key, value)| 64 + key.len() + value.len()).sum::<usize>()
                + self.fair.as_ref().map_or(0, |_| size_of::<Fair>()),
        }
    }
}

/// What a queue takes in memory.
pub(crate) struct QueueBytes {
    /// Its messages' order.
    pub(crate) lines: usize,
    pub(crate) groups: usize,
    /// The queue without messages.
    pub(crate) settings: usize,
}
