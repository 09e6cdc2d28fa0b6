//! SetQueueAttributes.

use super::{attributes, call::Call};
use afterward_aws::{
    Code, Error,
    sqs::{Response, SetQueueAttributesRequest},
};
use afterward_broker::machine::{Command, SetAttributes};

pub(super) async fn set_queue_attributes(
    call: &Call<'_>,
    request: SetQueueAttributesRequest,
) -> Result<Response, Error> {
    let queue = call.queue(&request.queue_url)?;
    if request.attributes.is_empty() {
        return Err(Error::missing_parameter("Attribute.Name"));
    }
    let mut changes = attributes::parse(&request.attributes)?;
    check_kind(changes.fifo.take(), queue.name.is_fifo())?;
    attributes::check_kind(&changes, queue.name.is_fifo())?;
    let command = Command::SetAttributes(SetAttributes { queue, attributes: changes, expected_policy: None });
    call.execute(command, |refusal| attributes::explain(&refusal, &request.attributes)).await?;
    Ok(Response::SetQueueAttributes)
}

/// What kind of queue it is, is said when it is created, and may only be said again.
fn check_kind(said: Option<bool>, is_fifo: bool) -> Result<(), Error> {
    match said {
        None => Ok(()),
        Some(said) if is_fifo && said => Ok(()),
        Some(_) if is_fifo => Err(Error::new(
            Code::InvalidAttributeValue,
            "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
        )),
        Some(_) => Err(Error::invalid_attribute_name("FifoQueue")),
    }
}
