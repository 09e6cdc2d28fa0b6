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
//! what it has moved by then stays moved. Definitions that have no room there are not written: the pass ends before the last
//! ones that the log has.
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
/// After a pass that could not read the log: it has written definitions for nothing, and what can't be read is seldom to be
/// read in a moment.
const REST_MS: u64 = 60_000;
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
    /// No pass starts before.
    rests_until_ms: u64,
    /// Gives up where there is less room.
    leave_bytes: u64,
    /// How much the log has room for, beyond what is left to others.
    room_bytes: u64,
    /// What it has written into the pending batch.
    written_bytes: u64,
    pass: Option<Pass>,
    /// What the pass ends before.
    end: End,
    /// The definitions that a pass came to without writing new ones: another one up to there would find nothing.
    came_to: Option<Position>,
}

/// What a pass ends before.
#[derive(Debug, Clone, Copy)]
enum End {
    /// Definitions that are written as it starts.
    New,
    /// The last that the log has.
    Last(Position),
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
            rests_until_ms: 0,
            leave_bytes: 0,
            room_bytes: u64::MAX,
            written_bytes: 0,
            pass: None,
            end: End::New,
            came_to: None,
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
        if partition.state.now_ms() < self.rests_until_ms {
            return false;
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
        if !self.pays(now, retained_bytes) {
            return false;
        }
        let last = partition.definitions.back().copied().filter(|last| *last > bounds.first);
        let Some(end) = self.end_with_room(partition, retained_bytes, shortage.as_ref(), last) else { return false };
        let (until, definitions_bytes) = match end {
            End::New => match partition.start_compaction() {
                Some(until) => (until, partition.commit.mark().1 as u64),
                None => {
                    // Not now: something is pending. Ask again.
                    self.asked = None;
                    return false;
                }
            },
            End::Last(until) => (until, 0),
        };
        let marks = partition.definitions_between(bounds.first, until);
        tracing::debug!(from = bounds.first, until, retained_bytes, live = now.live_bytes, "compaction starts");
        (self.started_at_bytes, self.end) = (now.logged_bytes, end);
        // They alone are no reason to ask again.
        self.asked = Some(Asked { logged_bytes: now.logged_bytes + definitions_bytes, ..now });
        self.pass = Some(Pass::new(bounds.first, until, marks, definitions_bytes));
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

    /// Where a pass ends that comes far enough: to its end, or, where the log can be freed in parts, past the `last` definitions.
    /// `None` for one that would have to give up, for it would have used up room for nothing.
    fn end_with_room(
        &mut self,
        partition: &Partition,
        retained_bytes: u64,
        shortage: Option<&Shortage>,
        last: Option<Position>,
    ) -> Option<End> {
        let leave_bytes = LEAVE_BYTES.min(retained_bytes / LEAVE_PART);
        let Some(Shortage { room_bytes, .. }) = shortage else {
            self.leave_bytes = leave_bytes;
            return Some(End::New);
        };
        // What is in flight may not be counted there yet.
        let room_bytes = room_bytes.saturating_sub(partition.commit.in_flight_bytes());
        self.leave_bytes = leave_bytes.min(room_bytes / 4);
        let definitions_bytes = partition.state.most_definitions_bytes();
        // They were part of what the last pass left.
        let others_bytes = partition.live_bytes() + self.rest_bytes.saturating_sub(definitions_bytes);
        let needs_little = others_bytes <= room_bytes / 2;
        if needs_little && definitions_bytes + others_bytes + self.leave_bytes <= room_bytes
            || last.is_some() && definitions_bytes + 2 * leave_bytes <= room_bytes
        {
            return Some(End::New);
        }
        let old = last.filter(|last| self.came_to.is_none_or(|came_to| *last > came_to));
        old.filter(|_| needs_little || 2 * leave_bytes <= room_bytes).map(End::Last)
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

    /// Gives up the pass, and starts none for a minute: the log can't be read, or could not be written.
    pub fn put_off(&mut self, partition: &Partition) {
        self.abandon();
        self.rests_until_ms = partition.state.now_ms() + REST_MS;
    }

    /// Ends the pass if everything is trimmed.
    pub fn finish(&mut self, partition: &Partition, log: &dyn Log) {
        if let Some(pass) = self.pass.take_if(|pass| pass.is_over()) {
            if let End::Last(until) = self.end {
                // What lies behind that it has not looked at, so how much is left there it can't say.
                self.came_to = Some(until);
                return;
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::open;
    use afterward_log::{
        AppendError, Batch, Bounds, ClaimError, Epoch, Page, ReadError, Slice,
        memory::{Fencing, MemoryLog},
    };
    use afterward_machine::{AttributeChanges, Command, CreateQueue, Send};
    use afterward_names::QueueAddress;
    use afterward_record::{Beside, Content};
    use bytes::Bytes;

    const NOW_MS: u64 = 1_700_000_000_000;

    /// A log with room for so much.
    struct Short(MemoryLog, u64);

    impl Log for Short {
        fn bounds(&self) -> Result<Bounds, ReadError> {
            self.0.bounds()
        }

        fn claim(&self, expected: Position, batch: Batch) -> Result<(Epoch, Position), ClaimError> {
            self.0.claim(expected, batch)
        }

        fn append(&self, epoch: Epoch, expected: Position, batch: Batch) -> Result<Position, AppendError> {
            self.0.append(epoch, expected, batch)
        }

        fn read(&self, from: Position, max_bytes: usize) -> Result<Page, ReadError> {
            self.0.read(from, max_bytes)
        }

        fn fetch(&self, slices: &[Slice]) -> Result<Vec<Bytes>, ReadError> {
            self.0.fetch(slices)
        }

        fn trim(&self, epoch: Epoch, up_to: Position) -> Result<(), AppendError> {
            self.0.trim(epoch, up_to)
        }

        fn usage(&self) -> Usage {
            self.0.usage()
        }

        fn shortage(&self) -> Option<Shortage> {
            Some(Shortage { room_bytes: self.1, reason: "it is full".to_owned() })
        }
    }

    fn commit(partition: &mut Partition, log: &dyn Log) {
        partition.run_short(true);
        while let Some(outgoing) = partition.take_batch() {
            let position = log.append(partition.epoch(), outgoing.expected, outgoing.batch).unwrap();
            partition.committed(position).unwrap().open();
        }
    }

    fn act(partition: &mut Partition, log: &dyn Log, command: &Command, beside: Beside<'_>) {
        partition.act(command, 7, beside).unwrap();
        commit(partition, log);
    }

    fn send(partition: &mut Partition, log: &dyn Log, queue: &QueueAddress) {
        let send = Send {
            queue: queue.clone(),
            size_bytes: 1,
            delay_ms: None,
            group: None,
            dedup: None,
            job: false,
            batch: None,
        };
        let content = Content {
            body: "x".repeat(4_000).into(),
            body_md5: [1; 16],
            attributes: Vec::new(),
            sender: "AIDTEST".into(),
            deduplication_id: None,
            trace_header: None,
        };
        act(partition, log, &Command::Send(send), Beside::Content(&content));
    }

    /// Where new definitions have no room, there is a pass up to those that the log has, and one only; where it has none, there
    /// is no pass.
    #[test]
    fn a_pass_without_room_for_definitions_ends_before_the_last_that_the_log_has() {
        for has_some in [false, true] {
            let log = Short(MemoryLog::new(Fencing::ByStore), 10 << 10);
            let mut partition = open(&log, NOW_MS, [7; 32], Default::default()).unwrap();
            let queue = QueueAddress {
                account: "000000000000".parse().unwrap(),
                region: "us-east-1".parse().unwrap(),
                name: "q".parse().unwrap(),
            };
            let tags = (0..50).map(|tag| (format!("{tag:0>100}").into(), "v".repeat(200).into())).collect();
            let attributes = AttributeChanges::default();
            let create = CreateQueue { queue: queue.clone(), attributes, tags, cooldown: false };
            act(&mut partition, &log, &Command::CreateQueue(create), Beside::Nothing);
            for _ in 0..20 {
                send(&mut partition, &log, &queue);
            }
            act(&mut partition, &log, &Command::Purge { queue: queue.clone(), cooldown: false }, Beside::Nothing);
            send(&mut partition, &log, &queue);
            let tail = log.bounds().unwrap().tail;
            if has_some {
                assert!(partition.write_definitions());
                commit(&mut partition, &log);
            }
            let mut compactor = Compactor::new(Settings { compact_at_ratio: 3.0, compact_at_bytes: 1 << 30 });
            assert_eq!(compactor.start_if_due(&mut partition, &log), has_some);
            assert!(!partition.is_pending(), "no definitions are written");
            let before = partition.logged_bytes();
            while compactor.is_running() {
                compactor.prepare(&log).unwrap();
                compactor.forward(&mut partition, NOW_MS).unwrap();
                commit(&mut partition, &log);
                if let Some(up_to) = compactor.trim(&mut partition) {
                    log.trim(partition.epoch(), up_to).unwrap();
                }
                compactor.finish(&partition, &log);
            }
            assert!(partition.logged_bytes() - before < 5_000);
            assert_eq!(log.bounds().unwrap().first, if has_some { tail + 1 } else { 1 });
            compactor.asked = None;
            assert!(!compactor.start_if_due(&mut partition, &log), "there is nothing more to gain");
            let replayed = open(&log, NOW_MS, [7; 32], Default::default()).unwrap();
            assert_eq!(replayed.state().message_count(), 1);
        }
    }
}
