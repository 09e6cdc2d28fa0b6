//! Unique messages: our extension of SendMessage, for queues of either kind.
//!
//! The header `x-afterward-unique` holds a key, and `x-afterward-unique-seconds` for how long it is remembered (five minutes
//! unless given). While it is, another send with the same key to the same queue is not stored, whatever its body: the answer
//! is the first one's id. Amazon ignores both headers, so a client has to know whom it speaks to.

use super::call::Call;
use crate::digest;
use afterward_aws::Error;
use afterward_broker::machine::Dedup;
use afterward_names::DeduplicationId;
use http::HeaderValue;
use std::ops::RangeInclusive;

const KEY: &str = "x-afterward-unique";
const SECONDS: &str = "x-afterward-unique-seconds";
/// How long a key may be remembered, and how long it is unless said.
const WINDOW_S: RangeInclusive<u64> = 1..=604_800;
const USUAL_WINDOW_S: u64 = 300;

/// What the headers of a send say of its message.
pub(super) fn asked(call: &Call<'_>) -> Result<Option<Dedup>, Error> {
    let Some(key) = call.header(KEY) else { return Ok(None) };
    let key: Option<DeduplicationId> = key.to_str().ok().and_then(|text| text.parse().ok());
    let key = key.ok_or_else(|| {
        Error::invalid_parameter_value(format!("The header {KEY} has 1 to 128 letters, digits and punctuation marks."))
    })?;
    let window_s = call.header(SECONDS).map_or(Ok(USUAL_WINDOW_S), window_s)?;
    // The front door's keys are the same queue's, and none of these.
    let key = digest::half_sha256(format!("unique\0{}", key.as_str()).as_bytes());
    Ok(Some(Dedup::Idempotency { key, fingerprint: 0, window_ms: window_s * 1000 }))
}

/// A batch has one set of headers for all of its messages, so there it would mean nothing.
pub(super) fn refuse_in_batch(call: &Call<'_>) -> Result<(), Error> {
    match call.header(KEY) {
        None => Ok(()),
        Some(_) => {
            Err(Error::invalid_parameter_value(format!("The header {KEY} is for SendMessage, one message a call.")))
        }
    }
}

fn window_s(header: &HeaderValue) -> Result<u64, Error> {
    let seconds = header.to_str().ok().and_then(|text| text.parse().ok()).filter(|seconds| WINDOW_S.contains(seconds));
    seconds.ok_or_else(|| {
        let (least, most) = WINDOW_S.into_inner();
        Error::invalid_parameter_value(format!("The header {SECONDS} is a whole number from {least} to {most}."))
    })
}
