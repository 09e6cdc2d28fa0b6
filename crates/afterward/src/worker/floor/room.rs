//! How much a floor holds that has not been begun, and who may be sent away for want of room.

use super::Entry;

/// How much is held: more than this of nobody who may be sent away, and when it is twice as much, nothing is received.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Most {
    pub(in super::super) messages: usize,
    pub(in super::super) bytes: usize,
}

impl Default for Most {
    fn default() -> Most {
        Most { messages: 10_000, bytes: 64 * 1024 * 1024 }
    }
}

/// What sending a message away costs it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) enum SendingAway {
    /// Nothing: the receive is taken back.
    #[default]
    IsFree,
    /// One of the receives that the queue's redrive policy allows, where it has one.
    Counts(Option<u32>),
}

/// What is held and has not been begun.
#[derive(Debug, Default)]
pub(super) struct Held {
    most: Most,
    messages: usize,
    bytes: usize,
}

impl SendingAway {
    /// Whether a message may be sent away: half of the receives that it may have are left for attempts.
    pub(super) fn is_possible(self, entry: &Entry) -> bool {
        match self {
            SendingAway::IsFree | SendingAway::Counts(None) => true,
            SendingAway::Counts(Some(max)) => entry.hand.delivery.receive_count <= max / 2,
        }
    }

    /// Whether a message has had all its receives: given back, it is not handed out again.
    pub(super) fn is_the_last(self, entry: &Entry) -> bool {
        matches!(self, SendingAway::Counts(Some(max)) if entry.hand.delivery.receive_count >= max)
    }
}

impl Held {
    pub(super) fn at_most(most: Most) -> Held {
        Held { most, messages: 0, bytes: 0 }
    }

    pub(super) fn add(&mut self, entry: &Entry) {
        self.messages += 1;
        self.bytes += entry.hand.body().len();
    }

    pub(super) fn remove(&mut self, entry: &Entry) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(entry.hand.body().len());
    }

    /// Whether so much is held that who may go has to.
    pub(super) fn is_much(&self) -> bool {
        self.messages >= self.most.messages || self.bytes >= self.most.bytes
    }

    /// Whether so much is held that nothing more may come.
    pub(super) fn is_too_much(&self) -> bool {
        self.messages >= 2 * self.most.messages || self.bytes >= 2 * self.most.bytes
    }
}
