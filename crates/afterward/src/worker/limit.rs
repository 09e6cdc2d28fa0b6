//! Limits as they are set: how many at a time, or how many within a while, of all or of each key.

use super::handler::{Input, Peek};
use std::{
    fmt::Display,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

/// The key of a message that no attempt has begun at.
type KeyOf = Box<dyn Fn(&Peek<'_>) -> Option<String> + Send + Sync>;

/// One limit.
pub(super) struct Limit {
    /// What is counted apart; without, all is counted together.
    key_of: Option<KeyOf>,
    pub(super) most: Most,
}

/// How much a limit lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Most {
    /// So many at a time.
    AtATime(usize),
    /// So many begun within any time of this length.
    Within(usize, Duration),
}

/// What a limit counts together; `None` is everything, or everything without a key.
pub(super) type Key = Option<Arc<str>>;

impl Limit {
    pub(super) fn of_all(most: Most) -> Limit {
        Limit { key_of: None, most: most.at_least_one() }
    }

    pub(super) fn of_each<I: Input, K: Display>(key: impl Fn(&I) -> K + Send + Sync + 'static, most: Most) -> Limit {
        let key_of = move |peek: &Peek<'_>| I::peek(peek).map(|input| key(&input).to_string());
        Limit { key_of: Some(Box::new(key_of)), most: most.at_least_one() }
    }

    /// Whether it counts all messages together.
    pub(super) fn is_common(&self) -> bool {
        self.key_of.is_none()
    }

    /// Which of this limit's counts a message is for. A message that can't be read has no key: it is about to fail. Nor has one
    /// over which the key's function panics, for that must not take the others of its receive with it.
    pub(super) fn key(&self, peek: &Peek<'_>) -> Key {
        let key_of = self.key_of.as_ref()?;
        let key = catch_unwind(AssertUnwindSafe(|| key_of(peek))).unwrap_or_else(|_| {
            tracing::warn!(message_id = %peek.0.delivery.id, "the key of a limit panicked: the message is counted without a key");
            None
        });
        key.map(Arc::from)
    }
}

impl Most {
    /// A limit of none would keep its messages for ever; that is what pausing is for.
    fn at_least_one(self) -> Most {
        match self {
            Most::AtATime(count) => Most::AtATime(count.max(1)),
            Most::Within(count, time) => Most::Within(count.max(1), time),
        }
    }
}
