//! UpdateSchedule: everything is as the request says, or as the default is; nothing stays as it was but when the schedule
//! was made.
//!
//! When it is next due is worked out from what it was, so the change is made only if it still is: near a due moment the
//! schedule may run meanwhile, and then it is looked at again. What is overdue runs by the new definition. What was there need
//! not be readable: a change is the way to mend it.

use super::{
    call::{Call, readable},
    definition,
    refusal::{self, conflict},
};
use afterward_aws::{
    Error,
    scheduler::{Response, ScheduleInput, ScheduleOutput},
};
use afterward_broker::{Failure, machine::Refusal};
use afterward_names::ScheduleAddress;
use afterward_scheduler::{Definition, Schedule};

const ACTION: &str = "UpdateSchedule";

/// How often a schedule that changes meanwhile is looked at again. Each time, somebody else's change or a run was made.
const LOOKS: usize = 32;

pub(super) async fn update(call: &Call<'_>, input: ScheduleInput) -> Result<Response, Error> {
    let address = call.schedule(input.group_name.as_deref(), &input.name)?;
    let schedule_arn = address.arn().to_string();
    let definition = definition::of(input, 0)?;
    let identity = definition::identity(ACTION, &schedule_arn, &definition);
    if !call.has_succeeded(identity) {
        change(call, &address, definition).await?;
        call.remember(identity);
    }
    Ok(Response::UpdateSchedule(ScheduleOutput { schedule_arn }))
}

async fn change(call: &Call<'_>, address: &ScheduleAddress, mut definition: Definition) -> Result<(), Error> {
    for _ in 0..LOOKS {
        let stored = call.stored(address).await?;
        let before = readable(&stored);
        definition.anchor_ms = before.as_ref().map_or(stored.created_ms, |before| before.anchor_ms);
        let schedule = definition::understood(address, &definition)?;
        // One that has the target from other times may be paused.
        if before.as_ref().is_none_or(|before| before.target != definition.target) {
            call.check_reach(&schedule)?;
        }
        let before = before.and_then(|before| Schedule::of(address, &before).ok());
        // Read after the schedule: what it ran for by then was due by then.
        let now_ms = call.broker().now_ms();
        let due_ms = schedule.due_after_change_ms(before.as_ref(), stored.next_ms, now_ms);
        let read = stored.read();
        match call.broker().update_schedule(address.clone(), read, definition.encode(), due_ms).await {
            Ok(_) => return Ok(()),
            Err(Failure::Refused(Refusal::StaleRun)) => {}
            Err(failure) => return Err(refusal::of_schedule(failure, address)),
        }
    }
    Err(conflict(format!("Schedule {} kept changing while it was to be updated.", address.name)))
}
