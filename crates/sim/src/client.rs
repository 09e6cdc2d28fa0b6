//! What a client does next, and what it waits for.

use crate::history::{Batch, Call, CallId, Held, QueueIndex, Receiving, Remark, Sending, Settings};
use crate::rng::Rng;
use crate::scenario::QueueSpec;
use afterward_broker::partition::{Found, Gated, Waiting};
use afterward_machine::{Refusal, Reply};

/// How much a client remembers of what it received: also what it holds no more.
const REMEMBERED: usize = 12;

/// What a holder says, the more often the more often it is here.
const REMARKS: [Remark; 8] = [
    Remark::Nothing,
    Remark::Failed,
    Remark::Failed,
    Remark::Progress,
    Remark::Progress,
    Remark::Unbegun,
    Remark::Undelivered,
    Remark::Undelivered,
];

/// A client: one call at a time, and the leases that it was given.
#[derive(Default)]
pub struct Client {
    /// What it waits for.
    pub pending: Option<Pending>,
    /// No answer before so many batches have arrived.
    pub gate: u64,
    /// The paused owner that it is still connected to; `None`: whoever has the log.
    pub at: Option<u64>,
    /// Calls to that one were taken in vain.
    pub in_vain: bool,
    /// What it received and has not let go of: the leases may have ended.
    pub held: Vec<Held>,
    /// A send with a deduplication id that nobody knows the fate of: it sends again.
    pub retry: Option<Sending>,
    /// A receive attempt that it may repeat.
    pub again: Option<Receiving>,
}

/// A call without an answer.
pub enum Pending {
    /// Sends, under one flush.
    Sends(Vec<CallId>, Gated<Vec<Result<Reply, Refusal>>>),
    /// A delete or a visibility change.
    Act(CallId, Gated<Result<Reply, Refusal>>),
    /// A receive that has its answer, behind the gate.
    Found(CallId, Gated<Found>),
    /// A receive that waits.
    Waiting(CallId, Waiting),
}

impl Pending {
    /// Its calls.
    pub fn calls(&self) -> Vec<CallId> {
        match self {
            Pending::Sends(calls, _) => calls.clone(),
            Pending::Act(call, _) | Pending::Found(call, _) | Pending::Waiting(call, _) => vec![*call],
        }
    }
}

/// What it asks next.
pub enum Intent {
    /// One or more sends at once.
    Send(Vec<Sending>),
    /// Anything else.
    Call(Call),
}

/// What all clients of a run choose from.
#[derive(Debug, Default)]
pub struct Supply {
    /// Whether queues are purged and dead letters redriven: both make much uncertain, so not in every run.
    pub sweeping: bool,
    /// Whether queues are set anew, deleted and made again: so, too.
    pub reshaping: bool,
    /// Queues that are perhaps deleted, and move tasks that have been started.
    pub removed: Vec<QueueIndex>,
    /// See there.
    pub tasks: Vec<u64>,
    /// How many bodies have been given out.
    pub bodies: u64,
    /// How many deduplication ids have been.
    pub dedups: u32,
}

impl Client {
    /// Remembers what it received.
    pub fn hold(&mut self, held: Held) {
        self.held.push(held);
        if self.held.len() > REMEMBERED {
            self.held.remove(0);
        }
    }

    /// Its next request.
    pub fn next(&mut self, who: usize, rng: &mut Rng, queues: &[QueueSpec], supply: &mut Supply) -> Intent {
        if let Some(retry) = self.retry.take() {
            let body = supply.body(rng);
            return Intent::Send(vec![Sending { body, ..retry }]);
        }
        if let Some(again) = self.again.take().filter(|_| rng.chance(500)) {
            return Intent::Call(Call::Receive(again));
        }
        if supply.sweeping && rng.chance(20) {
            let dead_letters = rng.below(2) as QueueIndex;
            let call = match (rng.below(4), supply.tasks.last()) {
                (0, _) => Call::Purge(rng.below(queues.len() as u64) as QueueIndex),
                (1, Some(task)) => Call::Cancel(*task),
                _ => Call::Move(dead_letters, rng.pick(&[None, Some(1), Some(500)])),
            };
            return Intent::Call(call);
        }
        if supply.reshaping && rng.chance(20) {
            return Intent::Call(supply.reshape(rng, queues));
        }
        match rng.below(100) {
            0..26 => {
                let count = if rng.chance(200) { 2 + rng.below(3) } else { 1 };
                let queue = 2 + rng.below(queues.len() as u64 - 2) as QueueIndex;
                Intent::Send((0..count).map(|_| supply.sending(rng, queues, queue)).collect())
            }
            26..56 => {
                let receiving = receiving(who, rng, queues);
                self.again = Some(receiving.clone()).filter(|receiving| receiving.attempt.is_some());
                Intent::Call(Call::Receive(receiving))
            }
            choice => match self.pick(rng, choice < 88) {
                Some(held) if choice < 84 => Intent::Call(Call::Delete(held)),
                Some(held) if choice < 88 => Intent::Call(Call::DeadLetter(held, rng.chance(700))),
                Some(held) => {
                    let timeout_ms = rng.pick(&[0, 0, 500, 2_000, 30_000, 120_000]);
                    let remark = rng.pick(&REMARKS);
                    Intent::Call(Call::Change(held, timeout_ms, remark))
                }
                None => Intent::Call(Call::Receive(receiving(who, rng, queues))),
            },
        }
    }

