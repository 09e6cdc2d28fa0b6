//! When those are to come back for whom the waiting room has no place.
//!
//! They come back one after another, at the pace at which those before them are let in: so the queue brings as many as are
//! needed, and nobody is received again and again in vain. Three things bound that, for a pace is only what was seen so far:
//! nobody stays away for longer than the way in has been barred already, so that a bad guess of the first moments costs as long
//! again and no more; nor for longer than [`LONGEST`], so that a limit that is lifted, or a worker that is added, has work
//! soon; nor less than [`SHORTEST`], for queues count in seconds.

use std::time::Duration;
use tokio::time::Instant;

pub(super) const SHORTEST: Duration = Duration::from_secs(1);
pub(super) const LONGEST: Duration = Duration::from_secs(5 * 60);
/// Those whose turn is farther off than anybody stays away are spread over so many moments, so many of them to each: who comes back
/// together is received together.
const MOMENTS: u32 = 128;
const TOGETHER: u32 = 16;
/// From one of these moments to the next that is given out: all come up, the first ones far apart.
const STRIDE: u32 = 79;

/// Those who were sent away from one way in.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Since when the way in has been barred.
    since: Option<Instant>,
    /// When the last of them comes back.
    last: Option<Instant>,
    /// How many were spread.
    spread: u32,
}

impl Line {
    /// Somebody has to wait.
    pub(super) fn bar(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// Somebody has come in who did not wait.
    pub(super) fn open(&mut self) {
        self.since = None;
    }

    /// For how long the next one is to stay away, where `here` wait here, and one is let in `each` such time.
    pub(super) fn send_away(&mut self, here: usize, each: Duration, now: Instant) -> Duration {
        let since = *self.since.get_or_insert(now);
        let longest = now.saturating_duration_since(since).clamp(SHORTEST, LONGEST);
        // When half of those here have had their turn: so these don't run out before.
        let half = each.saturating_mul(u32::try_from(here / 2).unwrap_or(u32::MAX));
        let before = self.last.map_or(Duration::ZERO, |last| last.saturating_duration_since(now));
        let wait = before.max(half).saturating_add(each);
        if wait > longest {
            self.spread = (self.spread + 1) % (MOMENTS * TOGETHER);
            let moment = self.spread / TOGETHER * STRIDE % MOMENTS;
            return (longest / 2 + longest / 2 * moment / MOMENTS).max(SHORTEST);
        }
        self.last = Some(now + wait);
        wait.max(SHORTEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The waits of so many that are sent away at one moment, `barred` after the first had to wait.
    fn waits(count: usize, here: usize, each: Duration, barred: Duration) -> Vec<Duration> {
        let mut line = Line::default();
        let start = Instant::now();
        line.bar(start);
        (0..count).map(|_| line.send_away(here, each, start + barred)).collect()
    }

    #[test]
    fn they_come_back_at_the_pace_of_the_limit() {
        let waits = waits(100, 20, SECOND / 2, 60 * SECOND);
        // Half of those here need five seconds.
        assert_eq!((waits[0], waits[1], waits[99]), (5 * SECOND + SECOND / 2, 6 * SECOND, 55 * SECOND));
    }

    #[test]
    fn nobody_stays_away_for_longer_than_others_have_waited() {
        for (barred, from, to) in [(0, 1, 1), (1, 1, 1), (10, 5, 10), (300, 150, 300), (86_400, 150, 300)] {
            let waits = waits(1000, 0, 3600 * SECOND, barred * SECOND);
            let (least, most) = (*waits.iter().min().unwrap(), *waits.iter().max().unwrap());
            assert!(least >= from * SECOND && most <= to * SECOND, "barred for {barred} s: {least:?} to {most:?}");
            // And they don't come back all at once.
            let soonest = waits.iter().filter(|wait| **wait < least + (most - least) / 2).count();
            assert!(from == to || (300..700).contains(&soonest), "barred for {barred} s: {soonest} in the first half");
        }
    }

    #[test]
    fn time_that_passes_brings_the_line_nearer() {
        let mut line = Line::default();
        let start = Instant::now();
        line.bar(start);
        let at = |seconds: u32| start + 100 * SECOND + seconds * SECOND;
        assert_eq!(line.send_away(0, 10 * SECOND, at(0)), 10 * SECOND);
        assert_eq!(line.send_away(0, 10 * SECOND, at(0)), 20 * SECOND);
        assert_eq!(line.send_away(0, 10 * SECOND, at(15)), 15 * SECOND);
        line.open();
        assert_eq!(line.send_away(0, 10 * SECOND, at(20)), SECOND, "barred anew");
    }
}
