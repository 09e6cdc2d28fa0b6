//! The order within message groups of FIFO queues.

use super::{Checker, Violation, ensure};
use crate::history::{CallId, Receiving, Seen};

impl Checker {
    /// Each message comes after all those before it in its group: they are gone, or they come along.
    pub(super) fn check_order(&self, call: CallId, receiving: &Receiving, all: &[Seen]) -> Result<(), Violation> {
        if !self.queues[receiving.queue].is_fifo() {
            return Ok(());
        }
        for (at, seen) in all.iter().enumerate() {
            let along = &all[..at];
            let late = along.iter().find(|before| before.group == seen.group && before.order > seen.order);
            ensure(late.is_none(), || format!("#{call} was shown {late:?} before {seen:?} of the same group"))?;
            self.check_turn(call, receiving, seen, along)?;
        }
        Ok(())
    }

    fn check_turn(&self, call: CallId, receiving: &Receiving, seen: &Seen, along: &[Seen]) -> Result<(), Violation> {
        let served_ms = self.served_ms(call).1;
        for (id, earlier) in &self.messages {
            let comes_along = along.iter().any(|other| other.held.id == *id);
            let known = earlier.acknowledged_by.is_some_and(|send| send < call);
            let group = self.group(earlier);
            let before = earlier.order.is_some_and(|order| order < seen.order);
            if comes_along || !known || !before || earlier.home != receiving.queue || group != seen.group {
                continue;
            }
            let expires_ms = self.expires_ms(earlier);
            let gone = self.perhaps_deleted(earlier) || self.perhaps_dead(earlier) || expires_ms <= served_ms;
            ensure(gone, || format!("#{call} was shown {seen:?} before {id} of the same group: {earlier:?}"))?;
        }
        Ok(())
    }
}
