//! Steering a worker from elsewhere: stop, pause, resume.

use std::{collections::BTreeSet, fmt, pin::Pin, sync::Arc};
use tokio::sync::watch;

type Signal = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Steers a worker from elsewhere in the program; see [`Worker::handle`](crate::Worker::handle). Cheap to clone; does nothing
/// once the worker has ended. What is asked before the worker runs holds from its start.
#[derive(Clone)]
pub struct Handle(Arc<watch::Sender<Wishes>>);

/// What handles have asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Wishes {
    pub(super) stop: bool,
    pub(super) pause: bool,
    pub(super) paused_types: BTreeSet<String>,
}

impl Handle {
    /// Asks the worker to stop: nothing more is received, and what is in hand may finish. Returns at once; the worker's
    /// `run` returns when it is done.
    pub fn stop(&self) {
        self.0.send_modify(|wishes| wishes.stop = true);
    }

    /// Pauses the whole worker: nothing more is received or begun, and what has been begun goes on. What the receive under way
    /// still brings is handed back.
    pub fn pause(&self) {
        self.0.send_modify(|wishes| wishes.pause = true);
    }

    /// Ends [`pause`](Handle::pause). Types that are paused by themselves stay so.
    pub fn resume(&self) {
        self.0.send_modify(|wishes| wishes.pause = false);
    }

    /// Pauses the messages of one type (`OrderNew::TYPE`) that this worker handles: none of them is begun, and others are not
    /// held up. Those that come meanwhile wait in this worker, as [limited](crate::Handling#limits) ones do; those for whom there
    /// is no room are in sight again within seconds to minutes, the longer the pause was, up to five.
    pub fn pause_type(&self, message_type: impl Into<String>) {
        let message_type = message_type.into();
        self.0.send_modify(|wishes| {
            wishes.paused_types.insert(message_type);
        });
    }

    /// Ends [`pause_type`](Handle::pause_type).
    pub fn resume_type(&self, message_type: &str) {
        self.0.send_modify(|wishes| {
            wishes.paused_types.remove(message_type);
        });
    }

    /// Whether the whole worker is paused.
    pub fn is_paused(&self) -> bool {
        self.0.borrow().pause
    }

    /// The types that are paused by themselves.
    pub fn paused_types(&self) -> Vec<String> {
        self.0.borrow().paused_types.iter().cloned().collect()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&*self.0.borrow()).finish()
    }
}

/// The reasons for a worker to stop or pause.
#[derive(Default)]
pub(super) struct Stop {
    wishes: Arc<watch::Sender<Wishes>>,
    signals: Vec<Signal>,
}

impl Stop {
    pub(super) fn on(&mut self, signal: Signal) {
        self.signals.push(signal);
    }

    pub(super) fn handle(&self) -> Handle {
        Handle(self.wishes.clone())
    }

    /// What was asked, and what will be.
    pub(super) fn wishes(&self) -> watch::Receiver<Wishes> {
        self.wishes.subscribe()
    }

    /// Completes with the first of the reasons to stop.
    pub(super) async fn requested(mut self) {
        let mut wishes = self.wishes.subscribe();
        // Kept here, so that wishes nobody holds a handle of stay as they are.
        let _wishes = self.wishes;
        let any_signal = std::future::poll_fn(move |cx| {
            let any = self.signals.iter_mut().any(|signal| signal.as_mut().poll(cx).is_ready());
            if any { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        });
        tokio::select! {
            () = any_signal => {}
            _ = wishes.wait_for(|wishes| wishes.stop) => {}
        }
    }
}
