//! Payloads that are too large for a message: put into a store, and claimed back by whoever receives the message.
//!
//! A message over its queue's limit travels as a *claim check*: its body goes to a store under a key of its own, and a
//! small body that says where it is goes into the queue. The worker reads the large body back before the handler sees it,
//! checks its length and its SHA-256, and removes it once the message is deleted. Handlers notice nothing.
//!
//! Invariants:
//! - A worker reads and removes only what lies in the store that it was given, whatever a message says: who may send a
//!   message may not thereby have files or objects read or removed.
//! - An object is written before its message is sent, and removed after its message was deleted, or when the message was
//!   certainly not taken. What is left over after a crash, of messages that expire, of sends whose outcome nobody knows, and
//!   of duplicates (a queue answers those as if it had taken them) is for the store's own expiry rules.

mod file;
mod key;
mod location;
mod object;
mod pointer;
#[cfg(test)]
mod tests;

pub(crate) use key::{Key, hex, sha256};

/// The largest payload that is stored: a reply longer than this is not read.
pub(crate) const LARGEST_BYTES: usize = 60 * 1024 * 1024;

use crate::{Cause, sqs, sqs::SettingsError};
use bytes::Bytes;
use location::Location;
pub(crate) use pointer::{Pointer, SIZE_ATTRIBUTES};
use std::{fmt, pin::Pin, sync::Arc};

/// What a store's methods return.
pub type Storing<'a, T> = Pin<Box<dyn Future<Output = Result<T, Cause>> + Send + 'a>>;

/// A store for payloads that are too large for a message.
///
/// # Contract
///
/// - When [`put`](ClaimCheck::put) has returned `Ok`, the payload MUST be there for whoever reads it, from anywhere.
/// - `key` is 1 to 200 letters, digits, `-`, `_` and `.`, does not start with a dot, and is never used twice.
/// - Every call MUST be safe to repeat.
///
/// Files and object stores need no implementation of their own: see [`Queue::claim_check`](crate::Queue::claim_check).
pub trait ClaimCheck: Send + Sync + 'static {
    /// The URL below which the payloads are: `{url}/{key}` names one. The same for all who share the store.
    fn url(&self) -> &str;

    /// Stores a payload.
    fn put<'a>(&'a self, key: &'a str, payload: Bytes) -> Storing<'a, ()>;

    /// Reads a payload; `None` where there is none.
    fn get<'a>(&'a self, key: &'a str) -> Storing<'a, Option<Bytes>>;

    /// Removes a payload. That there is none is no error.
    fn remove<'a>(&'a self, key: &'a str) -> Storing<'a, ()>;
}

/// The store at a URL: `file:///directory`, `s3://bucket/prefix`, or `http(s)://host/base` for whatever answers to PUT, GET
/// and DELETE there.
///
/// # Errors
/// The URL names none of these, or there are no credentials for the store.
pub(crate) fn open(url: &str, client: &sqs::Client) -> Result<Claims, SettingsError> {
    let store: Arc<dyn ClaimCheck> = match url.parse()? {
        Location::Directory(directory) => Arc::new(file::FileStore::new(directory)),
        Location::Object(at) => Arc::new(object::ObjectStore::open(at, client)?),
    };
    Ok(Claims(store))
}

/// A store, as the queue uses it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Claims(Arc<dyn ClaimCheck>);

/// What is sent instead of a large body.
pub(crate) struct Checked {
    pub(crate) key: Key,
    pub(crate) body: String,
    /// The attribute that says how large the body was, where the form has one.
    pub(crate) size: Option<(&'static str, usize)>,
}

impl Claims {
    pub(crate) fn new(store: impl ClaimCheck) -> Claims {
        Claims(Arc::new(store))
    }

    /// The names of attributes that the small message may have beside those of the large one.
    pub(crate) fn attribute(&self) -> Option<&'static str> {
        pointer::form_of(self.0.url()).size_attribute()
    }

    /// Stores a body.
    pub(crate) async fn check_in(&self, message_type: &str, body: String) -> Result<Checked, Cause> {
        let payload = Bytes::from(body);
        let key = Key::of(&payload)?;
        self.0.put(key.as_str(), payload.clone()).await?;
        let form = pointer::form_of(self.0.url());
        let size = form.size_attribute().map(|name| (name, payload.len()));
        Ok(Checked { body: form.write(message_type, self.0.url(), &key, &payload), key, size })
    }

    /// The key of a claim of this store that a body is, if it is one.
    pub(crate) fn key_of(&self, body: &str) -> Option<Key> {
        Pointer::read(body)?.key_in(self.0.url()).ok()
    }

    /// Reads back what a body refers to. `said_bytes`: the length by the message's attribute.
    pub(crate) async fn redeem(&self, pointer: &Pointer, said_bytes: Option<u64>) -> Result<String, Cause> {
        let key = pointer.key_in(self.0.url())?;
        let url = format!("{}/{key}", self.0.url());
        let payload =
            self.0.get(key.as_str()).await.map_err(|cause| format!("the payload at {url} can't be read: {cause}"))?;
        let Some(payload) = payload else {
            return Err(format!(
                "the payload at {url} is gone: the message was handled before (then it may be deleted), or the store forgot it"
            )
            .into());
        };
        pointer.verify(&key, said_bytes, &payload).map_err(|why| format!("the payload at {url} {why}"))?;
        String::from_utf8(payload.into()).map_err(|_| format!("the payload at {url} is not text").into())
    }

    /// Removes a payload whose message is gone.
    pub(crate) async fn remove(&self, key: &Key) -> Result<(), Cause> {
        self.0.remove(key.as_str()).await
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claims").field(&self.0.url()).finish()
    }
}
