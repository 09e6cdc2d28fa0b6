//! ListQueues: the caller's queues by their names, page by page.

use super::{call::Call, page::Page};
use crate::pending_calls;
use afterward_aws::{
    Error,
    sqs::{ListQueuesRequest, ListQueuesResult, Response},
};
use afterward_names::QueueAddress;

pub(super) async fn list_queues(call: &Call<'_>, request: ListQueuesRequest) -> Result<Response, Error> {
    let page = Page::asked_for(request.max_results, request.next_token.as_deref())?;
    let prefix = request.queue_name_prefix.unwrap_or_default();
    let (account, region, size) = (call.account(), call.region(), page.size);
    let after = page.after.as_ref().map(|queue| queue.name.clone());
    let mut found: Vec<QueueAddress> = call
        .read(move |state| {
            let queues = state.queues(account, &region, &prefix, after.as_ref()).map(|queue| queue.address);
            queues.filter(|queue| pending_calls::is_listed(queue)).take(size + 1).cloned().collect()
        })
        .await?;
    let next_token = page.cut(&mut found);
    let queue_urls = found.iter().map(|queue| call.url(queue)).collect();
    Ok(Response::ListQueues(ListQueuesResult { queue_urls, next_token }))
}
