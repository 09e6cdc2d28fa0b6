//! How much the definitions take: queues, names that rest, move tasks and groups of schedules.
//!
//! All of them are written again together, in one batch of the log and under one lock ([`State::definitions`]). A batch has a
//! largest size, and whoever calls meanwhile waits. So they have a budget, and what would add to them beyond it is refused;
//! what takes something away never is. A log from before there was a budget opens whatever it holds.
//!
//! This crate does not know the log's bytes: what is counted here is a little more than those, text by text. The broker
//! checks that in debug builds. The sum is kept where definitions come and go, as each of them is looked at then anyway.

use crate::queue::Queue;
use crate::{Command, Decision, Event, QueueAttributes, QueueId, RedriveAllowPolicy, Refusal, State, Tags};
use afterward_names::{QueueAddress, QueueArn, ScheduleGroupAddress};

/// What definitions may take. A quarter of what a batch of the log may (256 MiB), beside which it has to hold what callers did
/// meanwhile; written in some tenths of a second; and room for 300,000 queues as most are, or 3,000 with fifty tags of the
/// largest size each.
pub const DEFINITIONS_BYTES: u64 = 64 << 20;

/// More than a record takes beside its texts and addresses: head, times, counts, settings.
const RECORD_BYTES: u64 = 96;

/// More than an address takes beside its texts.
const ADDRESS_BYTES: u64 = 8;

fn text(text: &str) -> u64 {
    text.len() as u64 + 3
}

fn address(address: &QueueAddress) -> u64 {
    ADDRESS_BYTES + text(address.region.as_str()) + text(address.name.as_str())
}

fn arn(arn: &QueueArn) -> u64 {
    address(&arn.0)
}

fn tags(tags: &Tags) -> u64 {
    tags.iter().map(|(key, value)| text(key) + text(value)).sum()
}

fn attributes(attributes: &QueueAttributes) -> u64 {
    let allowed: u64 = match &attributes.redrive_allow {
        Some(RedriveAllowPolicy::ByQueue(sources)) => sources.iter().map(arn).sum(),
        _ => 0,
    };
    let texts = [&attributes.policy, &attributes.encryption.kms_master_key_id];
    let texts: u64 = texts.into_iter().flatten().map(|of| text(of)).sum();
    allowed + texts + attributes.redrive.as_ref().map_or(0, |redrive| arn(&redrive.dead_letter_queue))
}

/// A queue.
pub(crate) fn of_queue(at: &QueueAddress, set: &QueueAttributes, tagged: &Tags) -> u64 {
    RECORD_BYTES + address(at) + attributes(set) + tags(tagged)
}

/// A name that rests.
pub(crate) fn of_deletion(at: &QueueAddress) -> u64 {
    RECORD_BYTES + address(at)
}

/// A move task.
pub(crate) fn of_move(source: &QueueArn, destination: Option<&QueueArn>) -> u64 {
    RECORD_BYTES + arn(source) + destination.map_or(0, arn)
}

/// A group of schedules.
pub(crate) fn of_group(at: &ScheduleGroupAddress, tagged: &Tags) -> u64 {
    RECORD_BYTES + ADDRESS_BYTES + text(at.region.as_str()) + text(at.name.as_str()) + tags(tagged)
}

impl State {
    /// What [`Self::definitions`] takes in the log, at the most.
    pub fn most_definitions_bytes(&self) -> u64 {
        let (founded_bytes, counters_bytes) = (self.secret.map_or(0, |_| RECORD_BYTES), RECORD_BYTES);
        let groups_bytes = self.schedules.groups.definitions_bytes();
        let (deleted_bytes, moves_bytes) = (self.deleted.definitions_bytes(), self.moves.definitions_bytes());
        founded_bytes + counters_bytes + self.queues_bytes + deleted_bytes + moves_bytes + groups_bytes
    }

    /// Whether a command may add to the definitions. The others are not asked about, as they are many.
    pub(crate) fn may_define(command: &Command) -> bool {
        matches!(
            command,
            Command::CreateQueue(_)
                | Command::SetAttributes(_)
                | Command::Tag { .. }
                | Command::StartMove(_)
                | Command::CreateScheduleGroup { .. }
                | Command::TagScheduleGroup { .. }
                | Command::CreateSchedule { .. }
        )
    }

    /// The decision, if there is room for what it adds to the definitions.
    pub(crate) fn within_budget(&self, decision: Decision) -> Result<Decision, Refusal> {
        let changes = decision.events.iter().map(|event| self.definition_change(event));
        let (more, less) = changes.fold((0, 0), |(more, less), (new, old)| (more + new, less + old));
        if more > less && self.most_definitions_bytes() + more - less > DEFINITIONS_BYTES {
            return Err(Refusal::TooManyDefinitions);
        }
        Ok(decision)
    }

    /// What of the definitions an event makes, and what it takes the place of.
    fn definition_change(&self, event: &Event) -> (u64, u64) {
        match event {
            Event::QueueCreated { address, attributes, tags, .. } => (of_queue(address, attributes, tags), 0),
            Event::AttributesSet { queue, attributes } => {
                let change = |of: &Queue| (of_queue(&of.address, attributes, of.tags()), of.definition_bytes());
                self.queues.get(queue).map_or((0, 0), |of| change(of))
            }
            Event::TagsSet { queue, tags } => {
                let change = |of: &Queue| (of_queue(&of.address, &of.attributes, tags), of.definition_bytes());
                self.queues.get(queue).map_or((0, 0), |of| change(of))
            }
            Event::MoveStarted { source, destination, .. } => (of_move(source, destination.as_ref()), 0),
            Event::ScheduleGroupPut(put) => {
                let before = self.schedules.groups.get(put.group);
                (of_group(&put.address, &put.tags), before.map_or(0, |group| group.definition_bytes()))
            }
            _ => (0, 0),
        }
    }

    /// What one of the [`Self::definitions`] takes, for a check of the sum.
    pub(crate) fn definition_bytes_of(event: &Event) -> u64 {
        match event {
            Event::QueueKept(kept) => of_queue(&kept.address, &kept.attributes, &kept.tags),
            Event::DeletionKept { address, .. } => of_deletion(address),
            Event::MoveKept { source, destination, .. } => of_move(source, destination.as_ref()),
            Event::ScheduleGroupPut(put) => of_group(&put.address, &put.tags),
            _ => RECORD_BYTES,
        }
    }

    /// Changes a queue's settings or tags.
    pub(crate) fn redefine(&mut self, id: QueueId, change: impl FnOnce(&mut Queue)) {
        if let Some(queue) = self.queues.get_mut(&id) {
            self.queues_bytes -= queue.definition_bytes();
            change(queue);
            self.queues_bytes += queue.definition_bytes();
        }
    }
}
