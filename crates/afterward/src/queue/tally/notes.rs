//! Which jobs a program has announced, for whoever has to tell of them again: by the `Batch` that enqueued them, and by the
//! attempt in which they were.

use super::member::{Member, Members};
use std::{
    cell::RefCell,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What one `Batch` and its clones have announced: their completion tells of it once more, so that whoever knows of the
/// completion knows of these.
#[derive(Clone, Default)]
pub(in crate::queue) struct Notes(Arc<Mutex<Page>>);

#[derive(Default)]
struct Page {
    members: Members,
    /// A completion has told of them: the next job begins a new page.
    is_told: bool,
}

impl Notes {
    pub(super) fn add(&self, member: &Member) {
        let mut page = self.page();
        if page.is_told {
            *page = Page::default();
        }
        page.members.add(member);
    }

    /// All of them, for a completion.
    pub(super) fn tell(&self) -> Members {
        let mut page = self.page();
        page.is_told = true;
        page.members.clone()
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notes")
    }
}

thread_local! {
    /// The receipt of the job whose handler is being polled on this thread, where it is one of a batch.
    static RECEIPT: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// The receipt of the job in whose handler this is called, where it is one of a batch kept by tallies.
pub(in crate::queue) fn attempt() -> Option<Arc<str>> {
    RECEIPT.with_borrow(Clone::clone)
}

/// While this lives, the thread works on that job.
struct Within(Option<Arc<str>>);

impl Within {
    fn enter(receipt: Arc<str>) -> Within {
        Within(RECEIPT.replace(Some(receipt)))
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        RECEIPT.set(self.0.take());
    }
}

type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A handler of the job with this receipt, which may add to its batch. Other jobs' handlers are left as they are.
pub(crate) fn within<T: 'static>(receipt: &str, mut running: Running<T>) -> Running<T> {
    if !crate::queue::receipt::has_member(receipt) {
        return running;
    }
    let receipt: Arc<str> = receipt.into();
    Box::pin(poll_fn(move |cx| {
        let _within = Within::enter(receipt.clone());
        running.as_mut().poll(cx)
    }))
}
