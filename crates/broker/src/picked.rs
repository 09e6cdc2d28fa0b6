//! What a receive has found, before it is read.
//!
//! Contents are in the log, and may be large; how large is in the state. So whoever receives can look whether there is
//! room for them before they are in memory, and where there is none, give the messages back as if they had not been received.

use crate::{Received, Unavailable, undelivered::Undelivered};

/// Messages that were received and not read yet. Dropped, they are given back, and the receive counts.
#[must_use = "what is not read is given back"]
pub struct Picked<'a>(Undelivered<'a>);

impl<'a> From<Undelivered<'a>> for Picked<'a> {
    fn from(found: Undelivered<'a>) -> Picked<'a> {
        Picked(found)
    }
}

impl Picked<'_> {
    /// How much each message takes in the log: its body and attributes, and a little more.
    pub fn sizes_bytes(&self) -> impl Iterator<Item = usize> {
        self.0.leased().iter().map(|delivery| delivery.location.length_bytes as usize)
    }

    /// Reads them. One that can't be read stays behind, out of sight for a while, and its receive does not count.
    ///
    /// # Errors
    /// [`Unavailable`]: the partition, or all of the messages.
    pub async fn read(self) -> Result<Vec<Received>, Unavailable> {
        let of: Vec<_> = self.0.leased().iter().map(|delivery| (delivery.message, delivery.location)).collect();
        let read = self.0.broker().contents_apart(&of).await?;
        self.0.deliver(read).await
    }

    /// Gives them back as if they had not been received: they can be received at once, and nothing has counted.
    pub async fn hand_back(self) {
        self.0.take_back().await;
    }
}
