//! The queues that a run plays with.

use crate::history::{QueueIndex, Settings};
use crate::rng::Rng;
use afterward_machine::{AttributeChanges, CreateQueue, RedrivePolicy};
use afterward_names::{AccountId, QueueAddress, QueueName, Region};
use std::collections::BTreeMap;

/// A queue and the settings that the checker has to know.
#[derive(Debug, Clone)]
pub struct QueueSpec {
    /// Its name; a FIFO queue's ends in `.fifo`.
    pub name: QueueName,
    /// How long a new message is invisible.
    pub delay_ms: u64,
    /// How long a lease lasts.
    pub visibility_ms: u64,
    /// How long a message is kept.
    pub retention_ms: u64,
    /// Where a message goes after so many receives.
    pub dead_letter: Option<(QueueIndex, u32)>,
}

impl QueueSpec {
    /// Whether it is a FIFO queue.
    pub fn is_fifo(&self) -> bool {
        self.name.is_fifo()
    }

    /// How it is set at first.
    pub fn settings(&self) -> Settings {
        Settings {
            delay_ms: self.delay_ms,
            visibility_ms: self.visibility_ms,
            retention_ms: self.retention_ms,
            max_receive_count: self.dead_letter.map_or(1, |(_, max)| max),
        }
    }

    /// Where it is.
    pub fn address(&self) -> QueueAddress {
        QueueAddress { account: AccountId::DEFAULT, region: Region::default(), name: self.name.clone() }
    }
}

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// Two dead-letter queues, and before them standard and FIFO queues with and without them: always the same shapes, with
/// other numbers for each seed.
pub fn queues(rng: &mut Rng) -> Vec<QueueSpec> {
    [
        ("dead", None, 4 * DAY_MS),
        ("dead.fifo", None, 4 * DAY_MS),
        ("jobs", Some(0), 4 * DAY_MS),
        ("brief", None, MINUTE_MS),
        ("orders.fifo", Some(1), 4 * DAY_MS),
        ("ledger.fifo", None, 4 * DAY_MS),
    ]
    .into_iter()
    .filter_map(|(name, dead_letter, retention_ms)| {
        Some(QueueSpec {
            name: name.parse().ok()?,
            delay_ms: rng.pick(&[0, 0, 0, 1_000, 5_000]),
            visibility_ms: rng.pick(&[1_000, 5_000, 30_000]),
            retention_ms,
            dead_letter: dead_letter.map(|queue| (queue, 1 + rng.below(3) as u32)),
        })
    })
    .collect()
}

/// The request that makes a queue.
pub fn creation(queues: &[QueueSpec], queue: QueueIndex) -> CreateQueue {
    let spec = &queues[queue];
    let attributes =
        AttributeChanges { fifo: spec.is_fifo().then_some(true), ..settings(queues, queue, &spec.settings()) };
    let tags = BTreeMap::from([("number".into(), queue.to_string().into())]);
    CreateQueue { queue: spec.address(), attributes, tags, cooldown: false }
}

/// Settings as a request gives them.
pub fn settings(queues: &[QueueSpec], queue: QueueIndex, to: &Settings) -> AttributeChanges {
    let redrive = queues[queue].dead_letter.map(|(dead_letter, _)| RedrivePolicy {
        dead_letter_queue: queues[dead_letter].address().arn(),
        max_receive_count: to.max_receive_count,
    });
    AttributeChanges {
        delay_ms: Some(to.delay_ms),
        visibility_timeout_ms: Some(to.visibility_ms),
        retention_ms: Some(to.retention_ms),
        redrive: redrive.map(Some),
        ..AttributeChanges::default()
    }
}
