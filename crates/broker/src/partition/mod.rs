//! The partition's core: the state, what of it is not durable yet, and who waits.
//!
//! It is synchronous and deterministic: no thread, no runtime, no clock, no file. Time and random bits come in with
//! each call, batches go out with [`Partition::take_batch`] and come back as [`Partition::committed`] or
//! [`Partition::failed`]. The server drives it from a thread and under a lock (`thread.rs`), the simulation from a loop
//! over a faulty log.
//!
//! Invariants:
//! - a change is encoded into the pending payload and applied in one go, under one borrow;
//! - nothing computed from the state leaves but as a [`Gated`] value: replies, refusals and reads alike wait for the
//!   batch that holds the last change they may rest on;
//! - when time has moved, whoever waits is served before whoever comes; each message goes to one waiter;
//! - an append that failed consumes the partition: what comes after is a replay (`open.rs`).

mod commit;
pub mod compact;
mod gate;
mod pass;
mod progress;
mod schedules;
mod serve;
mod waiters;
mod write;

use crate::{Unavailable, metrics::Counters};
use afterward_log::{Epoch, Position};
use afterward_machine::{Command, QueueId, Receive, Refusal, Reply, State};
use afterward_record::Beside;
use commit::Commit;
pub use commit::Outgoing;
pub(crate) use gate::Gate;
pub use gate::{Gated, Release};
pub(crate) use pass::slice;
use progress::Reports;
pub use schedules::{DueSchedules, ScheduleRun};
use std::{collections::VecDeque, fmt, sync::Arc};
use waiters::Waiters;
pub use waiters::{Found, Waiting};

/// How late timers may fire that nobody waits for. They also fire, in order, before anything is asked of the state.
const UNWATCHED_TIMERS_MS: u64 = 100;

/// One partition: the core, for the server's thread and for the simulation.
pub struct Partition {
    state: State,
    epoch: Epoch,
    commit: Commit,
    waiters: Waiters,
    reports: Reports,
    /// Queues whose first waiter's receive stopped at its bound of work: [`Self::on_time`] goes on.
    unfinished: Vec<QueueId>,
    /// Queues whose waiters were refused because too many messages are in flight: tried again after every change.
    over_limit: Vec<QueueId>,
    /// Opens when a schedule is due: for those who wait for that, if anybody does.
    schedule_due: Option<Gate>,
    /// Batches that start with definitions, so that a replay may start there; oldest first.
    definitions: VecDeque<Position>,
    since_definitions_bytes: u64,
    definitions_every_bytes: u64,
    logged_bytes: u64,
    /// Move tasks that said they were due and did nothing are not asked again before.
    moves_rest_until_ms: u64,
    /// The log's room runs out.
    is_short: bool,
    counters: Arc<Counters>,
}

/// How a receive goes on.
#[derive(Debug)]
#[must_use]
pub enum Receiving {
    /// With this answer, once its gate opens.
    Answered(Gated<Found>),
    /// It waits.
    Waiting(Waiting),
    /// It reached its bound of work and found nothing so far: ask again.
    Again,
}

impl Partition {
    /// The partition with the replayed `state`, owned in `epoch`, whose log ends at `tail`.
    pub(crate) fn new(
        state: State,
        epoch: Epoch,
        tail: Position,
        definitions: VecDeque<Position>,
        since_definitions_bytes: u64,
        counters: Arc<Counters>,
    ) -> Partition {
        Partition {
            state,
            epoch,
            commit: Commit::after(tail),
            waiters: Waiters::default(),
            reports: Reports::default(),
            unfinished: Vec::new(),
            over_limit: Vec::new(),
            schedule_due: None,
            definitions,
            since_definitions_bytes,
            definitions_every_bytes: write::DEFINITIONS_EVERY_BYTES,
            logged_bytes: 0,
            moves_rest_until_ms: 0,
            is_short: false,
            counters,
        }
    }

