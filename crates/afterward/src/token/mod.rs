//! Access tokens for calls back into an API, from an issuer of one's own.
//!
//! An issuer is a private RSA key; who has its public key can tell its tokens (JWTs, RS256). `afterward issuer create` makes
//! one, `afterward issuer jwks` prints the public keys for the API. A worker's [`Token`] is cached and renewed early:
//!
//! ```no_run
//! use afterward::{Cause, Message, Queue, State, Token, Worker};
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Serialize, Deserialize, Message)] #[message(type = "order:new")] struct OrderNew { order_id: String }
//! # async fn call(url: &str, authorization: http::HeaderValue) -> Result<(), Cause> { Ok(()) }
//!
//! async fn order_new(order: OrderNew, State(token): State<Token>) -> Result<(), Cause> {
//!     call(&format!("https://api.example.com/v1/orders/{}", order.order_id), token.bearer()?).await
//! }
//!
//! # async fn example(queue: Queue) -> Result<(), Box<dyn std::error::Error>> {
//! let token = Token::from_env("https://api.example.com")?; // the key is in AFTERWARD_ISSUER_KEY
//! Worker::new(queue).on(order_new).state(token).run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `axum`, the module `access` has the layer that admits who shows one.

mod issuer;
mod pem;

pub use crate::jose::{Jwks, JwksError};
pub use issuer::{Issuer, IssuerError};

use http::HeaderValue;
use serde_json::{Map, Value, json};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Whose tokens they are unless set.
const SUBJECT: &str = "afterward:worker";
const LIFETIME: Duration = Duration::from_secs(3_600);
/// A token is renewed so long before its end, or after half of a short life.
const EARLY: Duration = Duration::from_secs(60);

/// RFC 7519's claims (section 4.1), and what sets them.
const REGISTERED: [(&str, &str); 7] = [
    ("iss", "it is the issuer's name, Issuer::named"),
    ("sub", "it is set by .subject(…)"),
    ("aud", "it is what Token::new is given"),
    ("exp", "it follows from .lifetime(…)"),
    ("nbf", "a token is good from when it is made; Issuer::sign takes any claims"),
    ("iat", "it is when a token is made"),
    ("jti", "it would be the same in each token; Issuer::sign takes any claims"),
];

/// A source of access tokens: the last one is given out again until shortly before its end. Cheap to clone; clones share
/// the token.
#[derive(Clone)]
pub struct Token {
    issuer: Issuer,
    claims: Map<String, Value>,
    lifetime: Duration,
    current: Arc<Mutex<Option<Current>>>,
}

struct Current {
    token: Arc<str>,
    /// Since 1970.
    renew_at: Duration,
}

impl Token {
    /// Tokens of `issuer` for the API that `audience` names.
    #[must_use]
    pub fn new(issuer: Issuer, audience: &str) -> Token {
        let claims = [("aud", audience), ("sub", SUBJECT), ("iss", issuer.name())];
        let claims = claims.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        Token { issuer, claims, lifetime: LIFETIME, current: Arc::default() }
    }

    /// Tokens of the issuer whose key is in the environment variable `AFTERWARD_ISSUER_KEY`: see [`Issuer::from_env`].
    ///
    /// # Errors
    /// There is no key, or none that can be used.
    pub fn from_env(audience: &str) -> Result<Token, IssuerError> {
        Ok(Token::new(Issuer::from_env()?, audience))
    }

    /// Whose tokens they are, `sub`: `afterward:worker` unless set.
    #[must_use]
    pub fn subject(self, subject: &str) -> Token {
        self.with("sub", subject)
    }

    /// What they allow, `scope`: words with spaces between them.
    #[must_use]
    pub fn scope(self, scope: &str) -> Token {
        self.claim("scope", scope)
    }

    /// Another claim than those that RFC 7519 registers: of these, `iss`, `aud`, `sub`, `iat` and `exp` are set in other ways,
    /// and `nbf` and `jti` would be the same in each of many tokens. Where they are needed, [`Issuer::sign`] takes any claims.
    ///
    /// # Panics
    /// When it is one of those.
    #[must_use]
    #[track_caller]
    pub fn claim(self, name: &str, value: impl Into<Value>) -> Token {
        if let Some((_, instead)) = REGISTERED.iter().find(|(registered, _)| *registered == name) {
            panic!("the claim `{name}` of a token is not set by .claim(…): {instead}");
        }
        self.with(name, value)
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Token {
        self.claims.insert(name.to_owned(), value.into());
        self.current = Arc::default();
        self
    }

    /// How long each is good, in whole seconds: an hour unless set.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Token {
        self.lifetime = Duration::from_secs(lifetime.as_secs().max(1));
        self.current = Arc::default();
        self
    }

    /// A token that is good for a while.
    ///
    /// # Errors
    /// It could not be signed.
    pub fn get(&self) -> Result<Arc<str>, IssuerError> {
        self.at(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    /// The value of an `Authorization` header: `Bearer` and a token. It is marked as sensitive.
    ///
    /// # Errors
    /// No token could be signed.
    pub fn bearer(&self) -> Result<HeaderValue, IssuerError> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.get()?)).map_err(|_| IssuerError::Signing)?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn at(&self, now: Duration) -> Result<Arc<str>, IssuerError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = current.as_ref().filter(|current| now < current.renew_at) {
            return Ok(current.token.clone());
        }
        let mut claims = self.claims.clone();
        claims.insert("iat".to_owned(), json!(now.as_secs()));
        claims.insert("exp".to_owned(), json!(now.as_secs() + self.lifetime.as_secs()));
        let token: Arc<str> = self.issuer.sign(&claims)?.into();
        // From the whole second that its end counts from.
        let renew_at = Duration::from_secs(now.as_secs()) + self.lifetime - EARLY.min(self.lifetime / 2);
        *current = Some(Current { token: token.clone(), renew_at });
        Ok(token)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("issuer", &self.issuer).field("claims", &self.claims).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
