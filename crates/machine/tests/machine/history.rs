//! Histories: what may happen, at random but with fixed seeds, so that a failure is the same on every machine; it is
//! then shrunk.

use crate::script::address;
use crate::world;
use afterward_machine::{
    AttributeChanges, Batched, Command, CreateQueue, Dedup, Delivery, LeaseRef, Receive, RedrivePolicy, Refusal, Reply,
    Send, StartMove,
};
use afterward_names::MessageId;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;

/// The queues of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Queue {
    Standard,
    Dead,
    Fifo,
    DeadFifo,
}

impl Queue {
    fn name(self) -> &'static str {
        match self {
            Queue::Standard => "jobs",
            Queue::Dead => "dead",
            Queue::Fifo => "jobs.fifo",
            Queue::DeadFifo => "dead.fifo",
        }
    }

    pub(crate) fn is_fifo(self) -> bool {
        matches!(self, Queue::Fifo | Queue::DeadFifo)
    }

    pub(crate) fn dead_letters(self) -> Option<Queue> {
        match self {
            Queue::Standard => Some(Queue::Dead),
            Queue::Fifo => Some(Queue::DeadFifo),
            Queue::Dead | Queue::DeadFifo => None,
        }
    }

    pub(crate) fn retention_ms(self) -> u64 {
        match self {
            Queue::Standard | Queue::Fifo => 60_000,
            Queue::Dead | Queue::DeadFifo => 90_000,
        }
    }
}

/// A step of a history.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Advance(u64),
    Send {
        queue: Queue,
        group: u8,
        delay_ms: u64,
        id: u8,
        batch: u8,
    },
    Receive {
        queue: Queue,
        max: usize,
        timeout_ms: u64,
        attempt: u8,
    },
    Delete {
        pick: usize,
    },
    Change {
        pick: usize,
        timeout_ms: u64,
        failure: bool,
    },
    HandBack {
        pick: usize,
        timeout_ms: u64,
    },
    TakeBack {
        pick: usize,
        timeout_ms: u64,
    },
    Purge {
        queue: Queue,
    },
    /// Deletes a queue and makes it anew.
    Remake {
        queue: Queue,
    },
    Move {
        queue: Queue,
        rate: Option<u32>,
    },
    RunMoves,
    Compact,
    Define,
    Forward(usize),
}

fn queue() -> impl Strategy<Value = Queue> {
    prop_oneof![4 => Just(Queue::Standard), 1 => Just(Queue::Dead), 4 => Just(Queue::Fifo), 1 => Just(Queue::DeadFifo)]
}

/// Mostly short, now and then long enough for retention and deduplication windows to end.
fn time_ms() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 0..3000_u64, 3 => 3000..20_000_u64, 1 => 20_000..400_000_u64]
}

fn timeout_ms() -> impl Strategy<Value = u64> {
    prop_oneof![1 => Just(0), 6 => 1..8000_u64, 1 => 8000..100_000_u64]
}

fn op() -> impl Strategy<Value = Op> {
    let send = (queue(), 0..4_u8, prop_oneof![2 => Just(0), 1 => 0..10_000_u64], 0..30_u8, 0..9_u8);
    let receive = (queue(), 1..=10_usize, timeout_ms(), 0..6_u8);
    prop_oneof![
        6 => time_ms().prop_map(Op::Advance),
        10 => send.prop_map(|(queue, group, delay_ms, id, batch)| Op::Send { queue, group, delay_ms, id, batch }),
        8 => receive.prop_map(|(queue, max, timeout_ms, attempt)| Op::Receive { queue, max, timeout_ms, attempt }),
        6 => (0..12_usize).prop_map(|pick| Op::Delete { pick }),
        3 => (0..12_usize, timeout_ms(), any::<bool>())
            .prop_map(|(pick, timeout_ms, failure)| Op::Change { pick, timeout_ms, failure }),
        2 => (0..12_usize, timeout_ms()).prop_map(|(pick, timeout_ms)| Op::HandBack { pick, timeout_ms }),
        1 => (0..12_usize, timeout_ms()).prop_map(|(pick, timeout_ms)| Op::TakeBack { pick, timeout_ms }),
        1 => prop_oneof![
            3 => queue().prop_map(|queue| Op::Purge { queue }),
            1 => queue().prop_map(|queue| Op::Remake { queue }),
        ],
        2 => (queue(), proptest::option::of(1..5_u32)).prop_map(|(queue, rate)| Op::Move { queue, rate }),
        3 => Just(Op::RunMoves),
        1 => Just(Op::Compact),
        1 => Just(Op::Define),
        3 => (1..8_usize).prop_map(Op::Forward),
    ]
}

/// Half of the messages have to do with one of three batches; more are in one than after one.
fn batched(batch: u8) -> Option<Batched> {
    let id = || format!("b{}", batch % 3).parse().unwrap();
    match batch {
        0..3 => Some(Batched::In(id())),
        3..5 => Some(Batched::After(id())),
        _ => None,
    }
}