    /// The epoch that it owns its log in.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The state, for a checker: what a caller may see comes from [`Self::read`].
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The secret of its receipt handles.
    pub fn secret(&self) -> &[u8; 32] {
        // A partition is made from a log that has been founded.
        self.state.secret().unwrap_or(&[0; 32])
    }

    /// Decides `command` at `now_ms` (or at the state's time, if that is later) and makes it so. For a `Receive`,
    /// rather [`Self::receive`].
    pub fn submit(
        &mut self,
        now_ms: u64,
        random: u64,
        command: &Command,
        beside: Beside<'_>,
    ) -> Gated<Result<Reply, Refusal>> {
        self.advance(now_ms);
        let outcome = self.act(command, random, beside);
        self.serve();
        self.gated(outcome)
    }

    /// Several commands, one after the other, behind one gate. Who waits is served once all are done: a batch sent to
    /// several who wait goes to the first of them as a batch, and not to each a message of it.
    pub fn submit_all<'a>(
        &mut self,
        now_ms: u64,
        mut random: impl FnMut() -> u64,
        commands: impl Iterator<Item = (&'a Command, Beside<'a>)>,
    ) -> Gated<Vec<Result<Reply, Refusal>>> {
        self.advance(now_ms);
        let outcomes = commands.map(|(command, beside)| self.act(command, random(), beside)).collect();
        self.serve();
        self.gated(outcomes)
    }

    /// Receives, or lets the receive wait up to `wait_ms` (`None`: the queue's own wait).
    pub fn receive(&mut self, now_ms: u64, receive: &Receive, wait_ms: Option<u64>) -> Receiving {
        self.advance(now_ms);
        let command = Command::Receive(receive.clone());
        let outcome = self.act(&command, 0, Beside::Nothing);
        self.serve();
        let queue = self.state.queue_at(&receive.queue);
        // What it dead-lettered on its way may have been the last of a batch, which then let go of something.
        let came = || queue.is_some_and(|queue| self.state.is_receivable(queue.id));
        let found = match outcome {
            Ok(Reply::Received { deliveries, more }) if deliveries.is_empty() && (more || came()) => {
                return Receiving::Again;
            }
            Ok(Reply::Received { deliveries, .. }) => Ok(deliveries),
            Ok(_) => Ok(Vec::new()),
            Err(refusal) => Err(refusal),
        };
        let wait_ms = wait_ms.or(queue.map(|queue| queue.attributes.receive_wait_ms)).unwrap_or(0);
        // A long poll waits for room in flight, too: AWS answers OverLimit to short polls only.
        let may_wait = found.as_ref().map_or_else(|refusal| *refusal == Refusal::OverLimit, Vec::is_empty);
        match queue.map(|queue| queue.id) {
            Some(queue) if may_wait && wait_ms > 0 => {
                if found.is_err() {
                    serve::note(&mut self.over_limit, queue);
                }
                let deadline_ms = self.state.now_ms().saturating_add(wait_ms);
                Receiving::Waiting(self.waiters.add(queue, command, deadline_ms, &self.counters))
            }
            _ => Receiving::Answered(self.gated(found)),
        }
    }

    /// Reads the state, advanced to `now_ms`.
    pub fn read<T>(&mut self, now_ms: u64, read: impl FnOnce(&State) -> T) -> Gated<T> {
        self.advance(now_ms);
        let value = read(&self.state);
        self.gated(value)
    }

    /// `None` if there is room for another call's changes, else a gate to wait at before asking again. (Not having
    /// asked breaks nothing but the bound on memory.)
    pub fn room(&mut self) -> Option<Gated<()>> {
        self.commit.room().map(|gate| Gated::new((), Some(gate)))
    }

    /// Does what is due at `now_ms`: timers, receives that have waited long enough, a round of the move tasks and of
    /// deleting groups of schedules.
    pub fn on_time(&mut self, now_ms: u64) {
        self.advance(now_ms);
        self.go_on();
        if !self.commit.is_full() {
            self.run_moves();
            self.sweep_schedule_groups();
        }
        while let Some(waiter) = self.waiters.pop_expired(self.state.now_ms()) {
            waiter.end(self.commit.gate());
        }
    }

    /// Says whether the log's room runs out. Then the move tasks rest, for they make the log longer and give nothing back; and
    /// definitions are left to the passes of compaction, which look first whether there is room for them.
    pub fn run_short(&mut self, is_short: bool) {
        self.is_short = is_short;
    }

    /// When [`Self::on_time`] next has something to do.
    pub fn next_wake_ms(&self) -> Option<u64> {
        let now_ms = self.state.now_ms();
        let timers = self.state.next_due_ms().map(|due_ms| match self.waiters.is_empty() {
            true => due_ms.max(now_ms + UNWATCHED_TIMERS_MS),
            false => due_ms.max(now_ms + 1),
        });
        // What nobody waits for is not due while too much is pending; once that is taken, it is looked at again.
        let has_room = !self.commit.is_full();
        let moves = self.state.next_move_ms().filter(|_| has_room).map(|due_ms| due_ms.max(self.moves_rest_until_ms));
        let unfinished = (!self.unfinished.is_empty()).then_some(now_ms);
        let rest = self.state.has_groups_to_sweep() || self.state.has_held_to_release();
        let rest = (rest && has_room).then_some(now_ms);
        let schedule = self.next_schedule_wake_ms();
        [timers, moves, unfinished, rest, schedule, self.waiters.next_deadline_ms()].into_iter().flatten().min()
    }

    /// What to append next; `None` if nothing is pending or a batch is in flight already. To be told before: [`Self::run_short`].
    pub fn take_batch(&mut self) -> Option<Outgoing> {
        let outgoing = self.commit.take(self.state.now_ms())?;
        let bytes = outgoing.batch.payload.len() as u64;
        self.logged_bytes += bytes;
        self.since_definitions_bytes += bytes;
        if self.since_definitions_bytes >= self.definitions_every_bytes && !self.is_short {
            self.write_definitions();
        }
        Some(outgoing)
    }

    /// The batch in flight is durable at `position`.
    ///
    /// # Errors
    /// When that is not where it belongs, so that this partition is to be dropped.
    pub fn committed(&mut self, position: Position) -> Result<Release, Unavailable> {
        let expected = self.commit.durable() + 1;
        self.commit.landed(position).ok_or_else(|| {
            let reason =
                format!("a bug in Afterward: batch {expected} was written as {position}; the state is rebuilt");
            Unavailable::because(reason)
        })
    }

    /// The batch in flight is perhaps not durable, so nothing here can be told to anybody.
    pub fn failed(self, why: Unavailable) -> Release {
        self.waiters.fail(&why);
        if let Some(gate) = self.schedule_due {
            gate.open(Err(why.clone()));
        }
        self.commit.fail(why)
    }

    /// Whether [`Self::take_batch`] has something to give, now or when the batch in flight has landed.
    pub fn is_pending(&self) -> bool {
        self.commit.is_pending()
    }

    /// Whether a batch has been taken and has not landed yet.
    pub fn is_in_flight(&self) -> bool {
        self.commit.is_in_flight()
    }

    /// Ends every wait with nothing.
    pub fn end_waits(&mut self) {
        while let Some(waiter) = self.waiters.pop_expired(u64::MAX) {
            waiter.end(self.commit.gate());
        }
        self.end_schedule_waits();
    }

    /// How many bytes of the log hold live messages and schedules.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.state.content_bytes() + self.state.definition_bytes()
    }

    /// How many bytes it has logged.
    pub(crate) fn logged_bytes(&self) -> u64 {
        self.logged_bytes
    }

    fn gated<T>(&mut self, value: T) -> Gated<T> {
        Gated::new(value, self.commit.gate())
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partition")
            .field("epoch", &self.epoch)
            .field("durable", &self.commit.durable())
            .field("pending", &self.commit.is_pending())
            .finish_non_exhaustive()
    }
}
