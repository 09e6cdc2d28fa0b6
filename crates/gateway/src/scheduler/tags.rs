//! TagResource, UntagResource and ListTagsForResource. Groups have tags, schedules don't.

use super::{
    call::Call,
    refusal::{self, invalid},
};
use afterward_aws::{
    Error,
    scheduler::{
        ListTagsForResourceInput, ListTagsForResourceOutput, Response, Tag, TagResourceInput, UntagResourceInput,
    },
};
use afterward_broker::machine::Tags;
use afterward_names::{NotAScheduleGroupArn, ScheduleGroupAddress, ScheduleGroupArn};

pub(super) async fn tag(call: &Call<'_>, input: TagResourceInput) -> Result<Response, Error> {
    let group = group(call, &input.resource_arn)?;
    let tagged = call.broker().tag_schedule_group(group.clone(), of(input.tags)?).await;
    tagged.map_err(|failure| refusal::of_group(failure, &group))?;
    Ok(Response::TagResource)
}

pub(super) async fn untag(call: &Call<'_>, input: UntagResourceInput) -> Result<Response, Error> {
    let group = group(call, &input.resource_arn)?;
    let keys = input.tag_keys.into_iter().map(String::into_boxed_str).collect();
    let untagged = call.broker().untag_schedule_group(group.clone(), keys).await;
    untagged.map_err(|failure| refusal::of_group(failure, &group))?;
    Ok(Response::UntagResource)
}

pub(super) async fn list(call: &Call<'_>, input: ListTagsForResourceInput) -> Result<Response, Error> {
    let group = group(call, &input.resource_arn)?;
    let found = call.broker().schedule_group(&group).await.map_err(refusal::unavailable)?;
    let tags = found.ok_or_else(|| refusal::no_group(&group))?.tags;
    let tags = tags.into_iter().map(|(key, value)| Tag { key: key.into(), value: value.into() }).collect();
    Ok(Response::ListTagsForResource(ListTagsForResourceOutput { tags }))
}

/// The group of that ARN; for the caller, somebody else's is not there.
fn group(call: &Call<'_>, arn: &str) -> Result<ScheduleGroupAddress, Error> {
    let ScheduleGroupArn(group) = arn.parse().map_err(|error: NotAScheduleGroupArn| invalid(error))?;
    if group.account != call.account() || group.region != call.region() {
        return Err(refusal::no_group(&group));
    }
    Ok(group)
}

/// Tags as they are kept; each key once, and none of AWS's own.
pub(super) fn of(tags: Vec<Tag>) -> Result<Tags, Error> {
    let mut kept = Tags::new();
    for Tag { key, value } in tags {
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!("The tag key {key} begins with aws:, which is reserved.")));
        }
        if kept.contains_key(key.as_str()) {
            return Err(invalid(format!("The tag key {key} is given twice.")));
        }
        kept.insert(key.into(), value.into());
    }
    Ok(kept)
}
