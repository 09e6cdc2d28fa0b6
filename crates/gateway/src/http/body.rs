//! Reading a request's body, up to a limit, and as far as there is room.

use super::{
    pulse::{Phase, Pulse},
    room::{Full, SMALL_BYTES, Share},
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header::EXPECT};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    /// Larger than the limit.
    TooLarge,
    /// There was no room for it.
    NoRoom,
    /// It ended early, or its chunks don't read.
    Broken,
}

impl From<Full> for BodyError {
    fn from(Full: Full) -> BodyError {
        BodyError::NoRoom
    }
}

/// How much of a body that is too large is read and thrown away, in multiples of the limit, so that its sender comes to
/// the point of reading why: one that is cut off while it sends sees a broken connection instead.
const PATIENCE: usize = 4;

/// Whether the body may be large: one that is not is kept before it is asked who sends it, and whether there is room.
pub(super) fn may_be_large(body: &Incoming) -> bool {
    body.size_hint().upper().is_none_or(|bytes| bytes > SMALL_BYTES as u64)
}

/// Reads past a body that nobody wants, and says whether it got to its end: where it did not, nothing more can be
/// understood on the connection.
pub(super) async fn pass_over(headers: &HeaderMap, body: &mut Incoming, limit_bytes: usize) -> bool {
    if !headers.contains_key(EXPECT) {
        discard(body, limit_bytes * PATIENCE).await;
    }
    body.is_end_stream()
}

/// The whole of a body that is not large, and so announced.
pub(super) async fn read(mut body: Incoming) -> Result<Bytes, BodyError> {
    // Most bodies come in one piece, which is then passed on as it is.
    let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
    let Some(second) = next(&mut body).await? else { return Ok(first) };
    let rest_bytes = body.size_hint().lower() as usize;
    let mut whole = BytesMut::with_capacity(first.len() + second.len() + rest_bytes);
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second);
    while let Some(more) = next(&mut body).await? {
        whole.extend_from_slice(&more);
    }
    Ok(whole.freeze())
}

/// The whole of a body that may be large, of at most `limit_bytes`. One that is refused by a client that asks first
/// (`Expect: 100-continue`) is so before a byte of it is sent.
pub(super) async fn read_large(
    headers: &HeaderMap,
    body: &mut Incoming,
    limit_bytes: usize,
    share: &mut Share,
    pulse: &Pulse,
) -> Result<Bytes, BodyError> {
    let outcome = gather(body, limit_bytes, share, pulse).await;
    if matches!(outcome, Err(BodyError::TooLarge | BodyError::NoRoom)) {
        pass_over(headers, body, limit_bytes).await;
    }
    outcome
}

async fn gather(body: &mut Incoming, limit_bytes: usize, share: &mut Share, pulse: &Pulse) -> Result<Bytes, BodyError> {
    let announced = body.size_hint().exact().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if let Some(bytes) = announced {
        if bytes > limit_bytes {
            return Err(BodyError::TooLarge);
        }
        cover(share, bytes, pulse).await?;
    }
    // Nothing is allocated for what is announced and does not come.
    let mut whole = BytesMut::new();
    while let Some(more) = next(body).await? {
        let bytes = whole.len() + more.len();
        if bytes > limit_bytes {
            return Err(BodyError::TooLarge);
        }
        if bytes > whole.capacity() {
            let capacity = announced.unwrap_or_else(|| bytes.next_power_of_two().min(limit_bytes)).max(SMALL_BYTES);
            if capacity > SMALL_BYTES {
                cover(share, capacity, pulse).await?;
            }
            whole.reserve(capacity - whole.len());
        }
        whole.extend_from_slice(&more);
    }
    Ok(whole.freeze())
}

/// Has the share cover so many bytes. Waiting for that is not the sender's fault, and does not count as their time.
async fn cover(share: &mut Share, bytes: usize, pulse: &Pulse) -> Result<(), Full> {
    if share.try_cover(bytes).is_ok() {
        return Ok(());
    }
    pulse.enter(Phase::Working);
    let covered = share.cover(bytes).await;
    pulse.enter(Phase::Body);
    covered
}

/// Reads on until the body ends, or until it has had `at_most_bytes` more.
async fn discard(body: &mut Incoming, at_most_bytes: usize) {
    let mut bytes = 0;
    while let Ok(Some(more)) = next(body).await {
        bytes += more.len();
        if bytes > at_most_bytes {
            return;
        }
    }
}

/// The next piece of data; trailers are passed over.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, BodyError> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
