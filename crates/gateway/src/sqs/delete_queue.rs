//! DeleteQueue: takes a queue away with all its messages.

use super::call::{Call, plainly};
use afterward_aws::{
    Error,
    sqs::{DeleteQueueRequest, Response},
};
use afterward_broker::machine::Command;

pub(super) async fn delete_queue(call: &Call<'_>, request: DeleteQueueRequest) -> Result<Response, Error> {
    let queue = call.queue(&request.queue_url)?;
    call.execute(Command::DeleteQueue { queue }, plainly).await?;
    Ok(Response::DeleteQueue)
}
