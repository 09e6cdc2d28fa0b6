//! Signing keys, derived once per scope.
//!
//! A derivation is four HMACs, more than the rest of a small request's verification. A key is valid for a day, a region
//! and a service; a few of them cover all the traffic that a credential has.

use super::{ALGORITHM, TERMINATOR, hex::HexDigest};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::sync::{PoisonError, RwLock};

type HmacSha256 = Hmac<Sha256>;

/// How many scopes a credential's cache holds. The oldest makes room.
const SCOPES: usize = 16;

/// A signing key that has its padding absorbed: what is left per request is the string to sign.
#[derive(Clone)]
pub(super) struct SigningKey(HmacSha256);

impl SigningKey {
    /// Derives the key of `secret` for a scope's date, region and service.
    pub(super) fn derive(secret: &str, date: &str, region: &str, service: &str) -> SigningKey {
        let mut seed = Vec::with_capacity(4 + secret.len());
        seed.extend_from_slice(b"AWS4");
        seed.extend_from_slice(secret.as_bytes());
        let mut key = keyed(&seed);
        for part in [date, region, service, TERMINATOR] {
            key.update(part.as_bytes());
            key = keyed(&key.finalize().into_bytes());
        }
        SigningKey(key)
    }

    /// The signature of a request, to be finished or verified by the caller.
    pub(super) fn sign(&self, amz_date: &str, scope: &str, canonical: &HexDigest) -> HmacSha256 {
        let parts = [ALGORITHM, "\n", amz_date, "\n", scope, "\n"].map(str::as_bytes);
        // One update: many small ones cost more than the copy.
        let mut text = Vec::with_capacity(192);
        parts.into_iter().chain([&canonical[..]]).for_each(|part| text.extend_from_slice(part));
        self.0.clone().chain_update(text)
    }
}

fn keyed(key: &[u8]) -> HmacSha256 {
    // HMAC takes keys of any length, so the error can't be; an empty key would only make signatures that don't match.
    HmacSha256::new_from_slice(key).unwrap_or_else(|_| HmacSha256::new(&Default::default()))
}

/// The signing keys of one credential, by scope.
///
/// Per credential, and read-locked for a look-up: nothing here is shared by all requests, and writes are as rare as new
/// days. Only keys whose signature has proved right are kept, so that nobody else's requests can push them out.
#[derive(Default)]
pub(super) struct KeyCache(RwLock<Vec<(Box<str>, SigningKey)>>);

impl KeyCache {
    /// The key of a scope (`20150830/us-east-1/sqs/aws4_request`).
    pub(super) fn get(&self, scope: &str) -> Option<SigningKey> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().find(|(of, _)| &**of == scope).map(|(_, key)| key.clone())
    }

    /// Keeps the key of a scope.
    pub(super) fn put(&self, scope: &str, key: SigningKey) {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if keys.iter().any(|(of, _)| &**of == scope) {
            return;
        }
        if keys.len() == SCOPES {
            keys.remove(0);
        }
        keys.push((scope.into(), key));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.read().unwrap().len()
    }
}
