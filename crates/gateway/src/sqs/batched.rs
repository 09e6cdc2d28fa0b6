//! Batches with a completion message: our extension of SendMessage and SendMessageBatch, for queues of either kind.
//!
//! A message sent with the header `x-afterward-batch: ID` is one of the batch of that name, in its queue. One sent with
//! `x-afterward-after: ID` is held, and nobody receives it, until none of the batch is in the queue: deleted,
//! dead-lettered or kept long enough, each of them. Of a SendMessageBatch, either holds for all entries. Receives show
//! them as the system attributes `AfterwardBatch` and `AfterwardAfter`. Amazon ignores the headers, so a client has to
//! know whom it speaks to.

use super::call::Call;
use afterward_aws::Error;
use afterward_broker::machine::{BatchTie, Batched};
use afterward_names::BatchId;
use http::HeaderValue;

const IN: &str = "x-afterward-batch";
const AFTER: &str = "x-afterward-after";

/// What the headers of a send say of its messages.
pub(super) fn asked(call: &Call<'_>) -> Result<Option<Batched>, Error> {
    let id = |name| call.header(name).map(|value| id(name, value)).transpose();
    match (id(IN)?, id(AFTER)?) {
        (None, None) => Ok(None),
        (Some(id), None) => Ok(Some(Batched::In(id))),
        (None, Some(id)) => Ok(Some(Batched::After(id))),
        // Two batches, each with what waits for the other, would wait for ever.
        (Some(_), Some(_)) => Err(Error::invalid_parameter_value(format!(
            "A message is sent in a batch or after one, not both: the headers {IN} and {AFTER} exclude each other."
        ))),
    }
}

fn id(name: &str, value: &HeaderValue) -> Result<BatchId, Error> {
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    id.ok_or_else(|| {
        Error::invalid_parameter_value(format!(
            "The header {name} has 1 to 128 letters, digits, hyphens, underscores, dots and colons."
        ))
    })
}

/// `AfterwardBatch`: the batch that the message is one of.
pub(super) fn batch(tie: Option<&BatchTie>) -> Option<&BatchId> {
    match tie? {
        BatchTie::In(id) => Some(id),
        BatchTie::Held(_) | BatchTie::After(_) => None,
    }
}

/// `AfterwardAfter`: the batch that the message was sent after.
pub(super) fn after(tie: Option<&BatchTie>) -> Option<&BatchId> {
    match tie? {
        BatchTie::Held(id) | BatchTie::After(id) => Some(id),
        BatchTie::In(_) => None,
    }
}
