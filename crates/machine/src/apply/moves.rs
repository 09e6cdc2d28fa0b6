//! Message move tasks.

use crate::moves::Move;
use crate::{Event, MessageKey, MoveOutcome, QueueId, State};
use afterward_names::QueueArn;

impl State {
    pub(super) fn move_started(
        &mut self,
        task: u64,
        source: &QueueArn,
        destination: Option<&QueueArn>,
        max_per_s: Option<u32>,
        to_move: u64,
    ) {
        self.last_task = self.last_task.max(task);
        let started = Move {
            source: source.clone(),
            destination: destination.cloned(),
            max_per_s,
            to_move,
            moved: 0,
            started_ms: self.now_ms,
            outcome: None,
            next_us: self.now_ms.saturating_mul(1000),
        };
        self.moves.insert(task, started);
    }

    /// "All redriven messages are considered new messages with a new messageID and enqueueTime" (SQS developer guide,
    /// "configure a dead-letter queue redrive"). Counts for the task even where the message is not known.
    pub(super) fn redriven(&mut self, task: u64, key: MessageKey, to: QueueId, order: u64) {
        self.saw_order(order);
        let now_ms = self.now_ms;
        self.moves.count(task, now_ms);
        if self.slab.find(key).is_none() || !self.queues.contains_key(&to) {
            return;
        }
        self.transfer(key.slot, to, |entry| {
            entry.order = order;
            entry.sent_ms = now_ms;
        });
        let redrives = self.sides.redrives(key.slot).wrapping_add(1) & 0xfff;
        self.sides.forget(key.slot);
        self.sides.pasts.entry(key.slot).or_default().redrives = redrives;
    }

    pub(super) fn move_ended(&mut self, task: u64, outcome: &MoveOutcome) {
        self.moves.end(task, outcome);
        let source = self.moves.get(task).map(|of| of.source.clone());
        if let Some(source) = source.filter(|source| self.directory.get(&source.0).is_none()) {
            self.moves.forget(&source);
        }
    }

    /// A task written forward. One that is known goes on as it was.
    pub(super) fn move_kept(&mut self, event: &Event) {
        let Event::MoveKept { task, source, destination, max_per_s, to_move, moved, started_ms, outcome } = event
        else {
            return;
        };
        self.last_task = self.last_task.max(*task);
        if self.moves.get(*task).is_some() {
            return;
        }
        let mut kept = Move {
            source: source.clone(),
            destination: destination.clone(),
            max_per_s: *max_per_s,
            to_move: *to_move,
            moved: *moved,
            started_ms: *started_ms,
            outcome: *outcome,
            next_us: 0,
        };
        kept.pause(self.now_ms);
        self.moves.insert(*task, kept);
    }
}
