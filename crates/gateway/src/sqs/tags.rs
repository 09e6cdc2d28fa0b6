//! TagQueue, UntagQueue and ListQueueTags.

use super::call::{Call, plainly};
use afterward_aws::{
    Error,
    sqs::{ListQueueTagsRequest, ListQueueTagsResult, Response, TagQueueRequest, UntagQueueRequest},
};
use afterward_broker::machine::{Command, Tags};
use afterward_names::limits;
use std::collections::BTreeMap;

pub(super) async fn tag(call: &Call<'_>, request: TagQueueRequest) -> Result<Response, Error> {
    let queue = call.queue(&request.queue_url)?;
    if request.tags.is_empty() {
        return Err(Error::missing_parameter("Tags"));
    }
    let tags = checked(request.tags)?;
    call.execute(Command::Tag { queue, tags }, plainly).await?;
    Ok(Response::TagQueue)
}

pub(super) async fn untag(call: &Call<'_>, request: UntagQueueRequest) -> Result<Response, Error> {
    let queue = call.queue(&request.queue_url)?;
    if request.tag_keys.is_empty() {
        return Err(Error::missing_parameter("TagKeys"));
    }
    let keys = request.tag_keys.into_iter().map(String::into_boxed_str).collect();
    call.execute(Command::Untag { queue, keys }, plainly).await?;
    Ok(Response::UntagQueue)
}

pub(super) async fn list(call: &Call<'_>, request: ListQueueTagsRequest) -> Result<Response, Error> {
    let queue = call.queue_to_look_at(&request.queue_url)?;
    let tags = call.read_queue(queue, |queue| queue.tags.clone()).await?;
    let tags = tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
    Ok(Response::ListQueueTags(ListQueueTagsResult { tags }))
}

/// Tags as AWS takes them: at most 50, keys of 1 to 128 characters that don't begin with `aws:`, values of at most 256.
///
/// Source: SQS developer guide, "Amazon SQS cost allocation tags", and AWS's rules for tags.
pub(super) fn checked(tags: BTreeMap<String, String>) -> Result<Tags, Error> {
    if tags.len() > limits::QUEUE_TAGS {
        return Err(Error::invalid_parameter_value("Too many tags added for the queue: at most 50."));
    }
    for (key, value) in &tags {
        if key.is_empty() || key.chars().count() > 128 {
            return Err(Error::invalid_value(key, "TagKey", "A tag key is 1 to 128 characters long."));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Error::invalid_value(key, "TagKey", "The prefix aws: is reserved."));
        }
        if value.chars().count() > 256 {
            return Err(Error::invalid_value(value, "TagValue", "A tag value is at most 256 characters long."));
        }
    }
    Ok(tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
}
