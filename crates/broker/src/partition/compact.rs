//! Getting space back: live state is written forward, then the prefix that held it is trimmed.
//!
//! A pass goes over the batches from the oldest up to a definitions batch that it writes as it starts. Of each record,
//! `State::forward` says what the state still needs, and that is logged again. Once everything before a definitions
//! batch has been looked at, and all that was written forward is durable, the log is trimmed to just before that
//! batch: a replay from there is complete.
//!
//! A pass is made of small steps, so that the partition's lock is never held long: [`Compactor::prepare`] reads and
//! decodes without it, [`Compactor::forward`] writes under it. The log's engine may trim less than it is asked to.
//!
//! Where room runs out ([`Log::shortage`]), a pass starts at less, and gives up while there is still room for deletes:
//! what it has moved by then stays moved.
//!
//! A pass starts when the log retains `compact_at_ratio` times what it has to. That is the live messages' records and
//! what else the last pass could not get rid of (deduplication entries, definitions), so a pass that gained nothing
//! is not repeated at once.

use super::{Partition, pass::Pass};
use crate::{OpenError, Settings};
use afterward_log::{Log, Position, Shortage, Usage};
use std::collections::VecDeque;

/// How many records are looked at under one lock, and how much of them.
const STEP_RECORDS: usize = 256;
const STEP_BYTES: u64 = 256 << 10;
/// Whether a pass pays is asked again after so much growth of the log, or so much less that is live (less where compaction
/// starts at less).
const ASK_EVERY_BYTES: u64 = 1 << 20;

/// The same while room runs out.
const ASK_SHORT_EVERY_BYTES: u64 = 64 << 10;
/// The smallest ratio that a pass pays at: below, it writes more than it frees.
const LEAST_RATIO: f64 = 1.5;
/// How much room a pass leaves to others, at the most; where the log is small, a part of what it retains.
const LEAVE_BYTES: u64 = 16 << 20;
const LEAVE_PART: u64 = 32;

/// Decides when compaction pays, and does it.
#[derive(Debug)]
pub struct Compactor {
    settings: Settings,
    step_records: usize,
    /// What the last pass left beyond the live messages' records.
    rest_bytes: u64,
    /// What had been logged when the pass began.
    started_at_bytes: u64,
    /// When it was last asked whether a pass pays.
    asked: Option<Asked>,
    /// Gives up where there is less room.
    leave_bytes: u64,
    /// How much the log has room for, beyond what is left to others.
    room_bytes: u64,
    /// What it has written into the pending batch.
    written_bytes: u64,
    pass: Option<Pass>,
}

/// How things stood.
#[derive(Debug, Clone, Copy)]
struct Asked {
    live_bytes: u64,
    logged_bytes: u64,
    is_short: bool,
}

impl Compactor {
    /// With these settings. A ratio below 1.5 counts as 1.5.
    pub fn new(settings: Settings) -> Compactor {
        Compactor {
            settings,
            step_records: STEP_RECORDS,
            rest_bytes: 0,
            started_at_bytes: 0,
            asked: None,
            leave_bytes: 0,
            room_bytes: u64::MAX,
            written_bytes: 0,
            pass: None,
        }
    }

    /// The same in steps of so many records, for a simulation that wants to look in between.
    #[must_use]
    pub fn in_steps_of(self, records: usize) -> Compactor {
        Compactor { step_records: records, ..self }
    }

    /// Whether a pass is under way.
    pub fn is_running(&self) -> bool {
        self.pass.is_some()
    }

    /// Starts a pass if it pays, and answers whether one is under way. Asking is cheap and may be done often; `usage`
    /// is only looked at when something has changed since it was last asked.
    pub fn start_if_due(&mut self, partition: &mut Partition, log: &dyn Log) -> bool {
        if self.pass.is_some() {
            return true;
        }
        let shortage = log.shortage();
        let now = Asked {
            live_bytes: partition.live_bytes(),
            logged_bytes: partition.logged_bytes(),
            is_short: shortage.is_some(),
        };
        if self.asked.is_some_and(|asked| !self.has_changed(asked, now)) {
            return false;
        }
        self.asked = Some(now);
        let Usage { retained_bytes, .. } = log.usage();
        let Ok(bounds) = log.bounds() else { return false };
        let in_parts = partition.definitions.back().is_some_and(|last| *last > bounds.first);
        if !self.pays(now, retained_bytes) || !self.has_room(now, retained_bytes, shortage.as_ref(), in_parts) {
            return false;
        }
        let Some(until) = partition.start_compaction() else {
            // Not now: something is pending. Ask again.
            self.asked = None;
            return false;
        };
        let marks = partition.definitions_between(bounds.first, until);
        tracing::debug!(from = bounds.first, until, retained_bytes, live = now.live_bytes, "compaction starts");
        let (_, definitions_bytes) = partition.commit.mark();
        self.started_at_bytes = now.logged_bytes;
        self.pass = Some(Pass::new(bounds.first, until, marks, definitions_bytes as u64));
        true
    }

    /// Whether there is reason to ask again.
    fn has_changed(&self, asked: Asked, now: Asked) -> bool {
        let step_bytes = match now.is_short {
            true => ASK_SHORT_EVERY_BYTES,
            false => ASK_EVERY_BYTES.min(self.settings.compact_at_bytes / 4),
        };
        now.is_short != asked.is_short
            || now.logged_bytes >= asked.logged_bytes + step_bytes
            || now.live_bytes < asked.live_bytes / 2
            // Deletes log little, however large what they let go of.
            || now.live_bytes + step_bytes <= asked.live_bytes
    }

