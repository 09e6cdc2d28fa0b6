//! Receiving: waiting for messages, and for room to have them in memory.
//!
//! What a receive finds is of a known size before any of it is read. A large reply takes its share of the room for
//! replies there and then, for all that it will take until the system has its last byte: the messages as they are read,
//! or the reply that is made of them, whichever is more.
//!
//! Messages don't wait for room, for their leases would run meanwhile. They are given back as if they had not been
//! received, others may have them, and once there is as much room, what is there then is received.

use super::call::Call;
use crate::http::room::{Full, SMALL_BYTES, Share};
use afterward_aws::Protocol;
use afterward_broker::{Failure, Picked, Received, Unavailable, machine::Receive};
use afterward_names::QueueAddress;
use std::time::Duration;

/// What a message takes in a reply beside its body and attributes.
const ENVELOPE_BYTES: usize = 4 << 10;

/// Why there are no messages.
#[derive(Debug)]
pub(super) enum NoMessages {
    /// The broker has none to give.
    Failed(Failure),
    /// There was no room for those that it had.
    NoRoom,
}

impl From<Failure> for NoMessages {
    fn from(failure: Failure) -> NoMessages {
        NoMessages::Failed(failure)
    }
}

impl From<Unavailable> for NoMessages {
    fn from(unavailable: Unavailable) -> NoMessages {
        NoMessages::Failed(unavailable.into())
    }
}

impl From<Full> for NoMessages {
    fn from(Full: Full) -> NoMessages {
        NoMessages::NoRoom
    }
}

/// Receives, waiting for as long as `wait` says, or the queue, but no longer than the caller does.
pub(super) async fn receive(
    call: &Call<'_>,
    receive: &Receive,
    wait: Option<Duration>,
) -> Result<Vec<Received>, NoMessages> {
    let picked = pick(call, receive, wait).await?;
    let bytes = most_bytes(call.protocol(), picked.sizes_bytes());
    if bytes <= SMALL_BYTES {
        return Ok(picked.read().await?);
    }
    let mut share = call.share();
    if share.try_cover(bytes).is_err() {
        picked.hand_back().await;
        return Box::pin(receive_later(call, receive, bytes, share)).await;
    }
    call.reply_with(share);
    Ok(picked.read().await?)
}

/// Receives once there is room for so much.
async fn receive_later(
    call: &Call<'_>,
    receive: &Receive,
    bytes: usize,
    mut share: Share,
) -> Result<Vec<Received>, NoMessages> {
    tokio::select! {
        biased;
        covered = share.cover(bytes) => covered?,
        () = call.peer_left() => return Err(NoMessages::NoRoom),
    }
    let picked = pick(call, receive, Some(Duration::ZERO)).await?;
    if share.try_cover(most_bytes(call.protocol(), picked.sizes_bytes())).is_err() {
        picked.hand_back().await;
        return Err(NoMessages::NoRoom);
    }
    call.reply_with(share);
    Ok(picked.read().await?)
}

/// The most that messages of these sizes can take. As they are read, each is there as the log has it and as it is
/// decoded. A reply in JSON may say two bytes for one (`\\"`), one in XML six (`&quot;`).
fn most_bytes(protocol: Protocol, sizes_bytes: impl Iterator<Item = usize>) -> usize {
    let times = match protocol {
        Protocol::Json => 2,
        Protocol::Query => 6,
    };
    sizes_bytes.map(|bytes| bytes * times + ENVELOPE_BYTES).sum()
}

/// Finds messages.
///
/// Where a test moves the broker's time, a wait lasts as long as by the machine's clock all the same: it is something
/// between the caller and us, whose own timeouts are by that clock, too. And moving the clock on to when a message is
/// due ends no wait for it.
async fn pick<'a>(call: &'a Call<'_>, receive: &'a Receive, wait: Option<Duration>) -> Result<Picked<'a>, Failure> {
    if call.time_passes() {
        return call.broker().pick(receive, wait, call.peer_left()).await;
    }
    let wait = match wait {
        Some(wait) => wait,
        None => waiting_time(call, &receive.queue).await?,
    };
    if wait.is_zero() {
        return call.broker().pick(receive, Some(wait), std::future::pending()).await;
    }
    let over = async {
        tokio::select! {
            () = call.peer_left() => {}
            () = tokio::time::sleep(wait) => {}
        }
    };
    call.broker().pick(receive, Some(Duration::from_millis(u64::MAX)), over).await
}

/// How long a receive waits if it doesn't say: `ReceiveMessageWaitTimeSeconds`.
async fn waiting_time(call: &Call<'_>, queue: &QueueAddress) -> Result<Duration, Failure> {
    let queue = queue.clone();
    let wait_ms = call.broker().read(move |state| state.queue_at(&queue).map(|queue| queue.attributes.receive_wait_ms));
    Ok(Duration::from_millis(wait_ms.await?.unwrap_or_default()))
}
