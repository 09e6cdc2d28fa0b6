//! ListDeadLetterSourceQueues.

use super::{call::Call, page::Page};
use afterward_aws::{
    Error,
    sqs::{ListDeadLetterSourceQueuesRequest, ListDeadLetterSourceQueuesResult, Response},
};
use afterward_names::QueueAddress;

pub(super) async fn list(call: &Call<'_>, request: ListDeadLetterSourceQueuesRequest) -> Result<Response, Error> {
    let queue = call.queue_to_look_at(&request.queue_url)?;
    let page = Page::asked_for(request.max_results, request.next_token.as_deref())?;
    let (after, size) = (page.after.clone(), page.size);
    let found = call
        .read(move |state| {
            state.queue_at(&queue)?;
            let arn = queue.arn();
            let sources = state.dead_letter_sources(&arn).map(|source| source.address);
            let rest = sources.filter(|source| after.as_ref().is_none_or(|after| *source > after));
            Some(rest.take(size + 1).cloned().collect())
        })
        .await?;
    let mut found: Vec<QueueAddress> = found.ok_or_else(Error::queue_does_not_exist)?;
    let next_token = page.cut(&mut found);
    let queue_urls = found.iter().map(|queue| call.url(queue)).collect();
    Ok(Response::ListDeadLetterSourceQueues(ListDeadLetterSourceQueuesResult { queue_urls, next_token }))
}
