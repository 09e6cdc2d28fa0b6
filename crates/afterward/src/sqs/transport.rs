//! Connections, kept and reused; one request, one reply.

use super::{Endpoint, ErrorKind, SettingsError, error::Failure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use std::time::Duration;

/// No reply of SQS comes near this; whatever does is not SQS.
const LONGEST_REPLY_BYTES: usize = 64 * 1024 * 1024;
/// A host that has not taken the connection by then is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Shorter than the idle timeouts of the servers and balancers we know, so that we close first.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

type Body = Full<Bytes>;

/// An HTTP/1.1 client with a pool of connections.
#[derive(Clone)]
pub(crate) enum Transport {
    Plain(Client<HttpConnector, Body>),
    #[cfg(feature = "tls")]
    Tls(Client<hyper_rustls::HttpsConnector<HttpConnector>, Body>),
}

impl Transport {
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Transport, SettingsError> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        if endpoint.is_tls() { Transport::tls(connector) } else { Ok(Transport::Plain(pool().build(connector))) }
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
        Ok(Transport::Tls(pool().build(tls)))
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
            Transport::Plain(client) => client.request(request).await,
            #[cfg(feature = "tls")]
            Transport::Tls(client) => client.request(request).await,
        };
        let (head, body) = reply.map_err(of_client)?.into_parts();
        let body = Limited::new(body, LONGEST_REPLY_BYTES).collect().await.map_err(Failure::broken)?;
        Ok(http::Response::from_parts(head, body.to_bytes()))
    }
}

fn of_client(error: hyper_util::client::legacy::Error) -> Failure {
    if error.is_connect() { Failure::unreachable(error) } else { Failure::broken(error) }
}

fn pool() -> hyper_util::client::legacy::Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_idle_timeout(IDLE_TIMEOUT).pool_timer(TokioTimer::new());
    builder
}