    fn pays(&self, now: Asked, retained_bytes: u64) -> bool {
        let (at_bytes, ratio) = match now.is_short {
            true => (0, LEAST_RATIO),
            false => (self.settings.compact_at_bytes, self.settings.compact_at_ratio.max(LEAST_RATIO)),
        };
        retained_bytes >= at_bytes && retained_bytes as f64 >= (now.live_bytes + self.rest_bytes) as f64 * ratio
    }

    /// Whether a pass can come far enough: to its end, or, where the log can be freed `in_parts`, past a definitions batch.
    /// One that has to give up has used up room for nothing.
    fn has_room(&mut self, now: Asked, retained_bytes: u64, shortage: Option<&Shortage>, in_parts: bool) -> bool {
        self.leave_bytes = LEAVE_BYTES.min(retained_bytes / LEAVE_PART);
        let Some(Shortage { room_bytes, .. }) = shortage else { return true };
        let needs_little = now.live_bytes + self.rest_bytes <= room_bytes / 2;
        let has_room = needs_little || in_parts && *room_bytes >= 2 * self.leave_bytes;
        self.leave_bytes = self.leave_bytes.min(room_bytes / 4);
        has_room
    }

    /// Reads what [`Self::forward`] will look at. To be called while no batch is in flight, and without the lock.
    ///
    /// # Errors
    /// When the log can't be read, or holds what is not a record.
    pub fn prepare(&mut self, log: &dyn Log) -> Result<(), OpenError> {
        let room_bytes = log.shortage().map_or(u64::MAX, |shortage| shortage.room_bytes);
        self.room_bytes = room_bytes.saturating_sub(self.leave_bytes);
        self.pass.as_mut().map_or(Ok(()), |pass| pass.prepare(log))
    }

    /// Writes forward what is live of the next records; answers how many bytes it looked at. Gives up where others need the
    /// room that is left.
    ///
    /// # Errors
    /// When a record that goes along can't be read.
    pub fn forward(&mut self, partition: &mut Partition, now_ms: u64) -> Result<u64, OpenError> {
        self.forward_up_to(partition, now_ms, STEP_BYTES)
    }

    /// The same, of no more than `most_bytes` and a record.
    ///
    /// # Errors
    /// When a record that goes along can't be read.
    pub fn forward_up_to(&mut self, partition: &mut Partition, now_ms: u64, most_bytes: u64) -> Result<u64, OpenError> {
        let Some(pass) = &mut self.pass else { return Ok(0) };
        partition.advance(now_ms);
        let (_, pending_before) = partition.commit.mark();
        let mut looked_at = 0;
        for _ in 0..self.step_records {
            let (_, pending) = partition.commit.mark();
            match pass.forward_next(partition, self.room_bytes.saturating_sub(pending as u64))? {
                Some(bytes) => looked_at += u64::from(bytes),
                None => break,
            }
            if looked_at >= most_bytes.min(STEP_BYTES) {
                break;
            }
        }
        let (_, pending_after) = partition.commit.mark();
        self.written_bytes += (pending_after - pending_before) as u64;
        pass.mark(partition);
        if pass.lacks_room() {
            tracing::debug!("compaction gives up, because others need the room that is left");
            self.abandon();
        }
        Ok(looked_at)
    }

    /// How much [`Self::forward`] has written since this was last asked.
    pub fn take_written_bytes(&mut self) -> u64 {
        std::mem::take(&mut self.written_bytes)
    }

    /// What the log may be trimmed up to, if that is more than before. To be called with what `partition` knows to be
    /// durable; the trimming itself needs no lock.
    pub fn trim(&mut self, partition: &mut Partition) -> Option<Position> {
        let pass = self.pass.as_mut()?;
        let durable = partition.commit.durable();
        let mut up_to = None;
        while let Some(position) = pass.next_trim(durable) {
            up_to = Some(position);
        }
        if let Some(up_to) = up_to {
            partition.forget_definitions_up_to(up_to);
        }
        up_to
    }

    /// Whether there is more to look at, rather than only to wait for what was written to become durable.
    pub fn has_work(&self) -> bool {
        self.pass.as_ref().is_some_and(|pass| !pass.has_seen_all())
    }

    /// Gives up the pass, for another time.
    pub fn abandon(&mut self) {
        self.pass = None;
    }

    /// Ends the pass if everything is trimmed.
    pub fn finish(&mut self, partition: &Partition, log: &dyn Log) {
        if let Some(pass) = self.pass.take_if(|pass| pass.is_over()) {
            let Usage { retained_bytes, .. } = log.usage();
            // What others logged meanwhile is for the next pass to judge.
            let since_bytes = partition.logged_bytes() - self.started_at_bytes;
            self.rest_bytes = retained_bytes.saturating_sub(since_bytes) + pass.rest_bytes();
            tracing::debug!(retained_bytes, rest_bytes = self.rest_bytes, "compaction ends");
        }
    }
}

impl Partition {
    /// Writes the definitions batch that a pass ends before, and says where it will be. `None` while something else
    /// is pending: definitions come first in their batch.
    fn start_compaction(&mut self) -> Option<Position> {
        self.write_definitions().then(|| self.commit.position())
    }

    fn definitions_between(&self, first: Position, until: Position) -> VecDeque<Position> {
        self.definitions.iter().copied().filter(|at| (first + 1..=until).contains(at)).collect()
    }

    fn forget_definitions_up_to(&mut self, position: Position) {
        while self.definitions.pop_front_if(|at| *at <= position).is_some() {}
    }
}
