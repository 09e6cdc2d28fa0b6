//! How long the list of one request may be: the messages of a receive, the entries of a batch.
//!
//! SQS has ten. An Afterward server takes more where a header asks for it, and says how many on the page that it is known by;
//! nobody else is ever sent that header. A server that says so and then refuses a long list is another one by now: from then on
//! its lists have ten, too.
//!
//! A FIFO queue keeps to ten where it sends and receives. What is not taken of a call can't keep back what follows it in its
//! group in the same call; and what was received behind a message that fails is given back one by one.

use super::Queue;
use crate::sqs;
use afterward_names::limits::{BATCH_ENTRIES, LONG_BATCH_ENTRIES};
use http::{HeaderMap, HeaderValue};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// What is known of the lists that a queue's server takes. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Lists(Arc<AtomicUsize>);

impl Default for Lists {
    fn default() -> Lists {
        Lists(Arc::new(AtomicUsize::new(BATCH_ENTRIES)))
    }
}

impl Lists {
    /// How many entries a list may have, as far as is known.
    pub(super) fn longest(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// The server takes so many.
    pub(super) fn learn(&self, entries: usize) {
        self.0.store(entries.clamp(BATCH_ENTRIES, LONG_BATCH_ENTRIES), Relaxed);
    }

    /// Whether a server refused a list of so many for its length; if so, no further one is longer than SQS has it.
    pub(super) fn were_refused(&self, entries: usize, error: &sqs::Error) -> bool {
        let codes = ["TooManyEntriesInBatchRequest", "InvalidParameterValue", "InvalidParameterValueException"];
        let refused = entries > BATCH_ENTRIES && error.has_code(&codes);
        if refused {
            self.0.store(BATCH_ENTRIES, Relaxed);
        }
        refused
    }
}

/// What a request with a list of so many has to say: nothing, where SQS itself takes it.
pub(super) fn headers(entries: usize) -> HeaderMap {
    let long = (entries > BATCH_ENTRIES).then(|| (sqs::ENTRIES_HEADER, HeaderValue::from(entries)));
    HeaderMap::from_iter(long)
}

impl Queue {
    pub(super) fn lists(&self) -> &Lists {
        &self.0.lists
    }

    /// How many messages one receive may bring, as far as is known.
    pub(super) fn longest_receive(&self) -> usize {
        if self.is_fifo() { BATCH_ENTRIES } else { self.lists().longest() }
    }

    /// How many entries a list of this queue's may have. Where nobody can be asked, it is SQS's limit.
    pub(super) async fn longest_list(&self) -> usize {
        match self.is_afterward().await {
            Ok(true) => self.0.lists.longest(),
            Ok(false) | Err(_) => BATCH_ENTRIES,
        }
    }
}
