//! The MD5s that SDKs check.
//!
//! Source: SQS developer guide, "Calculating the MD5 message digest for message attributes".

use super::MessageAttributeValue;
use md5::{Digest, Md5};
use std::collections::BTreeMap;

/// `MD5OfMessageBody`: lower-case hex.
pub fn message_md5(body: &str) -> String {
    hex(&Md5::digest(body.as_bytes()))
}

/// `MD5OfMessageAttributes` and `MD5OfMessageSystemAttributes`: lower-case hex; `None` where there are none.
pub fn attributes_md5(attributes: &BTreeMap<String, MessageAttributeValue>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut md5 = Md5::new();
    // The map is in the order of names that the algorithm asks for.
    for (name, value) in attributes {
        field(&mut md5, name.as_bytes());
        field(&mut md5, value.data_type.as_bytes());
        // What a value is goes by its data type, as in AWS's SDKs, not by which member is set.
        match &value.binary_value {
            Some(bytes) if value.data_type.starts_with("Binary") => {
                md5.update([2]);
                field(&mut md5, &bytes.0);
            }
            _ => {
                md5.update([1]);
                field(&mut md5, value.string_value.as_deref().unwrap_or_default().as_bytes());
            }
        }
    }
    Some(hex(&md5.finalize()))
}

/// Its length in four bytes, the highest first, then itself. No request is long enough to overflow that.
fn field(md5: &mut Md5, bytes: &[u8]) {
    md5.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    md5.update(bytes);
}

fn hex(digest: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(digest.len() * 2);
    for byte in digest {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
