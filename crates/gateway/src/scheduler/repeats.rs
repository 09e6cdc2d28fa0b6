//! Requests that come again because their answer was lost.
//!
//! SDKs give each request a `ClientToken`, and send the same one when they try again. A schedule keeps the token that it
//! was made with, so CreateSchedule knows a repetition for as long as the schedule is there. Where nothing is left to keep
//! a token in (what was deleted), or nothing has a place for one (groups), the last few thousand are remembered here, as
//! long as the process lives.

use crate::digest;
use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, PoisonError},
};

/// How many requests are remembered: some hundred kilobytes of them.
const REMEMBERED: usize = 10_000;

type Key = [u8; 16];

/// The requests that succeeded last.
#[derive(Debug, Default)]
pub(crate) struct Repeats(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    keys: HashSet<Key>,
    order: VecDeque<Key>,
}

impl Repeats {
    /// Remembers that `action` upon the resource of that ARN succeeded.
    pub(super) fn remember(&self, action: &str, arn: &str, token: Option<&str>) {
        let Some(key) = token.map(|token| key(action, arn, token)) else { return };
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.keys.insert(key) {
            remembered.order.push_back(key);
        }
        if remembered.order.len() > REMEMBERED
            && let Some(oldest) = remembered.order.pop_front()
        {
            remembered.keys.remove(&oldest);
        }
    }

    /// Whether this is a request that has succeeded.
    pub(super) fn has_succeeded(&self, action: &str, arn: &str, token: Option<&str>) -> bool {
        let remembered = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        token.is_some_and(|token| remembered().keys.contains(&key(action, arn, token)))
    }
}

fn key(action: &str, arn: &str, token: &str) -> Key {
    // None of the three has a line break in it.
    digest::half_sha256(format!("{action}\n{arn}\n{token}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_requests_are_known_again_by_action_resource_and_token() {
        let repeats = Repeats::default();
        repeats.remember("Delete", "arn", Some("t"));
        repeats.remember("Delete", "arn", Some("t"));
        assert!(repeats.has_succeeded("Delete", "arn", Some("t")));
        for (action, arn, token) in [
            ("Create", "arn", Some("t")),
            ("Delete", "other", Some("t")),
            ("Delete", "arn", Some("u")),
            ("Delete", "arn", None),
        ] {
            assert!(!repeats.has_succeeded(action, arn, token), "{action} {arn} {token:?}");
        }
        for number in 0..REMEMBERED {
            repeats.remember("Delete", "arn", Some(&number.to_string()));
        }
        assert!(!repeats.has_succeeded("Delete", "arn", Some("t")), "the oldest is forgotten");
        assert!(repeats.has_succeeded("Delete", "arn", Some("0")));
        assert_eq!(repeats.0.lock().unwrap().keys.len(), REMEMBERED);
    }
}
