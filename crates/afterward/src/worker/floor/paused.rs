//! Places that nothing is begun at, and who waits for them.

use super::{Entry, line::Line};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    mem,
    time::Duration,
};
use tokio::time::Instant;

/// How close together those come back for whom there was no place. Nobody knows when there will be one, so they come to ask:
/// so rarely that it costs little, however many they are, and often enough that they are soon here when there is.
const EACH: Duration = Duration::from_millis(5);

#[derive(Debug, Default)]
pub(super) struct Paused(BTreeMap<usize, Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    line: Line,
}

impl Paused {
    pub(super) fn has(&self, place: usize) -> bool {
        self.0.contains_key(&place)
    }

    /// Pauses these places from now on, and no others. Answers who waited for one of the others.
    pub(super) fn set(&mut self, places: &BTreeSet<usize>, now: Instant) -> Vec<Entry> {
        let mut before = mem::take(&mut self.0);
        for place in places {
            let waiting = before.remove(place).unwrap_or_else(|| {
                let mut line = Line::default();
                line.bar(now);
                Waiting { entries: VecDeque::new(), line }
            });
            self.0.insert(*place, waiting);
        }
        before.into_values().flat_map(|waiting| waiting.entries).collect()
    }

    pub(super) fn wait(&mut self, place: usize, entry: Entry) {
        self.0.entry(place).or_default().entries.push_back(entry);
    }

    /// For how long one who comes now is to stay away.
    pub(super) fn send_away(&mut self, place: usize, now: Instant) -> Duration {
        self.0.entry(place).or_default().line.send_away(0, EACH, now)
    }

    /// Takes out those that wait and whose lease was lost.
    pub(super) fn take_lost(&mut self) -> Vec<Entry> {
        let mut taken = Vec::new();
        for waiting in self.0.values_mut() {
            let (lost, stay) = mem::take(&mut waiting.entries).into_iter().partition(Entry::is_lost);
            waiting.entries = stay;
            taken.extend::<VecDeque<_>>(lost);
        }
        taken
    }

    /// Takes out all that wait.
    pub(super) fn take_waiting(&mut self) -> Vec<Entry> {
        self.0.values_mut().flat_map(|waiting| mem::take(&mut waiting.entries)).collect()
    }
}
