//! Signing a client's requests.

use super::{
    ALGORITHM, Credential, TERMINATOR,
    canonical::{Canonical, payload_digest},
    hex,
    key::{KeyCache, SigningKey},
    time::amz_date,
};
use hmac::Mac;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Signs the requests of one client to one service in one region.
pub struct Signer {
    credential: Credential,
    region: String,
    service: String,
    keys: KeyCache,
}

impl Signer {
    /// A signer for one service in one region.
    pub fn new(credential: Credential, region: &str, service: &str) -> Signer {
        Signer { credential, region: region.to_owned(), service: service.to_owned(), keys: KeyCache::default() }
    }

    /// Adds what a signed request carries to `headers`: `host` where absent (from the URI), `x-amz-date`,
    /// `x-amz-security-token` where the credential has one, and `authorization`. Signed are the host, the content type
    /// and all of `x-amz-…`: proxies change others. `now_ms` is Unix time in milliseconds.
    ///
    /// What no header can hold (a control character in an access key id) is left out; the service will refuse the
    /// request and say why.
    pub fn sign(&self, method: &Method, uri: &Uri, headers: &mut HeaderMap, body: &[u8], now_ms: u64) {
        let date = amz_date(now_ms);
        let mut insert = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        insert(DATE, &date);
        if let Some(token) = &self.credential.session_token {
            insert(SECURITY_TOKEN, token);
        }
        if !headers.contains_key(HOST)
            && let Some(host) = uri.authority().and_then(|host| HeaderValue::from_str(&host_value(uri, host)).ok())
        {
            headers.insert(HOST, host);
        }
        let authorization = self.authorization(method, uri, headers, body, &date);
        if let Ok(mut value) = HeaderValue::from_str(&authorization) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
    }

    fn authorization(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8], date: &str) -> String {
        let mut names: Vec<&str> = headers
            .keys()
            .filter(|name| **name == HOST || **name == CONTENT_TYPE || name.as_str().starts_with("x-amz-"))
            .map(HeaderName::as_str)
            .collect();
        names.sort_unstable();
        let signed_headers = names.join(";");
        let payload_hash = payload_digest(body);
        let canonical =
            Canonical { method, uri, headers, signed_headers: &signed_headers, payload_hash: &payload_hash };
        let day = date.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/{}/{TERMINATOR}", self.region, self.service);
        let key = self.keys.get(&scope).unwrap_or_else(|| {
            let key = SigningKey::derive(&self.credential.secret_access_key, day, &self.region, &self.service);
            self.keys.put(&scope, key.clone());
            key
        });
        let signature = hex::encode(&key.sign(date, &scope, &canonical.digest()).finalize().into_bytes().into());
        format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={signed_headers}, Signature={}",
            self.credential.access_key_id,
            String::from_utf8_lossy(&signature)
        )
    }
}

/// The `Host` that clients send: without user information, and without the scheme's own port.
fn host_value(uri: &Uri, authority: &http::uri::Authority) -> String {
    let host = authority.host();
    match (authority.port_u16(), uri.scheme_str()) {
        (None, _) | (Some(80), Some("http")) | (Some(443), Some("https")) => host.to_owned(),
        (Some(port), _) => format!("{host}:{port}"),
    }
}
