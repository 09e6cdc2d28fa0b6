//! A target with what happens when calling it fails.

use crate::{InvalidDefinition, RetryPolicy, TargetDefinition, target::Target};
use afterward_names::{QueueAddress, QueueArn, ScheduleAddress};

/// What a schedule calls, how often it tries, and where what fails for good goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Call {
    pub(crate) target: Target,
    pub(crate) retry: Retry,
    pub(crate) dead_letter_queue: Option<QueueAddress>,
}

/// For how long, and how often, a call that fails is made again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Retry {
    /// MaximumEventAgeInSeconds: counted from when the schedule ran, which after a downtime is later than it was due.
    pub(crate) maximum_age_ms: u64,
    /// MaximumRetryAttempts.
    pub(crate) maximum_retries: u32,
}

impl Call {
    /// Understands the target of the schedule at `schedule`.
    pub(crate) fn of(schedule: &ScheduleAddress, definition: &TargetDefinition) -> Result<Call, InvalidDefinition> {
        Ok(Call {
            target: Target::of(schedule, definition)?,
            retry: Retry::of(definition.retry.unwrap_or_default())?,
            dead_letter_queue: definition.dead_letter_arn.as_deref().map(standard_queue).transpose()?,
        })
    }

    /// The queues that it sends to.
    pub(crate) fn queues(&self) -> impl Iterator<Item = &QueueAddress> {
        let target = match &self.target {
            Target::Queue(target) => Some(&target.queue),
            Target::Http(_) => None,
        };
        target.into_iter().chain(&self.dead_letter_queue)
    }
}

impl Retry {
    /// Source: API reference, RetryPolicy. What is not given is the most that can be: a day, and 185 retries.
    fn of(policy: RetryPolicy) -> Result<Retry, InvalidDefinition> {
        let within = |field, given: Option<u32>, least, most| {
            let given = given.unwrap_or(most);
            let fits = (least..=most).contains(&given);
            if fits { Ok(given) } else { Err(InvalidDefinition::Retry { field, least, most, given }) }
        };
        let age_s = within("MaximumEventAgeInSeconds", policy.maximum_event_age_s, 60, 86_400)?;
        let maximum_retries = within("MaximumRetryAttempts", policy.maximum_retry_attempts, 0, 185)?;
        Ok(Retry { maximum_age_ms: u64::from(age_s) * 1000, maximum_retries })
    }
}

fn standard_queue(arn: &str) -> Result<QueueAddress, InvalidDefinition> {
    let address = arn.parse::<QueueArn>().ok().map(|arn| arn.0).filter(|queue| !queue.name.is_fifo());
    address.ok_or_else(|| InvalidDefinition::DeadLetter(arn.to_owned()))
}
