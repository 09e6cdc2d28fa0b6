//! The program that gets the messages: one HTTP endpoint.

use crate::failure::Failure;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use std::{error::Error, time::Duration};

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
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
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
            .build(tls);
        Ok(Endpoint { client, uri, headers, timeout })
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
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

/// The error at the bottom, which says it in the system's words.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut at = error;
    while let Some(below) = at.source() {
        at = below;
    }
    at.to_string()
}
