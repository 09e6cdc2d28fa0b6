//! What the holders of messages have said about their progress: beside the state, for it is not logged.
//!
//! Invariants:
//! - what is shown was said by the holder of the lease that stands: a lease that begins or ends takes it away;
//! - kept are never more than twice as many as messages are leased, give or take [`SWEEP_FROM`].

use super::{Partition, gate::Gated};
use crate::Progress;
use afterward_machine::{Command, Event, LeaseRef, MessageKey, Refusal, Reply, Standing, State};
use afterward_names::QueueAddress;
use afterward_record::Beside;
use std::collections::HashMap;

/// From how many on they are looked through.
const SWEEP_FROM: usize = 1024;

/// The last word of each holder that has said something.
#[derive(Debug)]
pub(super) struct Reports {
    by_message: HashMap<MessageKey, Progress>,
    /// At how many to look through them again. Leases that run out and messages that expire are in no event.
    sweep_at: usize,
}

impl Default for Reports {
    fn default() -> Self {
        Reports { by_message: HashMap::new(), sweep_at: SWEEP_FROM }
    }
}

impl Reports {
    /// Forgets what `event`, which happens at `now_ms`, makes untrue.
    pub(super) fn outdated_by(&mut self, event: &Event, now_ms: u64) {
        if self.by_message.is_empty() {
            return;
        }
        match event {
            Event::Leased { messages, .. } => {
                for leased in messages {
                    self.by_message.remove(&leased.message);
                }
            }
            // A failure ends an attempt, though its holder may keep others off the message for a while.
            Event::VisibilityChanged { message, until_ms, failure } if *failure || *until_ms <= now_ms => {
                self.by_message.remove(message);
            }
            Event::HandedBack { message, .. }
            | Event::Deleted { message }
            | Event::Dropped { message }
            | Event::DeadLettered { message, .. }
            | Event::Redriven { message, .. } => {
                self.by_message.remove(message);
            }
            _ => {}
        }
    }

    fn note(&mut self, message: MessageKey, progress: Progress, state: &State) {
        if self.by_message.len() >= self.sweep_at {
            self.by_message.retain(|message, _| is_leased(state, *message));
            self.sweep_at = SWEEP_FROM.max(2 * self.by_message.len());
        }
        self.by_message.insert(message, progress);
    }

    fn of(&self, message: MessageKey, state: &State) -> Option<Progress> {
        self.by_message.get(&message).filter(|_| is_leased(state, message)).cloned()
    }
}

fn is_leased(state: &State, message: MessageKey) -> bool {
    state.message(message).is_some_and(|message| matches!(message.standing, Standing::Leased { .. }))
}

impl Partition {
    /// A `ChangeVisibility` by a holder that says how far it is.
    pub fn report_progress(
        &mut self,
        now_ms: u64,
        queue: QueueAddress,
        lease: LeaseRef,
        timeout_ms: u64,
        progress: Progress,
    ) -> Gated<Result<Reply, Refusal>> {
        self.advance(now_ms);
        let command = Command::ChangeVisibility { queue, lease, timeout_ms, failure: false };
        let outcome = self.act(&command, 0, Beside::Nothing);
        if outcome.is_ok() && timeout_ms > 0 {
            self.reports.note(lease.message, progress, &self.state);
        }
        self.serve();
        self.gated(outcome)
    }

    /// How far the holders of these messages are, where they have said so.
    pub fn progress(&mut self, now_ms: u64, of: &[MessageKey]) -> Gated<Vec<Option<Progress>>> {
        self.advance(now_ms);
        let known = of.iter().map(|message| self.reports.of(*message, &self.state)).collect();
        self.gated(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use afterward_machine::{LeaseId, LeasedMessage, QueueId};

    const NOW_MS: u64 = 1000;
    const IT: MessageKey = MessageKey { slot: 7, generation: 1 };
    const ANOTHER: MessageKey = MessageKey { slot: 7, generation: 2 };

    fn leased(message: MessageKey) -> Event {
        let messages = vec![LeasedMessage { message, lease: LeaseId(2) }];
        Event::Leased { queue: QueueId(1), until_ms: NOW_MS + 1, messages, attempt: None }
    }

    fn changed(message: MessageKey, until_ms: u64, failure: bool) -> Event {
        Event::VisibilityChanged { message, until_ms, failure }
    }

    #[test]
    fn what_begins_or_ends_an_attempt_takes_its_progress_away_and_nothing_else_does() {
        for (event, outdated) in [
            (changed(IT, NOW_MS + 1, false), false),
            (changed(IT, NOW_MS + 1, true), true),
            (changed(IT, NOW_MS, false), true),
            (changed(ANOTHER, 0, true), false),
            (leased(IT), true),
            (leased(ANOTHER), false),
            (Event::HandedBack { message: IT, until_ms: NOW_MS + 1 }, true),
            (Event::Deleted { message: IT }, true),
            (Event::Deleted { message: ANOTHER }, false),
            (Event::DeadLettered { message: IT, to: QueueId(2), order: 9 }, true),
            (Event::Redriven { task: 1, message: IT, to: QueueId(2), order: 9 }, true),
        ] {
            let mut reports = Reports::default();
            reports.by_message.insert(IT, Progress::new(0.5, "half").unwrap());
            reports.outdated_by(&event, NOW_MS);
            assert_eq!(reports.by_message.is_empty(), outdated, "{event:?}");
        }
    }

    #[test]
    fn what_no_event_takes_away_is_swept_before_it_can_pile_up() {
        let (mut reports, state) = (Reports::default(), State::new());
        for slot in 0..10_000 {
            let message = MessageKey { slot, ..IT };
            reports.note(message, Progress::new(0.5, "half").unwrap(), &state);
            assert_eq!(reports.of(message, &state), None, "nobody holds it");
            assert!(reports.by_message.len() <= SWEEP_FROM);
        }
    }
}
