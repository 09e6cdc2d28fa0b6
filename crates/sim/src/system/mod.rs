//! What is tested: a partition, the log under it, and the ways in which both fail.

mod contents;
mod ground;

use crate::history::{Held, QueueIndex, Receiving, Sending};
use crate::rng::Rng;
use crate::scenario::{self, QueueSpec};
use afterward_broker::open::open;
use afterward_broker::partition::compact::Compactor;
use afterward_broker::partition::{self, Gated, Outgoing, Partition};
use afterward_broker::{Content, Counters, OpenError, Settings, Unavailable};
use afterward_log::Log;
use afterward_machine::{Command, Receive, Refusal, Reply, StartMove, State};
use afterward_record::Beside;
use std::sync::Arc;

pub use afterward_log::memory::{Fault, Fencing};
pub use contents::content;
use ground::Ground;
pub use ground::Kind;

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
    ground: Ground,
    log: Arc<dyn Log>,
    partition: Option<Partition>,
    /// The batch on its way to the log.
    flight: Option<Outgoing>,
    /// How many batches have arrived.
    landed: u64,
    compactor: Compactor,
    random: Rng,
    clock_ms: u64,
}

/// Compaction at every opportunity: a few kilobytes are a large log here.
fn settings() -> Settings {
    Settings { compact_at_ratio: 1.5, compact_at_bytes: 1 << 10 }
}

impl System {
    /// A new log, whose queues are made.
    ///
    /// # Errors
    /// When a log without faults can't be opened, or refuses a queue.
    pub fn new(queues: Vec<QueueSpec>, kind: Kind, clock_ms: u64, random: Rng) -> Result<System, String> {
        let ground = Ground::new(kind)?;
        let mut system = System {
            queues,
            log: ground.log(),
            ground,
            partition: None,
            flight: None,
            landed: 0,
            compactor: Compactor::new(settings()),
            random,
            clock_ms,
        };
        system.reopen().map_err(|error| format!("a new log does not open: {error}"))?;
        for queue in 0..system.queues.len() {
            let creation = scenario::creation(&system.queues, queue);
            let made = system.submit(&Command::CreateQueue(creation), Beside::Nothing);
            system.take();
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
        self.clock_ms.max(self.partition.as_ref().map_or(0, |partition| partition.state().now_ms()))
    }

    /// The clock's time.
    pub fn clock_ms(&self) -> u64 {
        self.clock_ms
    }

    /// Sets the clock, forwards or back.
    pub fn set_clock_ms(&mut self, clock_ms: u64) {
        self.clock_ms = clock_ms;
    }

    /// The partition, while there is one.
    pub fn partition(&self) -> Option<&Partition> {
        self.partition.as_ref()
    }

    /// Whether a batch is on its way.
    pub fn is_in_flight(&self) -> bool {
        self.flight.is_some()
    }

    /// How many batches have arrived.
    pub fn landed(&self) -> u64 {
        self.landed
    }

    /// How many batches have arrived when all that was done so far is durable.
    pub fn landed_then(&self) -> u64 {
        let pending = self.partition.as_ref().is_some_and(Partition::is_pending);
        self.landed + u64::from(self.flight.is_some()) + u64::from(pending)
    }

    /// How many bytes the log retains, and how many batches it has let go.
    pub fn log_bytes(&self) -> (u64, u64) {
        (self.log.usage().retained_bytes, self.log.bounds().map_or(0, |bounds| bounds.first - 1))
    }

    fn submit(&mut self, command: &Command, beside: Beside<'_>) -> Option<Gated<Result<Reply, Refusal>>> {
        let (now_ms, random) = (self.now_ms(), self.random.bits());
        Some(self.partition.as_mut()?.submit(now_ms, random, command, beside))
    }

    /// Several sends at once. `None` from this and the calls below: there is no partition.
    pub fn send(&mut self, sendings: &[Sending]) -> Option<Gated<Vec<Result<Reply, Refusal>>>> {
        let all: Vec<(Command, Content)> = sendings.iter().map(|sending| self.message(sending)).collect();
        let now_ms = self.now_ms();
        let partition = self.partition.as_mut()?;
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
            attempt: None,
        };
        Some(self.partition.as_mut()?.receive(now_ms, &receive, Some(receiving.wait_ms)))
    }

    /// A delete.
    pub fn delete(&mut self, held: &Held) -> Option<Gated<Result<Reply, Refusal>>> {
        let queue = self.queues[held.queue].address();
        self.submit(&Command::Delete { queue, lease: held.lease }, Beside::Nothing)
    }

