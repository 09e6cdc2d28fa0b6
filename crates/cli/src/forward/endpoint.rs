//! The program that gets the messages: one HTTP endpoint.

use crate::failure::Failure;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::service::Service;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
    service::TowerToHyperService,
};
use rustls::CertificateError;
use std::{error::Error, io, time::Duration};

/// The list of failed messages is all that is wanted of an answer; Lambda, too, takes no more.
const LONGEST_ANSWER_BYTES: usize = 6 * 1024 * 1024;
/// A host that has not taken the connection by then is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Node.js closes a connection that was idle for five seconds; a request on its way then would be lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

type Https = hyper_rustls::HttpsConnector<HttpConnector>;

/// Where batches are posted to.
#[derive(Clone)]
pub(super) struct Endpoint {
    client: Client<Https, Full<Bytes>>,
    connector: TowerToHyperService<Https>,
    uri: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    timeout: Duration,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// No connection: the request did not get there.
    Away(String),
    /// The request may have been worked on.
    Broken(String),
}

impl Endpoint {
    /// An endpoint that answers within `timeout`.
    pub(super) fn new(
        uri: Uri,
        headers: Vec<(HeaderName, HeaderValue)>,
        timeout: Duration,
    ) -> Result<Endpoint, Failure> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        // Well before the request's own timeout, after which it could have been worked on.
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT.min(timeout / 2)));
        connector.enforce_http(false);
        let tls = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| Failure::new(format!("no certificates to trust for https: {error}")))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .build(tls.clone());
        Ok(Endpoint { client, connector: TowerToHyperService::new(tls), uri, headers, timeout })
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Whether a request would get there: connects as for one, TLS included, and sends nothing. `Err`: why not.
    pub(super) async fn knock(&self) -> Result<(), String> {
        match tokio::time::timeout(CONNECT_TIMEOUT, self.connector.call(self.uri.clone())).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(innermost(&*error)),
            Err(_) => Err(format!("no connection within {}", crate::units::took(CONNECT_TIMEOUT))),
        }
    }

    /// Posts a batch and reads the answer, within the timeout.
    pub(super) async fn post(&self, body: Vec<u8>) -> Result<Response<Bytes>, Silence> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        match tokio::time::timeout(self.timeout, self.exchange(request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Silence::Broken(format!("no answer within {}", crate::units::took(self.timeout)))),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, Silence> {
        let (head, body) = self.client.request(request).await.map_err(of_client)?.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| Silence::Broken(format!("the answer broke off: {error}")))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

fn of_client(error: hyper_util::client::legacy::Error) -> Silence {
    let why = innermost(&error);
    if error.is_connect() { Silence::Away(why) } else { Silence::Broken(format!("the connection broke: {why}")) }
}

/// The error at the bottom, which says it in the system's words; what to do about one of TLS, in ours.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut at = error;
    while let Some(below) = at.source() {
        at = below;
    }
    format!("{at}{}", of_tls(at).map_or("", hint))
}

/// TLS's own error, which comes wrapped as one of input and output, and `source` does not say so.
fn of_tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut at = error;
    while let Some(wrapper) = at.downcast_ref::<io::Error>() {
        at = wrapper.get_ref()?;
    }
    at.downcast_ref()
}

fn hint(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidMessage(_) => ": it does not speak TLS; does its address begin with http:// instead?",
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            ": nobody who is trusted here has signed its certificate; SSL_CERT_FILE names a file of those to trust"
        }
        _ => "",
    }
}
