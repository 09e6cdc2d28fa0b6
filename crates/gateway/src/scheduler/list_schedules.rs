//! ListSchedules.

use super::{
    call::{Call, group_name, readable},
    definition::state,
    page::{self, Page},
    refusal,
};
use afterward_aws::{
    Error,
    scheduler::{ListSchedulesInput, ListSchedulesOutput, Response, ScheduleState, ScheduleSummary, TargetSummary},
};
use afterward_broker::StoredSchedule;

/// How many schedules are read at a time: each may be a mebibyte long.
const CHUNK: usize = 16;
/// How many are looked at for one page, if hardly any is in the state that was asked for.
const SCAN: usize = 1_000;

pub(super) async fn list(call: &Call<'_>, input: ListSchedulesInput) -> Result<Response, Error> {
    let group = input.group_name.as_deref().map(group_name).transpose()?;
    if let Some(group) = &group {
        let address = call.group(group.as_str())?;
        let found = call.broker().schedule_group(&address).await.map_err(refusal::unavailable)?;
        found.ok_or_else(|| refusal::no_group(&address))?;
    }
    let Page { size, after } = Page::asked_for(input.max_results, input.next_token.as_deref(), page::read_schedule)?;
    let prefix = input.name_prefix.unwrap_or_default();
    let (mut output, mut after, mut scanned) = (ListSchedulesOutput::default(), after, 0);
    loop {
        let (account, region) = (call.account(), call.region());
        let found = call.broker().schedules(account, region, group.clone(), prefix.clone(), after.clone(), CHUNK).await;
        let found = found.map_err(refusal::unavailable)?;
        // Some of them may have gone since: the end is where there are none.
        if found.is_empty() {
            return Ok(Response::ListSchedules(output));
        }
        for stored in found {
            if output.schedules.len() == size || scanned == SCAN {
                output.next_token = after.as_ref().map(page::schedule_token);
                return Ok(Response::ListSchedules(output));
            }
            scanned += 1;
            output.schedules.extend(summary(&stored, input.state));
            after = Some((stored.address.group.name, stored.address.name));
        }
    }
}

/// The schedule, if it is in the state that was asked for. One that can't be read is listed with what is known of it, or
/// nobody would see the others, nor what to delete.
fn summary(stored: &StoredSchedule, wanted: Option<ScheduleState>) -> Option<ScheduleSummary> {
    let definition = readable(stored);
    let state = definition.as_ref().map(state);
    if wanted.is_some() && wanted != state {
        return None;
    }
    Some(ScheduleSummary {
        arn: Some(stored.address.arn().to_string()),
        name: Some(stored.address.name.to_string()),
        group_name: Some(stored.address.group.name.to_string()),
        state,
        target: definition.map(|definition| TargetSummary { arn: definition.target.arn }),
        creation_date: Some(page::date(stored.created_ms)),
        last_modification_date: Some(page::date(stored.modified_ms)),
    })
}
