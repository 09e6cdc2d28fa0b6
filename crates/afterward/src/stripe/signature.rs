//! The signature on Stripe's webhook requests: HMAC-SHA256 over the time and the body, in the header `Stripe-Signature`
//! (`t=1492774577,v1=5257a8…`), as Stripe's page on verifying by hand has it.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use thiserror::Error;

/// How old a request may be in Stripe's own libraries.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);

/// Why a request is not to be believed. Answer it with 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The header is not Stripe's: no time, or no signature of version 1.
    #[error("the header Stripe-Signature is not of the form t=…,v1=…")]
    Malformed,
    /// There is no secret: with an empty one anybody could sign.
    #[error("the endpoint's secret is empty: set it to the one that Stripe shows for the endpoint (whsec_…)")]
    NoSecret,
    /// It was signed with another secret, or the body is not as it was sent.
    #[error(
        "no signature fits: the secret is another endpoint's, or the body is not byte for byte the one that was sent \
         (it must not be parsed and written again)"
    )]
    Wrong,
    /// It was signed too long ago: it may have been recorded and sent again.
    #[error("signed {} s ago, which is longer than the tolerance", age.as_secs())]
    Old {
        /// How long ago.
        age: Duration,
    },
}

/// Whether a request came from Stripe, by its header `Stripe-Signature`, its body as it came, the endpoint's secret (`whsec_…`),
/// and how old it may be. While a secret is being rolled, Stripe signs with both, and either is enough.
///
/// # Errors
/// It did not, or too long ago.
pub fn verify(header: &str, body: &[u8], secret: &str, tolerance: Duration) -> Result<(), SignatureError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    verify_at(header, body, secret, tolerance, now)
}

/// [`verify`], at a time since 1970.
pub(super) fn verify_at(
    header: &str,
    body: &[u8],
    secret: &str,
    tolerance: Duration,
    now: Duration,
) -> Result<(), SignatureError> {
    if secret.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let (time, signatures) = parts(header).ok_or(SignatureError::Malformed)?;
    let is_ours = |signature: &str| {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
        mac.update(time.as_bytes());
        mac.update(b".");
        mac.update(body);
        bytes_of(signature).is_some_and(|bytes| mac.verify_slice(&bytes).is_ok())
    };
    if !signatures.iter().any(|signature| is_ours(signature)) {
        return Err(SignatureError::Wrong);
    }
    // Only what was signed is believed, so the time is looked at last. One ahead of our clock is Stripe's clock.
    let signed: u64 = time.parse().map_err(|_| SignatureError::Malformed)?;
    let age = now.saturating_sub(Duration::from_secs(signed));
    if age > tolerance { Err(SignatureError::Old { age }) } else { Ok(()) }
}

/// The time as it is written, and the signatures of version 1. Other versions are not for us.
fn parts(header: &str) -> Option<(&str, Vec<&str>)> {
    let (mut time, mut signatures) = (None, Vec::new());
    for part in header.split(',') {
        match part.trim().split_once('=')? {
            ("t", value) => time = Some(value),
            ("v1", value) => signatures.push(value),
            _ => {}
        }
    }
    Some((time?, signatures)).filter(|(_, signatures)| !signatures.is_empty())
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        hex.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
