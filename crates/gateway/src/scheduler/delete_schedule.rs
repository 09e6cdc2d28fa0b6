//! DeleteSchedule.

use super::{call::Call, refusal, repeats::Identity};
use afterward_aws::{
    Error,
    scheduler::{DeleteScheduleInput, Response},
};

const ACTION: &str = "DeleteSchedule";

pub(super) async fn delete(call: &Call<'_>, input: DeleteScheduleInput) -> Result<Response, Error> {
    let address = call.schedule(input.group_name.as_deref(), &input.name)?;
    let identity = Identity::of(ACTION, &address.arn().to_string(), input.client_token.as_deref(), b"");
    if !call.has_succeeded(identity) {
        let deleted = call.broker().delete_schedule(address.clone()).await;
        deleted.map_err(|failure| refusal::of_schedule(failure, &address))?;
        call.remember(identity);
    }
    Ok(Response::DeleteSchedule)
}
