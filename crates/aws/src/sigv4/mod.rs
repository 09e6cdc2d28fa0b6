//! Signature Version 4: who a request says it is ([`peek`]), whether that is true ([`Verifier`]), and how to say it
//! ([`Signer`]).
//!
//! Source: "AWS Signature Version 4 for API requests", IAM user guide. Header and presigned (query string) forms; not the
//! chunked bodies of S3, nor asymmetric 4A.

mod canonical;
mod claim;
mod hex;
mod key;
mod proven;
mod sign;
mod time;
mod verify;

use crate::Incoming;
use claim::Claim;
use std::{fmt, sync::Arc};

pub use sign::Signer;
pub use verify::Verifier;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";

/// An access key.
#[derive(Clone, PartialEq, Eq)]
#[allow(missing_docs)] // AWS's words
pub struct Credential {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

/// Without the secrets.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// Who a request says it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// From the signature's credential.
    pub access_key_id: Option<Arc<str>>,
    /// From the signature's scope.
    pub region: Option<Arc<str>>,
    /// Whether there is anything that looks like a signature.
    pub signed: bool,
}

/// Who the request says it is, unverified: from its `Authorization` header or its presigned query string. What can't be
/// read is left out.
pub fn peek(incoming: &Incoming<'_>) -> Caller {
    let claim = Claim::of(incoming);
    let scope = claim.as_ref().and_then(|claim| claim.scope().ok());
    Caller {
        access_key_id: scope.as_ref().map(|scope| scope.access_key_id.into()),
        region: scope.as_ref().map(|scope| scope.region.into()),
        signed: claim.is_some(),
    }
}

/// Whether the signature's scope, unverified, names this service.
pub(crate) fn scope_names(incoming: &Incoming<'_>, service: &str) -> bool {
    Claim::of(incoming).is_some_and(|claim| claim.scope().is_ok_and(|scope| scope.service == service))
}

#[cfg(test)]
mod tests;
