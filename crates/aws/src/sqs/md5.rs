//! The MD5s that SDKs check.
//!
//! Source: SQS developer guide, "Calculating the MD5 message digest for message attributes".

use super::MessageAttributeValue;
use crate::md5::digest;
use std::collections::BTreeMap;

/// `MD5OfMessageBody`: lower-case hex.
pub fn message_md5(body: &str) -> String {
    hex(&digest(body.as_bytes()))
}

/// `MD5OfMessageAttributes` and `MD5OfMessageSystemAttributes`: lower-case hex; `None` where there are none.
pub fn attributes_md5(attributes: &BTreeMap<String, MessageAttributeValue>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut text = Vec::new();
    // The map is in the order of names that the algorithm asks for.
    for (name, value) in attributes {
        field(&mut text, name.as_bytes());
        field(&mut text, value.data_type.as_bytes());
        // What a value is goes by its data type, as in AWS's SDKs, not by which member is set.
        match &value.binary_value {
            Some(bytes) if value.data_type.starts_with("Binary") => {
                text.push(2);
                field(&mut text, &bytes.0);
            }
            _ => {
                text.push(1);
                field(&mut text, value.string_value.as_deref().unwrap_or_default().as_bytes());
            }
        }
    }
    Some(hex(&digest(&text)))
}

/// Its length in four bytes, the highest first, then itself. No request is long enough to overflow that.
fn field(text: &mut Vec<u8>, bytes: &[u8]) {
    text.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    text.extend_from_slice(bytes);
}

fn hex(digest: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    digest
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}
