//! What is said of attributes that are good by themselves, but not on this queue.

use crate::sqs::refusal;
use afterward_aws::{Code, Error};
use afterward_broker::machine::{AttributeChanges, Refusal};
use std::collections::BTreeMap;

/// Refuses the attributes of FIFO queues on a standard one: there, they are none.
pub(in crate::sqs) fn check_kind(changes: &AttributeChanges, is_fifo: bool) -> Result<(), Error> {
    let given = [
        ("ContentBasedDeduplication", changes.content_based_deduplication.is_some()),
        ("DeduplicationScope", changes.deduplication_scope.is_some()),
        ("FifoThroughputLimit", changes.throughput_limit.is_some()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((attribute, _)) if !is_fifo => {
            let message = format!("You can specify the {attribute} only when FifoQueue is set to true.");
            Err(Error::new(Code::InvalidAttributeName, message))
        }
        _ => Ok(()),
    }
}

/// A refusal of what `given` asks for. AWS repeats a redrive policy that it refuses.
pub(in crate::sqs) fn explain(refusal: &Refusal, given: &BTreeMap<String, String>) -> Error {
    const POLICY: &str = "RedrivePolicy";
    let text = given.get(POLICY).map_or("", String::as_str);
    match refusal {
        Refusal::InvalidAttribute { attribute: POLICY, reason } => Error::invalid_value(text, POLICY, reason),
        Refusal::RedriveDenied => {
            Error::invalid_value(text, POLICY, "The dead-letter queue's RedriveAllowPolicy denies this source queue.")
        }
        _ => refusal::error(refusal),
    }
}
