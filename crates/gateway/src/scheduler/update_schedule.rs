//! UpdateSchedule: everything is as the request says, or as the default is; nothing stays as it was but when the schedule
//! was made.

use super::{call::Call, definition, refusal};
use afterward_aws::{
    Error,
    scheduler::{Response, ScheduleInput, ScheduleOutput},
};

pub(super) async fn update(call: &Call<'_>, input: ScheduleInput) -> Result<Response, Error> {
    let address = call.schedule(input.group_name.as_deref(), &input.name)?;
    let (_, before) = call.stored(&address).await?;
    let definition = definition::of(input, before.anchor_ms)?;
    let due_ms = definition::understood(&address, &definition)?.due_after_change_ms(call.broker().now_ms());
    let updated = call.broker().update_schedule(address.clone(), definition.encode(), due_ms).await;
    updated.map_err(|failure| refusal::of_schedule(failure, &address))?;
    Ok(Response::UpdateSchedule(ScheduleOutput { schedule_arn: address.arn().to_string() }))
}
