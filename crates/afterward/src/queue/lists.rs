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
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// How long nobody is asked again who did not answer: the question may be tried several times, and somebody waits for it.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// What is known of the lists that a queue's server takes. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Lists(Arc<Known>);

#[derive(Debug)]
struct Known {
    longest: AtomicUsize,
    asked_in_vain: Mutex<Option<Instant>>,
}

impl Default for Lists {
    fn default() -> Lists {
        Lists(Arc::new(Known { longest: AtomicUsize::new(BATCH_ENTRIES), asked_in_vain: Mutex::default() }))
    }
}

impl Lists {
    /// How many entries a list may have, as far as is known.
    pub(super) fn longest(&self) -> usize {
        self.0.longest.load(Relaxed)
    }

    fn asked_in_vain(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.asked_in_vain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn were_asked_in_vain(&self) -> bool {
        self.asked_in_vain().is_some_and(|at| at.elapsed() < ASK_AGAIN)
    }

    fn ask_later(&self) {
        *self.asked_in_vain() = Some(Instant::now());
    }

    /// The server takes so many.
    pub(super) fn learn(&self, entries: usize) {
        self.0.longest.store(entries.clamp(BATCH_ENTRIES, LONG_BATCH_ENTRIES), Relaxed);
    }

    /// Whether a server refused a list of so many for its length; if so, no further one is longer than SQS has it.
    pub(super) fn were_refused(&self, entries: usize, error: &sqs::Error) -> bool {
        let codes = ["TooManyEntriesInBatchRequest", "InvalidParameterValue", "InvalidParameterValueException"];
        let refused = entries > BATCH_ENTRIES && error.has_code(&codes);
        if refused {
            self.0.longest.store(BATCH_ENTRIES, Relaxed);
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

    /// How many entries a list of this queue's may have. Where the question has no answer it is SQS's limit, and for a while
    /// nobody asks again.
    pub(super) async fn longest_list(&self) -> usize {
        if self.is_known_as_afterward().is_none() {
            if self.lists().were_asked_in_vain() {
                return BATCH_ENTRIES;
            }
            if self.is_afterward().await.is_err() {
                self.lists().ask_later();
            }
        }
        self.lists().longest()
    }
}
