//! The canonical request and the string to sign, hashed as they are written: there is no copy of either.
//!
//! The path and the query string are taken as they stood on the wire, before anybody's router decoded them.

use http::{HeaderMap, Method, Uri, header::HOST};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// SHA-256 in hex.
pub(super) type HexDigest = [u8; 64];

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
        let mut hash = Sha256::new();
        hash.update(self.method.as_str());
        hash.update(b"\n");
        path(&mut hash, self.uri.path());
        hash.update(b"\n");
        query(&mut hash, self.uri.query().unwrap_or_default());
        hash.update(b"\n");
        for name in self.signed_headers.split(';') {
            self.header(&mut hash, name);
        }
        hash.update(b"\n");
        hash.update(self.signed_headers);
        hash.update(b"\n");
        hash.update(self.payload_hash);
        hex(&hash.finalize().into())
    }

    fn header(&self, hash: &mut Sha256, name: &str) {
        hash.update(name);
        hash.update(b":");
        let mut values = self.headers.get_all(name).iter().map(|value| value.as_bytes()).peekable();
        // Over HTTP/2 the host is the URI's.
        if values.peek().is_none() && name == HOST.as_str() {
            hash.update(self.uri.authority().map_or("", |authority| authority.as_str()));
        }
        let mut first = true;
        for value in values {
            if !std::mem::take(&mut first) {
                hash.update(b",");
            }
            collapse(hash, value);
        }
        hash.update(b"\n");
    }
}

/// A header's value without spaces around it, and with one for several.
fn collapse(hash: &mut Sha256, value: &[u8]) {
    let value = value.trim_ascii();
    if !value.windows(2).any(|pair| pair == b"  ") {
        return hash.update(value);
    }
    let mut words = value.split(|&b| b == b' ').filter(|word| !word.is_empty());
    if let Some(word) = words.next() {
        hash.update(word);
    }
    for word in words {
        hash.update(b" ");
        hash.update(word);
    }
}

/// The path with dot segments and doubled slashes resolved, and encoded once more, as every service but S3 has it.
fn path(hash: &mut Sha256, path: &str) {
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
        return hash.update(b"/");
    }
    for segment in segments {
        hash.update(b"/");
        encode(hash, segment.as_bytes());
    }
    if path.ends_with('/') {
        hash.update(b"/");
    }
}

/// The parameters but for the signature itself, encoded one way and sorted.
fn query(hash: &mut Sha256, query: &str) {
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
            hash.update(b"&");
        }
        hash.update(name);
        hash.update(b"=");
        hash.update(value);
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
fn encode(out: &mut impl Sink, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            continue;
        }
        out.put(&bytes[from..at]);
        out.put(&[b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        from = at + 1;
    }
    out.put(&bytes[from..]);
}

/// Where encoded bytes go.
trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Sha256 {
    fn put(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// The hash of a body, in hex.
pub(super) fn payload_digest(body: &[u8]) -> HexDigest {
    hex(&Sha256::digest(body).into())
}

/// 32 bytes in lower-case hex.
pub(super) fn hex(bytes: &[u8; 32]) -> HexDigest {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    text
}
