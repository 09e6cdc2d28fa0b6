//! The end of a run: faults stop, everything is received and deleted, and what was acknowledged has been seen.

use super::World;
use crate::checker::{Violation, ensure};
use crate::history::{Call, Receiving};

/// Longer than any delay and any lease.
const ROUND_MS: u64 = 310_000;
/// More receives than any message may get before its dead-letter queue.
const ROUNDS: usize = 12;

impl World {
    pub(super) fn drain(&mut self) -> Result<(), Violation> {
        (self.faults, self.full_for) = (0, 0);
        self.end_pauses()?;
        self.tally.trimmed = self.system.log_bytes().1;
        self.quiet()?;
        self.clients.truncate(1);
        // Those who waited have gone: whatever they had been leased meanwhile comes back.
        self.clients[0].pending = None;
        self.checker.forget_waits(self.system.now_ms());
        for _ in 0..ROUNDS {
            self.system.set_clock_ms(self.system.now_ms() + ROUND_MS);
            self.system.on_time();
            for queue in 0..self.queues.len() {
                self.empty(queue)?;
            }
            while self.system.compact().map_err(super::violation)? {
                self.quiet()?;
            }
        }
        let left = self.system.partition().map(|partition| partition.state().message_count());
        ensure(left == Some(0), || format!("{left:?} messages are left that nobody can receive"))?;
        self.checker.finish(self.system.now_ms())
    }

    fn empty(&mut self, queue: usize) -> Result<(), Violation> {
        loop {
            let before = self.tally.deliveries;
            let receiving = Receiving { queue, max: 10, visibility_ms: Some(60_000), wait_ms: 0, attempt: None };
            self.ask(Call::Receive(receiving))?;
            if self.tally.deliveries == before {
                return Ok(());
            }
            let new = (self.tally.deliveries - before) as usize;
            let held = &mut self.clients[0].held;
            let held = held.split_off(held.len().saturating_sub(new));
            for held in held {
                self.ask(Call::Delete(held))?;
            }
        }
    }

    /// One call, and its answer.
    fn ask(&mut self, call: Call) -> Result<(), Violation> {
        let id = self.note(0, call.clone());
        let pending = self.perform(id, &call);
        self.wait_for(0, pending);
        self.quiet()
    }
}
