//! A naive model of SQS, and the state machine against it: any history gives both the same messages in the same order.
//!
//! The model keeps every message in one list and looks at all of it for every step. It knows standard queues without
//! groups (fairness is told by stories) and FIFO queues, delays, leases, retention, dead-letter queues, deduplication,
//! and purging.

use crate::history::{Op, Queue, World, run_seeds};
use afterward_machine::{LeaseRef, Refusal};

const DEDUP_MS: u64 = 300_000;

#[derive(Debug, Clone)]
struct Message {
    name: u64,
    queue: Queue,
    group: Option<u8>,
    /// Its rank: counts up whenever a message comes to the end of a line.
    order: u64,
    sent_ms: u64,
    /// Visible from then on.
    visible_ms: u64,
    lease: Option<LeaseRef>,
    receives: u32,
    received_here: u32,
    received_ms: u64,
}

#[derive(Debug, Default)]
struct Model {
    now_ms: u64,
    messages: Vec<Message>,
    seen: Vec<(Queue, u8, u64, u64)>,
    order: u64,
}

impl Model {
    fn advance(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        self.messages.retain(|m| m.sent_ms + m.queue.retention_ms() > now_ms);
        self.seen.retain(|(_, _, until_ms, _)| *until_ms > now_ms);
        for message in &mut self.messages {
            if message.visible_ms <= now_ms {
                message.lease = None;
            }
        }
    }

    fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    /// The name of the message that this send makes, or is a duplicate of.
    fn send(&mut self, name: u64, queue: Queue, group: Option<u8>, delay_ms: u64, id: Option<u8>) -> u64 {
        if let Some(id) = id {
            if let Some((.., first)) = self.seen.iter().find(|(of, seen, ..)| *of == queue && *seen == id) {
                return *first;
            }
            self.seen.push((queue, id, self.now_ms + DEDUP_MS, name));
        }
        let (order, now_ms) = (self.next_order(), self.now_ms);
        self.messages.push(Message {
            name,
            queue,
            group,
            order,
            sent_ms: now_ms,
            visible_ms: now_ms + delay_ms,
            lease: None,
            receives: 0,
            received_here: 0,
            received_ms: 0,
        });
        name
    }

    fn is_visible(&self, message: &Message) -> bool {
        message.visible_ms <= self.now_ms
    }

    /// Whether something of the same group is in flight, or comes before it and is not visible.
    fn is_blocked(&self, message: &Message) -> bool {
        message.queue.is_fifo()
            && self.messages.iter().any(|other| {
                let same = (other.queue, other.group) == (message.queue, message.group);
                same && !self.is_visible(other) && (other.lease.is_some() || other.order < message.order)
            })
    }

    /// Everything that can be delivered, in order.
    fn line(&self, queue: Queue) -> Vec<u64> {
        let visible = |m: &&Message| m.queue == queue && self.is_visible(m) && !self.is_blocked(m);
        let mut line: Vec<&Message> = self.messages.iter().filter(visible).collect();
        if queue.is_fifo() {
            let first = |m: &Message| line.iter().filter(|o| o.group == m.group).map(|o| o.order).min();
            let ranks: std::collections::BTreeMap<u64, _> =
                line.iter().map(|m| (m.name, (first(m), m.order))).collect();
            line.sort_by_key(|m| ranks[&m.name]);
        } else {
            line.sort_by_key(|m| (m.visible_ms, m.order));
        }
        line.into_iter().map(|m| m.name).collect()
    }

    /// The names of the messages received; the worn-out ones go to their dead-letter queue.
    fn receive(&mut self, queue: Queue, max: usize, timeout_ms: u64) -> Vec<u64> {
        let mut received = Vec::new();
        for name in self.line(queue) {
            if received.len() == max {
                break;
            }
            let (now_ms, order) = (self.now_ms, self.next_order());
            let message = self.messages.iter_mut().find(|m| m.name == name).unwrap();
            match queue.dead_letters().filter(|_| message.received_here >= 2) {
                Some(dead) => {
                    (message.queue, message.order, message.visible_ms, message.received_here) =
                        (dead, order, now_ms, 0);
                    if queue.is_fifo() {
                        message.sent_ms = now_ms;
                    }
                }
                None => {
                    message.receives += 1;
                    message.received_here += 1;
                    message.visible_ms = now_ms + timeout_ms;
                    message.received_ms = now_ms;
                    received.push(name);
                }
            }
        }
        received
    }

    fn holder(&self, lease: &LeaseRef) -> Option<usize> {
        self.messages.iter().position(|m| m.lease == Some(*lease))
    }

