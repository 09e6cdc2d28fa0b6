//! The canonical request.
//!
//! The path and the query string are taken as they stood on the wire, before anybody's router decoded them.

use super::hex::{self, HexDigest};
use crate::split::split;
use http::{
    HeaderMap, Method, Uri,
    header::{AsHeaderName, HOST},
};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// What a signature covers.
#[derive(Debug)]
pub(super) struct Canonical<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    /// Lower-case names, joined by `;`.
    pub(super) signed_headers: &'a str,
    /// The body's hash in hex, or what stands for it.
    pub(super) payload_hash: &'a [u8],
}

impl Canonical<'_> {
    /// The canonical request's hash.
    pub(super) fn digest(&self) -> HexDigest {
        self.digest_by(split(self.signed_headers, b';').map(|name| (name, name)))
    }

    /// The same by somebody who has each of the names, and what to look the header up by.
    pub(super) fn digest_by<'n>(&self, names: impl Iterator<Item = (&'n str, impl AsHeaderName)>) -> HexDigest {
        // One buffer and one hash: many small updates of a hash cost more than the copy.
        let mut text = Vec::with_capacity(768);
        text.extend_from_slice(self.method.as_str().as_bytes());
        text.push(b'\n');
        path(&mut text, self.uri.path());
        text.push(b'\n');
        query(&mut text, self.uri.query().unwrap_or_default());
        text.push(b'\n');
        for (name, key) in names {
            self.header(&mut text, name, key);
        }
        text.push(b'\n');
        text.extend_from_slice(self.signed_headers.as_bytes());
        text.push(b'\n');
        text.extend_from_slice(self.payload_hash);
        hex::encode(&Sha256::digest(text).into())
    }

    fn header(&self, text: &mut Vec<u8>, name: &str, key: impl AsHeaderName) {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        let mut values = self.headers.get_all(key).iter().map(|value| value.as_bytes()).peekable();
        // Over HTTP/2 the host is the URI's.
        if values.peek().is_none() && name == HOST.as_str() {
            text.extend_from_slice(self.uri.authority().map_or("", |authority| authority.as_str()).as_bytes());
        }
        let mut first = true;
        for value in values {
            if !std::mem::take(&mut first) {
                text.push(b',');
            }
            collapse(text, value);
        }
        text.push(b'\n');
    }
}

/// A header's value without spaces around it, and with one for several.
fn collapse(text: &mut Vec<u8>, value: &[u8]) {
    let value = value.trim_ascii();
    // Few have a space at all.
    if memchr::memchr(b' ', value).is_none() || !value.windows(2).any(|pair| pair == b"  ") {
        return text.extend_from_slice(value);
    }
    let mut words = value.split(|&b| b == b' ').filter(|word| !word.is_empty());
    if let Some(word) = words.next() {
        text.extend_from_slice(word);
    }
    for word in words {
        text.push(b' ');
        text.extend_from_slice(word);
    }
}

/// The path with dot segments and doubled slashes resolved, and encoded once more, as every service but S3 has it.
fn path(text: &mut Vec<u8>, path: &str) {
    if path == "/" {
        return text.push(b'/');
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    if segments.is_empty() {
        return text.push(b'/');
    }
    for segment in segments {
        text.push(b'/');
        encode(text, segment.as_bytes());
    }
    if path.ends_with('/') {
        text.push(b'/');
    }
}

/// The parameters but for the signature itself, encoded one way and sorted.
fn query(text: &mut Vec<u8>, query: &str) {
    if query.is_empty() {
        return;
    }
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(name, _)| *name != "X-Amz-Signature")
        .map(|(name, value)| (recode(name), recode(value)))
        .collect();
    pairs.sort_unstable();
    for (number, (name, value)) in pairs.iter().enumerate() {
        if number > 0 {
            text.push(b'&');
        }
        text.extend_from_slice(name);
        text.push(b'=');
        text.extend_from_slice(value);
    }
}

fn recode(raw: &str) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(raw.len());
    encode(&mut encoded, &decode(raw.as_bytes()));
    encoded
}

/// Undoes percent-encoding; `+` is a space, as forms have it. A `%` that begins nothing stands for itself.
pub(super) fn decode(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'%', b'+', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let digit = |at: usize| after.get(at).and_then(|&b| char::from(b).to_digit(16));
        decoded.push(match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                rest = &after[2..];
                (high << 4 | low) as u8
            }
            (b'+', ..) => b' ',
            _ => byte,
        });
    }
    Cow::Owned(decoded)
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn encode(text: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            continue;
        }
        text.extend_from_slice(&bytes[from..at]);
        text.extend_from_slice(&[b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        from = at + 1;
    }
    text.extend_from_slice(&bytes[from..]);
}

/// The hash of a body, in hex.
pub(super) fn payload_digest(body: &[u8]) -> HexDigest {
    hex::encode(&Sha256::digest(body).into())
}
