//! By how much this machine's clock is wrong, as a service sees it.
//!
//! A signature holds for minutes around the time that it names, by the service's clock. Where that refuses a signature, its
//! reply has its time (the header `Date`), and the next signature is made by that. Nothing else goes by it: what is due when
//! is the machine's clock's to say.

use super::{ErrorKind, bare_code, service::now_ms};
use crate::instant;
use http::HeaderValue;
use std::{
    sync::atomic::{AtomicI64, Ordering::Relaxed},
    time::UNIX_EPOCH,
};

/// The codes of a signature that names another time, and those of one that is wrong for whatever reason.
const SKEWED: [&str; 5] = [
    "RequestTimeTooSkewed",
    "RequestExpired",
    "RequestInTheFuture",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
];
/// A difference that no service minds: what the SDKs look over, too.
const HARMLESS_MS: u64 = 4 * 60_000;

/// The clock that signatures are made by.
#[derive(Debug, Default)]
pub(super) struct SignersClock {
    ahead_ms: AtomicI64,
}

impl SignersClock {
    /// Milliseconds since 1970, by the service's clock as far as it is known.
    pub(super) fn now_ms(&self) -> u64 {
        now_ms().saturating_add_signed(self.ahead_ms.load(Relaxed))
    }

    /// Puts the clock right where that may be why a request was refused. `signed_ms`: when it was signed, by this clock, which
    /// another call may have put right meanwhile. Whether the request was signed for a wrong time.
    pub(super) fn put_right(&self, why: &ErrorKind, date: Option<&HeaderValue>, signed_ms: u64) -> bool {
        let ErrorKind::Service { code, .. } = why else { return false };
        let date = date.and_then(|date| instant::parse_http_date(date.to_str().ok()?));
        let since = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
        let Some(services_ms) = since.and_then(|since| u64::try_from(since.as_millis()).ok()) else { return false };
        if !SKEWED.contains(&bare_code(code)) || services_ms.abs_diff(signed_ms) <= HARMLESS_MS {
            return false;
        }
        let (services_ms, own_ms) = (services_ms.cast_signed(), now_ms().cast_signed());
        self.ahead_ms.store(services_ms.saturating_sub(own_ms), Relaxed);
        tracing::warn!(
            ahead_ms = services_ms.saturating_sub(own_ms),
            "this machine's clock is not the service's: requests are signed by the service's from now on"
        );
        true
    }
}
