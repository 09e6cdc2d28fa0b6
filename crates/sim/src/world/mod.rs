//! A run: clients, the system, faults and time, one step after the other as the seed says.

mod answers;
mod drain;
mod faults;
mod pauses;
mod remarks;
mod schedules;

use crate::checker::{Checker, Violation};
use crate::client::{Client, Intent, Pending, Supply};
use crate::history::{Call, CallId, Remark, SeenSchedule};
use crate::rng::Rng;
use crate::scenario::{self, QueueSpec};
use crate::system::{Bug, Fencing, Kind, System};
use crate::tally::Tally;
use crate::trace::Trace;
use afterward_broker::partition::{self, Gated};

/// 2025-07-01T00:00:00.000Z.
const START_MS: u64 = 1_751_328_000_000;

/// One run.
pub struct World {
    rng: Rng,
    queues: Vec<QueueSpec>,
    system: System,
    clients: Vec<Client>,
    supply: Supply,
    /// The schedules that were read lately, to be run.
    read: Vec<SeenSchedule>,
    /// Waits for one to be due.
    runner: Option<Gated<()>>,
    checker: Checker,
    trace: Trace,
    tally: Tally,
    /// How many of 1,000 appends fail; 0: nothing fails. No seed stays as it is when it comes to its end.
    faults: u64,
    /// There is no room for so many steps.
    full_for: u64,
    /// The latest that the broker's time has been, in any owner's life.
    latest_ms: u64,
}

fn violation(what: String) -> Violation {
    Violation { what }
}

impl World {
    /// The run of a seed.
    ///
    /// # Errors
    /// When the system does not start.
    pub fn new(seed: u64, keep_trace: bool, bug: Option<Bug>) -> Result<World, Violation> {
        let mut rng = Rng::new(seed);
        let queues = scenario::queues(&mut rng);
        let kind = rng.pick(&[
            Kind::Memory(Fencing::ByStore),
            Kind::Memory(Fencing::ByReaders),
            Kind::Files { direct: false },
            Kind::Files { direct: true },
        ]);
        let clients = (0..3 + rng.below(5)).map(|_| Client::default()).collect();
        let random = Rng::new(rng.bits());
        let steady = rng.chance(700);
        let system = System::new(queues.clone(), kind, START_MS, random, steady, bug).map_err(violation)?;
        let checker = Checker::new(queues.clone());
        let mut trace = Trace::new(keep_trace);
        trace.line(format!("seed {seed}: {kind:?}, {queues:?}"));
        let supply = Supply { sweeping: rng.chance(400), reshaping: rng.chance(300), ..Supply::default() };
        let tally = Tally::default();
        let faults = rng.pick(&[0, 10, 80]);
        Ok(World {
            rng,
            queues,
            system,
            clients,
            supply,
            read: Vec::new(),
            runner: None,
            checker,
            trace,
            tally,
            faults,
            full_for: 0,
            latest_ms: START_MS,
        })
    }

    /// What happened.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What the log retains.
    pub fn records(&self) -> Vec<String> {
        self.system.records()
    }

    /// How much of it.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// So many steps, then everything is received and deleted, and the books are closed.
    ///
    /// # Errors
    /// [`Violation`] at the first answer, or missing answer, that can't be.
    pub fn run(&mut self, steps: u64) -> Result<(), Violation> {
        for step in 0..steps {
            self.step().map_err(|Violation { what }| violation(format!("step {step}: {what}")))?;
        }
        self.drain().map_err(|Violation { what }| violation(format!("at the end: {what}")))
    }

