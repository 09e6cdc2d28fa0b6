//! ReceiveMessage, and the order in which it finds messages.

use super::{Attempt, Given, MINUTE_MS, Message, Model, Place, Queue, Told};
use afterward_machine::{Receive, Refusal};
use afterward_names::GroupId;
use std::collections::BTreeMap;

const FIVE_MINUTES_MS: u64 = 300_000;
const IN_FLIGHT: usize = 120_000;

impl Model {
    pub(crate) fn receive(&mut self, receive: &Receive) -> Result<Told, Refusal> {
        let queue = self.known(&receive.queue)?;
        if receive.attempt.is_some() && !queue.is_fifo() {
            return Err(Refusal::AttemptNotAllowed);
        }
        let timeout_ms = receive.visibility_timeout_ms.unwrap_or(queue.attributes.visibility_timeout_ms);
        let until_ms = self.now_ms + timeout_ms;
        let same = |attempt: &&Attempt| attempt.queue == queue.number && Some(attempt.id) == receive.attempt;
        if let Some(attempt) = self.attempts.iter().find(same).cloned() {
            return Ok(Told::Received(attempt.leases.iter().map(|lease| self.again(*lease, until_ms)).collect()));
        }
        let in_flight = self.in_flight(&queue, |_| true);
        if in_flight >= IN_FLIGHT && !queue.is_fifo() {
            return Err(Refusal::OverLimit);
        }
        let given = self.take(&queue, receive.max.min(IN_FLIGHT - in_flight), until_ms);
        if let (Some(id), false) = (receive.attempt, given.is_empty()) {
            let leases = given.iter().map(|given| given.lease).collect();
            let until_ms = self.now_ms + FIVE_MINUTES_MS;
            self.attempts.push(Attempt { queue: queue.number, id, until_ms, leases });
        }
        Ok(Told::Received(given))
    }

    fn take(&mut self, queue: &Queue, max: usize, until_ms: u64) -> Vec<Given> {
        let target = self.dead_letters_of(queue);
        let mut given = Vec::new();
        for number in self.line(queue, true) {
            if given.len() == max {
                break;
            }
            let (now_ms, lease) = (self.now_ms, self.leased);
            let message = self.message_mut(number);
            let received_here = message.receive_count - message.received_elsewhere;
            if let Some((dead, _)) = target.filter(|(_, max_receive_count)| received_here >= *max_receive_count) {
                self.bury(queue, number, dead);
                continue;
            }
            message.receive_count += 1;
            message.first_received_ms.get_or_insert(now_ms);
            message.received_ms = now_ms;
            message.place = Place::Leased { until_ms, lease: Some(lease) };
            message.leases.push(lease);
            given.push(message.given(lease));
            self.leased += 1;
        }
        given
    }

    /// Where the queue's dead letters go, if there is such a queue, and after how many receives.
    pub(super) fn dead_letters_of(&self, queue: &Queue) -> Option<(u32, u32)> {
        let policy = queue.attributes.redrive.as_ref()?;
        let dead = self.at(&policy.dead_letter_queue.0).filter(|dead| dead.is_fifo() == queue.is_fifo())?;
        Some((dead.number, policy.max_receive_count))
    }

    /// A message goes to the end of a dead-letter queue, and what it has been through goes with it.
    pub(super) fn bury(&mut self, from: &Queue, number: usize, dead: u32) {
        let (now_ms, rank) = (self.now_ms, self.rank());
        let message = self.message_mut(number);
        message.queue = dead;
        message.rank = rank;
        message.place = Place::Visible { since_ms: now_ms };
        message.source = Some(from.address.arn());
        message.received_elsewhere = message.receive_count;
        message.leases = Vec::new();
        message.leave_batch();
        if from.is_fifo() {
            message.sent_ms = now_ms;
        }
    }

    /// The message of a lease that holds it, once more.
    fn again(&mut self, lease: usize, until_ms: u64) -> Given {
        let now_ms = self.now_ms;
        let holds =
            |message: &&mut Message| matches!(message.place, Place::Leased { lease: own, .. } if own == Some(lease));
        let message = self.messages.iter_mut().find(holds).expect("an attempt stands while its leases do");
        message.place = Place::Leased { until_ms, lease: Some(lease) };
        message.received_ms = now_ms;
        message.given(lease)
    }

