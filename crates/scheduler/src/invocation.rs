//! Calls that are made after their schedule has run: those that may fail, and be tried again.
//!
//! They wait as messages in a queue of the schedule's account and region, so that a lease, a delay and a receive count are
//! all that a retry needs, and a restart forgets nothing. To the broker it is a queue as any other: whoever may look into
//! it sees what is pending, and why it failed last. That nobody else sends to it or takes from it is for those to see to
//! who take requests, by [`is_queue_of_calls`].

use crate::{Definition, TargetDefinition, execution::Execution, message};
use afterward_broker::{
    Content,
    machine::{AttributeChanges, CreateQueue, Send},
};
use afterward_names::{NotAQueueName, QueueAddress, QueueName, ScheduleAddress, ScheduleArn, limits};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The queue's name.
pub(crate) const QUEUE: &str = "afterward-invocations";

/// Whether a queue of this name is where calls of schedules wait, in whatever account and region. It is the server's own:
/// what others send there would be taken for calls and deleted, and what they take away is a call that nobody makes.
pub fn is_queue_of_calls(name: &QueueName) -> bool {
    name.as_str() == QUEUE
}

/// How long a call has, its lease with it. Longer than any call may take.
pub(crate) const LEASE_MS: u64 = 60_000;

/// A call to make.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Invocation {
    /// Of which schedule.
    pub(crate) schedule_arn: String,
    /// Its time, milliseconds since 1970.
    pub(crate) time_ms: u64,
    /// See [`Execution::id`].
    pub(crate) execution_id: String,
    /// When the schedule ran, milliseconds since 1970: the age of the event counts from here.
    pub(crate) ran_ms: u64,
    /// How often it was tried before it came here.
    pub(crate) attempts_before: u32,
    /// What is called, as it was defined when the schedule ran.
    pub(crate) target: TargetDefinition,
}

/// The form in the queue.
#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum Stored<I> {
    #[serde(rename = "1")]
    V1(I),
}

impl Invocation {
    /// The call of a run that its target's definition asks for.
    pub(crate) fn new(execution: &Execution, definition: &Definition, ran_ms: u64, attempts_before: u32) -> Invocation {
        Invocation {
            schedule_arn: execution.schedule.arn().to_string(),
            time_ms: execution.time_ms,
            execution_id: execution.id.clone(),
            ran_ms,
            attempts_before,
            target: definition.target.clone(),
        }
    }

    /// What it is part of; `None` if the message was not ours.
    pub(crate) fn execution(&self) -> Option<Execution> {
        let ScheduleArn(schedule) = self.schedule_arn.parse().ok()?;
        Some(Execution { schedule, time_ms: self.time_ms, id: self.execution_id.clone() })
    }

    /// The message that waits in `queue`, for `delay_ms` at least.
    pub(crate) fn message(&self, queue: &QueueAddress, delay_ms: u64) -> (Send, Content) {
        // A structure of texts and numbers always has a JSON form.
        let body = serde_json::to_string(&Stored::V1(self)).unwrap_or_default();
        let (mut send, content) = message::plain(queue, body, &queue.account.to_string());
        send.delay_ms = Some(delay_ms.min(limits::DELAY_S.end() * 1000));
        (send, content)
    }

    /// The call in a message's body.
    pub(crate) fn decode(body: &[u8]) -> Result<Invocation, serde_json::Error> {
        let Stored::V1(invocation) = serde_json::from_slice(body)?;
        Ok(invocation)
    }
}

/// The queue in which the calls of a schedule wait.
pub(crate) fn queue_of(schedule: &ScheduleAddress) -> Result<QueueAddress, NotAQueueName> {
    let (account, region) = (schedule.group.account, schedule.group.region.clone());
    Ok(QueueAddress { account, region, name: QUEUE.parse()? })
}

/// How that queue is made.
pub(crate) fn create(queue: QueueAddress) -> CreateQueue {
    let attributes = AttributeChanges {
        // No call is older than a day; messages outlast a server that is down for two weeks.
        retention_ms: Some(limits::RETENTION_S.end() * 1000),
        visibility_timeout_ms: Some(LEASE_MS),
        ..AttributeChanges::default()
    };
    CreateQueue { queue, attributes, tags: BTreeMap::new(), cooldown: false }
}
