//! One HTTP service of AWS's kind: where it is, what signs for it, its connections, and how often a call is tried.
//!
//! A queue's client is one of these. Others that stand beside it (schedules, objects) share its keys.

use super::{
    Endpoint, Error, ErrorKind, SettingsError,
    error::Failure,
    keys::{Keys, Signing},
    retry::Backoff,
    skew::SignersClock,
    transport::Transport,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("afterward/", env!("CARGO_PKG_VERSION")));
/// The path of all actions that go by a header.
pub(super) const ROOT: &str = "/";
/// The waits between attempts: the first, and what they grow to.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LONGEST: Duration = Duration::from_secs(5);

/// How patient a service's callers are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How long one attempt may take until its reply is complete.
    pub(crate) timeout: Duration,
    /// How often a call is tried in all.
    pub(crate) attempts: u32,
}

/// A service at an endpoint, for one region.
pub(crate) struct Service {
    endpoint: Endpoint,
    /// Where most calls go: the endpoint's `/`.
    root: Option<Uri>,
    region: String,
    keys: Keys,
    signing: Signing,
    clock: SignersClock,
    transport: Transport,
    patience: Patience,
}

/// One HTTP call, as often as it takes.
pub(crate) struct Call<'a> {
    /// What errors call it.
    pub(crate) name: &'a str,
    pub(crate) method: Method,
    pub(crate) path_and_query: &'a str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// How long the service may rightly stay silent, beyond its timeout.
    pub(crate) poll: Duration,
}

impl Service {
    /// `name`: what signatures call the service, such as `sqs`.
    pub(crate) fn new(
        name: &'static str,
        endpoint: Endpoint,
        region: String,
        keys: Keys,
        patience: Patience,
    ) -> Result<Service, SettingsError> {
        let transport = Transport::new(&endpoint)?;
        let signing = Signing::new(&keys, &region, name);
        let root = endpoint.uri(ROOT).ok();
        Ok(Service { endpoint, root, region, keys, signing, clock: SignersClock::default(), transport, patience })
    }

    /// Another service of this region, reached with `keys`, or with the same ones.
    pub(super) fn beside(
        &self,
        name: &'static str,
        endpoint: Endpoint,
        keys: Option<Keys>,
    ) -> Result<Service, SettingsError> {
        let keys = keys.unwrap_or_else(|| self.keys.clone());
        Service::new(name, endpoint, self.region.clone(), keys, self.patience)
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// What signs its requests.
    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Makes a call until it works, fails for good, or has had its attempts.
    pub(crate) async fn retried<T>(
        &self,
        call: &Call<'_>,
        may_retry: impl Fn(&ErrorKind) -> bool,
        read: impl Fn(http::Response<Bytes>) -> Result<T, ErrorKind>,
    ) -> Result<T, Error> {
        let mut backoff = Backoff::new(RETRY_FIRST, RETRY_LONGEST);
        let (mut attempt, mut is_perhaps_done, mut signed_anew) = (1, false, false);
        loop {
            let signed_ms = self.clock.now_ms();
            let (failure, date) = match self.attempt(call, signed_ms).await {
                Ok(reply) => {
                    let date = (!reply.status().is_success()).then(|| reply.headers().get(header::DATE).cloned());
                    match read(reply) {
                        Ok(result) => return Ok(result),
                        Err(kind) => (Failure::from(kind), date.flatten()),
                    }
                }
                Err(failure) => (failure, None),
            };
            is_perhaps_done |= failure.kind.is_perhaps_done();
            if !signed_anew && self.signs_otherwise(&failure.kind, date.as_ref(), signed_ms).await {
                // The service has looked no further than at the signature, so it does not count as an attempt.
                signed_anew = true;
                continue;
            }
            if attempt >= self.patience.attempts || !may_retry(&failure.kind) {
                return Err(Error::new(&self.endpoint, call.name, attempt, failure).after(is_perhaps_done));
            }
            let wait = backoff.wait();
            tracing::debug!(action = call.name, endpoint = %self.endpoint, attempt, ?wait, reason = ?failure.kind, "trying again");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// Whether the next signature is another one, where a signature may be what was refused.
    async fn signs_otherwise(&self, why: &ErrorKind, date: Option<&HeaderValue>, signed_ms: u64) -> bool {
        self.clock.put_right(why, date, signed_ms) || self.signing.renew(why).await
    }

    /// Signs and sends once. Signed anew each time, because a signature ages.
    async fn attempt(&self, call: &Call<'_>, signed_ms: u64) -> Result<http::Response<Bytes>, Failure> {
        let bad_request = |error: &dyn fmt::Display| Failure::from(ErrorKind::BadRequest(error.to_string()));
        let uri = match &self.root {
            Some(root) if call.path_and_query == ROOT => root.clone(),
            _ => self.endpoint.uri(call.path_and_query).map_err(|error| bad_request(&error))?,
        };
        let mut headers = call.headers.clone();
        headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
        self.signing.sign(&call.method, &uri, &mut headers, &call.body, signed_ms).await?;
        let mut request = http::Request::new(call.body.clone().into());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        self.transport.round_trip(request, self.patience.timeout + call.poll).await
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// Milliseconds since 1970, by this machine's clock.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