    /// Something that it holds, which it mostly lets go of.
    fn pick(&mut self, rng: &mut Rng, let_go: bool) -> Option<Held> {
        if self.held.is_empty() {
            return None;
        }
        let at = rng.below(self.held.len() as u64) as usize;
        if let_go && rng.chance(800) { Some(self.held.remove(at)) } else { self.held.get(at).copied() }
    }
}

impl Supply {
    /// A queue is deleted, made again, or set anew.
    fn reshape(&mut self, rng: &mut Rng, queues: &[QueueSpec]) -> Call {
        if let Some(queue) = self.removed.pop() {
            return Call::Create(queue);
        }
        let queue = rng.below(queues.len() as u64) as QueueIndex;
        if rng.chance(300) {
            self.removed.push(queue);
            return Call::Remove(queue);
        }
        let to = Settings {
            delay_ms: rng.pick(&[0, 0, 2_000, 20_000]),
            visibility_ms: rng.pick(&[1_000, 5_000, 30_000]),
            retention_ms: rng.pick(&[queues[queue].retention_ms, queues[queue].retention_ms, 60_000]),
            max_receive_count: 1 + rng.below(4) as u32,
        };
        Call::Set(queue, to)
    }

    /// A body that no other send has.
    fn body(&mut self, rng: &mut Rng) -> String {
        self.bodies += 1;
        let padding = if rng.chance(50) { 2_000 } else { rng.below(60) };
        format!("body {} {}", self.bodies, "x".repeat(padding as usize))
    }

    /// A message for a queue.
    pub fn sending(&mut self, rng: &mut Rng, queues: &[QueueSpec], queue: QueueIndex) -> Sending {
        let body = self.body(rng);
        if queues[queue].is_fifo() {
            // One in four comes again, sooner or later.
            let dedup = if rng.chance(250) {
                rng.below(4) as u32
            } else {
                self.dedups += 1;
                1_000 + self.dedups
            };
            let group = Some(rng.below(3) as u8);
            return Sending {
                queue,
                body,
                delay_ms: None,
                group,
                dedup: Some(dedup),
                fingerprint: 0,
                batch: None,
                tick: None,
            };
        }
        let delay_ms = if rng.chance(200) { Some(rng.pick(&[0, 700, 4_000, 60_000])) } else { None };
        let group = rng.chance(300).then(|| rng.below(3) as u8);
        let dedup = rng.chance(200).then(|| rng.below(6) as u32);
        let fingerprint = if dedup.is_some() { u64::from(rng.chance(200)) } else { 0 };
        let batch = if dedup.is_none() { batch(rng) } else { None };
        Sending { queue, body, delay_ms, group, dedup, fingerprint, batch, tick: None }
    }
}

/// A batch for one message in four.
fn batch(rng: &mut Rng) -> Option<Batch> {
    let number = rng.below(3) as u8;
    match rng.below(12) {
        0..2 => Some(Batch::In(number)),
        2 => Some(Batch::After(number)),
        _ => None,
    }
}

fn receiving(who: usize, rng: &mut Rng, queues: &[QueueSpec]) -> Receiving {
    let of_dead_letters = rng.chance(100);
    let (first, count) = if of_dead_letters { (0, 2) } else { (2, queues.len() as u64 - 2) };
    let queue = first + rng.below(count) as QueueIndex;
    // Each client has attempts of its own, and comes back to them.
    let attempt = (queues[queue].is_fifo() && rng.chance(400)).then(|| who as u32 * 8 + rng.below(2) as u32);
    Receiving {
        queue,
        max: rng.pick(&[1, 1, 2, 3, 10]),
        visibility_ms: rng.pick(&[None, None, None, Some(0), Some(500), Some(10_000), Some(300_000)]),
        wait_ms: if attempt.is_some() { 0 } else { rng.pick(&[0, 0, 0, 1_000, 5_000, 20_000]) },
        attempt,
    }
}
