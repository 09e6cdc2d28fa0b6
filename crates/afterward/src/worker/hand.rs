//! A message in hand: what was delivered, its lease, and what its handler is to know of it.
//!
//! Shared by the attempt, the keeper of leases and the handler's [`Context`](super::Context). Locks here are held for a
//! moment and never together, but for [`line`](Hand::line), which is held while somebody talks to the source about the lease:
//! so an extension never arrives after what settles the message.

use super::{keeper::Place, lease::Lease};
use crate::{Delivery, envelope::Envelope};
use std::{
    ops::Range,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{sync::Notify, time::Instant};

/// Why an attempt's work is no longer wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancelled {
    /// The lease is lost: another worker may have the message now, and what this attempt returns changes nothing.
    LeaseLost,
    /// The worker stops, and its deadline has passed: the message is handed back.
    Stopping,
    /// The handler's [timeout](crate::Handling::timeout) has passed: the attempt has failed.
    TimedOut,
}

#[derive(Debug)]
pub(super) struct Hand {
    pub(super) delivery: Delivery,
    /// Known once the body is.
    content: OnceLock<Content>,
    lease: Mutex<Lease>,
    pub(super) line: tokio::sync::Mutex<()>,
    progress: Mutex<Progress>,
    cancelled: OnceLock<Cancelled>,
    /// The attempt is to end now, and its message to be given back.
    interrupted: AtomicBool,
    told: Notify,
    /// An attempt at it has begun.
    begun: AtomicBool,
    /// Nobody extends the lease any more: the message is being settled, or was.
    settled: AtomicBool,
    /// When the handler will have had its time.
    deadline: OnceLock<Instant>,
    /// Where it stands in the keeper's order; the keeper's alone.
    pub(super) place: Mutex<Option<Place>>,
}

/// A body, read as far as its envelope.
#[derive(Debug)]
struct Content {
    /// The body, where the delivery only says where it is.
    fetched: Option<String>,
    /// The type that the envelope names, where there is an envelope.
    message_type: Option<String>,
    /// Where in the body the payload stands, where there is one.
    payload: Option<Range<usize>>,
}

impl Content {
    fn of(delivery: &Delivery, fetched: Option<String>) -> Content {
        let body = fetched.as_ref().unwrap_or(&delivery.body);
        let envelope = Envelope::open(body);
        let payload = envelope.as_ref().and_then(|envelope| envelope.payload_in(body));
        let message_type = envelope.map(|envelope| envelope.message_type.into_owned());
        Content { message_type, payload, fetched }
    }
}

/// What the handler last said of how far it is.
#[derive(Debug, Default)]
struct Progress {
    unsent: Option<String>,
    sent_at: Option<Instant>,
}

impl Hand {
    /// A message whose body is yet to be [read](Hand::read).
    pub(super) fn new(delivery: Delivery, lease: Lease) -> Hand {
        Hand {
            content: OnceLock::new(),
            delivery,
            lease: Mutex::new(lease),
            line: tokio::sync::Mutex::new(()),
            progress: Mutex::default(),
            cancelled: OnceLock::new(),
            interrupted: AtomicBool::new(false),
            told: Notify::new(),
            begun: AtomicBool::new(false),
            settled: AtomicBool::new(false),
            deadline: OnceLock::new(),
            place: Mutex::default(),
        }
    }

    /// Reads the body: the delivery's own, or the one that was fetched for it.
    pub(super) fn read(&self, fetched: Option<String>) {
        // A body is read once.
        let _ = self.content.set(Content::of(&self.delivery, fetched));
    }

    /// The body, as far as it is known.
    pub(super) fn body(&self) -> &str {
        let fetched = self.content.get().and_then(|content| content.fetched.as_deref());
        fetched.unwrap_or(&self.delivery.body)
    }

    /// The type that the envelope names, where there is an envelope.
    pub(super) fn message_type(&self) -> Option<&str> {
        self.content.get()?.message_type.as_deref()
    }

    /// The payload's JSON, where there is one.
    pub(super) fn payload(&self) -> Option<&str> {
        self.content.get()?.payload.clone().and_then(|range| self.body().get(range))
    }

    pub(super) fn lease(&self) -> MutexGuard<'_, Lease> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first reason for which the work is no longer wanted.
    pub(super) fn cancellation(&self) -> Option<Cancelled> {
        self.cancelled.get().copied()
    }

    pub(super) fn cancel(&self, reason: Cancelled) {
        // A second reason changes nothing.
        let _ = self.cancelled.set(reason);
        self.told.notify_waiters();
    }

    /// Waits until the work is no longer wanted.
    pub(super) async fn cancelled(&self) -> Cancelled {
        loop {
            let told = self.told.notified();
            if let Some(reason) = self.cancellation() {
                return reason;
            }
            told.await;
        }
    }

    /// Ends the attempt, if there is one under way.
    pub(super) fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Release);
        self.cancel(Cancelled::Stopping);
    }

    /// Waits until the attempt is to end.
    pub(super) async fn interrupted(&self) {
        loop {
            let told = self.told.notified();
            if self.interrupted.load(Ordering::Acquire) {
                return;
            }
            told.await;
        }
    }

    pub(super) fn begin(&self) {
        self.begun.store(true, Ordering::Release);
    }

    pub(super) fn is_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    pub(super) fn settle(&self) {
        self.settled.store(true, Ordering::Release);
    }

    pub(super) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire)
    }

    pub(super) fn set_deadline(&self, deadline: Instant) {
        // An attempt begins once.
        let _ = self.deadline.set(deadline);
    }

    pub(super) fn is_past_deadline(&self) -> bool {
        self.deadline.get().is_some_and(|deadline| Instant::now() >= *deadline)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how far the work is; when the source was last told so.
    pub(super) fn note_progress(&self, progress: String) -> Option<Instant> {
        let mut known = self.progress();
        known.unsent = Some(progress);
        known.sent_at
    }

    /// What the source has not been told yet, as told from now on.
    pub(super) fn take_progress(&self) -> Option<String> {
        let mut known = self.progress();
        let unsent = known.unsent.take()?;
        known.sent_at = Some(Instant::now());
        Some(unsent)
    }

    /// When the source was last told, if there is something new to tell.
    pub(super) fn unsent_since(&self) -> Option<Option<Instant>> {
        let known = self.progress();
        known.unsent.is_some().then_some(known.sent_at)
    }
}
