//! GetSchedule.

use super::{call::Call, definition};
use afterward_aws::{
    Error,
    scheduler::{GetScheduleInput, Response},
};

pub(super) async fn get(call: &Call<'_>, input: GetScheduleInput) -> Result<Response, Error> {
    let address = call.schedule(input.group_name.as_deref(), &input.name)?;
    let (stored, definition) = call.stored(&address).await?;
    Ok(Response::GetSchedule(definition::shown(&stored, definition)))
}
