//! PurgeQueue: takes all messages of a queue away at once.

use super::{call::Call, refusal};
use afterward_aws::{
    Code, Error,
    sqs::{PurgeQueueRequest, Response},
};
use afterward_broker::machine::{Command, Refusal};

pub(super) async fn purge_queue(call: &Call<'_>, request: PurgeQueueRequest) -> Result<Response, Error> {
    let queue = call.queue(&request.queue_url)?;
    let name = queue.name.clone();
    let command = Command::Purge { queue, cooldown: call.cooldowns() };
    let explain = |refusal| match refusal {
        Refusal::PurgeInProgress => Error::new(
            Code::PurgeQueueInProgress,
            format!("Only one PurgeQueue operation on {name} is allowed every 60 seconds."),
        ),
        refusal => refusal::error(&refusal),
    };
    call.execute(command, explain).await?;
    Ok(Response::PurgeQueue)
}
