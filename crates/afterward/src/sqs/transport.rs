//! Connections, kept and reused; one request, one reply.

use super::{
    Endpoint, ErrorKind, SettingsError,
    error::Failure,
    pools::{Body, Pools},
    tls,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper_util::client::legacy::{Error as ClientError, connect::HttpConnector};
use std::{sync::Arc, time::Duration};

/// No reply of SQS comes near this; whatever does is not SQS.
const LONGEST_REPLY_BYTES: usize = 64 * 1024 * 1024;
/// A host that has not taken the connection by then is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// An HTTP/1.1 client with a [pool of connections for each runtime](super::pools). Clones share them.
#[derive(Clone)]
pub(crate) enum Transport {
    Plain(Arc<Pools<HttpConnector>>),
    #[cfg(feature = "tls")]
    Tls(Arc<Pools<hyper_rustls::HttpsConnector<HttpConnector>>>),
}

impl Transport {
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Transport, SettingsError> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        if endpoint.is_tls() {
            Transport::tls(connector)
        } else {
            Ok(Transport::Plain(Arc::new(Pools::new(connector))))
        }
    }

    #[cfg(feature = "tls")]
    fn tls(mut connector: HttpConnector) -> Result<Transport, SettingsError> {
        connector.enforce_http(false);
        // The provider is named, because an application that also links another one has no default.
        let tls = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| {
                let hint = "install the system's CA certificates, or name a file of them in SSL_CERT_FILE";
                SettingsError(format!("no certificates to trust for https: {error}; {hint}"))
            })?
            .https_only()
            .enable_http1()
            .wrap_connector(connector);
        Ok(Transport::Tls(Arc::new(Pools::new(tls))))
    }

    #[cfg(not(feature = "tls"))]
    fn tls(_: HttpConnector) -> Result<Transport, SettingsError> {
        Err(SettingsError(
            "https needs the feature `tls` of the crate `afterward`, which this build left out".to_owned(),
        ))
    }

    /// Sends a request and reads the whole reply, within `timeout`.
    pub(crate) async fn round_trip(
        &self,
        request: http::Request<Body>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, Failure> {
        match tokio::time::timeout(timeout, self.exchange(request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ErrorKind::TimedOut(timeout).into()),
        }
    }

    async fn exchange(&self, request: http::Request<Body>) -> Result<http::Response<Bytes>, Failure> {
        let reply = match self {
            Transport::Plain(pools) => pools.request(request).await.map_err(of_plain),
            #[cfg(feature = "tls")]
            Transport::Tls(pools) => pools.request(request).await.map_err(of_tls),
        };
        let (head, body) = reply?.into_parts();
        let body = Limited::new(body, LONGEST_REPLY_BYTES).collect().await.map_err(Failure::broken)?;
        Ok(http::Response::from_parts(head, body.to_bytes()))
    }
}

fn of_plain(error: ClientError) -> Failure {
    if tls::is_no_http(&error) {
        return Failure::broken_by("what came from there is no HTTP: is it https:// instead of http://?", error);
    }
    of_client(error)
}

#[cfg(feature = "tls")]
fn of_tls(error: ClientError) -> Failure {
    match tls::refusal(&error).filter(|_| error.is_connect()) {
        Some(why) => Failure::insecure(why, error),
        None => of_client(error),
    }
}

fn of_client(error: ClientError) -> Failure {
    if error.is_connect() { Failure::unreachable(error) } else { Failure::broken(error) }
}
