//! Requests that come again because their answer was lost.
//!
//! SDKs give each request a `ClientToken`, and send the same one when they try again. What succeeded is remembered here, and
//! asked first: a deletion that comes again must not delete what was made meanwhile, nor a change undo a later one. A schedule
//! keeps the token that it was made with, too, so CreateSchedule knows a repetition for as long as the schedule is there.
//!
//! The last few thousand are remembered for an hour of the broker's time, as long as the process lives. SDKs have given up long
//! before; after that a token may be used again.

use crate::digest;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How many requests are remembered: some hundred kilobytes of them.
const REMEMBERED: usize = 10_000;
const REMEMBERED_MS: u64 = 3_600_000;

type Key = [u8; 16];

/// The requests that succeeded last.
#[derive(Debug, Default)]
pub(crate) struct Repeats(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// When each succeeded.
    at_ms: HashMap<Key, u64>,
    order: VecDeque<Key>,
}

/// What a request is known again by. One without a token is never known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(Option<Key>);

impl Identity {
    /// `said`: what the request says beside its resource. The same token with other words is another request.
    pub(super) fn of(action: &str, arn: &str, token: Option<&str>, said: &[u8]) -> Identity {
        // None of the three has a line break in it.
        Identity(token.map(|token| {
            let mut text = format!("{action}\n{arn}\n{token}\n").into_bytes();
            text.extend_from_slice(said);
            digest::half_sha256(&text)
        }))
    }
}

impl Repeats {
    /// Remembers that this request succeeded.
    pub(super) fn remember(&self, Identity(key): Identity, now_ms: u64) {
        let Some(key) = key else { return };
        let mut remembered = self.lock();
        if remembered.at_ms.insert(key, now_ms).is_none() {
            remembered.order.push_back(key);
        }
        if remembered.order.len() > REMEMBERED
            && let Some(oldest) = remembered.order.pop_front()
        {
            remembered.at_ms.remove(&oldest);
        }
    }

    /// Whether this is a request that has succeeded.
    pub(super) fn has_succeeded(&self, Identity(key): Identity, now_ms: u64) -> bool {
        let at_ms = key.and_then(|key| self.lock().at_ms.get(&key).copied());
        at_ms.is_some_and(|at_ms| now_ms.saturating_sub(at_ms) < REMEMBERED_MS)
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delete(token: &str) -> Identity {
        Identity::of("Delete", "arn", Some(token), b"")
    }

    #[test]
    fn the_last_requests_are_known_again_by_all_that_they_say() {
        let repeats = Repeats::default();
        repeats.remember(delete("t"), 0);
        repeats.remember(delete("t"), 0);
        assert!(repeats.has_succeeded(delete("t"), REMEMBERED_MS - 1));
        assert!(!repeats.has_succeeded(delete("t"), REMEMBERED_MS), "not for ever");
        for (action, arn, token, said) in [
            ("Create", "arn", Some("t"), ""),
            ("Delete", "other", Some("t"), ""),
            ("Delete", "arn", Some("u"), ""),
            ("Delete", "arn", Some("t"), "else"),
            ("Delete", "arn", None, ""),
        ] {
            let other = Identity::of(action, arn, token, said.as_bytes());
            assert!(!repeats.has_succeeded(other, 0), "{action} {arn} {token:?} {said}");
        }
        repeats.remember(Identity::of("Delete", "arn", None, b""), 0);
        assert!(!repeats.has_succeeded(Identity::of("Delete", "arn", None, b""), 0));
        for number in 0..REMEMBERED {
            repeats.remember(delete(&number.to_string()), 1);
        }
        assert!(!repeats.has_succeeded(delete("t"), 1), "the oldest is forgotten");
        assert!(repeats.has_succeeded(delete("0"), 1));
        assert_eq!(repeats.lock().at_ms.len(), REMEMBERED);
    }
}
