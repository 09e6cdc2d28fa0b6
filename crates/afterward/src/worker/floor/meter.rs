//! What a limit has let through, of one key.

use super::{super::limit::Most, Entry};
use std::collections::VecDeque;
use tokio::time::Instant;

/// Counts what was begun, and keeps those that have to wait.
#[derive(Debug, Default)]
pub(super) struct Meter {
    running: usize,
    /// When the latest began, the earliest first; as many as the limit has to know.
    begun: VecDeque<Instant>,
    pub(super) waiting: VecDeque<Entry>,
}

impl Meter {
    /// Whether one more may begin now; `Err`: when one may, where that is known.
    pub(super) fn has_room(&mut self, most: Most, now: Instant) -> Result<(), Option<Instant>> {
        match most {
            Most::AtATime(count) if self.running < count => Ok(()),
            Most::AtATime(_) => Err(None),
            Most::Within(count, time) => {
                while self.begun.front().is_some_and(|first| now.saturating_duration_since(*first) >= time) {
                    self.begun.pop_front();
                }
                let full = self.begun.len() >= count;
                self.begun.front().filter(|_| full).map_or(Ok(()), |first| Err(first.checked_add(time)))
            }
        }
    }

    pub(super) fn begin(&mut self, most: Most, now: Instant) {
        match most {
            Most::AtATime(_) => self.running += 1,
            Most::Within(..) => self.begun.push_back(now),
        }
    }

    pub(super) fn end(&mut self, most: Most) {
        if let Most::AtATime(_) = most {
            self.running = self.running.saturating_sub(1);
        }
    }

    /// Whether nothing would be lost by forgetting it.
    pub(super) fn is_blank(&mut self, most: Most, now: Instant) -> bool {
        // Lets go of what is past, too.
        let _ = self.has_room(most, now);
        self.running == 0 && self.begun.is_empty() && self.waiting.is_empty()
    }
}
