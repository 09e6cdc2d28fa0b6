//! What is tested: a partition, the log under it, and the ways in which both fail.

mod bug;
mod contents;
mod ground;
mod holders;
mod owner;
mod schedules;

use crate::history::{QueueIndex, Receiving, Sending, Settings as QueueSettings};
use crate::rng::Rng;
use crate::scenario::{self, QueueSpec};
use afterward_broker::open::open;
use afterward_broker::partition::compact::Compactor;
use afterward_broker::partition::{self, Gated, Outgoing, Partition};
use afterward_broker::{Content, Counters, OpenError, Settings, Unavailable};
use afterward_log::Log;
use afterward_machine::{
    AttributeChanges, Command, CreateQueue, Receive, Refusal, Reply, SetAttributes, StartMove, State,
};
use afterward_names::{AccountId, QueueAddress};
use afterward_record::Beside;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use afterward_log::memory::{Fault, Fencing};
pub use bug::Bug;
use bug::Buggy;
pub use contents::content;
use ground::Ground;
pub use ground::{End, Kind};
use owner::{Deposed, Owner};
pub use owner::{GoesOn, WentOn};
pub use schedules::Schedules;

/// What becomes of the batch that is on its way when the owner crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InFlight {
    /// It had arrived.
    Written,
    /// It never arrives.
    Lost,
    /// It arrives later, perhaps after the next owner has taken over; in files: only part of it was written.
    Late,
}

/// The partition and its log.
pub struct System {
    queues: Vec<QueueSpec>,
    kind: Kind,
    ground: Ground,
    log: Arc<dyn Log>,
    owner: Option<Owner>,
    /// Those that were paused, and lost their log meanwhile.
    deposed: Vec<Deposed>,
    pauses: u64,
    /// How many batches had arrived when the last owner ended.
    last_landed: u64,
    random: Rng,
    clock_ms: u64,
    /// How far the time is ahead of a clock that was set back, where it goes on from there.
    ahead_ms: u64,
    /// Whether it does; else it stands still until the clock has caught up.
    steady: bool,
    buggy: Buggy,
}

/// Compaction at every opportunity: a few kilobytes are a large log here.
fn settings() -> Settings {
    Settings { compact_at_ratio: 1.5, compact_at_bytes: 1 << 10 }
}

impl System {
    /// A new log, whose queues are made. `steady`: where the clock is set back, time goes on.
    ///
    /// # Errors
    /// When a log without faults can't be opened, or refuses a queue.
    pub fn new(
        queues: Vec<QueueSpec>,
        kind: Kind,
        clock_ms: u64,
        random: Rng,
        steady: bool,
        bug: Option<Bug>,
    ) -> Result<System, String> {
        let ground = Ground::new(kind)?;
        let mut system = System {
            queues,
            kind,
            log: ground.log(),
            ground,
            owner: None,
            deposed: Vec::new(),
            pauses: 0,
            last_landed: 0,
            random,
            clock_ms,
            ahead_ms: 0,
            steady,
            buggy: Buggy::default(),
        };
        bug.into_iter().for_each(|bug| system.plant(bug));
        system.reopen().map_err(|error| format!("a new log does not open: {error}"))?;
        for queue in 0..system.queues.len() {
            let made = system.create(queue);
            system.take();
            // The first owner has no faults yet, whatever the bug.
            system.land(None);
            match made.map(Gated::try_open) {
                Some(Ok(Ok(Ok(_)))) => {}
                made => return Err(format!("queue {queue} was not made: {made:?}")),
            }
        }
        Ok(system)
    }

    /// The broker's time: the clock's, but never less than what it was.
    pub fn now_ms(&self) -> u64 {
        (self.clock_ms + self.ahead_ms).max(self.partition().map_or(0, |partition| partition.state().now_ms()))
    }

    /// The clock's time.
    pub fn clock_ms(&self) -> u64 {
        self.clock_ms
    }

    /// Sets the clock, forwards or back.
    pub fn set_clock_ms(&mut self, clock_ms: u64) {
        if self.steady {
            self.ahead_ms += self.clock_ms.saturating_sub(clock_ms);
        }
        self.clock_ms = clock_ms;
    }

    /// The partition, while there is one.
    pub fn partition(&self) -> Option<&Partition> {
        self.owner.as_ref().map(|owner| &owner.partition)
    }

