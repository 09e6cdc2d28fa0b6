//! Plain HTTP calls to addresses that users name: chat services, webhooks, key sets.
//!
//! What comes after the host in an address may be the very secret (Slack's is), so nothing here shows it.

use crate::sqs::{Endpoint, ErrorKind, SettingsError, transport::Transport};
use bytes::Bytes;
use http::{HeaderValue, Method, Uri, header};
use http_body_util::Full;
use std::{fmt, time::Duration};

/// So long a call may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something that answers at one address.
#[derive(Clone)]
pub(crate) struct Web {
    origin: Endpoint,
    uri: Uri,
    transport: Transport,
}

impl Web {
    /// What is at this URL, `http` or `https`.
    pub(crate) fn at(url: &str) -> Result<Web, SettingsError> {
        // Neither is shown in full: a mistake in a secret address is still most of the secret.
        let refused = || SettingsError("not an address to call: it has the form https://host/path".to_owned());
        let uri: Uri = url.trim().parse().map_err(|_| refused())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(refused()) };
        let origin: Endpoint = format!("{scheme}://{authority}").parse().map_err(|_| refused())?;
        let transport = Transport::new(&origin)?;
        Ok(Web { origin, uri, transport })
    }

    /// The address without what may be secret.
    pub(crate) fn origin(&self) -> &Endpoint {
        &self.origin
    }

    /// What can't be sent there, for it can't be written.
    pub(crate) fn unwritable(&self, why: &serde_json::Error) -> WebError {
        WebError { origin: self.origin.clone(), kind: ErrorKind::BadRequest(why.to_string()) }
    }

    pub(crate) async fn post_json(&self, body: Vec<u8>) -> Result<Bytes, WebError> {
        self.call(Method::POST, Bytes::from(body)).await
    }

    #[cfg(feature = "axum")]
    pub(crate) async fn get(&self) -> Result<Bytes, WebError> {
        self.call(Method::GET, Bytes::new()).await
    }

    async fn call(&self, method: Method, body: Bytes) -> Result<Bytes, WebError> {
        let error = |kind| WebError { origin: self.origin.clone(), kind };
        let mut request = http::Request::new(Full::new(body));
        if method == Method::POST {
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        *request.method_mut() = method;
        *request.uri_mut() = self.uri.clone();
        let reply = self.transport.round_trip(request, PATIENCE).await.map_err(|failure| error(failure.kind))?;
        let status = reply.status();
        if !status.is_success() {
            let code = status.canonical_reason().unwrap_or("unknown status").to_owned();
            let message = String::from_utf8_lossy(reply.body()).chars().take(200).collect();
            return Err(error(ErrorKind::Service { status: status.as_u16(), code, message }));
        }
        Ok(reply.into_body())
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Web({}/…)", self.origin)
    }
}

/// A call that did not work.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: {kind}")]
pub struct WebError {
    origin: Endpoint,
    kind: ErrorKind,
}
