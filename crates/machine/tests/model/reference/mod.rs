//! The reference model: SQS as its documentation tells it, in the plainest way that says all of it.
//!
//! Everything is a list, every question is a walk over all of it, and nothing is kept that can be computed. It knows
//! commands and what can be seen of their effects; of events, replays, slots and indexes it knows nothing. Messages,
//! leases and queues have numbers in the order in which they came.

mod batches;
mod leases;
mod moves;
mod queues;
mod receive;
pub(crate) mod schedules;
mod send;

use afterward_machine::{BatchTie, MoveOutcome, QueueAttributes, Refusal, Tags};
use afterward_names::{GroupId, QueueAddress, QueueArn};
use std::collections::BTreeMap;

const DAY_MS: u64 = 86_400_000;
const HOUR_MS: u64 = 3_600_000;
const MINUTE_MS: u64 = 60_000;

/// What a command is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Done,
    Queue(u32),
    Sent { message: usize, duplicate: bool },
    Received(Vec<Given>),
    Moving(u64),
    Cancelled { moved: u64 },
    Schedule { number: usize, definition: usize },
    Ran(Vec<(usize, bool)>),
    Refused(Refusal),
}

/// A message as a receive gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) message: usize,
    pub(crate) lease: usize,
    pub(crate) sent_ms: u64,
    pub(crate) first_received_ms: u64,
    pub(crate) receive_count: u32,
    pub(crate) source: Option<QueueArn>,
    pub(crate) batch: Option<BatchTie>,
    pub(crate) redrives: u16,
}

/// A queue. It is known by its number: another one at the same address has another.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) number: u32,
    pub(crate) address: QueueAddress,
    pub(crate) attributes: QueueAttributes,
    pub(crate) tags: Tags,
    pub(crate) created_ms: u64,
    pub(crate) modified_ms: u64,
    purged_ms: Option<u64>,
    /// What consumers spent on whose messages, halved with every minute that has ended.
    spent_ms: BTreeMap<Option<GroupId>, u64>,
    total_spent_ms: u64,
    minute: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Visible {
        since_ms: u64,
    },
    Delayed {
        until_ms: u64,
    },
    Leased {
        until_ms: u64,
        /// None: it was handed back by one that had not begun it.
        lease: Option<usize>,
    },
    /// For a batch; then it is delayed for so long.
    Held {
        delay_ms: u64,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) number: usize,
    pub(crate) queue: u32,
    pub(crate) group: Option<GroupId>,
    /// Counts up whenever a message comes to the end of a line.
    pub(crate) rank: u64,
    pub(crate) sent_ms: u64,
    pub(crate) place: Place,
    pub(crate) receive_count: u32,
    pub(crate) received_elsewhere: u32,
    pub(crate) first_received_ms: Option<u64>,
    /// When the last lease began.
    received_ms: u64,
    pub(crate) source: Option<QueueArn>,
    pub(crate) redrives: u16,
    pub(crate) job: bool,
    pub(crate) batch: Option<BatchTie>,
    /// Whether somebody said why it failed.
    pub(crate) failed: bool,
    /// All leases on it since it came to its place in line.
    leases: Vec<usize>,
    /// Those of them whose receives were taken back.
    uncounted: Vec<usize>,
}

/// A send that is remembered.
#[derive(Debug, Clone)]
struct Seen {
    queue: u32,
    /// `None`: an idempotency key. `Some`: a deduplication id, in this group where groups are told apart.
    fifo: Option<Option<GroupId>>,
    key: [u8; 16],
    fingerprint: u64,
    until_ms: u64,
    message: usize,
}

/// A receive that may be repeated.
#[derive(Debug, Clone)]
struct Attempt {
    queue: u32,
    id: [u8; 16],
    until_ms: u64,
    leases: Vec<usize>,
}

/// A job that is done, or was dropped.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    pub(crate) message: usize,
    pub(crate) receive_count: u32,
    pub(crate) finished_ms: u64,
    pub(crate) queue: u32,
    pub(crate) done: bool,
}

/// A move task.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) number: u64,
    pub(crate) source: QueueArn,
    pub(crate) destination: Option<QueueArn>,
    pub(crate) max_per_s: Option<u32>,
    pub(crate) to_move: u64,
    pub(crate) moved: u64,
    pub(crate) started_ms: u64,
    pub(crate) outcome: Option<MoveOutcome>,
    /// When the next message may go.
    next_us: u64,
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) now_ms: u64,
    pub(crate) queues: Vec<Queue>,
    pub(crate) messages: Vec<Message>,
    pub(crate) finished: Vec<Finished>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) groups: Vec<schedules::Group>,
    pub(crate) schedules: Vec<schedules::Schedule>,
    /// How many schedules, and definitions of them, there have ever been.
    pub(crate) scheduled: usize,
    pub(crate) defined: usize,
    seen: Vec<Seen>,
    attempts: Vec<Attempt>,
    deleted: Vec<(QueueAddress, u64)>,
    last_queue: u32,
    /// How many messages, and leases, there have ever been.
    pub(crate) sent: usize,
    pub(crate) leased: usize,
    last_rank: u64,
    last_task: u64,
}

