//! Changes: decided, encoded into the pending payload, and applied, in one go.

use super::Partition;
use afterward_machine::{Command, Event, Location, Refusal, Reply};
use afterward_record::Beside;

/// A definitions batch is written whenever the log has grown by this much: that is how finely it can be trimmed. (Where
/// definitions are large themselves, by so many times their size, so that they stay a small part of the log.)
pub(super) const DEFINITIONS_EVERY_BYTES: u64 = 32 << 20;
const DEFINITIONS_EVERY_TIMES: u64 = 8;

impl Partition {
    /// Decides, logs and applies, at the state's time.
    pub(super) fn act(&mut self, command: &Command, random: u64, beside: Beside<'_>) -> Result<Reply, Refusal> {
        let decision = self.state.decide(command, random)?;
        for event in &decision.events {
            let beside = match event {
                Event::Sent(_) | Event::SchedulePut(_) | Event::VisibilityChanged { failure: true, .. } => beside,
                _ => Beside::Nothing,
            };
            self.log(event, beside);
        }
        Ok(decision.reply)
    }

    pub(super) fn log(&mut self, event: &Event, beside: Beside<'_>) -> Location {
        let at = self.commit.push(self.state.now_ms(), event, beside);
        self.counters.count(event);
        self.state.apply(event, at);
        self.reports.outdated_by(event, self.state.now_ms());
        if let Event::QueueDeleted { queue } = event {
            self.refuse_waiters(*queue);
        }
        at
    }

    /// Writes definitions, if they would be the first records of their batch: a replay may then start there.
    pub(super) fn write_definitions(&mut self) -> bool {
        if self.commit.is_pending() || self.state.secret().is_none() {
            return false;
        }
        let events = self.state.definitions();
        self.definitions.push_back(self.commit.position());
        self.since_definitions_bytes = 0;
        for event in &events {
            self.log(event, Beside::Nothing);
        }
        let (_, bytes) = self.commit.mark();
        self.definitions_every_bytes = DEFINITIONS_EVERY_BYTES.max(DEFINITIONS_EVERY_TIMES * bytes as u64);
        true
    }
}
