//! CreateSchedule.

use super::{
    call::{Call, readable},
    definition,
    refusal::{self, invalid},
};
use afterward_aws::{
    Error,
    scheduler::{Response, ScheduleInput, ScheduleOutput},
};
use afterward_broker::{Failure, machine::Refusal};
use afterward_names::ScheduleAddress;
use afterward_scheduler::{AfterCompletion, Definition, Schedule};

const ACTION: &str = "CreateSchedule";

/// How far back the start of a new schedule may be.
const LATE_START_MS: u64 = 300_000;

pub(super) async fn create(call: &Call<'_>, input: ScheduleInput) -> Result<Response, Error> {
    let address = call.schedule(input.group_name.as_deref(), &input.name)?;
    let now_ms = call.broker().now_ms();
    let definition = definition::of(input, now_ms)?;
    let schedule = definition::understood(&address, &definition)?;
    call.check_reach(&schedule)?;
    check_start(&schedule, &definition, now_ms)?;
    let schedule_arn = address.arn().to_string();
    let identity = definition::identity(ACTION, &schedule_arn, &definition);
    // It may have run and deleted itself since. Another one that is not there was deleted by somebody, and is made again.
    let has_gone = definition.after_completion == AfterCompletion::Delete && call.has_succeeded(identity);
    if !has_gone {
        let due_ms = schedule.first_due_ms(now_ms);
        match call.broker().create_schedule(address.clone(), definition.encode(), due_ms).await {
            Ok(_) => call.remember(identity),
            Err(Failure::Refused(Refusal::ScheduleExists))
                if call.has_succeeded(identity) || is_repeated(call, &address, &definition).await? => {}
            Err(failure) => return Err(refusal::of_schedule(failure, &address)),
        }
    }
    Ok(Response::CreateSchedule(ScheduleOutput { schedule_arn }))
}

/// EventBridge Scheduler ignores the start of a one-time schedule.
fn check_start(schedule: &Schedule, definition: &Definition, now_ms: u64) -> Result<(), Error> {
    let is_late = definition.start_ms.is_some_and(|start_ms| start_ms < now_ms.saturating_sub(LATE_START_MS));
    if is_late && !schedule.timetable().expression.is_one_time() {
        return Err(invalid("The StartDate you specify cannot be earlier than 5 minutes ago."));
    }
    Ok(())
}

/// Whether the schedule that is there was made by this very request.
async fn is_repeated(call: &Call<'_>, address: &ScheduleAddress, definition: &Definition) -> Result<bool, Error> {
    let stored = call.broker().schedule(address).await.map_err(refusal::unavailable)?;
    let Some(stored) = stored.as_ref().and_then(readable) else { return Ok(false) };
    let anchored = Definition { anchor_ms: definition.anchor_ms, ..stored };
    Ok(anchored.client_token.is_some() && anchored == *definition)
}
