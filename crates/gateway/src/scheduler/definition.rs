//! A schedule's definition: from AWS's shape, and back.

use super::{refusal::invalid, repeats::Identity};
use crate::pending_calls::clients_own;
use afterward_aws::{
    Error,
    scheduler::{
        ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, GetScheduleOutput,
        RetryPolicy, ScheduleInput, ScheduleState, SqsParameters, Target, Timestamp,
    },
};
use afterward_broker::StoredSchedule;
use afterward_names::ScheduleAddress;
use afterward_scheduler::{
    self as scheduler, AfterCompletion, Definition, Schedule, TargetDefinition, WindowDefinition,
};

/// What a retry policy is that leaves them out. Source: user guide, "Configuring a dead-letter queue".
const DEFAULT_EVENT_AGE_S: i64 = 86_400;
const DEFAULT_RETRIES: i64 = 185;

/// The definition in a request. `made_ms`: when the schedule was made.
pub(super) fn of(input: ScheduleInput, made_ms: u64) -> Result<Definition, Error> {
    Ok(Definition {
        expression: input.schedule_expression,
        zone: input.schedule_expression_timezone,
        start_ms: input.start_date.map(|date| ms(date, "StartDate")).transpose()?,
        end_ms: input.end_date.map(|date| ms(date, "EndDate")).transpose()?,
        anchor_ms: made_ms,
        window: window(&input.flexible_time_window)?,
        enabled: input.state.unwrap_or_default() == ScheduleState::Enabled,
        target: target(input.target)?,
        after_completion: match input.action_after_completion.unwrap_or_default() {
            ActionAfterCompletion::None => AfterCompletion::Keep,
            ActionAfterCompletion::Delete => AfterCompletion::Delete,
        },
        description: input.description,
        kms_key_arn: input.kms_key_arn,
        client_token: input.client_token,
    })
}

/// The definition understood, if its caller may have such a schedule.
pub(super) fn understood(address: &ScheduleAddress, definition: &Definition) -> Result<Schedule, Error> {
    let schedule = Schedule::of(address, definition).map_err(invalid)?;
    if let Some(queue) = schedule.queues().find(|queue| queue.account != address.group.account) {
        let (queue, account) = (queue.arn(), address.group.account);
        return Err(invalid(format!("The queue {queue} belongs to another account than the schedule, {account}.")));
    }
    for queue in schedule.queues() {
        clients_own(queue.clone()).map_err(invalid)?;
    }
    Ok(schedule)
}

/// What a request with this definition is known again by.
pub(super) fn identity(action: &str, arn: &str, definition: &Definition) -> Identity {
    // When it came is not what it says.
    let said = Definition { anchor_ms: 0, ..definition.clone() };
    Identity::of(action, arn, definition.client_token.as_deref(), &said.encode())
}

fn ms(date: Timestamp, name: &str) -> Result<u64, Error> {
    u64::try_from(date.ms).map_err(|_| invalid(format!("The {name} you specify is before 1970.")))
}

fn window(window: &FlexibleTimeWindow) -> Result<WindowDefinition, Error> {
    match (window.mode, window.maximum_window_in_minutes) {
        (FlexibleTimeWindowMode::Off, None) => Ok(WindowDefinition::Off),
        (FlexibleTimeWindowMode::Off, Some(_)) => {
            Err(invalid("MaximumWindowInMinutes must not be given when the FlexibleTimeWindow's Mode is OFF."))
        }
        // The model has let nothing through but 1 to 1440.
        (FlexibleTimeWindowMode::Flexible, Some(minutes)) => {
            Ok(WindowDefinition::Flexible { minutes: u32::try_from(minutes).unwrap_or(u32::MAX) })
        }
        (FlexibleTimeWindowMode::Flexible, None) => {
            Err(invalid("MaximumWindowInMinutes must be given when the FlexibleTimeWindow's Mode is FLEXIBLE."))
        }
    }
}

fn target(target: Target) -> Result<TargetDefinition, Error> {
    for (name, given) in [
        ("EcsParameters", target.ecs_parameters.is_some()),
        ("EventBridgeParameters", target.event_bridge_parameters.is_some()),
        ("KinesisParameters", target.kinesis_parameters.is_some()),
        ("SageMakerPipelineParameters", target.sage_maker_pipeline_parameters.is_some()),
    ] {
        if given {
            return Err(invalid(format!("{name} are of a target that Afterward does not support.")));
        }
    }
    let number = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(TargetDefinition {
        arn: target.arn,
        role_arn: target.role_arn,
        input: target.input,
        sqs: target
            .sqs_parameters
            .map(|parameters| scheduler::SqsParameters { message_group_id: parameters.message_group_id }),
        retry: target.retry_policy.map(|policy| scheduler::RetryPolicy {
            maximum_event_age_s: policy.maximum_event_age_in_seconds.map(number),
            maximum_retry_attempts: policy.maximum_retry_attempts.map(number),
        }),
        dead_letter_arn: target.dead_letter_config.and_then(|config| config.arn),
    })
}

/// A schedule as GetSchedule shows it.
pub(super) fn shown(stored: &StoredSchedule, definition: Definition) -> GetScheduleOutput {
    let date = |ms: u64| Timestamp { ms: i64::try_from(ms).unwrap_or(i64::MAX) };
    GetScheduleOutput {
        arn: Some(stored.address.arn().to_string()),
        name: Some(stored.address.name.to_string()),
        group_name: Some(stored.address.group.name.to_string()),
        state: Some(state(&definition)),
        schedule_expression: Some(definition.expression),
        schedule_expression_timezone: Some(definition.zone.unwrap_or_else(|| "UTC".to_owned())),
        start_date: definition.start_ms.map(date),
        end_date: definition.end_ms.map(date),
        flexible_time_window: Some(match definition.window {
            WindowDefinition::Off => FlexibleTimeWindow::default(),
            WindowDefinition::Flexible { minutes } => FlexibleTimeWindow {
                mode: FlexibleTimeWindowMode::Flexible,
                maximum_window_in_minutes: Some(minutes.into()),
            },
        }),
        target: Some(shown_target(definition.target)),
        action_after_completion: Some(match definition.after_completion {
            AfterCompletion::Keep => ActionAfterCompletion::None,
            AfterCompletion::Delete => ActionAfterCompletion::Delete,
        }),
        description: definition.description,
        kms_key_arn: definition.kms_key_arn,
        creation_date: Some(date(stored.created_ms)),
        last_modification_date: Some(date(stored.modified_ms)),
    }
}

pub(super) fn state(definition: &Definition) -> ScheduleState {
    if definition.enabled { ScheduleState::Enabled } else { ScheduleState::Disabled }
}

fn shown_target(target: TargetDefinition) -> Target {
    let retry = target.retry.unwrap_or_default();
    Target {
        arn: target.arn,
        role_arn: target.role_arn,
        input: target.input,
        dead_letter_config: target.dead_letter_arn.map(|arn| DeadLetterConfig { arn: Some(arn) }),
        retry_policy: Some(RetryPolicy {
            maximum_event_age_in_seconds: Some(retry.maximum_event_age_s.map_or(DEFAULT_EVENT_AGE_S, i64::from)),
            maximum_retry_attempts: Some(retry.maximum_retry_attempts.map_or(DEFAULT_RETRIES, i64::from)),
        }),
        sqs_parameters: target.sqs.map(|sqs| SqsParameters { message_group_id: sqs.message_group_id }),
        ..Target::default()
    }
}
