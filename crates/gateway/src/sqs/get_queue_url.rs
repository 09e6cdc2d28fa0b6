//! GetQueueUrl: from a queue's name to its URL.

use super::call::Call;
use afterward_aws::{
    Error,
    sqs::{GetQueueUrlRequest, GetQueueUrlResult, Response},
};
use afterward_names::AccountId;

pub(super) async fn get_queue_url(call: &Call<'_>, request: GetQueueUrlRequest) -> Result<Response, Error> {
    let name = request.queue_name.parse().map_err(|_| Error::queue_does_not_exist())?;
    let mut queue = call.own_queue(name);
    if let Some(owner) = request.queue_owner_aws_account_id.filter(|owner| !owner.is_empty()) {
        queue.account = owner.parse::<AccountId>().map_err(|_| Error::queue_does_not_exist())?;
    }
    if !call.sees(&queue) {
        return Err(Error::queue_does_not_exist());
    }
    let url = call.url(&queue);
    call.read_queue(queue, |_| ()).await?;
    Ok(Response::GetQueueUrl(GetQueueUrlResult { queue_url: Some(url) }))
}
