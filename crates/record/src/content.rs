//! What a message says.
//!
//! ```text
//! version   u8       bits 0-3: the version of this layout; bit 4: has a deduplication id; bit 5: has a trace header;
//!                    bit 6: has attributes
//! MD5       16 bytes
//! sender, deduplication id, trace header: texts
//! attributes         their number, then of each name, data type, kind of value (0 text, 1 bytes), value
//! body               all the rest
//! ```

use crate::Corrupt;
use crate::reader::{Reader, Reason, flags};
use crate::writer::Writer;
use bytes::Bytes;

const VERSION: u8 = 1;
const VERSION_BITS: u8 = 0x0f;
const DEDUPLICATION_ID: u8 = 1 << 4;
const TRACE_HEADER: u8 = 1 << 5;
const ATTRIBUTES: u8 = 1 << 6;

const TEXT: u8 = 0;
const BYTES: u8 = 1;
/// Three lengths and the kind of value.
const SHORTEST_ATTRIBUTE_BYTES: usize = 4;

/// A message's content: all that the state machine does not look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The body, UTF-8. Neither checked nor changed here: what was stored comes back.
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
    /// [`Corrupt`] where they are not content, or of a version that this release does not know.
    pub fn decode(bytes: &[u8]) -> Result<Content, Corrupt> {
        read(Reader::new(bytes)).map_err(|reason| Corrupt { offset_bytes: 0, reason })
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        let Content { body, body_md5, attributes, sender, deduplication_id, trace_header } = self;
        let has = flags([
            (DEDUPLICATION_ID, deduplication_id.is_some()),
            (TRACE_HEADER, trace_header.is_some()),
            (ATTRIBUTES, !attributes.is_empty()),
        ]);
        writer.byte(VERSION | has);
        writer.raw(body_md5);
        writer.text(sender);
        for text in [deduplication_id, trace_header].into_iter().flatten() {
            writer.text(text);
        }
        if !attributes.is_empty() {
            writer.number(attributes.len() as u64);
            attributes.iter().for_each(|attribute| attribute.write(writer));
        }
        writer.raw(body);
    }
}

fn read(mut reader: Reader<'_>) -> Result<Content, Reason> {
    // The version comes before the flags are judged: those of a newer version are not for this release to refuse.
    let marks = reader.byte()?;
    if marks & VERSION_BITS != VERSION {
        return Err("the version of its content is not known to this release; a newer one wrote this log");
    }
    if marks & !(VERSION_BITS | DEDUPLICATION_ID | TRACE_HEADER | ATTRIBUTES) != 0 {
        return Err("its content has flags that its version does not define");
    }
    let body_md5 = reader.array()?;
    let sender = reader.text()?.into();
    let mut text = |flag| match marks & flag {
        0 => Ok(None),
        _ => reader.text().map(|text| Some(Box::from(text))),
    };
    let (deduplication_id, trace_header) = (text(DEDUPLICATION_ID)?, text(TRACE_HEADER)?);
    let attributes = match marks & ATTRIBUTES {
        0 => Vec::new(),
        _ => read_attributes(&mut reader)?,
    };
    let body = Bytes::copy_from_slice(reader.rest());
    Ok(Content { body, body_md5, attributes, sender, deduplication_id, trace_header })
}

fn read_attributes(reader: &mut Reader<'_>) -> Result<Vec<Attribute>, Reason> {
    match reader.count(SHORTEST_ATTRIBUTE_BYTES)? {
        0 => Err("its content has an empty list of attributes"),
        count => (0..count).map(|_| Attribute::read(reader)).collect(),
    }
}

impl Attribute {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.text(&self.name);
        writer.text(&self.data_type);
        match &self.value {
            AttributeValue::String(text) => {
                writer.byte(TEXT);
                writer.text(text);
            }
            AttributeValue::Binary(bytes) => {
                writer.byte(BYTES);
                writer.bytes(bytes);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Attribute, Reason> {
        let (name, data_type) = (reader.text()?.into(), reader.text()?.into());
        let value = match reader.byte()? {
            TEXT => AttributeValue::String(reader.text()?.into()),
            BYTES => AttributeValue::Binary(Bytes::copy_from_slice(reader.bytes()?)),
            _ => return Err("an attribute's value is of no known kind"),
        };
        Ok(Attribute { name, data_type, value })
    }
}
