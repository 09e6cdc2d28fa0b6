//! Whether a request was signed by who it says it is.
//!
//! The signature is compared in constant time, and everything that AWS says about a request it refuses is said here in its
//! words. Cheap checks come first; the hash of the body is the last thing computed. A request of somebody whose
//! authorization has proved right before ([`Proven`]) takes a shorter way to the same answer; whatever is out of order
//! there is left to the long one, which knows the words.

use super::{
    Caller, Credential,
    canonical::{Canonical, payload_digest},
    claim::{Claim, Form, Scope},
    hex::HexDigest,
    key::{KeyCache, SigningKey},
    proven::{self, Proven, Standing},
    time::{amz_date, parse_amz_date, parse_http_date},
};
use crate::{Code, Error, Incoming, split::split, sqs::TARGET_HEADER};
use hmac::Mac;
use http::{
    HeaderMap, HeaderName,
    header::{AUTHORIZATION, DATE, HOST},
};
use std::{borrow::Cow, collections::HashMap};

/// How far a signer's clock may be off: 15 minutes.
pub(super) const SKEW_S: i64 = 900;
/// The longest that a presigned request may be valid: seven days.
const LONGEST_EXPIRES_S: i64 = 604_800;
pub(super) const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const UNSIGNED_PAYLOAD: &[u8] = b"UNSIGNED-PAYLOAD";

/// Checks signatures against a fixed set of credentials.
pub struct Verifier {
    keys: HashMap<String, Known>,
    proven: Proven,
}

/// A credential and its signing keys.
struct Known {
    credential: Credential,
    cache: KeyCache,
}

/// A claim that may be true, for all that can be told without the body.
struct Plausible<'a> {
    scope: Scope<'a>,
    signature: [u8; 32],
    signed_headers: &'a str,
    stamp: Stamp<'a>,
    known: &'a Known,
}

/// A time as it was signed, and when that is.
struct Stamp<'a> {
    text: Cow<'a, str>,
    unix_s: i64,
}

impl Verifier {
    /// A verifier that knows these credentials. Of an access key id that comes twice, the last stays.
    pub fn new(credentials: impl IntoIterator<Item = Credential>) -> Verifier {
        let known = |credential: Credential| {
            (credential.access_key_id.clone(), Known { credential, cache: KeyCache::default() })
        };
        Verifier { keys: credentials.into_iter().map(known).collect(), proven: Proven::default() }
    }

    /// Verifies the request's signature at the time `now_ms` (Unix, milliseconds). `service`: what the signature's
    /// scope must name; `None` takes any. A credential that has a session token asks for it; one that has none
    /// doesn't look whether there is one.
    ///
    /// # Errors
    /// AWS's own: `MissingAuthenticationToken`, `IncompleteSignature`, `InvalidClientTokenId`, `SignatureDoesNotMatch`
    /// (for a clock that is off, too), and `RequestExpired` for a presigned request that comes too late.
    pub fn verify(&self, incoming: &Incoming<'_>, service: Option<&str>, now_ms: u64) -> Result<Caller, Error> {
        let header = incoming.headers.get(AUTHORIZATION).map(|value| value.as_bytes());
        let cut = header.and_then(proven::cut);
        if let Some((text, signature)) = cut
            && let Some(standing) = self.proven.get(text)
            && let Some(date) = standing.date_in_order(incoming.headers, service, now_ms)
        {
            let digest = canonical(incoming, &standing.signed_headers, |canonical| {
                canonical.digest_by(standing.names.iter().map(|name| (name.as_str(), name)))
            });
            check_signature(&standing.key, date, &standing.scope, &digest, &signature)?;
            return Ok(standing.caller.clone());
        }
        let claim = Claim::of(incoming).ok_or_else(missing_token)?;
        let plausible = self.plausible(&claim, incoming.headers, service, now_ms)?;
        let Plausible { scope, signature, signed_headers, stamp, known } = &plausible;
        let digest = canonical(incoming, signed_headers, |canonical| canonical.digest());
        let cached = known.cache.get(scope.text);
        let is_cached = cached.is_some();
        let secret = &known.credential.secret_access_key;
        let key = cached.unwrap_or_else(|| SigningKey::derive(secret, scope.date, scope.region, scope.service));
        check_signature(&key, &stamp.text, scope.text, &digest, signature)?;
        if !is_cached {
            known.cache.put(scope.text, key.clone());
        }
        let caller = scope.caller();
        if let Some((text, _)) = cut
            && let Some(standing) = plausible.standing(key, caller.clone())
        {
            self.proven.put(text, standing);
        }
        Ok(caller)
    }

