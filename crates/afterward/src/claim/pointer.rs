//! The small body that says where the large one is, in two forms.
//!
//! - **Amazon's**, for an `s3://` store: what its extended client libraries write and read in Java, Python and JavaScript,
//!   `["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}]` with the length in the attribute
//!   `ExtendedPayloadSize`. So they can receive what we send, and we what they send.
//! - **Ours**, for all other stores: an envelope like any other, whose type can be read, with a null payload:
//!   `{"type":"order:new","payload":null,"claimCheck":{"url":"…","bytes":n,"sha256":"…"}}`.
//!
//! What is stored is the whole body, envelope and all.

use super::key::{Key, sha256};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How the class that Amazon's form names is called today, and what it was called first.
const S3_POINTER: [&str; 2] =
    ["software.amazon.payloadoffloading.PayloadS3Pointer", "com.amazon.sqs.javamessaging.MessageS3Pointer"];
/// The attribute with the length, today's and the first.
pub(crate) const SIZE_ATTRIBUTES: [&str; 2] = ["ExtendedPayloadSize", "SQSLargePayloadSize"];

/// The two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Amazon,
    Ours,
}

/// The form that goes with a store.
pub(super) fn form_of(store_url: &str) -> Form {
    if store_url.starts_with("s3://") { Form::Amazon } else { Form::Ours }
}

/// What a small body says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pointer {
    /// `s3://bucket/key` or the URL as it was written.
    url: String,
    bytes: Option<u64>,
    sha256: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct S3Pointer<'a> {
    #[serde(rename = "s3BucketName")]
    bucket: Cow<'a, str>,
    #[serde(rename = "s3Key")]
    key: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct Ours<'a> {
    #[serde(rename = "type")]
    message_type: Cow<'a, str>,
    payload: (),
    #[serde(rename = "claimCheck")]
    claim_check: OursAt<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OursAt<'a> {
    url: Cow<'a, str>,
    bytes: u64,
    sha256: Cow<'a, str>,
}

impl Form {
    pub(super) fn size_attribute(self) -> Option<&'static str> {
        (self == Form::Amazon).then_some(SIZE_ATTRIBUTES[0])
    }

    /// The small body for a payload that is stored below `store_url`.
    pub(super) fn write(self, message_type: &str, store_url: &str, key: &Key, payload: &[u8]) -> String {
        let url = format!("{store_url}/{key}");
        let written = match (self, url.strip_prefix("s3://").and_then(|rest| rest.split_once('/'))) {
            (Form::Amazon, Some((bucket, key))) => {
                let at = S3Pointer { bucket: bucket.into(), key: key.into() };
                serde_json::to_string(&(S3_POINTER[0], at))
            }
            _ => {
                let at = OursAt { url: (&*url).into(), bytes: payload.len() as u64, sha256: sha256(payload).into() };
                serde_json::to_string(&Ours { message_type: message_type.into(), payload: (), claim_check: at })
            }
        };
        // Texts and a number: there is nothing in them that can't be written.
        written.unwrap_or_default()
    }
}

impl Pointer {
    /// `None` for a body that is no claim. Cheap for those that are large, or don't look like one.
    pub(crate) fn read(body: &str) -> Option<Pointer> {
        const LONGEST: usize = 8 * 1024;
        if body.len() > LONGEST {
            return None;
        }
        match body.trim_start().as_bytes().first()? {
            b'[' => {
                let (class, at): (Cow<'_, str>, S3Pointer<'_>) = serde_json::from_str(body).ok()?;
                let url = format!("s3://{}/{}", at.bucket, at.key);
                S3_POINTER.contains(&&*class).then_some(Pointer { url, bytes: None, sha256: None })
            }
            b'{' if body.contains("claimCheck") => {
                // A payload that is not null is one.
                let Ours { claim_check: at, .. } = serde_json::from_str(body).ok()?;
                let (url, sha256) = (at.url.into_owned(), Some(at.sha256.into_owned()));
                Some(Pointer { url, bytes: Some(at.bytes), sha256 })
            }
            _ => None,
        }
    }

