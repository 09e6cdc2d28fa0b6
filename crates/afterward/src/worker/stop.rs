//! Asking a worker to stop.

use super::attempt::raised;
use std::{fmt, pin::Pin, sync::Arc};
use tokio::sync::watch;

type Signal = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Stops a worker from elsewhere in the program. Cheap to clone; does nothing once the worker has ended.
#[derive(Clone)]
pub struct Handle(Arc<watch::Sender<bool>>);

impl Handle {
    /// Asks the worker to stop: nothing more is received, and what is in hand may finish. Returns at once; the worker's
    /// `run` returns when it is done.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("stopping", &*self.0.borrow()).finish()
    }
}

/// The reasons for a worker to stop.
pub(super) struct Stop {
    flag: Arc<watch::Sender<bool>>,
    signals: Vec<Signal>,
}

impl Default for Stop {
    fn default() -> Stop {
        Stop { flag: Arc::new(watch::Sender::new(false)), signals: Vec::new() }
    }
}

impl Stop {
    pub(super) fn on(&mut self, signal: Signal) {
        self.signals.push(signal);
    }

    pub(super) fn handle(&self) -> Handle {
        Handle(self.flag.clone())
    }

    /// Completes with the first of the reasons.
    pub(super) async fn requested(mut self) {
        let mut flag = self.flag.subscribe();
        // Kept here, so that a flag nobody holds a handle of stays down.
        let _flag = self.flag;
        let any_signal = std::future::poll_fn(move |cx| {
            let any = self.signals.iter_mut().any(|signal| signal.as_mut().poll(cx).is_ready());
            if any { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        });
        tokio::select! {
            () = any_signal => {}
            () = raised(&mut flag) => {}
        }
    }
}
