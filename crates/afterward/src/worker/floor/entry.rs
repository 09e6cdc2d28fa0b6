//! A message on the floor, and what it takes with it while its handler runs.

use super::{
    super::{hand::Hand, limit::Key, router::Destination},
    Floor,
};
use std::sync::Arc;
use tokio::time::Instant;

/// A message that has been received and not been begun.
#[derive(Debug)]
pub(in super::super) struct Entry {
    pub(in super::super) hand: Arc<Hand>,
    pub(in super::super) destination: Destination,
    /// The limits that it is under, each with what that counts it with.
    pub(super) claims: Box<[(usize, Key)]>,
    /// When it was begun, if it is under limits.
    pub(super) begun: Option<Instant>,
}

impl Entry {
    pub(in super::super) fn new(hand: Arc<Hand>, destination: Destination, claims: Vec<(usize, Key)>) -> Entry {
        Entry { hand, destination, claims: claims.into_boxed_slice(), begun: None }
    }

    /// The place of the handler that it goes to.
    pub(super) fn place(&self) -> Option<usize> {
        match self.destination {
            Destination::Handler(place) => Some(place),
            Destination::Nobody | Destination::Orphan | Destination::Later | Destination::Unread => None,
        }
    }

    /// Whether its lease was lost: whoever has the message now works on it.
    pub(super) fn is_lost(&self) -> bool {
        self.hand.lease().lost
    }

    /// The group that it must keep its order in.
    pub(super) fn ordered_group(&self) -> Option<&str> {
        let delivery = &self.hand.delivery;
        delivery.group.as_deref().filter(|_| delivery.ordered)
    }
}

/// A message that may be begun: it has its slot, its share of its limits, and its group's turn, until this is dropped. Only its
/// slot it may give back before.
#[derive(Debug)]
pub(in super::super) struct Admitted {
    floor: Arc<Floor>,
    entry: Entry,
    leave: Leave,
    read: Option<Entry>,
}

/// How a message that was begun leaves the floor.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Leave {
    /// It has given its slot back.
    pub(super) finished: bool,
    /// It is out of the queue.
    pub(super) gone: bool,
}

impl Admitted {
    pub(super) fn new(floor: Arc<Floor>, entry: Entry) -> Admitted {
        Admitted { floor, entry, leave: Leave::default(), read: None }
    }

    pub(in super::super) fn hand(&self) -> &Arc<Hand> {
        &self.entry.hand
    }

    pub(in super::super) fn destination(&self) -> Destination {
        self.entry.destination
    }

    /// The message's body has been read, so that it is known where it goes and what limits it: it is begun again, from there.
    pub(in super::super) fn read(mut self, destination: Destination, claims: Vec<(usize, Key)>) {
        self.read = Some(Entry::new(self.entry.hand.clone(), destination, claims));
    }

    /// The work on the message is done, and it is to be deleted. Whoever waits for a slot gets this one.
    pub(in super::super) fn finish(&mut self) {
        if !std::mem::replace(&mut self.leave.finished, true) {
            self.floor.finish();
        }
    }

    /// The message is out of the queue, so the next one of its group may follow. Else they are given back.
    pub(in super::super) fn is_gone(&mut self) {
        self.leave.gone = true;
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        match self.read.take() {
            Some(read) => self.floor.read(read),
            None => self.floor.leave(&self.entry, self.leave),
        }
    }
}
