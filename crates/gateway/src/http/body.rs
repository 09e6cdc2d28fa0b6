//! Reading a request's body, up to a limit.

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap,
    header::{CONTENT_LENGTH, EXPECT},
};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    /// Larger than the limit.
    TooLarge,
    /// It ended early, or its chunks don't read.
    Broken,
}

/// How much of a body that is too large is read and thrown away, in multiples of the limit, so that its sender comes to
/// the point of reading why: one that is cut off while it sends sees a broken connection instead.
const PATIENCE: usize = 4;

/// The largest body that is kept before it is asked who sends it: most are no larger, and not worth the question.
const SMALL: u64 = 64 << 10;

/// Whether the body may be large.
pub(super) fn may_be_large(body: &Incoming) -> bool {
    body.size_hint().upper().is_none_or(|bytes| bytes > SMALL)
}

/// Reads past a body that nobody wants, and says whether it got to its end: where it did not, nothing more can be
/// understood on the connection.
pub(super) async fn pass_over(headers: &HeaderMap, body: &mut Incoming, limit_bytes: usize) -> bool {
    if !headers.contains_key(EXPECT) {
        discard(body, limit_bytes * PATIENCE).await;
    }
    body.is_end_stream()
}

/// The whole body, of at most `limit_bytes`. One that is announced as too large by a client that asks first
/// (`Expect: 100-continue`) is refused before a byte of it is sent.
pub(super) async fn read(headers: &HeaderMap, mut body: Incoming, limit_bytes: usize) -> Result<Bytes, BodyError> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit_bytes as u64) {
        if !headers.contains_key(EXPECT) {
            discard(&mut body, limit_bytes * PATIENCE).await;
        }
        return Err(BodyError::TooLarge);
    }
    // Most bodies come in one piece, which is then passed on as it is.
    let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
    let Some(second) = next(&mut body).await? else {
        return if first.len() > limit_bytes { Err(BodyError::TooLarge) } else { Ok(first) };
    };
    let mut whole = BytesMut::with_capacity(announced.map_or(first.len() * 2, |length| length as usize));
    whole.extend_from_slice(&first);
    let mut piece = Some(second);
    while let Some(more) = piece {
        if whole.len() + more.len() > limit_bytes {
            drop(whole);
            discard(&mut body, limit_bytes * PATIENCE).await;
            return Err(BodyError::TooLarge);
        }
        whole.extend_from_slice(&more);
        piece = next(&mut body).await?;
    }
    Ok(whole.freeze())
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
