//! GetQueueAttributes.

use super::{attributes, call::Call};
use afterward_aws::{
    Error,
    sqs::{GetQueueAttributesRequest, GetQueueAttributesResult, Response},
};

pub(super) async fn get_queue_attributes(
    call: &Call<'_>,
    request: GetQueueAttributesRequest,
) -> Result<Response, Error> {
    let queue = call.queue_to_look_at(&request.queue_url)?;
    let wanted = attributes::Wanted::asked_for(&request.attribute_names)?;
    let attributes = call.read_queue(queue, move |queue| wanted.of(&queue)).await?;
    Ok(Response::GetQueueAttributes(GetQueueAttributesResult { attributes }))
}
