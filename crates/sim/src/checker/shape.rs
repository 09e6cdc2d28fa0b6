//! How a queue may be set, and whether it may be there.
//!
//! Every setting that was ever asked for is possible from then on, for who knows what a crash has undone. So a run that
//! changes settings checks times less sharply, and not every run does.

use super::message::Message;
use super::{Checker, Fate, Violation, ensure};
use crate::history::{Call, CallId, QueueIndex, Settings};
use afterward_machine::Refusal;

/// What a setting may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span<T> {
    pub(super) least: T,
    pub(super) most: T,
}

impl<T: Ord + Copy> Span<T> {
    fn of(value: T) -> Span<T> {
        Span { least: value, most: value }
    }

    fn is_certain(&self) -> bool {
        self.least == self.most
    }

    fn widen(&mut self, to: T) {
        (self.least, self.most) = (self.least.min(to), self.most.max(to));
    }
}

/// What is known of a queue.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) delay_ms: Span<u64>,
    pub(super) visibility_ms: Span<u64>,
    pub(super) retention_ms: Span<u64>,
    pub(super) max_receive_count: Span<u32>,
    pub(super) removed: Vec<CallId>,
    pub(super) created: Vec<CallId>,
}

impl Shape {
    pub(super) fn new(settings: &Settings) -> Shape {
        Shape {
            delay_ms: Span::of(settings.delay_ms),
            visibility_ms: Span::of(settings.visibility_ms),
            retention_ms: Span::of(settings.retention_ms),
            max_receive_count: Span::of(settings.max_receive_count),
            removed: Vec::new(),
            created: Vec::new(),
        }
    }

    /// Whether it has had one setting only.
    fn is_certain(&self) -> bool {
        self.delay_ms.is_certain()
            && self.visibility_ms.is_certain()
            && self.retention_ms.is_certain()
            && self.max_receive_count.is_certain()
    }

    pub(super) fn may_be(&mut self, settings: &Settings) {
        self.delay_ms.widen(settings.delay_ms);
        self.visibility_ms.widen(settings.visibility_ms);
        self.retention_ms.widen(settings.retention_ms);
        self.max_receive_count.widen(settings.max_receive_count);
    }
}

impl Checker {
    /// Whether the queue may have been away when `call` was served.
    pub(super) fn perhaps_absent(&self, queue: QueueIndex, call: CallId) -> bool {
        let shape = &self.shapes[queue];
        let may = |removal: &&CallId| self.calls[**removal].fate != Fate::Refused;
        shape.removed.iter().filter(may).any(|removal| {
            let made = |creation: &&CallId| *removal < **creation && **creation < call;
            let again = shape.created.iter().filter(made).any(|made| self.calls[*made].fate == Fate::Answered);
            // Who waits may be told later what was not so when it came.
            !again && *removal < call || self.calls[call].waited && *removal > call
        })
    }

    /// Whether the queue certainly was away when `call` came.
    fn certainly_absent(&self, queue: QueueIndex, call: CallId) -> bool {
        let shape = &self.shapes[queue];
        let before = |other: &&CallId| **other < call;
        let Some(removal) = shape.removed.iter().rfind(before) else { return false };
        let made =
            shape.created.iter().filter(before).any(|made| made > removal && self.calls[*made].fate != Fate::Refused);
        self.calls[*removal].fate == Fate::Answered && !made
    }

    /// Whether the queue may have been deleted at all.
    pub(super) fn perhaps_removed_ever(&self, queue: QueueIndex) -> bool {
        self.shapes[queue].removed.iter().any(|removal| self.calls[*removal].fate != Fate::Refused)
    }

    /// Whether the queue may have been deleted between two calls.
    pub(super) fn perhaps_removed_between(&self, queue: QueueIndex, from: CallId, to: CallId) -> bool {
        let between = |removal: &&CallId| (from..=to).contains(*removal);
        self.shapes[queue].removed.iter().filter(between).any(|removal| self.calls[*removal].fate != Fate::Refused)
    }

    /// A queue that is certainly gone does nothing.
    pub(super) fn check_there(&self, call: CallId, queue: QueueIndex) -> Result<(), Violation> {
        ensure(!self.certainly_absent(queue, call), || {
            format!("#{call} was done, though queue {queue} is gone: {:?}", self.calls[call].call)
        })
    }

    /// A call was told that there is no such queue.
    pub(super) fn refused_queue(&self, call: CallId, asked: &Call) -> Result<(), Violation> {
        let queue = match asked {
            Call::Send(sending) => Some(sending.queue),
            Call::Receive(receiving) => Some(receiving.queue),
            Call::Delete(held) | Call::Change(held, ..) | Call::DeadLetter(held, _) => Some(held.queue),
            Call::Purge(queue) | Call::Move(queue, _) | Call::Set(queue, _) | Call::Remove(queue) => Some(*queue),
            Call::Create(_) | Call::Cancel(_) | Call::Schedule(..) => None,
        };
        ensure(queue.is_some_and(|queue| self.perhaps_absent(queue, call)), || {
            format!("#{call} was told that there is no such queue, and there is: {asked:?}")
        })
    }

    /// A call was refused for what becomes of queues.
    pub(super) fn refused_shape(&self, call: CallId, asked: &Call, why: &Refusal) -> Result<(), Violation> {
        let may = match (asked, why) {
            // It is there, and was set otherwise since.
            (Call::Create(queue), Refusal::QueueExists { .. }) => !self.shapes[*queue].is_certain(),
            (Call::Create(queue) | Call::Set(queue, _), Refusal::InvalidAttribute { .. }) => {
                self.queues[*queue].dead_letter.is_some_and(|(dead, _)| self.perhaps_absent(dead, call))
            }
            (Call::Move(queue, _), Refusal::NotADeadLetterQueue) => {
                let source = |from: &usize| self.queues[*from].dead_letter.is_some_and(|(dead, _)| dead == *queue);
                (0..self.queues.len()).filter(source).all(|from| self.perhaps_absent(from, call))
            }
            _ => false,
        };
        ensure(may, || format!("#{call}: {asked:?} was told {why:?}"))
    }

    /// The earliest time at which retention may end a message, wherever it is then.
    pub(super) fn expires_ms(&self, message: &Message) -> u64 {
        let retention_ms = self.places(message).map(|queue| self.shapes[queue].retention_ms.least).min();
        self.earliest_origin_ms(message) + retention_ms.unwrap_or(0)
    }
}
