//! What is known of one message.

use super::{Checker, Fate};
use crate::history::{CallId, QueueIndex, Sending};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct Message {
    /// The queue that it was sent to.
    pub(super) home: QueueIndex,
    /// The deduplication id that it was sent with.
    pub(super) dedup: Option<u32>,
    /// The sends that may have made it; one, once its body was seen or when it has no deduplication id.
    pub(super) candidates: Vec<CallId>,
    /// Whether a send was told its id.
    pub(super) acknowledged: bool,
    /// The first send that was.
    pub(super) acknowledged_by: Option<CallId>,
    /// Its place in line at home.
    pub(super) order: Option<u64>,
    /// What was seen of it, by lease: later leases have higher numbers.
    pub(super) deliveries: BTreeMap<u64, Delivered>,
    pub(super) deletes: Vec<Deleting>,
    /// The calls by which its holders gave it up for good, and the leases they had.
    pub(super) burials: Vec<(CallId, u64)>,
    /// The calls that said why it failed.
    pub(super) failures: Vec<CallId>,
    /// The calls that said how far their holders are, and the leases they had.
    pub(super) reports: Vec<(CallId, u64)>,
}

impl Message {
    /// The message that one of `candidates` made by what they sent. Nobody was told of it, and nobody has seen it.
    pub(super) fn new(sending: &Sending, candidates: Vec<CallId>) -> Message {
        Message {
            home: sending.queue,
            dedup: sending.dedup,
            candidates,
            acknowledged: false,
            acknowledged_by: None,
            order: None,
            deliveries: BTreeMap::new(),
            deletes: Vec::new(),
            burials: Vec::new(),
            failures: Vec::new(),
            reports: Vec::new(),
        }
    }
}

/// One time that a consumer got it.
#[derive(Debug)]
pub(super) struct Delivered {
    pub(super) call: CallId,
    pub(super) queue: QueueIndex,
    /// `ApproximateReceiveCount`, which is exact here.
    pub(super) count: u32,
    /// When the lease began: between these.
    pub(super) began_ms: (u64, u64),
    /// How long the lease lasts, between these.
    pub(super) timeout_ms: (u64, u64),
    pub(super) attempt: Option<u32>,
    pub(super) first_received_ms: u64,
    pub(super) changes: Vec<Changing>,
}

/// A visibility change of a lease, or a receive attempt that is repeated and renews it.
#[derive(Debug)]
pub(super) struct Changing {
    pub(super) call: CallId,
    /// Between these.
    pub(super) until_ms: (u64, u64),
    /// Whether the lease certainly lived when it was asked for.
    pub(super) live: bool,
    /// It had no effect.
    pub(super) void: bool,
    pub(super) renewal: bool,
}

/// A delete by a lease, or a purge.
#[derive(Debug)]
pub(super) struct Deleting {
    pub(super) call: CallId,
    /// `None`: it is a purge.
    pub(super) lease: Option<u64>,
    pub(super) power: Power,
}

/// What a delete can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    /// Its lease lives: the message goes, if it has not gone already.
    Certain,
    /// Its lease may have ended.
    Unclear,
    /// Somebody else holds the message: nothing happens.
    None,
}

impl Checker {
    /// Between when and when the lease ends.
    pub(super) fn ends_ms(&self, delivered: &Delivered) -> (u64, u64) {
        self.ends_ms_by(delivered, |_| true)
    }

    fn ends_ms_by(&self, delivered: &Delivered, counts: impl Fn(&Changing) -> bool) -> (u64, u64) {
        let (earliest, latest) = delivered.began_ms;
        let first = (earliest + delivered.timeout_ms.0, latest + delivered.timeout_ms.1);
        let changes = delivered.changes.iter().filter(|change| counts(change));
        changes.fold(first, |(earliest, latest), change| match self.calls[change.call].fate {
            Fate::Refused => (earliest, latest),
            _ if change.void => (earliest, latest),
            Fate::Answered if change.live => change.until_ms,
            _ => (earliest.min(change.until_ms.0), latest.max(change.until_ms.1)),
        })
    }

    /// Between when and when the lease ends, as far as the calls before `call` say.
    pub(super) fn ends_ms_before(&self, delivered: &Delivered, call: CallId) -> (u64, u64) {
        self.ends_ms_by(delivered, |change| change.call < call)
    }

    /// The delete that certainly removed the message.
    pub(super) fn certainly_deleted<'a>(&self, message: &'a Message) -> Option<&'a Deleting> {
        let by = |delete: &&Deleting| delete.power == Power::Certain && self.calls[delete.call].fate == Fate::Answered;
        message.deletes.iter().find(by)
    }

    /// Whether it may have gone for good, or begun another life.
    pub(super) fn perhaps_deleted(&self, message: &Message) -> bool {
        self.perhaps_removed(message) || self.perhaps_moved(message)
    }

    /// Whether it may have gone for good.
    pub(super) fn perhaps_removed(&self, message: &Message) -> bool {
        let may = |delete: &Deleting| delete.power != Power::None && self.calls[delete.call].fate != Fate::Refused;
        message.deletes.iter().any(may) || self.perhaps_purged(message)
    }

    /// Its group, as far as that is certain.
    pub(super) fn group(&self, message: &Message) -> Option<u8> {
        let mut groups = message.candidates.iter().map(|call| self.sending(*call)?.group);
        let first = groups.next()??;
        groups.all(|group| group == Some(first)).then_some(first)
    }

    /// The earliest time at which it may have been sent.
    pub(super) fn earliest_origin_ms(&self, message: &Message) -> u64 {
        message.candidates.iter().map(|call| self.calls[*call].at_ms).min().unwrap_or(0)
    }

    /// The latest.
    pub(super) fn latest_origin_ms(&self, message: &Message) -> u64 {
        message.candidates.iter().map(|call| self.calls[*call].at_ms).max().unwrap_or(0)
    }

    /// The most receives that it may have had: those that are known and all whose outcome is not.
    pub(super) fn most_receives(&self, message: &Message) -> u32 {
        let known = message.deliveries.values().map(|delivered| delivered.count).max().unwrap_or(0);
        known + self.places(message).map(|queue| self.uncertain_receives(queue).count() as u32).sum::<u32>()
    }

    /// The queues that it can be in.
    pub(super) fn places(&self, message: &Message) -> impl Iterator<Item = QueueIndex> {
        [Some(message.home), self.dead_letters(message)].into_iter().flatten()
    }

    pub(super) fn dead_letters(&self, message: &Message) -> Option<QueueIndex> {
        self.queues[message.home].dead_letter.map(|(queue, _)| queue)
    }

    /// Whether it may have gone to the dead-letter queue.
    pub(super) fn perhaps_dead(&self, message: &Message) -> bool {
        let has_dead_letters = self.queues[message.home].dead_letter.is_some();
        let worn_out = || self.most_receives(message) >= self.shapes[message.home].max_receive_count.least;
        has_dead_letters && (self.perhaps_buried(message) || worn_out())
    }
}
