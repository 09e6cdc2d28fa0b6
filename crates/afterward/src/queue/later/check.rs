//! Whether a queue would take a message that somebody else sends it later, when nobody is there to be told.
//!
//! The rules are SQS's. An Afterward server looks at a schedule's input itself; Amazon's scheduler does not.

use crate::{
    Error,
    queue::{Queue, attributes::Attributes, batch},
    sqs,
};
use afterward_names::{
    DeduplicationId, GroupId,
    message_text::{GivenValue, check_attribute, check_characters},
};

/// # Errors
/// The queue would not take it.
pub(in crate::queue) fn would_be_taken(
    queue: &Queue,
    request: &sqs::SendMessageRequest,
    settings: &Attributes,
) -> Result<(), Error> {
    let bytes = batch::size_bytes(request);
    if settings.known && bytes > settings.maximum_message_bytes {
        return Err(Error::Refused(format!(
            "a message of {bytes} bytes, where `{}` takes {} at most: name a store for what is larger, by \
             AFTERWARD_CLAIM_CHECK_URL or Queue::claim_check_at",
            queue.name(),
            settings.maximum_message_bytes
        )));
    }
    check_texts(request).map_err(|why| Error::Refused(format!("`{}` would not take the message: {why}", queue.name())))
}

fn check_texts(request: &sqs::SendMessageRequest) -> Result<(), String> {
    check_characters(&request.message_body, "the message body").map_err(|wrong| wrong.to_string())?;
    let is_id = |text: &Option<String>, is: fn(&str) -> bool| text.as_deref().is_none_or(is);
    let not_an_id = |name| Err(format!("{name} is 1 to 128 letters, digits and punctuation characters"));
    if !is_id(&request.message_group_id, |text| text.parse::<GroupId>().is_ok()) {
        return not_an_id("a group");
    }
    if !is_id(&request.message_deduplication_id, |text| text.parse::<DeduplicationId>().is_ok()) {
        return not_an_id("a deduplication id");
    }
    for (name, value) in &request.message_attributes {
        let binary = value.binary_value.as_ref().map(|sqs::Blob(bytes)| bytes.as_slice());
        let given = GivenValue { data_type: &value.data_type, string: value.string_value.as_deref(), binary };
        check_attribute(name, given).map_err(|wrong| wrong.to_string())?;
    }
    Ok(())
}