    fn counts(&self, queue: Queue) -> (u64, u64, u64) {
        let of = |wanted: &dyn Fn(&Message) -> bool| {
            self.messages.iter().filter(|m| m.queue == queue && wanted(m)).count() as u64
        };
        let in_flight = of(&|m| m.lease.is_some());
        (of(&|m| self.is_visible(m)), of(&|m| !self.is_visible(m) && m.lease.is_none()), in_flight)
    }
}

/// The state machine and the model, side by side.
struct Pair {
    world: World,
    model: Model,
    /// All leases ever given out, and what they were given on.
    leases: Vec<(LeaseRef, u64, Queue)>,
}

impl Pair {
    fn step(&mut self, op: &Op) {
        match *op {
            Op::Advance(ms) => self.world.inner.advance(ms),
            Op::Send { queue, group, delay_ms, id } => {
                let group = queue.is_fifo().then_some(group);
                let delay_ms = if queue.is_fifo() { 0 } else { delay_ms };
                let id = queue.is_fifo().then_some(id);
                let (name, sent) = self.world.send(queue, group, delay_ms, id);
                assert_eq!(sent, self.model.send(name, queue, group, delay_ms, id));
            }
            Op::Receive { queue, max, timeout_ms, .. } => self.receive(queue, max, timeout_ms),
            Op::Delete { pick } => self.delete(pick),
            Op::Change { pick, timeout_ms, .. } => self.change(pick, timeout_ms),
            Op::Purge { queue } => {
                self.world.purge(queue);
                self.model.messages.retain(|m| m.queue != queue);
            }
            Op::Move { .. } | Op::RunMoves | Op::Compact | Op::Define | Op::Forward(_) | Op::Remake { .. } => {}
        }
        self.model.advance(self.world.inner.state.now_ms());
        for queue in Queue::ALL {
            let counts = self.world.view(queue).counts;
            assert_eq!((counts.visible, counts.delayed, counts.in_flight), self.model.counts(queue), "{queue:?}");
            assert_eq!(
                self.world.inner.state.is_receivable(self.world.view(queue).id),
                !self.model.line(queue).is_empty()
            );
        }
    }

    fn receive(&mut self, queue: Queue, max: usize, timeout_ms: u64) {
        let delivered = self.world.receive(queue, max, timeout_ms, None);
        let names: Vec<u64> = delivered.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, self.model.receive(queue, max, timeout_ms));
        for (name, delivery) in delivered {
            let message = self.model.messages.iter_mut().find(|m| m.name == name).unwrap();
            assert_eq!(message.lease, None, "two leases on one message");
            assert_eq!((delivery.receive_count, delivery.sent_ms), (message.receives, message.sent_ms));
            message.lease = Some(delivery.lease);
            self.leases.push((delivery.lease, name, queue));
        }
    }

    fn delete(&mut self, pick: usize) {
        let Some((lease, name, queue)) = self.picked(pick) else { return };
        let outcome = self.world.delete(queue, lease);
        let Some(at) = self.model.messages.iter().position(|m| m.name == name && m.queue == queue) else {
            return assert_eq!(outcome, Ok(()));
        };
        let held = self.model.messages[at].lease;
        if held == Some(lease) || held.is_none() && !queue.is_fifo() {
            assert_eq!(outcome, Ok(()));
            self.model.messages.remove(at);
        } else {
            assert_eq!(outcome, if queue.is_fifo() { Err(Refusal::LeaseExpired) } else { Ok(()) });
        }
    }

    fn change(&mut self, pick: usize, timeout_ms: u64) {
        let Some((lease, _, queue)) = self.picked(pick) else { return };
        let outcome = self.world.change(queue, lease, timeout_ms, false);
        match self.model.holder(&lease) {
            None => assert!(matches!(outcome, Err(Refusal::NotInFlight | Refusal::LeaseExpired))),
            Some(at) => {
                assert_eq!(outcome, Ok(()));
                self.model.messages[at].visible_ms = self.model.now_ms + timeout_ms;
            }
        }
    }

    fn picked(&self, pick: usize) -> Option<(LeaseRef, u64, Queue)> {
        self.leases.iter().rev().nth(pick % self.leases.len().max(1)).copied()
    }
}

#[test]
fn the_state_machine_does_what_the_model_does() {
    run_seeds("model", 400, 120, |ops| {
        let world = World::new();
        let model = Model { now_ms: world.inner.state.now_ms(), ..Model::default() };
        let mut pair = Pair { world, model, leases: Vec::new() };
        for op in ops {
            pair.step(op);
        }
    });
}