    /// A visibility change, perhaps because of a failure.
    pub fn change(
        &mut self,
        held: &Held,
        timeout_ms: u64,
        error: Option<&str>,
    ) -> Option<Gated<Result<Reply, Refusal>>> {
        let queue = self.queues[held.queue].address();
        let command = Command::ChangeVisibility { queue, lease: held.lease, timeout_ms, failure: error.is_some() };
        self.submit(&command, error.map_or(Beside::Nothing, Beside::Error))
    }

    /// Removes all messages of a queue.
    pub fn purge(&mut self, queue: QueueIndex) -> Option<Gated<Result<Reply, Refusal>>> {
        let queue = self.queues[queue].address();
        self.submit(&Command::Purge { queue, cooldown: false }, Beside::Nothing)
    }

    /// Sends a dead-letter queue's messages back to where they came from.
    pub fn redrive(&mut self, queue: QueueIndex, max_per_s: Option<u32>) -> Option<Gated<Result<Reply, Refusal>>> {
        let source = self.queues[queue].address().arn();
        self.submit(&Command::StartMove(StartMove { source, destination: None, max_per_s }), Beside::Nothing)
    }

    /// Reads the state as it is at `now_ms`; `None` while that is not durable.
    pub fn read<T>(&mut self, now_ms: u64, read: impl FnOnce(&State) -> T) -> Option<T> {
        self.partition.as_mut()?.read(now_ms, read).try_open().ok()?.ok()
    }

    /// Fires timers, as the server's thread does it: when something is due.
    pub fn on_time(&mut self) {
        let now_ms = self.now_ms();
        if let Some(partition) = &mut self.partition
            && partition.next_wake_ms().is_some_and(|wake_ms| wake_ms <= now_ms)
        {
            partition.on_time(now_ms);
        }
    }

    /// Puts what is pending on its way; answers whether something was.
    pub fn take(&mut self) -> bool {
        if self.flight.is_none() {
            self.flight = self.partition.as_mut().and_then(Partition::take_batch);
            if let (Some(partition), Some(_)) = (&mut self.partition, &self.flight) {
                // Now nothing is pending, as a pass of compaction needs it to start.
                self.compactor.start_if_due(partition, &*self.log);
                return true;
            }
        }
        false
    }

    /// Lets the batch on its way arrive, or fail.
    pub fn land(&mut self, fault: Option<Fault>) {
        let (Some(partition), Some(Outgoing { expected, batch })) = (&mut self.partition, self.flight.take()) else {
            return;
        };
        if let Some(fault) = fault {
            self.ground.fail_next(fault);
        }
        let landed = self.log.append(partition.epoch(), expected, batch);
        self.ground.heal();
        match landed {
            Ok(position) => {
                self.landed += 1;
                partition.committed(position).open();
            }
            Err(error) => self.drop_partition(&error.to_string()),
        }
    }

    /// The owner dies.
    ///
    /// # Errors
    /// When its log does not open again.
    pub fn crash(&mut self, in_flight: InFlight) -> Result<(), String> {
        let epoch = self.partition.as_ref().map(Partition::epoch);
        let flight = self.flight.take();
        self.drop_partition("the server was killed");
        self.ground.crash(epoch, flight, in_flight, &mut self.random)?;
        self.log = self.ground.log();
        Ok(())
    }

    fn drop_partition(&mut self, why: &str) {
        self.flight = None;
        if let Some(partition) = self.partition.take() {
            partition.failed(Unavailable::because(why)).open();
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

    /// Replays the log and takes it over.
    ///
    /// # Errors
    /// See [`open`].
    pub fn reopen(&mut self) -> Result<(), OpenError> {
        let secret = self.random.block();
        let counters = Arc::new(Counters::default());
        self.compactor = Compactor::new(settings());
        self.partition = Some(open(&*self.log, self.clock_ms, secret, counters)?);
        Ok(())
    }

    /// One step of compaction, while nothing is on its way; answers whether there is more to do.
    ///
    /// # Errors
    /// When the log can't be read, or trimmed.
    pub fn compact(&mut self) -> Result<bool, String> {
        let now_ms = self.now_ms();
        let (Some(partition), None) = (&mut self.partition, &self.flight) else { return Ok(false) };
        if !self.compactor.start_if_due(partition, &*self.log) {
            return Ok(false);
        }
        self.compactor.prepare(&*self.log).map_err(|error| format!("compaction: {error}"))?;
        self.compactor.forward(partition, now_ms).map_err(|error| format!("compaction: {error}"))?;
        if let Some(up_to) = self.compactor.trim(partition) {
            self.log.trim(partition.epoch(), up_to).map_err(|error| format!("trimming: {error}"))?;
        }
        self.compactor.finish(partition, &*self.log);
        Ok(self.compactor.is_running())
    }

    /// The queue with this address.
    pub fn index(&self, address: &afterward_names::QueueAddress) -> Option<QueueIndex> {
        self.queues.iter().position(|queue| queue.address() == *address)
    }
}
