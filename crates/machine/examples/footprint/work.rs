//! A state and what is done to it, as the broker would, without the log.

use crate::process::Stopwatch;
use afterward_machine::{
    AttributeChanges, Command, CreateQueue, Dedup, Delivery, Event, LeaseRef, Location, Receive, Reply, Send, State,
};
use afterward_names::{AccountId, QueueAddress};
use std::collections::BTreeMap;

/// A state, with a clock and a log that only counts.
pub(crate) struct Work {
    pub(crate) state: State,
    records: u64,
    /// What was applied when and where, if it is wanted.
    log: Option<Vec<(u64, Event, Location)>>,
}

/// The queue of this name. Each address is parsed anew, as that of each request is.
pub(crate) fn address(name: &str) -> QueueAddress {
    let Ok(name) = name.parse() else { panic!("{name} is no queue's name") };
    let Ok(region) = "us-east-1".parse() else { panic!("a region") };
    QueueAddress { account: AccountId::DEFAULT, region, name }
}

impl Work {
    pub(crate) fn new() -> Work {
        let mut state = State::new();
        state.advance(1_700_000_000_000);
        Work { state, records: 0, log: None }
    }

    /// One that keeps its log.
    pub(crate) fn logged() -> Work {
        Work { log: Some(Vec::new()), ..Work::new() }
    }

    /// The state anew from the log that was kept, and what that took, reading aside.
    pub(crate) fn replay(self) -> (State, u64) {
        let Work { log, state, .. } = self;
        drop(state);
        let (log, mut state) = (log.unwrap_or_default(), State::new());
        let watch = Stopwatch::start();
        for (time_ms, event, at) in &log {
            state.advance(*time_ms);
            state.apply(event, *at);
        }
        (state, watch.elapsed_ns())
    }

    /// Does what the command says, which must not be refused.
    pub(crate) fn run(&mut self, command: &Command) -> Reply {
        let random = self.records.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let decision = match self.state.decide(command, random) {
            Ok(decision) => decision,
            Err(refusal) => panic!("{command:?}: {refusal:?}"),
        };
        for event in decision.events {
            // Sixteen records a batch, each of a 256-byte body.
            let at = Location {
                position: self.records / 16,
                offset_bytes: (self.records % 16 * 340) as u32,
                length_bytes: 340,
            };
            self.state.apply(&event, at);
            self.records += 1;
            if let Some(log) = &mut self.log {
                log.push((self.state.now_ms(), event, at));
            }
        }
        decision.reply
    }

    pub(crate) fn create(&mut self, name: &str) -> QueueAddress {
        let attributes = AttributeChanges { fifo: name.ends_with(".fifo").then_some(true), ..Default::default() };
        let queue = address(name);
        let create = CreateQueue { queue: queue.clone(), attributes, tags: BTreeMap::new(), cooldown: false };
        self.run(&Command::CreateQueue(create));
        queue
    }

    pub(crate) fn pass(&mut self, ms: u64) {
        self.state.advance(self.state.now_ms() + ms);
    }

    pub(crate) fn send(&mut self, send: &Command) {
        self.run(send);
    }

    pub(crate) fn receive(&mut self, receive: &Command) -> Vec<Delivery> {
        match self.run(receive) {
            Reply::Received { deliveries, .. } => deliveries,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn delete(&mut self, queue: &QueueAddress, lease: LeaseRef) {
        self.run(&Command::Delete { queue: queue.clone(), lease });
    }
}

/// A message without a group.
pub(crate) fn plain(queue: &QueueAddress, delay_ms: Option<u64>) -> Command {
    let (queue, group, dedup) = (queue.clone(), None, None);
    Command::Send(Send { queue, size_bytes: 256, delay_ms, group, dedup, job: false, batch: None })
}

/// A message of a group; FIFO queues also want a number that tells it from others.
pub(crate) fn grouped(queue: &QueueAddress, group: u64, number: Option<u64>) -> Command {
    // Spread as the first bytes of a digest are.
    let digest =
        |number: u64| (u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).to_be_bytes();
    let dedup = number.map(|number| Dedup::Fifo { id: Some(digest(number)), body: None });
    let group = format!("customer-{group:07}").parse().ok();
    Command::Send(Send { queue: queue.clone(), size_bytes: 256, delay_ms: None, group, dedup, job: false, batch: None })
}

pub(crate) fn receiving(queue: &QueueAddress, max: usize, timeout_ms: u64) -> Command {
    Command::Receive(Receive { queue: queue.clone(), max, visibility_timeout_ms: Some(timeout_ms), attempt: None })
}
