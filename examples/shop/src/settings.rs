//! What the shop is told by its environment.
//!
//! Where the queues are is not among it: the library looks for that itself (`AFTERWARD_URL`, `AWS_ENDPOINT_URL_SQS`, …).

use afterward::token::{Issuer, Jwks};
use std::{env, error::Error};
use thiserror::Error;

/// The audience of the worker's tokens: what the API calls itself.
pub const AUDIENCE: &str = "https://shop.example.com";
/// The subject of the worker's tokens.
pub const SUBJECT: &str = "afterward:worker";

/// For development, and for nothing else: everybody can read it.
const DEVELOPMENT_ISSUER: &str = include_str!("../development-issuer.pem");
/// Likewise.
const DEVELOPMENT_STRIPE_SECRET: &str = "whsec_development";

/// The address that the API listens on: `SHOP_LISTEN`, else `127.0.0.1:3000`.
pub fn listen() -> String {
    variable("SHOP_LISTEN").unwrap_or_else(|| "127.0.0.1:3000".to_owned())
}

/// Where the worker finds the API: `SHOP_API_URL`, else where [`listen`] says.
pub fn api_url() -> String {
    variable("SHOP_API_URL").unwrap_or_else(|| format!("http://{}", listen()))
}

/// Whether a stand-in for a secret will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// All of the shop in one process, on the machine of whoever works on it.
    Development,
    /// The API or the worker by itself, for others to reach.
    Production,
}

/// A setting that has no value for production.
#[derive(Debug, Error)]
#[error(
    "{variable} is not set: {what}. Only `cargo run -p shop`, with the API and the worker in one process, does without it"
)]
pub struct Missing {
    variable: &'static str,
    what: &'static str,
}

impl Stage {
    /// A variable's value, or `None` where development has a stand-in for it.
    fn secret(self, variable: &'static str, what: &'static str) -> Result<Option<String>, Missing> {
        match (self::variable(variable), self) {
            (None, Stage::Production) => Err(Missing { variable, what }),
            (value, _) => Ok(value),
        }
    }

    /// What Stripe signs with: `STRIPE_WEBHOOK_SECRET`, in development else a word that the README has.
    ///
    /// # Errors
    /// Nothing is set, in production.
    pub fn stripe_secret(self) -> Result<String, Missing> {
        let what = "set it to the signing secret that Stripe shows for the webhook's endpoint (whsec_…)";
        Ok(self.secret("STRIPE_WEBHOOK_SECRET", what)?.unwrap_or_else(|| DEVELOPMENT_STRIPE_SECRET.to_owned()))
    }

    /// Who signs the worker's tokens: the key in `AFTERWARD_ISSUER_KEY`, in development else one that everybody can read.
    ///
    /// # Errors
    /// What the variable names is no key; nothing is set, in production.
    pub fn issuer(self) -> Result<Issuer, Box<dyn Error + Send + Sync>> {
        let what = "set it to the file that `afterward issuer create` makes, or to the key itself";
        Ok(match self.secret("AFTERWARD_ISSUER_KEY", what)? {
            Some(_) => Issuer::from_env()?,
            None => Issuer::from_pem(DEVELOPMENT_ISSUER)?,
        })
    }

    /// Whose tokens the API takes: of those whose keys are in the file `SHOP_ISSUERS`, in development else of [`issuer`].
    ///
    /// [`issuer`]: Stage::issuer
    ///
    /// # Errors
    /// The file can't be read; nothing is set, in production.
    pub fn trusted_keys(self) -> Result<Jwks, Box<dyn Error + Send + Sync>> {
        let what = "set it to a file with the public keys of the worker's tokens, which `afterward issuer jwks` prints";
        Ok(match self.secret("SHOP_ISSUERS", what)? {
            Some(file) => Jwks::from_file(file)?,
            None => self.issuer()?.jwks(),
        })
    }
}

/// A variable that is set to something.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
