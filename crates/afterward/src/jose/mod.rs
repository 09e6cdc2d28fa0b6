//! Signed tokens (RFC 7515, 7517, 7519), as far as access tokens need them.
//!
//! A key is for one algorithm: RSA keys for RS256, P-256 keys for ES256. So a token can't choose how it is checked, and
//! there is no "none". The cryptography is ring's, which the tree has for TLS; the crates for tokens bring a second one.

mod jwks;
mod key;
mod signed;

pub use jwks::{Jwks, JwksError};
pub(crate) use key::PublicKey;
#[cfg(feature = "axum")]
pub(crate) use signed::Signed;
pub(crate) use signed::{Header, encoded};

#[cfg(test)]
mod tests;