/// Runs `test` on `cases` histories of up to `steps` steps. The same ones every time.
pub(crate) fn run_seeds(name: &str, cases: u32, steps: usize, test: impl Fn(&[Op])) {
    let mut seed = [0; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let outcome = runner.run(&vec(op(), 1..steps), |ops| {
        test(&ops);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// The queues, and messages by names that don't depend on where their state is kept.
pub(crate) struct World {
    pub(crate) inner: world::World,
    names: BTreeMap<MessageId, u64>,
    leases: Vec<(Queue, LeaseRef)>,
}

impl World {
    pub(crate) fn new() -> World {
        let mut world = World { inner: world::World::new(), names: BTreeMap::new(), leases: Vec::new() };
        for queue in [Queue::Dead, Queue::Standard, Queue::DeadFifo, Queue::Fifo] {
            world.create(queue);
        }
        world
    }

    fn create(&mut self, queue: Queue) {
        let redrive = queue.dead_letters().map(|dead| {
            let dead_letter_queue = address(dead.name()).arn();
            Some(RedrivePolicy { dead_letter_queue, max_receive_count: 2 })
        });
        let attributes = AttributeChanges {
            fifo: queue.is_fifo().then_some(true),
            retention_ms: Some(queue.retention_ms()),
            redrive,
            ..AttributeChanges::default()
        };
        let create = CreateQueue { queue: address(queue.name()), attributes, tags: BTreeMap::new(), cooldown: false };
        self.inner.run(&Command::CreateQueue(create)).unwrap();
    }

    /// The name that a new message would have, and that of the message that the reply is about.
    fn send(
        &mut self,
        queue: Queue,
        group: Option<u8>,
        delay_ms: u64,
        id: Option<u8>,
        batch: Option<Batched>,
    ) -> (u64, u64) {
        let send = Send {
            queue: address(queue.name()),
            size_bytes: 10,
            delay_ms: (delay_ms > 0).then_some(delay_ms),
            group: group.map(|group| format!("g{group}").parse().unwrap()),
            dedup: id.map(|id| Dedup::Fifo { id: Some([id; 16]), body: None }),
            job: delay_ms % 2 == 1,
            batch,
        };
        let Ok(Reply::Sent { id, .. }) = self.inner.run(&Command::Send(send)) else { panic!("not sent") };
        let name = self.names.len() as u64;
        (name, *self.names.entry(id).or_insert(name))
    }

    pub(crate) fn receive(
        &mut self,
        queue: Queue,
        max: usize,
        timeout_ms: u64,
        attempt: Option<[u8; 16]>,
    ) -> Vec<(u64, Delivery)> {
        let visibility_timeout_ms = Some(timeout_ms);
        let receive = Receive { queue: address(queue.name()), max, visibility_timeout_ms, attempt };
        let Ok(Reply::Received { deliveries, more: false }) = self.inner.run(&Command::Receive(receive)) else {
            panic!("not received")
        };
        self.leases.extend(deliveries.iter().map(|delivery| (queue, delivery.lease)));
        deliveries.into_iter().map(|of| (self.names[&of.id.after_redrives(0)], of)).collect()
    }

    pub(crate) fn delete(&mut self, queue: Queue, lease: LeaseRef) -> Result<(), Refusal> {
        self.inner.run(&Command::Delete { queue: address(queue.name()), lease }).map(|_| ())
    }

    pub(crate) fn change(
        &mut self,
        queue: Queue,
        lease: LeaseRef,
        timeout_ms: u64,
        failure: bool,
    ) -> Result<(), Refusal> {
        let queue = address(queue.name());
        self.inner.run(&Command::ChangeVisibility { queue, lease, timeout_ms, failure }).map(|_| ())
    }

    pub(crate) fn hand_back(&mut self, queue: Queue, lease: LeaseRef, timeout_ms: u64) -> Result<(), Refusal> {
        self.inner.run(&Command::HandBack { queue: address(queue.name()), lease, timeout_ms }).map(|_| ())
    }

    pub(crate) fn purge(&mut self, queue: Queue) {
        self.inner.run(&Command::Purge { queue: address(queue.name()), cooldown: false }).unwrap();
    }

    pub(crate) fn step(&mut self, op: &Op) {
        match *op {
            Op::Advance(ms) => self.inner.advance(ms),
            Op::Send { queue, group, delay_ms, id, batch } => {
                let fifo = queue.is_fifo();
                let (delay_ms, id) = if fifo { (0, Some(id)) } else { (delay_ms, None) };
                self.send(queue, (fifo || group > 0).then_some(group), delay_ms, id, batched(batch));
            }
            Op::Receive { queue, max, timeout_ms, attempt } => {
                let attempt = (queue.is_fifo() && attempt > 0).then_some([attempt; 16]);
                self.receive(queue, max, timeout_ms, attempt);
            }
            // Refusals are part of a history.
            Op::Delete { pick } => {
                let _ = self.picked(pick).map(|(queue, lease)| self.delete(queue, lease));
            }
            Op::Change { pick, timeout_ms, failure } => {
                let _ = self.picked(pick).map(|(queue, lease)| self.change(queue, lease, timeout_ms, failure));
            }
            Op::HandBack { pick, timeout_ms } => {
                let _ = self.picked(pick).map(|(queue, lease)| self.hand_back(queue, lease, timeout_ms));
            }
            Op::TakeBack { pick, timeout_ms } => {
                let _ = self.picked(pick).map(|(queue, lease)| {
                    self.inner.run(&Command::TakeBack { queue: address(queue.name()), lease, timeout_ms })
                });
            }
            Op::Purge { queue } => self.purge(queue),
            Op::Remake { queue } => {
                self.inner.run(&Command::DeleteQueue { queue: address(queue.name()) }).unwrap();
                self.create(queue);
            }
            Op::Move { queue, rate } => {
                let start = StartMove { source: address(queue.name()).arn(), destination: None, max_per_s: rate };
                let _ = self.inner.run(&Command::StartMove(start));
            }
            Op::RunMoves => {
                self.inner.run(&Command::RunMoves).unwrap();
            }
            Op::Compact => self.inner.compact(),
            Op::Define => self.inner.define(),
            Op::Forward(records) => self.inner.forward(records),
        }
    }

    fn picked(&self, pick: usize) -> Option<(Queue, LeaseRef)> {
        self.leases.iter().rev().nth(pick % self.leases.len().max(1)).copied()
    }
}
