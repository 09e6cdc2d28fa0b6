//! The bytes of an event on disk: one record per event, each readable from its own bytes alone.
//!
//! ```text
//! record   length   u32 LE   how many bytes follow the checksum
//!          checksum u32 LE   CRC-32C over what follows, seeded with the length
//!          kind     u8       which event
//!          version  u8       bits 0-5: the version of the kind's layout; bit 6: an error text is beside it;
//!                            bit 7: content is beside it
//!          time     varint   milliseconds since 1970
//!          fields            the event's, as `kind` and `version` say
//!          error             length as varint, UTF-8 (if bit 6)
//!          content           all the rest (if bit 7)
//! ```
//!
//! Numbers are LEB128 varints, texts and bytes are prefixed with their length, and times inside an event are distances
//! from the record's own time, so that a 256-byte message costs some sixty bytes more than its body. One value has one
//! encoding: what decodes is, encoded again, the same bytes.
//!
//! # Compatibility
//! Logs outlive releases, so:
//! - a kind's layout never changes within a version; a new field means a new version, and the old one stays readable;
//! - the number of a kind, once released, keeps its meaning;
//! - a kind or version that this release does not know is [`Corrupt`] and says that a newer release wrote it. It is never
//!   skipped: what it did to the state is not known;
//! - content, and a schedule's definition, carry a version of their own, because compaction copies a message's content, unread, into newer records;
//! - `golden/` holds a record of every kind and version that was ever released. A test decodes them all.
//!
//! # Hostile bytes
//! Decoding is total: no bytes make it panic, loop, or allocate more than a small multiple of their own length. The
//! checksum is verified before anything else is looked at, also for one record read alone, because that is how bodies
//! come back from the disk.
//!
//! This crate knows nothing of batches, files, positions or what an event does to the state.

mod attributes;
mod batched;
mod content;
mod event;
mod fields;
mod frame;
mod glance;
mod kept;
mod kind;
mod names;
mod reader;
mod schedules;
mod writer;

use afterward_machine::Event;
pub use content::{Attribute, AttributeValue, Content};
pub use frame::{decode, decode_one, encode};
pub use glance::{Glance, glance};
use thiserror::Error;

/// What goes into a record beside its event.
#[derive(Debug, Clone, Copy)]
pub enum Beside<'a> {
    /// Nothing.
    Nothing,
    /// Of a `Sent`: the message's content.
    Content(&'a Content),
    /// Of a `SchedulePut`: the definition, which is its writer's own business, also in its version.
    Definition(&'a [u8]),
    /// Of a `VisibilityChanged` with `failure`, a `Dropped`, and a `FinishedKept` with `dropped`: the error text.
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
    /// The content's bytes, for [`Content::decode`]; of a `SchedulePut` the definition.
    pub content: Option<&'a [u8]>,
    /// The error text.
    pub error: Option<&'a str>,
}

/// The bytes are not a record that this release can read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("record at byte {offset_bytes} of the batch: {reason}")]
pub struct Corrupt {
    /// Where in the payload the record starts.
    pub offset_bytes: u32,
    /// What is wrong.
    pub reason: &'static str,
}
