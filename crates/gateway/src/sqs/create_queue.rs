//! CreateQueue: makes a queue, or answers with the one that is there and is no different.

use super::{
    attributes,
    call::{Call, changeable, unexpected},
    tags,
};
use afterward_aws::{
    Error,
    sqs::{CreateQueueRequest, CreateQueueResult, Response},
};
use afterward_broker::machine::{AttributeChanges, Command, CreateQueue, Reply};
use afterward_names::QueueName;

pub(super) async fn create_queue(call: &Call<'_>, request: CreateQueueRequest) -> Result<Response, Error> {
    let changes = attributes::parse(&request.attributes)?;
    let name = name(&request.queue_name, &changes)?;
    let tags = tags::checked(request.tags)?;
    let queue = changeable(call.own_queue(name))?;
    attributes::check_kind(&changes, queue.name.is_fifo())?;
    let url = call.url(&queue);
    let command = Command::CreateQueue(CreateQueue { queue, attributes: changes, tags, cooldown: call.cooldowns() });
    match call.execute(command, |refusal| attributes::explain(&refusal, &request.attributes)).await? {
        Reply::Queue(_) => Ok(Response::CreateQueue(CreateQueueResult { queue_url: Some(url) })),
        reply => Err(unexpected(&reply)),
    }
}

/// The name, which ends in `.fifo` exactly if the attributes say `FifoQueue`.
fn name(text: &str, changes: &AttributeChanges) -> Result<QueueName, Error> {
    let name: Option<QueueName> = text.parse().ok();
    let says_fifo = changes.fifo == Some(true);
    match name {
        // A standard queue has no such attribute, not even with the value false.
        Some(name) if !name.is_fifo() && changes.fifo == Some(false) => Err(Error::invalid_attribute_name("FifoQueue")),
        Some(name) if name.is_fifo() == says_fifo => Ok(name),
        _ if says_fifo => Err(Error::invalid_parameter_value(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with \
             .fifo suffix and be 1 to 80 in length.",
        )),
        _ => Err(Error::invalid_parameter_value(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.",
        )),
    }
}