    /// Whether a batch is on its way.
    pub fn is_in_flight(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.flight.is_some())
    }

    /// How many batches have arrived.
    pub fn landed(&self) -> u64 {
        self.owner.as_ref().map_or(self.last_landed, |owner| owner.landed)
    }

    /// How many batches have arrived when all that was done so far is durable.
    pub fn landed_then(&self) -> u64 {
        let pending = self.partition().is_some_and(Partition::is_pending);
        self.landed() + u64::from(self.is_in_flight()) + u64::from(pending)
    }

    /// How many bytes the log retains, and how many batches it has let go.
    pub fn log_bytes(&self) -> (u64, u64) {
        (self.log.usage().retained_bytes, self.log.bounds().map_or(0, |bounds| bounds.first - 1))
    }

    pub(super) fn submit(&mut self, command: Command, beside: Beside<'_>) -> Option<Gated<Result<Reply, Refusal>>> {
        let command = self.buggy.command(command, &mut self.random);
        let (now_ms, random) = (self.now_ms(), self.random.bits());
        Some(self.owner.as_mut()?.partition.submit(now_ms, random, &command, beside))
    }

    /// Several sends at once. `None` from this and the calls below: there is no partition.
    pub fn send(&mut self, sendings: &[Sending]) -> Option<Gated<Vec<Result<Reply, Refusal>>>> {
        if let [sending @ Sending { tick: Some(tick), .. }] = sendings {
            return self.run_schedule(sending, tick);
        }
        let messages = sendings.iter().map(|sending| self.message(sending)).collect::<Vec<_>>();
        let through = |(command, content)| (self.buggy.command(command, &mut self.random), content);
        let all: Vec<(Command, Content)> = messages.into_iter().map(through).collect();
        let now_ms = self.now_ms();
        let partition = &mut self.owner.as_mut()?.partition;
        let commands = all.iter().map(|(command, content)| (command, Beside::Content(content)));
        Some(partition.submit_all(now_ms, || self.random.bits(), commands))
    }

    /// A receive, which perhaps waits.
    pub fn receive(&mut self, receiving: &Receiving) -> Option<partition::Receiving> {
        let now_ms = self.now_ms();
        let receive = Receive {
            queue: self.queues[receiving.queue].address(),
            max: receiving.max,
            visibility_timeout_ms: receiving.visibility_ms,
            attempt: receiving.attempt.map(|attempt| u128::from(attempt).to_be_bytes()),
        };
        let Command::Receive(receive) = self.buggy.command(Command::Receive(receive), &mut self.random) else {
            return None;
        };
        let forgets = self.buggy.is(Bug::ForgetWaiter);
        let partition = &mut self.owner.as_mut()?.partition;
        let received = partition.receive(now_ms, &receive, Some(receiving.wait_ms));
        if let (true, partition::Receiving::Waiting(_)) = (forgets, &received) {
            // It waits where nothing ever comes.
            let nowhere = self.queues[0].address();
            let nowhere = CreateQueue {
                queue: QueueAddress { region: "eu-north-1".parse().ok()?, ..nowhere },
                attributes: AttributeChanges::default(),
                tags: BTreeMap::new(),
                cooldown: false,
            };
            let receive = Receive { queue: nowhere.queue.clone(), ..receive };
            drop(partition.submit(now_ms, 0, &Command::CreateQueue(nowhere), Beside::Nothing));
            return Some(partition.receive(now_ms, &receive, Some(receiving.wait_ms)));
        }
        Some(received)
    }

    /// Removes all messages of a queue.
    pub fn purge(&mut self, queue: QueueIndex) -> Option<Gated<Result<Reply, Refusal>>> {
        let queue = self.queues[queue].address();
        self.submit(Command::Purge { queue, cooldown: false }, Beside::Nothing)
    }

    /// Makes a queue, as it was at first.
    pub fn create(&mut self, queue: QueueIndex) -> Option<Gated<Result<Reply, Refusal>>> {
        let creation = scenario::creation(&self.queues, queue);
        self.submit(Command::CreateQueue(creation), Beside::Nothing)
    }

    /// Deletes a queue.
    pub fn remove(&mut self, queue: QueueIndex) -> Option<Gated<Result<Reply, Refusal>>> {
        let queue = self.queues[queue].address();
        self.submit(Command::DeleteQueue { queue }, Beside::Nothing)
    }

    /// Changes a queue's attributes.
    pub fn set(&mut self, queue: QueueIndex, to: &QueueSettings) -> Option<Gated<Result<Reply, Refusal>>> {
        let attributes = scenario::settings(&self.queues, queue, to);
        let queue = self.queues[queue].address();
        self.submit(Command::SetAttributes(SetAttributes { queue, attributes, expected_policy: None }), Beside::Nothing)
    }

    /// Sends a dead-letter queue's messages back to where they came from.
    pub fn redrive(&mut self, queue: QueueIndex, max_per_s: Option<u32>) -> Option<Gated<Result<Reply, Refusal>>> {
        let source = self.queues[queue].address().arn();
        self.submit(Command::StartMove(StartMove { source, destination: None, max_per_s }), Beside::Nothing)
    }

    /// Ends that.
    pub fn cancel(&mut self, task: u64) -> Option<Gated<Result<Reply, Refusal>>> {
        self.submit(Command::CancelMove { account: AccountId::DEFAULT, task }, Beside::Nothing)
    }

    /// Reads the state as it is at `now_ms`; `None` while that is not durable.
    pub fn read<T>(&mut self, now_ms: u64, read: impl FnOnce(&State) -> T) -> Option<T> {
        self.owner.as_mut()?.partition.read(now_ms, read).try_open().ok()?.ok()
    }

    /// Fires timers, as the server's thread does it: when something is due.
    pub fn on_time(&mut self) {
        let now_ms = self.now_ms();
        if let Some(Owner { partition, .. }) = &mut self.owner
            && partition.next_wake_ms().is_some_and(|wake_ms| wake_ms <= now_ms)
        {
            partition.on_time(now_ms);
        }
    }

    /// Puts what is pending on its way; answers whether something was.
    pub fn take(&mut self) -> bool {
        let early = self.buggy.is(Bug::AnswerBeforeFlush);
        let Some(owner) = self.owner.as_mut().filter(|owner| owner.flight.is_none()) else { return false };
        owner.flight = owner.partition.take_batch();
        let Some(outgoing) = &owner.flight else { return false };
        // Now nothing is pending, as a pass of compaction needs it to start.
        owner.compactor.start_if_due(&mut owner.partition, &*owner.log);
        if early {
            owner.land(outgoing.expected + 1);
        }
        true
    }

    /// Lets the batch on its way arrive, or fail.
    pub fn land(&mut self, fault: Option<Fault>) {
        let Some(owner) = &mut self.owner else { return };
        let Some(Outgoing { expected, mut batch }) = owner.flight.take() else { return };
        if let Some(fault) = fault {
            self.ground.fail_next(fault);
        }
        if self.buggy.is(Bug::LoseBatch) && self.random.chance(20) {
            (batch.payload, batch.records) = (Bytes::new(), 0);
        }
        let mut landed = owner.log.append(owner.partition.epoch(), expected, batch);
        self.ground.heal();
        if self.buggy.is(Bug::TakeFailureForSuccess) && landed.is_err() {
            landed = Ok(expected + 1);
        }
        match landed {
            Ok(_) if self.buggy.is(Bug::AnswerBeforeFlush) => owner.landed += 1,
            Ok(position) => {
                owner.landed += 1;
                owner.land(position);
            }
            Err(error) => self.drop_partition(&error.to_string()),
        }
    }

    /// The owner dies.
    ///
    /// # Errors
    /// When its log does not open again.
    pub fn crash(&mut self, in_flight: InFlight) -> Result<End, String> {
        let epoch = self.partition().map(Partition::epoch);
        let flight = self.owner.as_mut().and_then(|owner| owner.flight.take());
        self.drop_partition("the server was killed");
        self.end_deposed();
        let end = self.ground.crash(epoch, flight, in_flight, &mut self.random)?;
        self.log = self.ground.log();
        Ok(end)
    }

    /// Which log it plays with.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    fn drop_partition(&mut self, why: &str) {
        if let Some(owner) = self.owner.take() {
            self.last_landed = owner.landed;
            owner.partition.failed(Unavailable::because(why)).open();
        }
    }

    /// What former owners sent arrives at last; answers how much of it was told to be written.
    pub fn deliver_late(&mut self) -> usize {
        self.ground.deliver_late()
    }

    /// Lets the next claim fail.
    pub fn fail_claim(&self, fault: Fault) {
        self.ground.fail_next(fault);
    }

    /// Forgets faults that have not come to pass.
    pub fn heal(&self) {
        self.ground.heal();
    }

    /// Replays the log and takes it over.
    ///
    /// # Errors
    /// See [`open`].
    pub fn reopen(&mut self) -> Result<(), OpenError> {
        let secret = self.random.block();
        let counters = Arc::new(Counters::default());
        self.log = self.ground.log();
        let partition = open(&*self.log, self.clock_ms, secret, counters)?;
        let compactor = Compactor::new(settings());
        let log = self.log.clone();
        self.owner = Some(Owner { partition, log, flight: None, landed: self.last_landed, compactor });
        Ok(())
    }

    /// One step of compaction, while nothing is on its way; answers whether there is more to do.
    ///
    /// # Errors
    /// When the log can't be read, or trimmed.
    pub fn compact(&mut self) -> Result<bool, String> {
        let now_ms = self.now_ms();
        let too_much = if self.buggy.is(Bug::TrimTooMuch) { 3 } else { 0 };
        let Some(owner) = self.owner.as_mut().filter(|owner| owner.flight.is_none()) else { return Ok(false) };
        let Owner { partition, compactor, log, .. } = owner;
        if !compactor.start_if_due(partition, &**log) {
            return Ok(false);
        }
        compactor.prepare(&**log).map_err(|error| format!("compaction: {error}"))?;
        compactor.forward(partition, now_ms).map_err(|error| format!("compaction: {error}"))?;
        if let Some(up_to) = compactor.trim(partition) {
            log.trim(partition.epoch(), up_to + too_much).map_err(|error| format!("trimming: {error}"))?;
        }
        compactor.finish(partition, &**log);
        Ok(compactor.is_running())
    }

    /// The queue with this address.
    pub fn index(&self, address: &afterward_names::QueueAddress) -> Option<QueueIndex> {
        self.queues.iter().position(|queue| queue.address() == *address)
    }
}
