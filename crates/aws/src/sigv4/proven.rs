//! Authorizations that have proved right.
//!
//! All of an `Authorization` header but the signature at its end is the same for the requests that a client makes in a
//! day: the algorithm, the credential with its scope, the names of the signed headers. What was worked out of it once (the
//! signing key, who calls, which headers to look at) is kept by that text, so that such a request costs little more than
//! its hashes.
//!
//! Invariants:
//! - what is here came with a signature that was right, so that nobody else's requests can push it out;
//! - nothing of a request is believed because its text is here: it names the key to verify by, as it did before.

use super::{
    Caller, hex,
    key::SigningKey,
    time::parse_amz_date,
    verify::{AMZ_DATE, SKEW_S},
};
use crate::sqs::TARGET_HEADER;
use http::{HeaderMap, HeaderName};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// How many texts are kept; then it begins anew. A client has one, and another one each day.
const TEXTS: usize = 1024;
/// The longest text that is kept: four times what SDKs write.
const LONGEST_TEXT: usize = 1024;

/// What an authorization says, but for the signature.
pub(super) struct Standing {
    pub(super) caller: Caller,
    pub(super) key: SigningKey,
    /// `YYYYMMDD`
    pub(super) date: Box<str>,
    pub(super) service: Box<str>,
    /// `YYYYMMDD/region/service/aws4_request`
    pub(super) scope: Box<str>,
    pub(super) signed_headers: Box<str>,
    /// The same, each for itself.
    pub(super) names: Box<[HeaderName]>,
    /// Whether `x-amz-target` is one of them.
    pub(super) signs_target: bool,
}

impl Standing {
    /// The `X-Amz-Date` of a request that has this authorization; `None` if anything about the request but the signature
    /// may be out of order.
    pub(super) fn date_in_order<'a>(
        &self,
        headers: &'a HeaderMap,
        service: Option<&str>,
        now_ms: u64,
    ) -> Option<&'a str> {
        let date = headers.get(AMZ_DATE)?.to_str().ok()?;
        let signed_s = parse_amz_date(date)?;
        let now_s = i64::try_from(now_ms / 1000).ok()?;
        let is_of_the_day = date.get(..8) == Some(&*self.date);
        let is_for_us = service.is_none_or(|service| service == &*self.service);
        let is_in_time = now_s.abs_diff(signed_s) <= SKEW_S.unsigned_abs();
        let is_whole = self.signs_target || !headers.contains_key(TARGET_HEADER);
        (is_of_the_day && is_for_us && is_in_time && is_whole).then_some(date)
    }
}

/// What has proved right, by its text.
#[derive(Default)]
pub(super) struct Proven(RwLock<HashMap<Box<[u8]>, Arc<Standing>>>);

impl Proven {
    /// What is known of an authorization's text.
    pub(super) fn get(&self, text: &[u8]) -> Option<Arc<Standing>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(text).cloned()
    }

    /// Keeps what an authorization's text says, once its signature has proved right.
    pub(super) fn put(&self, text: &[u8], standing: Standing) {
        if text.len() > LONGEST_TEXT {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= TEXTS {
            known.clear();
        }
        known.insert(text.into(), Arc::new(standing));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.read().unwrap().len()
    }
}

/// An `Authorization` header's text up to its signature, and the signature, if the header ends in one: as the last
/// parameter, of which the last counts.
pub(super) fn cut(header: &[u8]) -> Option<(&[u8], [u8; 32])> {
    let (text, signature) = header.split_last_chunk()?;
    let ends_in_it = text.ends_with(b", Signature=") || text.ends_with(b",Signature=");
    ends_in_it.then(|| hex::decode(signature).map(|signature| (text, signature)))?
}

/// The headers of these names; `None` if one of them is not a header's.
pub(super) fn names<'a>(signed: impl Iterator<Item = &'a str>) -> Option<Box<[HeaderName]>> {
    let name = |text: &str| HeaderName::from_bytes(text.as_bytes()).ok().filter(|name| name.as_str() == text);
    signed.map(name).collect()
}
