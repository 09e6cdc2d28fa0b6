//! Owners that are paused, lose their log, and go on; and clients that are connected to them.

use super::{World, violation};
use crate::checker::{Violation, ensure};
use crate::client::Intent;
use crate::history::{Answer, Call, CallId};
use crate::system::{GoesOn, WentOn};

/// So many owners may be paused at a time.
const PAUSED: usize = 2;

impl World {
    /// The owner stands still, in the middle of an append or between two steps, and another one takes over. Whoever
    /// waits for an answer goes on waiting there.
    pub(super) fn pause(&mut self) -> Result<(), Violation> {
        if self.system.deposed().len() >= PAUSED || self.full_for > 0 || self.system.partition().is_none() {
            return Ok(());
        }
        self.poll()?;
        self.note_time();
        let at_ms = self.system.now_ms();
        let arrived = self.rng.chance(500);
        let Some(number) = self.system.pause(arrived) else { return Ok(()) };
        self.tally.pauses += 1;
        self.runner = None;
        self.trace.line(format!("{at_ms} owner {number} is paused, what is in flight has arrived: {arrived}"));
        for client in self.clients.iter_mut().filter(|client| client.at.is_none()) {
            let Some(pending) = &client.pending else { continue };
            (client.at, client.in_vain) = (Some(number), false);
            pending.calls().iter().for_each(|call| self.checker.deposed(at_ms, *call));
        }
        self.recover()
    }

    /// A paused owner does something, or somebody who is still connected to it does.
    pub(super) fn go_on(&mut self) -> Result<(), Violation> {
        let deposed = self.system.deposed();
        if deposed.is_empty() {
            return Ok(());
        }
        let number = self.rng.pick(&deposed);
        match self.rng.below(10) {
            0..4 => self.call_in_vain(number),
            4..7 => self.one_goes_on(number, GoesOn::Append),
            7..9 => self.one_goes_on(number, GoesOn::OnTime),
            _ => self.one_goes_on(number, GoesOn::Compact),
        }
    }

    /// All of them find out.
    pub(super) fn end_pauses(&mut self) -> Result<(), Violation> {
        for number in self.system.deposed() {
            for _ in 0..8 {
                if !self.system.deposed().contains(&number) {
                    break;
                }
                // One that has nothing to append never finds out: so let it try.
                self.call_in_vain(number)?;
                self.one_goes_on(number, GoesOn::Append)?;
            }
            self.system.forget(number);
            self.release(number)?;
        }
        Ok(())
    }

    fn one_goes_on(&mut self, number: u64, what: GoesOn) -> Result<(), Violation> {
        let went = self.system.go_on(number, what).map_err(violation)?;
        self.trace.line(format!("owner {number}: {what:?}, {went:?}"));
        self.poll()?;
        if went == WentOn::Gone {
            self.tally.fenced_owners += 1;
            self.release(number)?;
        }
        Ok(())
    }

    /// An owner is gone: its clients have their answers, and turn to whoever has the log now.
    pub(super) fn release(&mut self, number: u64) -> Result<(), Violation> {
        self.poll()?;
        for client in self.clients.iter_mut().filter(|client| client.at == Some(number)) {
            ensure(client.pending.is_none(), || format!("a client still waits for owner {number}, which is gone"))?;
            client.at = None;
        }
        Ok(())
    }

    /// A client asks an owner that has lost its log.
    fn call_in_vain(&mut self, number: u64) -> Result<(), Violation> {
        let is_idle = |at: &usize| self.clients[*at].pending.is_none();
        let idle: Vec<usize> = (0..self.clients.len()).filter(is_idle).collect();
        if idle.is_empty() {
            return Ok(());
        }
        let who = self.rng.pick(&idle);
        let intent = self.clients[who].next(who, &mut self.rng, &self.queues, &mut self.supply);
        let call = match intent {
            Intent::Send(sendings) => sendings.into_iter().next().map(Call::Send),
            Intent::Call(call @ (Call::Receive(_) | Call::Delete(_) | Call::Change(..) | Call::DeadLetter(..))) => {
                Some(call)
            }
            // Whoever shapes queues wants to know what became of it.
            Intent::Call(_) => None,
        };
        let Some(call) = call else { return Ok(()) };
        let now_ms = self.system.now_ms();
        let id = self.checker.called_in_vain(now_ms, call.clone());
        self.tally.calls_in_vain += 1;
        self.trace.line(format!("{now_ms} #{id} client {who}, to owner {number}: {call:?}"));
        self.system.change_places(number);
        let pending = self.perform(id, &call);
        let gate = self.system.landed_then();
        self.system.change_places(number);
        let client = &mut self.clients[who];
        (client.pending, client.gate, client.at, client.in_vain) = (pending, gate, Some(number), true);
        self.poll()
    }

    /// What an owner tells that has lost its log: only what the log had taken before.
    pub(super) fn answer_by_deposed(
        &mut self,
        who: usize,
        number: u64,
        call: CallId,
        answer: &Answer,
    ) -> Result<(), Violation> {
        let (took, at_ms) = self.system.took(number).unwrap_or((u64::MAX, self.latest_ms));
        let (gate, in_vain) = (self.clients[who].gate, self.clients[who].in_vain);
        ensure(*answer == Answer::Unavailable || gate <= took, || {
            format!("#{call} is told {answer:?} by owner {number}, which had lost its log after {took} batches")
        })?;
        self.trace.line(format!("#{call} client {who} is told {answer:?} by owner {number}"));
        if in_vain {
            return Ok(());
        }
        self.tally.unavailable += u64::from(*answer == Answer::Unavailable);
        self.checker.answered(at_ms, call, answer)
    }
}
