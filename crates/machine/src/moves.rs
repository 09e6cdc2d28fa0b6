//! Message move tasks and their pace.

use crate::{MoveOutcome, MoveView, definitions};
use afterward_names::{QueueArn, limits};
use std::collections::{BTreeMap, BTreeSet};

/// How many messages one [`crate::Command::RunMoves`] moves at most, per task …
const RUN: u64 = 500;
/// … and of all tasks together, as long as each moves one: others wait meanwhile.
const RUN_ALL: u64 = 2_000;
/// Ended tasks that are listed per source queue. Source: ListMessageMoveTasks.
const LISTED: usize = 10;

/// A task.
#[derive(Debug, Clone)]
pub(crate) struct Move {
    pub(crate) source: QueueArn,
    pub(crate) destination: Option<QueueArn>,
    pub(crate) max_per_s: Option<u32>,
    pub(crate) to_move: u64,
    pub(crate) moved: u64,
    pub(crate) started_ms: u64,
    pub(crate) outcome: Option<MoveOutcome>,
    /// When the next message may go, in microseconds, where there is a pace.
    pub(crate) next_us: u64,
}

impl Move {
    fn interval_us(&self) -> Option<u64> {
        let rate = u64::from(self.max_per_s?).clamp(*limits::MOVE_RATE_PER_S.start(), *limits::MOVE_RATE_PER_S.end());
        Some(1_000_000 / rate)
    }

    /// When the next message may go, seen from now: a broker that was away does not make up for more than a second.
    fn next_us_at(&self, now_ms: u64) -> u64 {
        self.next_us.max(now_ms.saturating_mul(1000).saturating_sub(1_000_000))
    }

    /// How many messages may go by now, as far as the pace is concerned.
    pub(crate) fn allowance(&self, now_ms: u64) -> u64 {
        let paced = self.interval_us().map_or(u64::MAX, |interval_us| {
            let next_us = self.next_us_at(now_ms);
            now_ms.saturating_mul(1000).checked_sub(next_us).map_or(0, |late_us| late_us / interval_us + 1)
        });
        paced.min(self.to_move.saturating_sub(self.moved))
    }

    /// A message went.
    pub(crate) fn count(&mut self, now_ms: u64) {
        self.moved += 1;
        if let Some(interval_us) = self.interval_us() {
            self.next_us = self.next_us_at(now_ms) + interval_us;
        }
    }

    /// Lets the next message wait as if one had just gone: a task that is taken up again never goes too fast. Only of one
    /// that is not among [`Moves`] yet.
    pub(crate) fn pause(&mut self, now_ms: u64) {
        self.next_us = now_ms.saturating_mul(1000) + self.interval_us().unwrap_or(0);
    }

    /// When it may go on, in microseconds; 0: at any time.
    fn due_us(&self) -> u64 {
        let all_moved = self.moved >= self.to_move;
        if self.max_per_s.is_none() || all_moved { 0 } else { self.next_us }
    }

    fn definition_bytes(&self) -> u64 {
        definitions::of_move(&self.source, self.destination.as_ref())
    }

    fn view(&self, task: u64) -> MoveView {
        let Move { source, destination, max_per_s, to_move, moved, started_ms, outcome, .. } = self.clone();
        MoveView { task, source, destination, max_per_s, to_move, moved, started_ms, cancelling: false, outcome }
    }
}

/// All tasks that are running or listed.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    tasks: BTreeMap<u64, Move>,
    running: BTreeSet<u64>,
    /// The running ones by when they may go on: every call asks for the first.
    due: BTreeSet<(u64, u64)>,
    definitions_bytes: u64,
}

impl Moves {
    pub(crate) fn get(&self, task: u64) -> Option<&Move> {
        self.tasks.get(&task)
    }

    /// One message of a task went.
    pub(crate) fn count(&mut self, task: u64, now_ms: u64) {
        let Some(of) = self.tasks.get_mut(&task) else { return };
        let was_due = self.due.remove(&(of.due_us(), task));
        of.count(now_ms);
        if was_due {
            self.due.insert((of.due_us(), task));
        }
    }

    pub(crate) fn insert(&mut self, task: u64, of: Move) {
        self.remove(task);
        if of.outcome.is_none() {
            self.running.insert(task);
            self.due.insert((of.due_us(), task));
        }
        self.definitions_bytes += of.definition_bytes();
        self.tasks.insert(task, of);
    }

    /// What they take in the log, at the most.
    pub(crate) fn definitions_bytes(&self) -> u64 {
        self.definitions_bytes
    }

    /// All tasks, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Move)> {
        self.tasks.iter().map(|(task, of)| (*task, of))
    }

    /// The running ones, oldest first.
    pub(crate) fn running(&self) -> impl Iterator<Item = (u64, &Move)> {
        self.running.iter().filter_map(|task| Some((*task, self.tasks.get(task)?)))
    }

    /// Ends a task; of its source's ended ones, only the newest stay.
    pub(crate) fn end(&mut self, task: u64, outcome: &MoveOutcome) {
        let Some(of) = self.tasks.get_mut(&task).filter(|of| of.outcome.is_none()) else { return };
        of.outcome = Some(*outcome);
        self.running.remove(&task);
        self.due.remove(&(of.due_us(), task));
        let source = of.source.clone();
        let ended = |of: &Move| of.source == source && of.outcome.is_some();
        let surplus: Vec<u64> = self
            .iter()
            .filter(|(_, of)| ended(of))
            .map(|(task, _)| task)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .skip(LISTED)
            .collect();
        for task in surplus {
            self.remove(task);
        }
    }

    /// Forgets the ended tasks of a source queue that is gone.
    pub(crate) fn forget(&mut self, source: &QueueArn) {
        let ended: Vec<u64> =
            self.iter().filter(|(_, of)| of.outcome.is_some() && of.source == *source).map(|(task, _)| task).collect();
        ended.into_iter().for_each(|task| self.remove(task));
    }

    fn remove(&mut self, task: u64) {
        if let Some(of) = self.tasks.remove(&task) {
            self.running.remove(&task);
            self.due.remove(&(of.due_us(), task));
            self.definitions_bytes -= of.definition_bytes();
        }
    }

    /// How many messages each of the running ones moves in one run at the most.
    pub(crate) fn share(&self) -> u64 {
        (RUN_ALL / self.running.len().max(1) as u64).clamp(1, RUN)
    }

    /// When a running task may go on.
    pub(crate) fn next_ms(&self, now_ms: u64) -> Option<u64> {
        self.due.first().map(|(due_us, _)| due_us.div_ceil(1000).max(now_ms))
    }

    /// The tasks of a source queue, newest first.
    pub(crate) fn of(&self, source: &QueueArn) -> Vec<MoveView> {
        let of_source = |(task, of): (&u64, &Move)| (of.source == *source).then(|| of.view(*task));
        self.tasks.iter().rev().filter_map(of_source).collect()
    }
}
