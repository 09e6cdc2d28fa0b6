//! A private key that signs tokens.

use super::pem;
use crate::jose::{Header, Jwks, encoded};
use ring::{rand::SystemRandom, rsa, signature::RSA_PKCS1_SHA256};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{fmt, sync::Arc};
use thiserror::Error;

/// The environment variable with the key, or the name of its file.
const KEY: &str = "AFTERWARD_ISSUER_KEY";

/// Who signs tokens: a private RSA key. Cheap to clone.
#[derive(Clone)]
pub struct Issuer {
    key: Arc<rsa::KeyPair>,
    kid: Arc<str>,
    name: Arc<str>,
}

/// An issuer can't be had, or can't sign.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// No key is configured.
    #[error(
        "no issuer's key: set {KEY} to the file that `afterward issuer create` made (it prints the name), or to the key itself"
    )]
    NotConfigured,
    /// The key's file can't be read.
    #[error("the issuer's key in {path} can't be read: {why}")]
    File {
        /// The file.
        path: String,
        /// Why.
        why: std::io::Error,
    },
    /// It is no key that could be used.
    #[error("not an issuer's key: {0}; `afterward issuer create` makes one")]
    Key(String),
    /// The system gave no random numbers, or claims can't be written as JSON.
    #[error("the token could not be signed")]
    Signing,
}

impl Issuer {
    /// The issuer with this private key: RSA of 2,048 to 8,192 bits in PEM, PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA
    /// PRIVATE KEY`). Its [name](Issuer::name) is `afterward:` with the key's id.
    ///
    /// # Errors
    /// It is no such key.
    pub fn from_pem(text: &str) -> Result<Issuer, IssuerError> {
        let key = pem::private_key(text).map_err(IssuerError::Key)?;
        let kid = kid_of(&key);
        Ok(Issuer { key: Arc::new(key), name: format!("afterward:{kid}").into(), kid: kid.into() })
    }

    /// The issuer whose key is in the environment variable `AFTERWARD_ISSUER_KEY`: in PEM, or the name of a file with it.
    ///
    /// # Errors
    /// The variable is not set, or what it names is no key.
    pub fn from_env() -> Result<Issuer, IssuerError> {
        Issuer::from_setting(std::env::var(KEY).ok().as_deref())
    }

    pub(super) fn from_setting(value: Option<&str>) -> Result<Issuer, IssuerError> {
        let value = value.map(str::trim).filter(|value| !value.is_empty()).ok_or(IssuerError::NotConfigured)?;
        if value.starts_with("-----BEGIN") {
            // Where only one line is allowed, line breaks are written as \n.
            return Issuer::from_pem(&value.replace("\\n", "\n"));
        }
        let text = std::fs::read_to_string(value).map_err(|why| IssuerError::File { path: value.to_owned(), why })?;
        Issuer::from_pem(&text)
    }

    /// The issuer under another name, which tokens have as `iss`.
    #[must_use]
    pub fn named(mut self, name: &str) -> Issuer {
        self.name = name.into();
        self
    }

    /// What tokens have as `iss`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's id: the first 16 digits of the SHA-256 of the public key in PEM, as LetsGo has it.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key, for those who take the tokens.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        Jwks::of(self.kid.to_string(), pem::public_key(&self.key))
    }

    /// A token with these claims and no others.
    ///
    /// # Errors
    /// They can't be written as JSON, or the system gave no random numbers.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, IssuerError> {
        let kid = Some(self.kid.to_string());
        let header = Header { alg: "RS256".to_owned(), typ: Some("JWT".to_owned()), kid, crit: None };
        let message = format!("{}.{}", part(&header)?, part(claims)?);
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .map_err(|_| IssuerError::Signing)?;
        Ok(format!("{message}.{}", encoded(&signature)))
    }
}

fn part(json: &impl Serialize) -> Result<String, IssuerError> {
    serde_json::to_vec(json).map(|json| encoded(&json)).map_err(|_| IssuerError::Signing)
}

fn kid_of(key: &rsa::KeyPair) -> String {
    let digest = Sha256::digest(pem::public_pem(key));
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("name", &self.name()).field("kid", &self.kid()).finish_non_exhaustive()
    }
}
