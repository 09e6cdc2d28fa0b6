//! Receive attempts that may be repeated: the messages that a `ReceiveRequestAttemptId` got.
//!
//! An attempt stands for five minutes, while every one of its leases does, and until one of its messages is deleted or
//! its visibility changed (ReceiveMessage, `ReceiveRequestAttemptId`).

use crate::{LeasedMessage, MessageKey, QueueId};
use std::collections::{BTreeMap, BTreeSet};

type AttemptKey = (QueueId, [u8; 16]);

/// An attempt.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) expires_ms: u64,
    pub(crate) messages: Vec<LeasedMessage>,
}

/// All attempts that stand.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    attempts: BTreeMap<AttemptKey, Attempt>,
    /// A message is leased once at a time, so it is part of one attempt that stands at most.
    by_message: BTreeMap<MessageKey, AttemptKey>,
    by_expiry: BTreeSet<(u64, AttemptKey)>,
}

impl Attempts {
    pub(crate) fn get(&self, queue: QueueId, attempt: [u8; 16]) -> Option<&Attempt> {
        self.attempts.get(&(queue, attempt))
    }

    /// Remembers an attempt; repeating one does not make it stand longer.
    pub(crate) fn insert(&mut self, queue: QueueId, attempt: [u8; 16], expires_ms: u64, messages: &[LeasedMessage]) {
        let key = (queue, attempt);
        if self.attempts.get(&key).is_some_and(|before| before.messages == messages) {
            return;
        }
        self.remove(key);
        for message in messages {
            self.by_message.insert(message.message, key);
        }
        self.by_expiry.insert((expires_ms, key));
        self.attempts.insert(key, Attempt { expires_ms, messages: messages.to_vec() });
    }

    /// A message's lease ended or was changed: the attempt that got it can't be repeated any more. In a replay, the
    /// message may be one that is known only later, when it was written forward.
    pub(crate) fn altered(&mut self, message: MessageKey) {
        if let Some(key) = self.by_message.get(&message).copied() {
            self.remove(key);
        }
    }

    /// What they take on the heap, about: the maps' nodes are two thirds full.
    pub(crate) fn heap_bytes(&self) -> usize {
        let each = size_of::<(AttemptKey, Attempt)>() + size_of::<(u64, AttemptKey)>();
        let messages = size_of::<(MessageKey, AttemptKey)>() + size_of::<LeasedMessage>();
        (self.attempts.len() * each + self.by_message.len() * messages) * 3 / 2
    }

    /// Forgets what stood until `now_ms` at most.
    pub(crate) fn forget(&mut self, now_ms: u64) {
        while let Some((expires_ms, key)) = self.by_expiry.first().copied() {
            if expires_ms > now_ms {
                break;
            }
            self.remove(key);
        }
    }

    fn remove(&mut self, key: AttemptKey) {
        let Some(attempt) = self.attempts.remove(&key) else { return };
        self.by_expiry.remove(&(attempt.expires_ms, key));
        for message in attempt.messages {
            self.by_message.remove(&message.message);
        }
    }
}
