//! Signature Version 4: who a request says it is, whether that is true, and how to say it.

use crate::{Error, Incoming};
use http::{HeaderMap, Method, Uri};

/// An access key.
#[derive(Clone, PartialEq, Eq)]
#[allow(missing_docs)] // AWS's words
pub struct Credential {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

/// Who a request says it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// From the signature's credential.
    pub access_key_id: Option<String>,
    /// From the signature's scope.
    pub region: Option<String>,
    /// Whether there is anything that looks like a signature.
    pub signed: bool,
}

/// Who the request says it is, unverified: from its `Authorization` header or its presigned query string.
pub fn peek(incoming: &Incoming<'_>) -> Caller {
    let _ = incoming;
    Caller::default()
}

/// Checks signatures against a fixed set of credentials.
pub struct Verifier {}

impl Verifier {
    /// A verifier that knows these credentials.
    pub fn new(credentials: impl IntoIterator<Item = Credential>) -> Verifier {
        let _ = credentials.into_iter();
        Verifier {}
    }

    /// Verifies the request's signature at the time `now_ms` (Unix, milliseconds). `service`: what the signature's
    /// scope must name; `None` takes any.
    ///
    /// # Errors
    /// AWS's own: `MissingAuthenticationToken`, `IncompleteSignature`, `InvalidClientTokenId`, `SignatureDoesNotMatch`,
    /// `RequestExpired` … all with [`crate::Code`]s that render as the protocol at hand names them.
    pub fn verify(&self, incoming: &Incoming<'_>, service: Option<&str>, now_ms: u64) -> Result<Caller, Error> {
        let _ = (incoming, service, now_ms);
        Err(Error::internal_failure())
    }
}

/// Signs the requests of one client.
pub struct Signer {}

impl Signer {
    /// A signer for one service in one region.
    pub fn new(credential: Credential, region: &str, service: &str) -> Signer {
        let _ = (credential, region, service);
        Signer {}
    }

    /// Adds what a signed request carries to `headers`: `host` where absent (from the URI), `x-amz-date`,
    /// `x-amz-security-token` where the credential has one, and `authorization`. Every header present is signed, but
    /// for those that proxies change. `now_ms` is Unix time in milliseconds.
    pub fn sign(&self, method: &Method, uri: &Uri, headers: &mut HeaderMap, body: &[u8], now_ms: u64) {
        let _ = (method, uri, headers, body, now_ms);
    }
}
