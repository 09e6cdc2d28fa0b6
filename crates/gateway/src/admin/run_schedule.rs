//! `POST /_afterward/schedules/GROUP/NAME/run`: runs a schedule now, whenever it is due.

use super::failure::{self, AdminError};
use crate::{gateway::Exchange, parameters::decoded_path, reply};
use afterward_names::{ScheduleAddress, ScheduleGroupAddress};
use afterward_scheduler::RunNowError;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;

/// A run that is stored.
#[derive(Debug, Serialize)]
struct Ran {
    execution_id: String,
}

/// Runs it, enabled or not. When it is next due stays as it is; a one-time schedule that deletes itself is complete, and gone.
pub(super) async fn run(exchange: &Exchange<'_>, group: &str, name: &str) -> Result<Response<Bytes>, AdminError> {
    let caller = exchange.gateway.callers.identify(&exchange.incoming, None).map_err(failure::unsigned)?;
    let (group, name) = (decoded_path(group), decoded_path(name));
    let none = || failure::no_schedule(&group, &name);
    let schedule = ScheduleAddress {
        group: ScheduleGroupAddress {
            account: caller.account(),
            region: caller.region(),
            name: group.parse().map_err(|_| none())?,
        },
        name: name.parse().map_err(|_| none())?,
    };
    let runner = exchange.gateway.settings.runner.as_ref().ok_or_else(failure::no_runner)?;
    match runner.run_now(&schedule).await {
        Ok(execution_id) => Ok(reply::json(StatusCode::OK, &Ran { execution_id })),
        Err(RunNowError::NoSuchSchedule) => Err(none()),
        Err(RunNowError::Unusable(why)) => Err(failure::unusable_schedule(&group, &name, &why)),
        Err(RunNowError::Unavailable(unavailable)) => Err(failure::unavailable(unavailable)),
    }
}