impl Model {
    /// Nothing yet, at a time.
    pub(crate) fn at_time(now_ms: u64) -> Model {
        Model { now_ms, ..Model::default() }
    }

    /// Time goes by, from one thing that is due to the next. What retention ends is not seen visible before.
    pub(crate) fn advance(&mut self, to_ms: u64) {
        while let Some((at_ms, visible, message)) = self.next_due().filter(|(at_ms, ..)| *at_ms <= to_ms) {
            self.now_ms = self.now_ms.max(at_ms);
            match visible {
                false => self.remove(message),
                true => self.show(message, at_ms),
            }
        }
        self.now_ms = self.now_ms.max(to_ms);
        let now_ms = self.now_ms;
        self.seen.retain(|seen| seen.until_ms > now_ms);
        self.attempts.retain(|attempt| attempt.until_ms > now_ms);
        self.finished.retain(|finished| finished.finished_ms + HOUR_MS > now_ms);
        self.deleted.retain(|(_, deleted_ms)| deleted_ms + MINUTE_MS > now_ms);
    }

    /// What is due first: when, whether a message becomes visible by it (or else is gone), and which.
    fn next_due(&self) -> Option<(u64, bool, usize)> {
        let expiry = |message: &Message| Some((self.expires_ms(message)?, false, message.number));
        let expiries = self.messages.iter().filter_map(expiry);
        let shows = self.messages.iter().filter_map(|message| match message.place {
            Place::Delayed { until_ms } | Place::Leased { until_ms, .. } => Some((until_ms, true, message.number)),
            Place::Visible { .. } | Place::Held { .. } => None,
        });
        expiries.chain(shows).min()
    }

    /// When something is due next.
    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        self.next_due().map(|(at_ms, ..)| at_ms)
    }

    /// When retention ends it, which does not end what is held.
    pub(crate) fn expires_ms(&self, message: &Message) -> Option<u64> {
        let held = matches!(message.place, Place::Held { .. });
        (!held).then(|| message.sent_ms + self.queue(message.queue).attributes.retention_ms)
    }

    pub(crate) fn queue(&self, number: u32) -> &Queue {
        self.queues.iter().find(|queue| queue.number == number).expect("messages are in queues that are there")
    }

    pub(crate) fn at(&self, address: &QueueAddress) -> Option<&Queue> {
        self.queues.iter().find(|queue| queue.address == *address)
    }

    fn known(&self, address: &QueueAddress) -> Result<Queue, Refusal> {
        self.at(address).cloned().ok_or(Refusal::NoSuchQueue)
    }

    pub(crate) fn message(&self, number: usize) -> Option<&Message> {
        self.messages.iter().find(|message| message.number == number)
    }

    fn message_mut(&mut self, number: usize) -> &mut Message {
        self.messages.iter_mut().find(|message| message.number == number).expect("it is there")
    }

    fn rank(&mut self) -> u64 {
        self.last_rank += 1;
        self.last_rank
    }

    /// A message's delay or lease has ended at `at_ms`.
    fn show(&mut self, message: usize, at_ms: u64) {
        self.end_lease(message, at_ms);
        self.message_mut(message).place = Place::Visible { since_ms: at_ms };
    }

    /// A message goes for good.
    fn remove(&mut self, message: usize) {
        self.end_lease(message, self.now_ms);
        self.messages.retain(|other| other.number != message);
    }

    /// If the message is leased: the receive that got it can't be repeated, and its consumer's time is booked.
    fn end_lease(&mut self, message: usize, at_ms: u64) {
        let message = self.message(message).expect("it is there").clone();
        let Place::Leased { lease, .. } = message.place else { return };
        self.attempts.retain(|attempt| lease.is_none_or(|lease| !attempt.leases.contains(&lease)));
        let queue = self.queues.iter_mut().find(|queue| queue.number == message.queue).expect("it is there");
        queue.spend(message.group, at_ms, at_ms.saturating_sub(message.received_ms));
    }
}

impl Queue {
    pub(crate) fn is_fifo(&self) -> bool {
        self.attributes.fifo.is_some()
    }

    fn spend(&mut self, tenant: Option<GroupId>, at_ms: u64, spent_ms: u64) {
        // Halving rounds, so it matters when it is done: when there is something to add to.
        if spent_ms == 0 {
            return;
        }
        while self.minute < at_ms / MINUTE_MS {
            self.minute += 1;
            self.total_spent_ms /= 2;
            self.spent_ms.values_mut().for_each(|spent_ms| *spent_ms /= 2);
            if self.total_spent_ms == 0 {
                self.minute = at_ms / MINUTE_MS;
            }
        }
        self.total_spent_ms += spent_ms;
        *self.spent_ms.entry(tenant).or_default() += spent_ms;
    }
}
