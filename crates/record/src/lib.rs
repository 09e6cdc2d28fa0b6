//! The bytes of an event on disk.

mod content;

use afterward_machine::Event;
pub use content::{Attribute, AttributeValue, Content};
use thiserror::Error;

/// What goes into a record beside its event.
#[derive(Debug, Clone, Copy)]
pub enum Beside<'a> {
    /// Nothing.
    Nothing,
    /// Of a `Sent`: the message's content.
    Content(&'a Content),
    /// Of a `VisibilityChanged` with `failure`: the error text.
    Error(&'a str),
    /// Of a `MessageKept`: the content's bytes as they stood in another record, and the error text.
    Kept {
        /// From [`Decoded::content`].
        content: &'a [u8],
        /// From [`Decoded::error`].
        error: Option<&'a str>,
    },
}

/// A record's place in the payload that it was encoded into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it starts.
    pub offset_bytes: u32,
    /// How long it is.
    pub length_bytes: u32,
}

/// A record, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The event's time.
    pub time_ms: u64,
    /// What happened.
    pub event: Event,
    /// Its place.
    pub span: Span,
    /// The content's bytes, for [`Content::decode`].
    pub content: Option<&'a [u8]>,
    /// The error text.
    pub error: Option<&'a str>,
}

/// The bytes are not a record that this release can read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("record at byte {offset_bytes} of the batch: {reason}")]
pub struct Corrupt {
    /// Where in the payload.
    pub offset_bytes: u32,
    /// What is wrong.
    pub reason: &'static str,
}

/// Appends one record to `payload` and says where it stands.
pub fn encode(payload: &mut Vec<u8>, time_ms: u64, event: &Event, beside: Beside<'_>) -> Span {
    let _ = (payload, time_ms, event, beside);
    todo!()
}

/// All records of a batch's payload, in order; ends after the first that is corrupt.
pub fn decode(payload: &[u8]) -> impl Iterator<Item = Result<Decoded<'_>, Corrupt>> {
    let _ = payload;
    std::iter::from_fn(|| todo!())
}

/// One record, from its own bytes alone (its [`Span`] then starts at 0).
///
/// # Errors
/// [`Corrupt`] where its checksum, kind or version is not known to this release.
pub fn decode_one(record: &[u8]) -> Result<Decoded<'_>, Corrupt> {
    let _ = record;
    todo!()
}
