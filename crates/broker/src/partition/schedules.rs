//! Schedules: their runs, and telling those who wait that one is due.
//!
//! What is told is only that it is time to look: [`Partition::due_schedules`] answers behind the gate like any read.

use super::{Partition, gate::Gate, gate::Gated};
use afterward_machine::{
    Command, Event, NewMessage, NextRun, Refusal, Reply, RunSchedule, ScheduleId, ScheduleView, Send,
};
use afterward_record::{Beside, Content};

/// One run of a schedule: all of it is stored, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRun {
    /// Which schedule, as it was read: id, revision and when it was due.
    pub id: ScheduleId,
    /// Which of its definitions.
    pub revision: u64,
    /// When it was due; `None`: it was not, and is run all the same.
    pub due_ms: Option<u64>,
    /// What becomes of it.
    pub next: NextRun,
    /// What it sends, in this order.
    pub sends: Vec<(Send, Content)>,
}

/// Which schedules are due.
#[derive(Debug)]
#[must_use]
pub enum DueSchedules {
    /// These, once the gate opens.
    Now(Gated<Vec<ScheduleView>>),
    /// None. The gate opens when there is reason to ask again.
    Later(Gated<()>),
}

impl Partition {
    /// Runs a schedule at `now_ms`; `random` gives bits for the messages' ids.
    pub fn run_schedule(
        &mut self,
        now_ms: u64,
        mut random: impl FnMut() -> u64,
        run: ScheduleRun,
    ) -> Gated<Result<Reply, Refusal>> {
        let ScheduleRun { id, revision, due_ms, next, sends } = run;
        let (sends, contents): (Vec<_>, Vec<_>) =
            sends.into_iter().map(|(send, content)| (NewMessage { send, random: random() }, content)).unzip();
        self.advance(now_ms);
        let outcome = self
            .act_sending(&Command::RunSchedule(RunSchedule { schedule: id, revision, due_ms, next, sends }), &contents);
        self.serve();
        self.gated(outcome)
    }

    /// Decides, logs and applies a command that sends messages of these contents beside what else it does.
    fn act_sending(&mut self, command: &Command, contents: &[Content]) -> Result<Reply, Refusal> {
        let decision = self.state.decide(command, 0)?;
        let sent = match &decision.reply {
            Reply::Ran(sent) => sent.as_slice(),
            _ => &[],
        };
        // A send that was seen before stores nothing.
        let mut stored = sent.iter().zip(contents).filter(|(sent, _)| !sent.duplicate).map(|(_, content)| content);
        for event in &decision.events {
            let beside = match event {
                Event::Sent(_) => stored.next().map_or(Beside::Nothing, Beside::Content),
                _ => Beside::Nothing,
            };
            self.log(event, beside);
        }
        Ok(decision.reply)
    }

    /// The schedules that are due at `now_ms`, at most `limit`, the longest due first.
    pub fn due_schedules(&mut self, now_ms: u64, limit: usize) -> DueSchedules {
        self.advance(now_ms);
        let due: Vec<_> = self.state.due_schedules().take(limit).collect();
        if due.is_empty() {
            let gate = self.schedule_due.get_or_insert_default().clone();
            return DueSchedules::Later(Gated::new((), Some(gate)));
        }
        DueSchedules::Now(self.gated(due))
    }

    /// Lets those who wait for a schedule to be due look, if one is.
    pub(super) fn tell_due(&mut self) {
        let now_ms = self.state.now_ms();
        let is_due = || self.state.next_schedule_ms().is_some_and(|due_ms| due_ms <= now_ms);
        if self.schedule_due.is_some() && is_due() {
            self.end_schedule_waits();
        }
    }

    /// Lets those who wait for a schedule to be due look, whether one is or not.
    pub(super) fn end_schedule_waits(&mut self) {
        if let Some(gate) = self.schedule_due.take() {
            gate.open(Ok(()));
        }
    }

    /// When [`Self::tell_due`] next has something to tell.
    pub(super) fn next_schedule_wake_ms(&self) -> Option<u64> {
        self.schedule_due.as_ref().and_then(|_: &Gate| self.state.next_schedule_ms())
    }

    /// One bounded round of deleting the schedules of groups that go.
    pub(super) fn sweep_schedule_groups(&mut self) {
        if self.state.has_groups_to_sweep() {
            // It is never refused.
            let _swept = self.act(&Command::SweepScheduleGroups, 0, Beside::Nothing);
        }
    }
}
