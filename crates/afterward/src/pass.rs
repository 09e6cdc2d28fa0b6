//! Letting others run, without being kept by them.

use std::{future::poll_fn, mem, task::Poll};

/// Lets those tasks run that are ready now.
///
/// Unlike [`yield_now`](tokio::task::yield_now) it leaves this task where other threads of the runtime may take it. What
/// `yield_now` puts off stays with the thread, and a handler that blocks that thread would keep whatever everybody waits for.
pub(crate) async fn pass() {
    let mut passed = false;
    poll_fn(|cx| {
        if mem::replace(&mut passed, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
