//! A token's three parts: header, claims, signature.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// What a token says about itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) alg: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) typ: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kid: Option<String>,
    /// What a reader has to understand; nothing of that is known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) crit: Option<serde_json::Value>,
}

/// A part as it stands in a token.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A token taken apart, and as yet believed in nothing.
#[cfg(feature = "axum")]
pub(crate) struct Signed<'a> {
    pub(crate) header: Header,
    pub(crate) claims: Vec<u8>,
    /// What was signed.
    pub(crate) message: &'a [u8],
    pub(crate) signature: Vec<u8>,
}

/// It is no token.
#[cfg(feature = "axum")]
pub(crate) struct Malformed;

#[cfg(feature = "axum")]
impl Signed<'_> {
    pub(crate) fn read(token: &str) -> Result<Signed<'_>, Malformed> {
        let (message, signature) = token.rsplit_once('.').ok_or(Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(Malformed)?;
        let bytes = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| Malformed);
        Ok(Signed {
            header: serde_json::from_slice(&bytes(header)?).map_err(|_| Malformed)?,
            claims: bytes(claims)?,
            message: message.as_bytes(),
            signature: bytes(signature)?,
        })
    }
}