    /// Where the payload is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The payload's name in the store at `store_url`; an error if it lies anywhere else.
    pub(super) fn key_in(&self, store_url: &str) -> Result<Key, String> {
        let inside = self.url.strip_prefix(store_url).and_then(|rest| rest.strip_prefix('/'));
        inside.and_then(Key::parse).ok_or_else(|| {
            format!(
                "the message's payload is at {}, which is not in this worker's claim-check store {store_url}",
                self.url
            )
        })
    }

    /// Checks what was read against all that is known of it.
    pub(super) fn verify(&self, key: &Key, said_bytes: Option<u64>, payload: &[u8]) -> Result<(), String> {
        let length = payload.len() as u64;
        if let Some(said) = self.bytes.into_iter().chain(said_bytes).find(|said| *said != length) {
            return Err(format!("has {length} bytes, and should have {said}: it was damaged or replaced"));
        }
        let digest = sha256(payload);
        if let Some(said) = self.sha256.as_deref().into_iter().chain(key.sha256()).find(|said| *said != digest) {
            return Err(format!("has the SHA-256 {digest}, and should have {said}: it was damaged or replaced"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::parse("k1").unwrap()
    }

    #[test]
    fn each_form_reads_back_what_it_wrote() {
        let payload = b"abc";
        let amazon = Form::Amazon.write("t", "s3://bucket/pre/fix", &key(), payload);
        assert_eq!(
            amazon,
            r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"bucket","s3Key":"pre/fix/k1"}]"#
        );
        let ours = Form::Ours.write("order:new", "file:///claims", &key(), payload);
        assert!(
            ours.starts_with(
                r#"{"type":"order:new","payload":null,"claimCheck":{"url":"file:///claims/k1","bytes":3,"#
            )
        );
        for (body, store, known) in
            [(amazon, "s3://bucket/pre/fix", (None, false)), (ours, "file:///claims", (Some(3), true))]
        {
            let pointer = Pointer::read(&body).unwrap();
            assert_eq!(pointer.key_in(store).unwrap(), key());
            assert_eq!((pointer.bytes, pointer.sha256.is_some()), known);
            pointer.verify(&key(), Some(3), payload).unwrap();
        }
    }

    #[test]
    fn others_messages_are_none() {
        for body in [
            "",
            "hello",
            r#"{"type":"a","payload":{"claimCheck":{"url":"file:///x","bytes":1,"sha256":"x"}}}"#,
            r#"{"type":"a","payload":3,"claimCheck":{"url":"file:///x","bytes":1,"sha256":"x"}}"#,
            r#"{"type":"a","payload":null,"claimCheck":{"url":"file:///x"}}"#,
            r#"["software.amazon.payloadoffloading.Other",{"s3BucketName":"b","s3Key":"k"}]"#,
            r#"["a","b"]"#,
        ] {
            assert_eq!(Pointer::read(body), None, "{body}");
        }
    }

    #[test]
    fn nothing_outside_the_store_is_reached() {
        for (url, store) in [
            ("file:///etc/passwd", "file:///claims"),
            ("file:///claims/../etc/passwd", "file:///claims"),
            ("file:///claims/.hidden", "file:///claims"),
            ("file:///claimsnot/k", "file:///claims"),
            ("file:///claims/", "file:///claims"),
            ("file:///claims", "file:///claims"),
            ("s3://other/k", "s3://bucket"),
            ("s3://bucket/other/k", "s3://bucket/mine"),
            ("http://h/base/a/b", "http://h/base"),
            ("http://h/base/a?x", "http://h/base"),
        ] {
            let error = Pointer { url: url.to_owned(), bytes: None, sha256: None }.key_in(store).unwrap_err();
            assert!(error.contains(url) && error.contains(store), "{error}");
        }
    }

    #[test]
    fn what_was_damaged_is_told() {
        let ours = key_of(b"abc");
        for (payload, said, words) in
            [(&b"abcd"[..], Some(3), "has 4 bytes, and should have 3"), (b"abd", Some(3), "the SHA-256")]
        {
            let pointer = Pointer { url: String::new(), bytes: None, sha256: None };
            let error = pointer.verify(&ours, said, payload).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    fn key_of(payload: &[u8]) -> Key {
        Key::of(payload).unwrap()
    }
}
