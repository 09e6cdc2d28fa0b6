//! What a limit has let through, of one key.

use super::{super::limit::Most, Entry, line::Line};
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// What the latest attempt weighs in the time that attempts take: one in so many.
const WEIGHT: u32 = 8;

/// Counts what was begun, and keeps those that have to wait.
#[derive(Debug, Default)]
pub(super) struct Meter {
    running: usize,
    /// When the latest began, the earliest first; as many as the limit has to know.
    begun: VecDeque<Instant>,
    /// How long one takes, of those that were seen to their end.
    takes: Option<Duration>,
    /// When one last began or ended.
    changed: Option<Instant>,
    pub(super) waiting: VecDeque<Entry>,
    /// Those that were sent away.
    pub(super) line: Line,
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
            Most::AtATime(_) => {
                self.running += 1;
                self.changed = Some(now);
            }
            Most::Within(..) => self.begun.push_back(now),
        }
    }

    /// One that was begun then has ended.
    pub(super) fn end(&mut self, most: Most, begun: Instant, now: Instant) {
        if let Most::AtATime(_) = most {
            self.running = self.running.saturating_sub(1);
            let took = now.saturating_duration_since(begun);
            let mean = |takes: Duration| (takes * (WEIGHT - 1) + took) / WEIGHT;
            self.takes = Some(self.takes.map_or(took, mean));
            self.changed = Some(now);
        }
    }

    /// How long it is from one that is let in to the next while some wait, as far as is known; `false`: a guess, by how long the
    /// first ones have taken so far.
    fn pace(&self, most: Most, now: Instant) -> (Duration, bool) {
        let share = |time: Duration, count: usize| time / u32::try_from(count).unwrap_or(u32::MAX).max(1);
        match most {
            Most::AtATime(count) => {
                let so_far = self.changed.map_or(Duration::ZERO, |changed| now.saturating_duration_since(changed));
                (share(self.takes.unwrap_or_default().max(so_far), count), self.takes.is_some())
            }
            Most::Within(count, time) => (share(time, count), true),
        }
    }

    /// Whether one who comes now has its turn within so short a time that it is not worth being sent away.
    pub(super) fn is_soon(&self, most: Most, soon: Duration, now: Instant) -> bool {
        let (each, known) = self.pace(most, now);
        let turn = each.saturating_mul(u32::try_from(self.waiting.len() + 1).unwrap_or(u32::MAX));
        // One is there for the next turn in any case. Of limits by time that would be one of each of very many keys.
        let next = matches!(most, Most::AtATime(_)) && self.waiting.is_empty();
        next || (known && turn <= soon)
    }

    /// For how long one who comes now is to stay away.
    pub(super) fn send_away(&mut self, most: Most, now: Instant) -> Duration {
        let (each, _) = self.pace(most, now);
        self.line.send_away(self.waiting.len(), each, now)
    }

    /// Whether nothing would be lost by forgetting it.
    pub(super) fn is_blank(&mut self, most: Most, now: Instant) -> bool {
        // Lets go of what is past, too.
        let _ = self.has_room(most, now);
        self.running == 0 && self.begun.is_empty() && self.waiting.is_empty()
    }
}
