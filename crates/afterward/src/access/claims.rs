//! What a token says, once it is believed.

use super::Denied;
use axum_core::extract::FromRequestParts;
use http::{StatusCode, request::Parts};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::time::Duration;

/// The claims of the token that a request was admitted with: an extractor for handlers behind [`Access`](super::Access).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// Whom it is about.
    pub sub: Option<String>,
    /// For which APIs it is.
    pub aud: Vec<String>,
    /// Until when it is good, in seconds since 1970.
    pub exp: u64,
    nbf: Option<u64>,
    all: Map<String, Value>,
}

#[derive(Deserialize)]
struct Registered {
    iss: String,
    #[serde(default)]
    sub: Option<String>,
    aud: OneOrMore,
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Claims {
    /// `None` where one is missing that every token has to have: `iss`, `aud`, `exp`.
    pub(super) fn read(json: &[u8]) -> Option<Claims> {
        let all: Map<String, Value> = serde_json::from_slice(json).ok()?;
        let Registered { iss, sub, aud, exp, nbf } = serde_json::from_value(Value::Object(all.clone())).ok()?;
        let aud = match aud {
            OneOrMore::One(audience) => vec![audience],
            OneOrMore::More(audiences) => audiences,
        };
        // Times may have fractions; casts of floats saturate.
        Some(Claims { iss, sub, aud, exp: exp as u64, nbf: nbf.map(|nbf| nbf as u64), all })
    }

    pub(super) fn check_time(&self, now: Duration, leeway: Duration) -> Result<(), Denied> {
        let (now_s, leeway_s) = (now.as_secs(), leeway.as_secs());
        if now_s >= self.exp.saturating_add(leeway_s) {
            return Err(Denied::Invalid("it has expired"));
        }
        if self.nbf.is_some_and(|nbf| now_s.saturating_add(leeway_s) < nbf) {
            return Err(Denied::Invalid("it is not good yet"));
        }
        Ok(())
    }

    /// What it allows: the words of `scope` or `scp`, and what Auth0 has as `permissions`.
    pub fn scopes(&self) -> Vec<&str> {
        let mut scopes = Vec::new();
        for name in ["scope", "scp", "permissions"] {
            match self.all.get(name) {
                Some(Value::String(words)) => scopes.extend(words.split(' ').filter(|word| !word.is_empty())),
                Some(Value::Array(words)) => scopes.extend(words.iter().filter_map(Value::as_str)),
                _ => {}
            }
        }
        scopes
    }

    /// Any claim, by its name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.all.get(name)
    }

    /// All claims, as a type of your own.
    ///
    /// # Errors
    /// They are not of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(Value::Object(self.all.clone()))
    }
}

impl<S: Sync> FromRequestParts<S> for Claims {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Claims, Self::Rejection> {
        let claims = parts.extensions.get::<Claims>().cloned();
        claims.ok_or_else(|| {
            tracing::error!(path = parts.uri.path(), "a handler takes Claims, and its route has no layer Access");
            (StatusCode::INTERNAL_SERVER_ERROR, "this route is not guarded")
        })
    }
}
