//! What a client does next, and what it waits for.

use crate::history::{Call, CallId, Held, QueueIndex, Receiving, Sending};
use crate::rng::Rng;
use crate::scenario::QueueSpec;
use afterward_broker::partition::{Found, Gated, Waiting};
use afterward_machine::{Refusal, Reply};

/// How much a client remembers of what it received: also what it holds no more.
const REMEMBERED: usize = 12;

/// A client: one call at a time, and the leases that it was given.
#[derive(Default)]
pub struct Client {
    /// What it waits for.
    pub pending: Option<Pending>,
    /// No answer before so many batches have arrived.
    pub gate: u64,
    /// What it received and has not let go of: the leases may have ended.
    pub held: Vec<Held>,
    /// A send with a deduplication id that nobody knows the fate of: it sends again.
    pub retry: Option<Sending>,
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

/// What it asks next.
pub enum Intent {
    /// One or more sends at once.
    Send(Vec<Sending>),
    /// Anything else; the text is an error to attach to a visibility change.
    Call(Call, Option<&'static str>),
}

/// What all clients of a run choose from.
#[derive(Debug, Default)]
pub struct Supply {
    /// Whether queues are purged and dead letters redriven: both make much uncertain, so not in every run.
    pub sweeping: bool,
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
    pub fn next(&mut self, rng: &mut Rng, queues: &[QueueSpec], supply: &mut Supply) -> Intent {
        if let Some(retry) = self.retry.take() {
            let body = supply.body(rng);
            return Intent::Send(vec![Sending { body, ..retry }]);
        }
        if supply.sweeping && rng.chance(20) {
            let dead_letters = rng.below(2) as QueueIndex;
            let call = match rng.chance(250) {
                true => Call::Purge(rng.below(queues.len() as u64) as QueueIndex),
                false => Call::Move(dead_letters, rng.pick(&[None, Some(1), Some(500)])),
            };
            return Intent::Call(call, None);
        }
        match rng.below(100) {
            0..26 => {
                let count = if rng.chance(200) { 2 + rng.below(3) } else { 1 };
                let queue = 2 + rng.below(queues.len() as u64 - 2) as QueueIndex;
                Intent::Send((0..count).map(|_| supply.sending(rng, queues, queue)).collect())
            }
            26..56 => Intent::Call(Call::Receive(receiving(rng, queues)), None),
            choice => match self.pick(rng, choice < 88) {
                Some(held) if choice < 88 => Intent::Call(Call::Delete(held), None),
                Some(held) => {
                    let timeout_ms = rng.pick(&[0, 0, 500, 2_000, 30_000, 120_000]);
                    let error = rng.chance(300).then_some("the handler failed");
                    Intent::Call(Call::Change(held, timeout_ms), error)
                }
                None => Intent::Call(Call::Receive(receiving(rng, queues)), None),
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
    /// A body that no other send has.
    fn body(&mut self, rng: &mut Rng) -> String {
        self.bodies += 1;
        let padding = if rng.chance(50) { 2_000 } else { rng.below(60) };
        format!("body {} {}", self.bodies, "x".repeat(padding as usize))
    }

    fn sending(&mut self, rng: &mut Rng, queues: &[QueueSpec], queue: QueueIndex) -> Sending {
        let body = self.body(rng);
        if queues[queue].is_fifo() {
            // One in four comes again, sooner or later.
            let dedup = if rng.chance(250) {
                rng.below(4) as u32
            } else {
                self.dedups += 1;
                1_000 + self.dedups
            };
            return Sending { queue, body, delay_ms: None, group: Some(rng.below(3) as u8), dedup: Some(dedup) };
        }
        let delay_ms = if rng.chance(200) { Some(rng.pick(&[0, 700, 4_000, 60_000])) } else { None };
        let group = rng.chance(300).then(|| rng.below(3) as u8);
        Sending { queue, body, delay_ms, group, dedup: None }
    }
}

fn receiving(rng: &mut Rng, queues: &[QueueSpec]) -> Receiving {
    let of_dead_letters = rng.chance(100);
    let (first, count) = if of_dead_letters { (0, 2) } else { (2, queues.len() as u64 - 2) };
    Receiving {
        queue: first + rng.below(count) as QueueIndex,
        max: rng.pick(&[1, 1, 2, 3, 10]),
        visibility_ms: rng.pick(&[None, None, None, Some(0), Some(500), Some(10_000), Some(300_000)]),
        wait_ms: rng.pick(&[0, 0, 0, 1_000, 5_000, 20_000]),
    }
}