    pub(crate) fn in_flight(&self, queue: &Queue, of: impl Fn(&Message) -> bool) -> usize {
        let leased = |message: &&Message| matches!(message.place, Place::Leased { .. }) && of(message);
        self.messages.iter().filter(|message| message.queue == queue.number).filter(leased).count()
    }

    /// Everything that can be delivered, in order. `fairly`: noisy tenants of a standard queue come last.
    pub(crate) fn line(&self, queue: &Queue, fairly: bool) -> Vec<usize> {
        let is_ready = |message: &&Message| message.queue == queue.number && self.is_ready(queue, message);
        let mut ready: Vec<&Message> = self.messages.iter().filter(is_ready).collect();
        if queue.is_fifo() {
            // The group whose first message is oldest comes first, with all that it has.
            let first = |message: &Message| {
                let same_group = ready.iter().filter(|other| other.group == message.group);
                same_group.map(|other| other.rank).min()
            };
            let firsts: BTreeMap<usize, Option<u64>> =
                ready.iter().map(|message| (message.number, first(message))).collect();
            ready.sort_by_key(|message| (firsts[&message.number], message.rank));
            return ready.into_iter().map(|message| message.number).collect();
        }
        ready.sort_by_key(|message| (message.since_ms(), message.rank));
        let is_noisy = |message: &&Message| fairly && self.is_noisy(queue, message.group.as_ref());
        let (noisy, quiet): (Vec<&Message>, Vec<&Message>) = ready.into_iter().partition(is_noisy);
        quiet.iter().map(|message| message.number).chain(self.by_load(queue, noisy)).collect()
    }

    /// From the group with the fewest in flight, those that this receive has taken included.
    fn by_load(&self, queue: &Queue, mut noisy: Vec<&Message>) -> Vec<usize> {
        let mut line = Vec::new();
        let mut taken: BTreeMap<Option<GroupId>, usize> = BTreeMap::new();
        while !noisy.is_empty() {
            let load = |message: &Message| {
                let in_flight = self.in_flight(queue, |other| other.group == message.group);
                in_flight + taken.get(&message.group).copied().unwrap_or(0)
            };
            let next = (0..noisy.len()).min_by_key(|at| (load(noisy[*at]), *at)).expect("there is one");
            let message = noisy.remove(next);
            *taken.entry(message.group.clone()).or_default() += 1;
            line.push(message.number);
        }
        line
    }

    /// The two measures of AWS's fair queues; see `fair.rs` for what is ours.
    fn is_noisy(&self, queue: &Queue, group: Option<&GroupId>) -> bool {
        let Some(group) = group else { return false };
        let own = self.in_flight(queue, |other| other.group.as_ref() == Some(group));
        let by_concurrency = own >= 30 && own * 10 > self.in_flight(queue, |_| true);
        let spent_ms = queue.spent_ms.get(&Some(group.clone())).copied().unwrap_or(0);
        let minutes = (self.now_ms / MINUTE_MS).saturating_sub(queue.minute).min(63);
        let is_recent = queue.total_spent_ms >> minutes > 0;
        by_concurrency || is_recent && spent_ms * 10 > queue.total_spent_ms
    }

    /// Whether a message can be delivered.
    pub(crate) fn is_ready(&self, queue: &Queue, message: &Message) -> bool {
        matches!(message.place, Place::Visible { .. }) && !(queue.is_fifo() && self.is_behind(message))
    }

    /// Whether another of its group is in flight, or delayed before it.
    fn is_behind(&self, message: &Message) -> bool {
        let same_group = |other: &&Message| other.queue == message.queue && other.group == message.group;
        self.messages.iter().filter(same_group).any(|other| match other.place {
            Place::Leased { .. } => true,
            Place::Delayed { .. } => other.rank < message.rank,
            Place::Visible { .. } | Place::Held { .. } => false,
        })
    }
}

impl Message {
    fn since_ms(&self) -> u64 {
        match self.place {
            Place::Visible { since_ms } => since_ms,
            Place::Delayed { until_ms } | Place::Leased { until_ms, .. } => until_ms,
            Place::Held { .. } => panic!("what is held is in no line"),
        }
    }

    fn given(&self, lease: usize) -> Given {
        Given {
            message: self.number,
            lease,
            sent_ms: self.sent_ms,
            first_received_ms: self.first_received_ms.unwrap_or(0),
            receive_count: self.receive_count,
            source: self.source.clone(),
            batch: self.batch.clone(),
            redrives: self.redrives,
        }
    }
}
