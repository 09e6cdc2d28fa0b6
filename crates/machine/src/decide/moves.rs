//! Message move tasks: emptying a dead-letter queue.

use super::one;
use crate::moves::Move;
use crate::pick;
use crate::queue::Queue;
use crate::{Decision, Event, MoveFailure, MoveOutcome, Refusal, Reply, StartMove, State};
use afterward_names::{AccountId, limits};

impl State {
    pub(super) fn start_move(&self, start: &StartMove) -> Result<Decision, Refusal> {
        let source = self.known(&start.source.0)?;
        if self.dead_letter_sources(&start.source).next().is_none() {
            return Err(Refusal::NotADeadLetterQueue);
        }
        if let Some(arn) = &start.destination {
            let destination = self.at(&arn.0).ok_or(Refusal::NoSuchDestination)?;
            if destination.id == source.id {
                let reason = "Source queue arn and destination queue arn cannot be the same.";
                return Err(Refusal::InvalidAttribute { attribute: "DestinationArn", reason });
            }
            if destination.is_fifo() != source.is_fifo() {
                return Err(Refusal::DestinationKindDiffers);
            }
        }
        if self.moves.running().any(|(_, of)| of.source == start.source) {
            return Err(Refusal::MoveRunning);
        }
        let of_account = |of: &Move| of.source.0.account == start.source.0.account;
        if self.moves.running().filter(|(_, of)| of_account(of)).count() >= limits::ACTIVE_MOVES {
            return Err(Refusal::TooManyMoves);
        }
        let task = self.last_task + 1;
        let started = Event::MoveStarted {
            task,
            source: start.source.clone(),
            destination: start.destination.clone(),
            max_per_s: start.max_per_s,
            to_move: u64::from(source.visible),
        };
        Ok(Decision { events: vec![started], reply: Reply::MoveStarted { task } })
    }

    pub(super) fn cancel_move(&self, account: AccountId, task: u64) -> Result<Decision, Refusal> {
        let of = self.moves.get(task).filter(|of| of.source.0.account == account).ok_or(Refusal::NoSuchMove)?;
        if of.outcome.is_some() {
            return Err(Refusal::MoveNotRunning);
        }
        let cancelled = one(Event::MoveEnded { task, outcome: MoveOutcome::Cancelled });
        Ok(Decision { reply: Reply::MoveCancelled { moved: of.moved }, ..cancelled })
    }

    pub(super) fn run_moves(&self) -> Decision {
        let mut run = Run { order: self.last_order, events: Vec::new() };
        for (task, of) in self.moves.running() {
            if let Some(outcome) = self.run_move(task, of, &mut run) {
                run.events.push(Event::MoveEnded { task, outcome });
            }
        }
        Decision { events: run.events, reply: Reply::Done }
    }

    /// Moves what one task may move by now; how it ended, if it did.
    fn run_move(&self, task: u64, of: &Move, run: &mut Run) -> Option<MoveOutcome> {
        let Some(source) = self.at(&of.source.0) else { return Some(GONE) };
        let allowance = of.allowance(self.now_ms).min(self.moves.share());
        let left = of.to_move.saturating_sub(of.moved);
        let mut messages = pick::in_order(source, &self.slab);
        for _ in 0..allowance {
            let Some(slot) = messages.next() else { return Some(MoveOutcome::Completed) };
            let to = match self.destination(of, slot) {
                Ok(to) => to.id,
                Err(failed) => return Some(failed),
            };
            let Some(entry) = self.slab.get(slot) else { continue };
            run.order += 1;
            run.events.push(Event::Redriven { task, message: entry.key(slot), to, order: run.order });
        }
        (allowance == left).then_some(MoveOutcome::Completed)
    }

    /// Where a task takes the message in this slot.
    fn destination(&self, of: &Move, slot: u32) -> Result<&Queue, MoveOutcome> {
        let arn = of.destination.as_ref().or_else(|| self.sides.source(slot));
        let arn = arn.ok_or(MoveOutcome::Failed(MoveFailure::SourceUnknown))?;
        self.at(&arn.0).ok_or(GONE)
    }
}

/// The end of a task that misses a queue.
const GONE: MoveOutcome = MoveOutcome::Failed(MoveFailure::QueueGone);

/// What a run has decided so far.
struct Run {
    order: u64,
    events: Vec<Event>,
}