    fn step(&mut self) -> Result<(), Violation> {
        self.tally.steps += 1;
        if self.full_for > 0 {
            self.full_for -= 1;
        }
        if self.system.partition().is_none() {
            if self.full_for > 0 {
                return self.wait_for_room();
            }
            self.recover()?;
        }
        match self.rng.below(1000) {
            0..480 => self.call()?,
            480..580 => {
                self.system.take();
            }
            580..710 => self.land(),
            710..800 => self.pass_time(),
            800..860 => self.compact()?,
            860..870 if self.faults > 0 => {
                // Mostly in the midst of an append, which is where something can be torn.
                if self.rng.chance(700) {
                    self.system.take();
                }
                self.crash()?;
            }
            870..880 => {
                let told = self.system.deliver_late();
                self.trace.line(format!("late batches arrive, {told} are told to be written"));
            }
            880..890 if self.faults > 0 => self.pause()?,
            890..892 if self.faults > 0 => self.fill(),
            892..940 => self.go_on()?,
            940..950 => self.leave()?,
            950..985 => self.quiet()?,
            _ if self.faults > 0 => self.compare_replay()?,
            _ => self.quiet()?,
        }
        if self.rng.chance(700) {
            self.system.on_time();
        }
        self.poll()
    }

    /// A client whose receive waits goes away: at rest, when it certainly has got nothing, or at any time.
    fn leave(&mut self) -> Result<(), Violation> {
        let at_rest = self.rng.chance(700) && self.full_for == 0;
        if at_rest {
            self.quiet()?;
        }
        let waits = |at: &usize| {
            let client = &self.clients[*at];
            client.at.is_none() && matches!(client.pending, Some(Pending::Waiting(..)))
        };
        let Some(who) = (0..self.clients.len()).find(waits) else { return Ok(()) };
        let Some(Pending::Waiting(call, waiting)) = self.clients[who].pending.take() else { return Ok(()) };
        self.system.leave(waiting);
        self.checker.left(self.system.now_ms(), call, at_rest);
        self.tally.waits_left += 1;
        self.trace.line(format!("#{call} client {who} goes away, at rest: {at_rest}"));
        Ok(())
    }

    /// A client that waits for nothing asks for something.
    fn call(&mut self) -> Result<(), Violation> {
        let idle: Vec<usize> = (0..self.clients.len()).filter(|at| self.clients[*at].pending.is_none()).collect();
        if idle.is_empty() || self.system.partition().is_none() {
            return Ok(());
        }
        let who = self.rng.pick(&idle);
        if self.rng.chance(120) {
            return self.schedule(who);
        }
        let intent = self.clients[who].next(who, &mut self.rng, &self.queues, &mut self.supply);
        let pending = match intent {
            Intent::Send(sendings) => {
                let calls = sendings.iter().map(|sending| self.note(who, Call::Send(sending.clone()))).collect();
                self.system.send(&sendings).map(|gated| Pending::Sends(calls, gated))
            }
            Intent::Call(call) => {
                let id = self.note(who, call.clone());
                self.perform(id, &call)
            }
        };
        self.wait_for(who, pending);
        Ok(())
    }

    /// Notes what a client waits for, and what its answer rests on.
    fn wait_for(&mut self, who: usize, pending: Option<Pending>) {
        // A receive that waits rests on what will be when it is served.
        let waits = matches!(pending, Some(Pending::Waiting(..)));
        let gate = if waits { 0 } else { self.system.landed_then() };
        let client = &mut self.clients[who];
        (client.pending, client.gate, client.at, client.in_vain) = (pending, gate, None, false);
    }

    fn note(&mut self, who: usize, call: Call) -> CallId {
        let now_ms = self.system.now_ms();
        self.tally.calls += 1;
        let id = self.checker.called(now_ms, call.clone());
        self.trace.line(format!("{now_ms} #{id} client {who}: {call:?}"));
        id
    }

