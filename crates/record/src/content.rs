//! What a message says.

use crate::Corrupt;
use bytes::Bytes;

/// A message's content: all that the state machine does not look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The body, UTF-8.
    pub body: Bytes,
    /// The body's MD5.
    pub body_md5: [u8; 16],
    /// In the order of their names.
    pub attributes: Vec<Attribute>,
    /// Who sent it, for `SenderId`.
    pub sender: Box<str>,
    /// The FIFO deduplication id, given or computed.
    pub deduplication_id: Option<Box<str>>,
    /// The `AWSTraceHeader` system attribute.
    pub trace_header: Option<Box<str>>,
}

/// A message attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: Box<str>,
    /// `String`, `Number` or `Binary`, perhaps with `.label`.
    pub data_type: Box<str>,
    /// Its value.
    pub value: AttributeValue,
}

/// The two ways AWS carries a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// `StringValue`: of strings and numbers.
    String(Box<str>),
    /// `BinaryValue`.
    Binary(Bytes),
}

impl Content {
    /// The content in these bytes.
    ///
    /// # Errors
    /// [`Corrupt`] where they are not content.
    pub fn decode(bytes: &[u8]) -> Result<Content, Corrupt> {
        let _ = bytes;
        todo!()
    }
}
