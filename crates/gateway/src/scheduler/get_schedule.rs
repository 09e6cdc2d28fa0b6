//! GetSchedule.

use super::{
    call::{Call, readable},
    definition,
};
use afterward_aws::{
    Error,
    scheduler::{GetScheduleInput, Response},
};

pub(super) async fn get(call: &Call<'_>, input: GetScheduleInput) -> Result<Response, Error> {
    let address = call.schedule(input.group_name.as_deref(), &input.name)?;
    let stored = call.stored(&address).await?;
    let definition = readable(&stored).ok_or_else(Error::internal_failure)?;
    Ok(Response::GetSchedule(definition::shown(&stored, definition)))
}
