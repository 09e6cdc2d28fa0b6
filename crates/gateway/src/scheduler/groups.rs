//! CreateScheduleGroup, GetScheduleGroup, ListScheduleGroups and DeleteScheduleGroup.

use super::{
    call::Call,
    page::{self, Page, date},
    refusal,
    repeats::Identity,
    tags,
};
use afterward_aws::{
    Error,
    scheduler::{
        CreateScheduleGroupInput, CreateScheduleGroupOutput, DeleteScheduleGroupInput, GetScheduleGroupInput,
        ListScheduleGroupsInput, ListScheduleGroupsOutput, Response, ScheduleGroup, ScheduleGroupState,
    },
};
use afterward_broker::{
    Failure,
    machine::{Refusal, ScheduleGroupView},
};

pub(super) async fn create(call: &Call<'_>, input: CreateScheduleGroupInput) -> Result<Response, Error> {
    const ACTION: &str = "CreateScheduleGroup";
    let group = call.group(&input.name)?;
    let arn = group.arn().to_string();
    let identity = Identity::of(ACTION, &arn, input.client_token.as_deref(), b"");
    match call.broker().create_schedule_group(group.clone(), tags::of(input.tags)?).await {
        Ok(()) => call.remember(identity),
        // A group does not go by itself: where it is not there, somebody has deleted it, and it is made again.
        Err(Failure::Refused(Refusal::ScheduleGroupExists)) if call.has_succeeded(identity) => {}
        Err(failure) => return Err(refusal::of_group(failure, &group)),
    }
    Ok(Response::CreateScheduleGroup(CreateScheduleGroupOutput { schedule_group_arn: arn }))
}

pub(super) async fn get(call: &Call<'_>, input: GetScheduleGroupInput) -> Result<Response, Error> {
    let group = call.group(&input.name)?;
    let found = call.broker().schedule_group(&group).await.map_err(refusal::unavailable)?;
    found.map(|view| Response::GetScheduleGroup(shown(&view))).ok_or_else(|| refusal::no_group(&group))
}

pub(super) async fn list(call: &Call<'_>, input: ListScheduleGroupsInput) -> Result<Response, Error> {
    let Page { size, after } = Page::asked_for(input.max_results, input.next_token.as_deref(), page::read_group)?;
    let prefix = input.name_prefix.unwrap_or_default();
    let found = call.broker().schedule_groups(call.account(), call.region(), prefix, after, size + 1).await;
    let mut found = found.map_err(refusal::unavailable)?;
    let has_more = found.len() > size;
    found.truncate(size);
    let next_token = found.last().filter(|_| has_more).map(|last| page::group_token(&last.address.name));
    let schedule_groups = found.iter().map(shown).collect();
    Ok(Response::ListScheduleGroups(ListScheduleGroupsOutput { schedule_groups, next_token }))
}

/// Deletes the group's schedules, too. It is there as `DELETING` until they all are.
pub(super) async fn delete(call: &Call<'_>, input: DeleteScheduleGroupInput) -> Result<Response, Error> {
    const ACTION: &str = "DeleteScheduleGroup";
    let group = call.group(&input.name)?;
    let identity = Identity::of(ACTION, &group.arn().to_string(), input.client_token.as_deref(), b"");
    if !call.has_succeeded(identity) {
        let deleted = call.broker().delete_schedule_group(group.clone()).await;
        deleted.map_err(|failure| refusal::of_group(failure, &group))?;
        call.remember(identity);
    }
    Ok(Response::DeleteScheduleGroup)
}

fn shown(view: &ScheduleGroupView) -> ScheduleGroup {
    // A default group that was never used has no dates.
    let dated = |ms: u64| (ms > 0).then(|| date(ms));
    ScheduleGroup {
        arn: Some(view.address.arn().to_string()),
        name: Some(view.address.name.to_string()),
        state: Some(if view.deleting { ScheduleGroupState::Deleting } else { ScheduleGroupState::Active }),
        creation_date: dated(view.created_ms),
        last_modification_date: dated(view.modified_ms),
    }
}