    /// Whether the request's signature may be right, whatever its body is, which is not looked at. Who could not be
    /// anybody known, now, need not be listened to.
    pub fn may_verify(&self, incoming: &Incoming<'_>, now_ms: u64) -> bool {
        Claim::of(incoming).is_some_and(|claim| self.plausible(&claim, incoming.headers, None, now_ms).is_ok())
    }

    fn plausible<'a>(
        &'a self,
        claim: &'a Claim<'_>,
        headers: &'a HeaderMap,
        service: Option<&str>,
        now_ms: u64,
    ) -> Result<Plausible<'a>, Error> {
        claim.check_algorithm()?;
        let scope = claim.scope()?;
        let signature = claim.signature()?;
        let signed_headers = claim.signed_headers()?;
        let stamp = stamp(claim, headers)?;
        check_scope(&scope, &stamp, service)?;
        check_time(claim, &stamp, i64::try_from(now_ms / 1000).unwrap_or(i64::MAX))?;
        check_signed_headers(signed_headers, headers)?;
        let known = self.keys.get(scope.access_key_id).ok_or_else(invalid_token)?;
        check_token(&known.credential, claim, headers)?;
        Ok(Plausible { scope, signature, signed_headers, stamp, known })
    }

    #[cfg(test)]
    pub(super) fn cached_keys(&self, access_key_id: &str) -> usize {
        self.keys[access_key_id].cache.len()
    }

    #[cfg(test)]
    pub(super) fn proven(&self) -> usize {
        self.proven.len()
    }
}

impl Plausible<'_> {
    /// What to keep of it, once it has proved right; `None` where there is more to look at than the short way does.
    fn standing(&self, key: SigningKey, caller: Caller) -> Option<Standing> {
        if self.known.credential.session_token.is_some() {
            return None;
        }
        let names = proven::names(split(self.signed_headers, b';'))?;
        Some(Standing {
            caller,
            key,
            date: self.scope.date.into(),
            service: self.scope.service.into(),
            scope: self.scope.text.into(),
            signed_headers: self.signed_headers.into(),
            signs_target: names.contains(&TARGET_HEADER),
            names,
        })
    }
}

impl Scope<'_> {
    fn caller(&self) -> Caller {
        Caller { access_key_id: Some(self.access_key_id.into()), region: Some(self.region.into()), signed: true }
    }
}

/// What `digest` makes of the canonical request.
fn canonical(
    incoming: &Incoming<'_>,
    signed_headers: &str,
    digest: impl FnOnce(&Canonical<'_>) -> HexDigest,
) -> HexDigest {
    let own_digest;
    let payload_hash = match incoming.headers.get(CONTENT_SHA256).map(|value| value.as_bytes()) {
        Some(UNSIGNED_PAYLOAD) => UNSIGNED_PAYLOAD,
        // Whatever else the header says, the body that arrived is what counts.
        _ => {
            own_digest = payload_digest(incoming.body);
            &own_digest
        }
    };
    let &Incoming { method, uri, headers, .. } = incoming;
    digest(&Canonical { method, uri, headers, signed_headers, payload_hash })
}

/// Compares in constant time.
fn check_signature(
    key: &SigningKey,
    date: &str,
    scope: &str,
    digest: &HexDigest,
    signature: &[u8; 32],
) -> Result<(), Error> {
    key.sign(date, scope, digest).verify_slice(signature).map_err(|_| does_not_match())
}

/// When the request says it was signed.
fn stamp<'a>(claim: &'a Claim<'_>, headers: &'a HeaderMap) -> Result<Stamp<'a>, Error> {
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let (text, name) = match claim.form {
        Form::Presigned => (claim.date.as_deref(), "X-Amz-Date"),
        Form::Header => match header(AMZ_DATE) {
            Some(text) => (Some(text), "X-Amz-Date"),
            None => (header(DATE), "Date"),
        },
    };
    let Some(text) = text else {
        let message = match claim.form {
            Form::Header => "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
            Form::Presigned => "AWS query-string parameters must include 'X-Amz-Date'.",
        };
        return Err(Error::new(Code::IncompleteSignature, message));
    };
    let text = text.trim();
    if let Some(unix_s) = parse_amz_date(text) {
        return Ok(Stamp { text: Cow::Borrowed(text), unix_s });
    }
    match parse_http_date(text).filter(|_| name == "Date") {
        // What is signed is the time in the one form.
        Some(unix_s) => Ok(Stamp { text: Cow::Owned(amz_date(unix_s.unsigned_abs() * 1000)), unix_s }),
        None => {
            let message = format!("{name} must be in ISO8601 'basic format'. Got '{text}'.");
            Err(Error::new(Code::IncompleteSignature, message))
        }
    }
}

