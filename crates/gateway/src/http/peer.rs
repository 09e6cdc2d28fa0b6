//! The other end of a connection.

use std::{future::pending, sync::Arc};
use tokio::{io::Interest, net::TcpStream};

/// What the system is asked to tell. Tokio counts the end of what a peer sends among what is of priority, and, other than
/// for what can be read, it tells of that end even behind bytes that nobody has read.
#[cfg(any(target_os = "linux", target_os = "android"))]
const END: Interest = Interest::PRIORITY;
/// Elsewhere, only an end behind which there is nothing to read is told.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const END: Interest = Interest::READABLE;

/// The client at the other end of a connection. Who says that nothing more will come (FIN) may have gone, or may still
/// listen; which of them it is can't be known without sending. So what they have asked for is done and answered, but
/// nothing is waited for on their behalf.
pub(crate) struct Peer(Arc<TcpStream>);

impl Peer {
    pub(super) fn new(stream: Arc<TcpStream>) -> Peer {
        Peer(stream)
    }

    /// Returns when nothing more will come from there: it has gone, or half of it. Costs no call of the system.
    pub(crate) async fn left(&self) {
        if let Ok(ready) = self.0.ready(END).await
            && !ready.is_read_closed()
        {
            // Bytes that it has sent ahead, on a system that tells no more behind them.
            pending::<()>().await;
        }
    }
}