    fn perform(&mut self, id: CallId, call: &Call) -> Option<Pending> {
        match call {
            Call::Send(sending) => {
                self.system.send(std::slice::from_ref(sending)).map(|gated| Pending::Sends(vec![id], gated))
            }
            Call::Receive(receiving) => loop {
                match self.system.receive(receiving)? {
                    partition::Receiving::Answered(gated) => return Some(Pending::Found(id, gated)),
                    partition::Receiving::Waiting(waiting) => {
                        self.checker.waits(id);
                        return Some(Pending::Waiting(id, waiting));
                    }
                    partition::Receiving::Again => {}
                }
            },
            Call::Purge(queue) => self.system.purge(*queue).map(|gated| Pending::Act(id, gated)),
            Call::Move(queue, max_per_s) => {
                self.system.redrive(*queue, *max_per_s).map(|gated| Pending::Act(id, gated))
            }
            Call::Cancel(task) => self.system.cancel(*task).map(|gated| Pending::Act(id, gated)),
            Call::Set(queue, settings) => {
                self.tally.queues_set += 1;
                self.system.set(*queue, settings).map(|gated| Pending::Act(id, gated))
            }
            Call::Remove(queue) => {
                self.tally.queues_deleted += 1;
                self.system.remove(*queue).map(|gated| Pending::Act(id, gated))
            }
            Call::Create(queue) => self.system.create(*queue).map(|gated| Pending::Act(id, gated)),
            Call::Schedule(schedule, scheduling) => self.perform_scheduling(id, *schedule, *scheduling),
            Call::Delete(held) => self.system.delete(held).map(|gated| Pending::Act(id, gated)),
            Call::Change(held, timeout_ms, remark) => {
                self.tally.reports += u64::from(*remark == Remark::Progress);
                self.tally.handed_back += u64::from(*remark == Remark::Unbegun);
                self.tally.taken_back += u64::from(*remark == Remark::Undelivered);
                self.system.change(id, held, *timeout_ms, *remark).map(|gated| Pending::Act(id, gated))
            }
            Call::DeadLetter(held, says_why) => {
                self.system.dead_letter(id, held, *says_why).map(|gated| Pending::Act(id, gated))
            }
        }
    }

    fn pass_time(&mut self) {
        let clock_ms = self.system.clock_ms();
        let before_ms = clock_ms;
        let clock_ms = match self.rng.below(100) {
            0..70 => clock_ms + self.rng.below(500),
            70..95 => clock_ms + self.rng.below(10_000),
            95..97 => clock_ms.saturating_sub(self.rng.below(60_000)),
            97..99 => clock_ms + self.rng.below(400_000),
            // A restart after a week-end is not a fault, and neither is a clock that has been wrong for as long.
            _ if self.rng.chance(50) => clock_ms + self.rng.below(40 * 3_600_000),
            _ if self.rng.chance(200) => clock_ms.saturating_sub(self.rng.below(40 * 3_600_000)),
            _ => clock_ms,
        };
        self.tally.clocks_set_back += u64::from(clock_ms < before_ms);
        self.tally.clocks_set_forward += u64::from(clock_ms > before_ms + 10_000);
        self.system.set_clock_ms(clock_ms);
        self.trace.line(format!("the clock shows {clock_ms}"));
    }

    fn compact(&mut self) -> Result<(), Violation> {
        // A pass takes many steps, and what it writes has to land in between. Some passes are left half-way.
        for _ in 0..self.rng.below(8) {
            self.land();
            let more = self.system.compact().map_err(violation)?;
            let (retained_bytes, trimmed) = self.system.log_bytes();
            self.trace.line(format!("compaction {more}: {retained_bytes} bytes, {trimmed} batches gone"));
            if self.rng.chance(700) {
                self.system.take();
            }
        }
        Ok(())
    }

    /// Lets everything come to rest: all that was asked is durable and told.
    fn quiet(&mut self) -> Result<(), Violation> {
        if self.full_for > 0 {
            return Ok(());
        }
        for _ in 0..1000 {
            if self.system.partition().is_none() {
                self.recover()?;
            }
            self.system.on_time();
            self.system.take();
            if !self.system.is_in_flight() {
                self.poll()?;
                self.checker.quiet(self.system.now_ms())?;
                self.check_progress()?;
                return self.check_schedules();
            }
            self.land();
        }
        Err(violation("the broker does not come to rest".into()))
    }
}