fn check_scope(scope: &Scope<'_>, stamp: &Stamp<'_>, service: Option<&str>) -> Result<(), Error> {
    let date = stamp.text.get(..8).unwrap_or_default();
    if scope.date != date {
        return Err(refused(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
             '{}' != '{date}', from '{}'.",
            scope.date, stamp.text
        )));
    }
    match service {
        Some(service) if service != scope.service => {
            Err(refused(format!("Credential should be scoped to correct service: '{service}'. ")))
        }
        _ => Ok(()),
    }
}

fn check_time(claim: &Claim<'_>, stamp: &Stamp<'_>, now_s: i64) -> Result<(), Error> {
    let iso = |unix_s: i64| amz_date(u64::try_from(unix_s).unwrap_or(0) * 1000);
    if stamp.unix_s > now_s.saturating_add(SKEW_S) {
        let (now, edge) = (iso(now_s), iso(now_s.saturating_add(SKEW_S)));
        let message = format!("Signature not yet current: {} is still later than {edge} ({now} + 15 min.)", stamp.text);
        return Err(refused(message));
    }
    let Some(expires) = claim.expires.as_deref() else {
        if now_s > stamp.unix_s + SKEW_S {
            let (now, edge) = (iso(now_s), iso(now_s - SKEW_S));
            let message = format!("Signature expired: {} is now earlier than {edge} ({now} - 15 min.)", stamp.text);
            return Err(refused(message));
        }
        return Ok(());
    };
    let Some(expires_s) = expires.parse().ok().filter(|seconds| (0..=LONGEST_EXPIRES_S).contains(seconds)) else {
        let message =
            format!("X-Amz-Expires must be a number of seconds from 0 to {LONGEST_EXPIRES_S}. Got '{expires}'.");
        return Err(Error::new(Code::IncompleteSignature, message));
    };
    if now_s > stamp.unix_s + expires_s {
        let message = format!("Request has expired: {} and {expires_s} s are before {}.", stamp.text, iso(now_s));
        return Err(Error::new(Code::RequestExpired, message));
    }
    Ok(())
}

/// A signature that leaves the host out could be replayed elsewhere. And names in order, each once, as every signer writes
/// them, keep the canonical request no longer than the request: a name repeated would repeat its header's value. The target names
/// the action: unsigned, whoever is given a presigned URL could make another call of it.
fn check_signed_headers(signed_headers: &str, headers: &HeaderMap) -> Result<(), Error> {
    let (mut last, mut is_sorted, mut host, mut target) = (None, true, false, false);
    for name in split(signed_headers, b';') {
        is_sorted &= last.replace(name).is_none_or(|last| last < name);
        host |= name == HOST.as_str();
        target |= name == TARGET_HEADER.as_str();
    }
    if !is_sorted {
        return Err(refused("The 'SignedHeaders' in the AWS Authorization must be sorted, and each named once."));
    }
    if !host {
        return Err(refused("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."));
    }
    if headers.contains_key(TARGET_HEADER) && !target {
        return Err(refused("'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization."));
    }
    Ok(())
}

fn check_token(credential: &Credential, claim: &Claim<'_>, headers: &HeaderMap) -> Result<(), Error> {
    let Some(expected) = &credential.session_token else { return Ok(()) };
    let presented = match claim.form {
        Form::Presigned => claim.token.as_deref().map(str::as_bytes),
        Form::Header => headers.get("x-amz-security-token").map(|value| value.as_bytes()),
    };
    // The token is no secret to guess at: the signature, checked next, is what proves.
    if presented == Some(expected.as_bytes()) { Ok(()) } else { Err(invalid_token()) }
}

fn missing_token() -> Error {
    Error::new(Code::MissingAuthenticationToken, "Request is missing Authentication Token")
}

fn invalid_token() -> Error {
    Error::new(Code::InvalidClientTokenId, "The security token included in the request is invalid.")
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(Code::SignatureDoesNotMatch, message)
}

/// The signature is another one.
pub(super) fn does_not_match() -> Error {
    refused(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details.",
    )
}
