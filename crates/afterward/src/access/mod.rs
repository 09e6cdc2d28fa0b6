//! Who may call an API: a layer for axum that admits requests with an access token.
//!
//! ```no_run
//! use afterward::access::{Access, Claims};
//! use afterward::token::Jwks;
//! use axum::{Router, routing::post};
//!
//! async fn fulfilled(claims: Claims) -> String {
//!     format!("thank you, {}", claims.sub.unwrap_or_default())
//! }
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let access = Access::to("https://api.example.com")
//!     // Our workers: the public keys that `afterward issuer jwks` printed.
//!     .trust(Jwks::from_file("issuers.json")?)
//!     // And people, by another issuer, who publishes its keys.
//!     .trust_url("https://example.eu.auth0.com/", "https://example.eu.auth0.com/.well-known/jwks.json")?;
//!
//! let internal = Router::<()>::new()
//!     .route("/v1/orders/fulfilled", post(fulfilled))
//!     .layer(access.clone().subject("afterward:worker"));
//! # Ok(())
//! # }
//! ```
//!
//! A token is good when one of the trusted issuers signed it with a key of its own (RS256; with P-256 keys ES256), when it
//! is for this audience, and now. Without a good one, the answer is 401; with one that does not allow this, 403; both say
//! why in `WWW-Authenticate` (RFC 6750). When the keys of an issuer can't be fetched, it is 503.

mod claims;
mod denied;
mod layer;
mod remote;

pub use claims::Claims;
pub use denied::Denied;
pub use layer::Guard;

use crate::{
    jose::{Jwks, PublicKey, Signed},
    sqs::SettingsError,
};
use remote::Remote;
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// What two machines' clocks may differ by.
const LEEWAY: Duration = Duration::from_secs(30);

/// Whose tokens are taken, and what they have to allow. A `tower` layer; put it around the routes that it guards.
#[derive(Debug, Clone)]
#[must_use]
pub struct Access {
    audience: Arc<str>,
    trusted: Vec<Trusted>,
    subjects: Vec<String>,
    scopes: Vec<String>,
}

#[derive(Debug, Clone)]
struct Trusted {
    issuer: Name,
    keys: Keys,
}

/// What an issuer's tokens have as `iss`.
#[derive(Debug, Clone)]
enum Name {
    /// `afterward:` and the id of the key.
    OfKey,
    Fixed(String),
}

#[derive(Debug, Clone)]
enum Keys {
    Here(Arc<Jwks>),
    There(Arc<Remote>),
}

impl Access {
    /// To the API that tokens name as their audience, `aud`. As yet for nobody: see [`trust`](Access::trust) and
    /// [`trust_url`](Access::trust_url).
    pub fn to(audience: &str) -> Access {
        Access { audience: audience.into(), trusted: Vec::new(), subjects: Vec::new(), scopes: Vec::new() }
    }

    /// Trusts the issuers that `afterward issuer` made, by their public keys.
    pub fn trust(self, keys: Jwks) -> Access {
        self.trusting(Name::OfKey, Keys::Here(Arc::new(keys)))
    }

    /// Trusts an issuer by its name, `iss`, and its public keys.
    pub fn trust_as(self, issuer: &str, keys: Jwks) -> Access {
        self.trusting(Name::Fixed(issuer.to_owned()), Keys::Here(Arc::new(keys)))
    }

    /// Trusts an issuer that publishes its keys, by its name, `iss`, and the keys' URL. They are fetched when they are first
    /// needed, and again after five minutes, and when a token names a key that isn't among them, at most twice a minute. Where that
    /// fails, those that there are serve for another hour.
    ///
    /// # Errors
    /// It is not an `https` URL, nor an `http` one of this machine: keys that came over a line that others can write to prove
    /// nothing.
    pub fn trust_url(self, issuer: &str, jwks_url: &str) -> Result<Access, SettingsError> {
        let remote = Remote::at(jwks_url)?;
        Ok(self.trusting(Name::Fixed(issuer.to_owned()), Keys::There(Arc::new(remote))))
    }

    fn trusting(mut self, issuer: Name, keys: Keys) -> Access {
        self.trusted.push(Trusted { issuer, keys });
        self
    }

    /// Admits this subject, `sub`, and others that are named so. Unless one is named, any.
    pub fn subject(mut self, subject: &str) -> Access {
        self.subjects.push(subject.to_owned());
        self
    }

    /// Requires this scope, and all others that are named so.
    pub fn scope(mut self, scope: &str) -> Access {
        self.scopes.push(scope.to_owned());
        self
    }

    /// What a token claims, if it is good and allows this: what the layer does, for other frameworks.
    ///
    /// # Errors
    /// It is not good, or does not allow this, or it can't be told now.
    pub async fn claims(&self, token: &str) -> Result<Claims, Denied> {
        self.claims_at(token, SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()).await
    }

    async fn claims_at(&self, token: &str, now: Duration) -> Result<Claims, Denied> {
        let signed = Signed::read(token).map_err(|_| Denied::Invalid("it is no token of three parts"))?;
        if signed.header.crit.is_some() {
            return Err(Denied::Invalid("it has critical headers"));
        }
        let kid = signed.header.kid.as_deref().ok_or(Denied::Invalid("it names no key"))?;
        let claims = Claims::read(&signed.claims).ok_or(Denied::Invalid("its claims can't be read"))?;
        let key = self.key_of(&claims.iss, kid).await?;
        if signed.header.alg != key.algorithm() {
            return Err(Denied::Invalid("its algorithm is not the key's"));
        }
        if !key.verifies(signed.message, &signed.signature) {
            return Err(Denied::Invalid("its signature is wrong"));
        }
        claims.check_time(now, LEEWAY)?;
        if !claims.aud.iter().any(|audience| **audience == *self.audience) {
            return Err(Denied::Invalid("it is for another audience"));
        }
        self.allow(&claims)?;
        Ok(claims)
    }

    /// The key that a token of this issuer is to be checked with.
    async fn key_of(&self, issuer: &str, kid: &str) -> Result<PublicKey, Denied> {
        let mut denied = Denied::Invalid("its issuer is not trusted");
        for trusted in self.trusted.iter().filter(|trusted| trusted.issuer.is(issuer, kid)) {
            let key = match &trusted.keys {
                Keys::Here(keys) => Ok(keys.key(kid).cloned()),
                Keys::There(remote) => remote.key(kid).await,
            };
            match key {
                Ok(Some(key)) => return Ok(key),
                Ok(None) => denied = Denied::Invalid("its key is not among its issuer's"),
                Err(error) => {
                    tracing::warn!(issuer, "the keys of an issuer can't be fetched: {error}");
                    denied = Denied::Unavailable;
                }
            }
        }
        Err(denied)
    }

    fn allow(&self, claims: &Claims) -> Result<(), Denied> {
        let is_named = |subject: &str| self.subjects.iter().any(|named| named == subject);
        if !self.subjects.is_empty() && !claims.sub.as_deref().is_some_and(is_named) {
            return Err(Denied::Subject);
        }
        let scopes = claims.scopes();
        if self.scopes.iter().any(|needed| !scopes.contains(&needed.as_str())) {
            return Err(Denied::Scope(self.scopes.join(" ")));
        }
        Ok(())
    }
}

impl Name {
    fn is(&self, issuer: &str, kid: &str) -> bool {
        match self {
            Name::OfKey => issuer.strip_prefix("afterward:") == Some(kid),
            Name::Fixed(name) => name == issuer,
        }
    }
}

#[cfg(test)]
mod tests;
