//! What the shop is told by its environment.
//!
//! Where the queues are is not among it: the library looks for that itself (`AFTERWARD_URL`, `AWS_ENDPOINT_URL_SQS`, …).

use afterward::token::{Issuer, IssuerError};
use std::env;

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

/// What Stripe signs with: `STRIPE_WEBHOOK_SECRET`, else a word that the README has.
pub fn stripe_secret() -> String {
    variable("STRIPE_WEBHOOK_SECRET").unwrap_or_else(|| DEVELOPMENT_STRIPE_SECRET.to_owned())
}

/// Who signs the worker's tokens: the key in `AFTERWARD_ISSUER_KEY`, else the one for development.
///
/// # Errors
/// What the variable names is no key.
pub fn issuer() -> Result<Issuer, IssuerError> {
    match variable("AFTERWARD_ISSUER_KEY") {
        Some(_) => Issuer::from_env(),
        None => Issuer::from_pem(DEVELOPMENT_ISSUER),
    }
}

/// A variable that is set to something.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
