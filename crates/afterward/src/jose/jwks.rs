//! Sets of public keys, as issuers publish them: `{"keys":[…]}`.

use super::key::PublicKey;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::path::Path;
use thiserror::Error;

/// A set of public keys, by id. Read from JSON, it holds the keys that RS256 and ES256 signatures can be checked with and that
/// have an id; issuers publish others, too, which are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jwks(Vec<(String, PublicKey)>);

/// There are no keys where keys should be.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JwksError {
    /// It is not JSON of a key set.
    #[error("not a set of keys, {{\"keys\":[…]}}: {0}")]
    Json(#[from] serde_json::Error),
    /// The file can't be read.
    #[error("the keys in {path} can't be read: {why}")]
    File {
        /// The file.
        path: String,
        /// Why.
        why: std::io::Error,
    },
    /// There is none that could be used.
    #[error("a set without a key that has a `kid` and is for RS256 or ES256")]
    Empty,
}

#[derive(Serialize, Deserialize)]
struct Set<Key> {
    keys: Vec<Key>,
}

/// A key as JSON.
#[derive(Serialize, Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    usage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<String>,
}

impl Jwks {
    /// Reads a key set.
    ///
    /// # Errors
    /// It is none, or has no key for us.
    pub fn parse(json: &str) -> Result<Jwks, JwksError> {
        let set: Set<serde_json::Value> = serde_json::from_str(json)?;
        // A key of a shape that is not ours must not hide the others.
        let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok()?.read());
        let keys: Vec<_> = keys.collect();
        if keys.is_empty() { Err(JwksError::Empty) } else { Ok(Jwks(keys)) }
    }

    /// Reads a key set from a file, such as one that `afterward issuer jwks` wrote.
    ///
    /// # Errors
    /// It can't be read, or is none, or has no key for us.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Jwks, JwksError> {
        let path = path.as_ref();
        let failed = |why| JwksError::File { path: path.display().to_string(), why };
        Jwks::parse(&std::fs::read_to_string(path).map_err(failed)?)
    }

    pub(crate) fn of(kid: String, key: PublicKey) -> Jwks {
        Jwks(vec![(kid, key)])
    }

    /// This set and another in one: where keys are rolled, tokens of both are good for a while.
    #[must_use]
    pub fn and(mut self, other: Jwks) -> Jwks {
        self.0.extend(other.0);
        self
    }

    /// The ids of the keys.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(kid, _)| kid.as_str())
    }

    #[cfg_attr(not(feature = "axum"), allow(dead_code))] // tokens are checked where they are taken
    pub(crate) fn key(&self, kid: &str) -> Option<&PublicKey> {
        self.0.iter().find(|(id, _)| id == kid).map(|(_, key)| key)
    }

    /// The set as JSON, for publishing.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "keys": self.0.iter().map(|(kid, key)| Jwk::of(kid, key)).collect::<Vec<_>>() })
    }
}

impl Jwk {
    fn of(kid: &str, key: &PublicKey) -> Jwk {
        let text = |bytes: &[u8]| Some(BASE64_URL_SAFE_NO_PAD.encode(bytes));
        let (kty, crv, n, e, x, y) = match key {
            PublicKey::Rsa { n, e } => ("RSA", None, text(n), text(e), None, None),
            PublicKey::P256(point) => {
                ("EC", Some("P-256".to_owned()), None, None, text(&point[1..33]), text(&point[33..]))
            }
        };
        let (usage, alg) = (Some("sig".to_owned()), Some(key.algorithm().to_owned()));
        Jwk { kty: kty.to_owned(), kid: Some(kid.to_owned()), usage, alg, crv, n, e, x, y }
    }

    /// The key, where it is one for signatures that we can check.
    fn read(self) -> Option<(String, PublicKey)> {
        let bytes = |text: &Option<String>| BASE64_URL_SAFE_NO_PAD.decode(text.as_ref()?.trim_end_matches('=')).ok();
        let key = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => PublicKey::rsa(&bytes(&self.n)?, &bytes(&self.e)?),
            ("EC", Some("P-256")) => PublicKey::p256(&bytes(&self.x)?, &bytes(&self.y)?)?,
            _ => return None,
        };
        let is_for_signatures = self.usage.is_none_or(|usage| usage == "sig");
        let is_of_its_algorithm = self.alg.is_none_or(|alg| alg == key.algorithm());
        (is_for_signatures && is_of_its_algorithm).then_some((self.kid?, key))
    }
}
