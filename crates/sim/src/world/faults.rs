//! What goes wrong, and what has to be true afterwards.

use super::{World, violation};
use crate::checker::{Violation, ensure};
use crate::snapshot::{difference, snapshot};
use crate::system::{End, Fault, InFlight, Kind};
use afterward_broker::OpenError;

const FAULTS: [Fault; 4] = [Fault::Reject, Fault::UnknownWritten, Fault::UnknownLost, Fault::UnknownLate];

impl World {
    pub(super) fn land(&mut self) {
        if !self.system.is_in_flight() {
            return;
        }
        let fault = self.rng.chance(self.faults).then(|| self.rng.pick(&FAULTS));
        let fault = if self.full_for > 0 { Some(Fault::Reject) } else { fault };
        if let Some(fault) = fault {
            self.tally.failed_appends += 1;
            self.note_time();
            self.trace.line(format!("an append fails: {fault:?}"));
        }
        self.system.land(fault);
    }

    pub(super) fn crash(&mut self) -> Result<(), Violation> {
        self.note_time();
        let in_flight = self.rng.pick(&[InFlight::Written, InFlight::Lost, InFlight::Late]);
        self.trace.line(format!("the owner crashes, what is in flight is {in_flight:?}"));
        let paused = self.system.deposed();
        let end = self.system.crash(in_flight).map_err(violation)?;
        self.trace.line(format!("it ended as {end:?}"));
        self.count_end(end);
        let left = self.system.deposed();
        paused.into_iter().filter(|number| !left.contains(number)).try_for_each(|number| self.release(number))
    }

    fn count_end(&mut self, end: End) {
        let tally = &mut self.tally;
        let torn = match end {
            End::Killed => return tally.kills_over_memory += 1,
            End::KilledOverFiles { torn } => {
                tally.kills_over_files += 1;
                torn
            }
            End::PowerCut { torn } => {
                tally.power_cuts += 1;
                torn
            }
        };
        tally.ends_past_the_cache += u64::from(self.system.kind() == Kind::Files { direct: true });
        tally.torn_batches += u64::from(torn);
    }

    /// The partition is gone: everybody is told, and it comes back.
    pub(super) fn recover(&mut self) -> Result<(), Violation> {
        self.poll()?;
        for client in self.clients.iter().filter(|client| client.at.is_none()) {
            let waits = client.pending.is_some();
            ensure(!waits, || "a client still waits though the partition is gone".into())?;
        }
        if self.rng.chance(2 * self.faults) {
            let fault = self.rng.pick(&[Fault::Reject, Fault::UnknownWritten, Fault::UnknownLost]);
            self.trace.line(format!("the claim fails: {fault:?}"));
            self.system.fail_claim(fault);
        }
        let mut tries = 0;
        while let Err(error) = self.system.reopen() {
            tries += 1;
            let may_fail = matches!(error, OpenError::Claim(_)) && tries < 10;
            ensure(may_fail, || format!("the log does not open again: {error}"))?;
        }
        self.system.heal();
        self.checker.taken_over();
        self.trace.line(format!("{} the partition is back", self.system.now_ms()));
        Ok(())
    }

    /// The disk is full, or the store has no room, for so many steps.
    pub(super) fn fill(&mut self) {
        if self.full_for == 0 {
            self.full_for = 5 + self.rng.below(30);
            self.tally.full_disks += 1;
            self.trace.line(format!("no room for {} steps", self.full_for));
        }
    }

    /// While there is no room, the log can't be taken over, and is not harmed by trying.
    pub(super) fn wait_for_room(&mut self) -> Result<(), Violation> {
        self.poll()?;
        self.pass_time();
        self.system.fail_claim(Fault::Reject);
        let opened = self.system.reopen();
        self.system.heal();
        match opened {
            Err(OpenError::Claim(_)) => Ok(()),
            Err(error) => Err(violation(format!("the log does not open, but not for want of room: {error}"))),
            Ok(()) => Err(violation("the log was claimed, though there is no room".into())),
        }
    }

    /// A state that is replayed is the state that it was.
    pub(super) fn compare_replay(&mut self) -> Result<(), Violation> {
        if self.full_for > 0 {
            return Ok(());
        }
        self.quiet()?;
        let now_ms = self.system.now_ms();
        let Some(before) = self.settled(now_ms) else { return Ok(()) };
        self.crash()?;
        self.recover()?;
        let after = self.settled(now_ms);
        self.tally.replays_compared += 1;
        match after.as_deref().and_then(|after| difference(&before, after)) {
            Some(difference) => Err(violation(format!("a replay gives another state: {difference}"))),
            None => Ok(()),
        }
    }

    /// The state as it is at `now_ms`, if nothing is pending.
    fn settled(&mut self, now_ms: u64) -> Option<String> {
        let jobs = self.checker.ids();
        let text = self.system.read(now_ms, |state| snapshot(state, &jobs))?;
        self.system.partition().filter(|partition| !partition.is_pending())?;
        Some(text)
    }

    /// The time may go back when the next owner takes over: what it knows of it is what was logged.
    pub(super) fn note_time(&mut self) {
        self.latest_ms = self.latest_ms.max(self.system.now_ms());
    }
}
