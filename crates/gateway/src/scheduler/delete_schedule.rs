//! DeleteSchedule.

use super::{call::Call, refusal};
use afterward_aws::{
    Error,
    scheduler::{DeleteScheduleInput, Response},
};
use afterward_broker::{Failure, machine::Refusal};

const ACTION: &str = "DeleteSchedule";

pub(super) async fn delete(call: &Call<'_>, input: DeleteScheduleInput) -> Result<Response, Error> {
    let address = call.schedule(input.group_name.as_deref(), &input.name)?;
    let (arn, token) = (address.arn().to_string(), input.client_token.as_deref());
    match call.broker().delete_schedule(address.clone()).await {
        Ok(()) => call.repeats().remember(ACTION, &arn, token),
        Err(Failure::Refused(Refusal::NoSuchSchedule)) if call.repeats().has_succeeded(ACTION, &arn, token) => {}
        Err(failure) => return Err(refusal::of_schedule(failure, &address)),
    }
    Ok(Response::DeleteSchedule)
}
