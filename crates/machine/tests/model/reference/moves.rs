//! Message move tasks.

use super::{Model, Place, Task, Told};
use afterward_machine::{MoveFailure, MoveOutcome, Refusal, StartMove};
use afterward_names::AccountId;

/// How many messages a task moves in one run at most.
const RUN: u64 = 500;
/// How many all tasks move in one run at most, as long as each moves one.
const RUN_ALL: u64 = 2_000;

impl Model {
    pub(crate) fn start_move(&mut self, start: &StartMove) -> Result<Told, Refusal> {
        let source = self.known(&start.source.0)?;
        if self.sources_of(&start.source).is_empty() {
            return Err(Refusal::NotADeadLetterQueue);
        }
        if let Some(arn) = &start.destination {
            let destination = self.at(&arn.0).ok_or(Refusal::NoSuchDestination)?;
            if destination.number == source.number {
                return Err(Refusal::InvalidAttribute { attribute: "DestinationArn", reason: "" });
            }
            if destination.is_fifo() != source.is_fifo() {
                return Err(Refusal::DestinationKindDiffers);
            }
        }
        if self.tasks.iter().any(|task| task.outcome.is_none() && task.source == start.source) {
            return Err(Refusal::MoveRunning);
        }
        if self.tasks.iter().filter(|task| task.outcome.is_none()).count() >= 100 {
            return Err(Refusal::TooManyMoves);
        }
        self.last_task += 1;
        let visible = |message: &&super::Message| {
            message.queue == source.number && matches!(message.place, Place::Visible { .. })
        };
        self.tasks.push(Task {
            number: self.last_task,
            source: start.source.clone(),
            destination: start.destination.clone(),
            max_per_s: start.max_per_s,
            to_move: self.messages.iter().filter(visible).count() as u64,
            moved: 0,
            started_ms: self.now_ms,
            outcome: None,
            next_us: self.now_ms * 1000,
        });
        Ok(Told::Moving(self.last_task))
    }

    pub(crate) fn cancel_move(&mut self, account: AccountId, number: u64) -> Result<Told, Refusal> {
        let own = |task: &&Task| task.number == number && task.source.0.account == account;
        let task = self.tasks.iter().find(own).ok_or(Refusal::NoSuchMove)?;
        if task.outcome.is_some() {
            return Err(Refusal::MoveNotRunning);
        }
        let moved = task.moved;
        self.end_task(number, MoveOutcome::Cancelled);
        Ok(Told::Cancelled { moved })
    }

    /// One run of all tasks: none sees what another has moved in it.
    pub(crate) fn run_moves(&mut self) -> Told {
        let before = self.clone();
        let running = || before.tasks.iter().filter(|task| task.outcome.is_none());
        let share = (RUN_ALL / running().count().max(1) as u64).clamp(1, RUN);
        for task in running() {
            let outcome = self.run_task(&before, task, share);
            if let Some(outcome) = outcome {
                self.end_task(task.number, outcome);
            }
        }
        Told::Done
    }

    fn run_task(&mut self, before: &Model, task: &Task, share: u64) -> Option<MoveOutcome> {
        let gone = MoveOutcome::Failed(MoveFailure::QueueGone);
        let Some(source) = before.at(&task.source.0) else { return Some(gone) };
        let left = task.to_move - task.moved;
        let allowed = task.allowed(self.now_ms).min(left).min(share);
        let mut line = before.line(source, false).into_iter();
        for _ in 0..allowed {
            let Some(number) = line.next() else { return Some(MoveOutcome::Completed) };
            let from = before.message(number).and_then(|message| message.source.clone());
            let Some(to) = task.destination.clone().or(from) else {
                return Some(MoveOutcome::Failed(MoveFailure::SourceUnknown));
            };
            let Some(to) = before.at(&to.0) else { return Some(gone) };
            self.redrive(number, to.number);
            let now_ms = self.now_ms;
            let task = self.tasks.iter_mut().find(|other| other.number == task.number).expect("it runs");
            task.count(now_ms);
        }
        (allowed == left).then_some(MoveOutcome::Completed)
    }

    /// The message is as newly sent, but for its group, and that it is the same job.
    fn redrive(&mut self, number: usize, to: u32) {
        let (now_ms, rank) = (self.now_ms, self.rank());
        let message = self.message_mut(number);
        message.queue = to;
        message.rank = rank;
        message.sent_ms = now_ms;
        message.place = Place::Visible { since_ms: now_ms };
        (message.receive_count, message.received_elsewhere) = (0, 0);
        message.first_received_ms = None;
        message.source = None;
        message.failed = false;
        message.redrives += 1;
        message.leases = Vec::new();
        message.leave_batch();
    }

    /// Ten ended tasks are listed for each queue that is there.
    fn end_task(&mut self, number: u64, outcome: MoveOutcome) {
        let task = self.tasks.iter_mut().find(|task| task.number == number).expect("it runs");
        task.outcome = Some(outcome);
        let source = task.source.clone();
        let ended = self.tasks.iter().filter(|task| task.source == source && task.outcome.is_some());
        let mut ended: Vec<u64> = ended.map(|task| task.number).collect();
        ended.reverse();
        let listed = if self.at(&source.0).is_some() { 10 } else { 0 };
        self.tasks.retain(|task| !ended.iter().skip(listed).any(|number| *number == task.number));
    }

    /// When a running task has something to do.
    pub(crate) fn next_move_ms(&self) -> Option<u64> {
        let running = self.tasks.iter().filter(|task| task.outcome.is_none());
        running.map(|task| task.due_ms(self.now_ms)).min()
    }
}

impl Task {
    fn interval_us(&self) -> Option<u64> {
        Some(1_000_000 / u64::from(self.max_per_s?.clamp(1, 500)))
    }

    /// A task that was held up makes up for a second at most.
    fn next_us(&self, now_ms: u64) -> u64 {
        self.next_us.max((now_ms * 1000).saturating_sub(1_000_000))
    }

    fn allowed(&self, now_ms: u64) -> u64 {
        let Some(interval_us) = self.interval_us() else { return RUN };
        match (now_ms * 1000).checked_sub(self.next_us(now_ms)) {
            Some(late_us) => (late_us / interval_us + 1).min(RUN),
            None => 0,
        }
    }

    fn count(&mut self, now_ms: u64) {
        self.moved += 1;
        if let Some(interval_us) = self.interval_us() {
            self.next_us = self.next_us(now_ms) + interval_us;
        }
    }

    fn due_ms(&self, now_ms: u64) -> u64 {
        let waits = self.max_per_s.is_some() && self.moved < self.to_move;
        if waits { self.next_us.div_ceil(1000).max(now_ms) } else { now_ms }
    }
}

impl Model {
    /// The same, but that running tasks go on at `next_move_ms`.
    pub(crate) fn without_pace(mut self, next_move_ms: Option<u64>) -> Model {
        if let Some(at_ms) = next_move_ms {
            for task in self.tasks.iter_mut().filter(|task| task.outcome.is_none()) {
                task.next_us = at_ms * 1000;
            }
        }
        self
    }
}
