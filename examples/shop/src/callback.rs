//! The worker's calls back to the API, each with an access token.

use crate::api::Totals;
use afterward::{Cause, Fail, Token};
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{io, time::Duration};

/// An API that has not answered by then is not going to: the job is tried again, and its slot is free meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

/// The API, as the worker knows it. Cheap to clone.
///
/// What the API will never take is a [`Fail`], so that the job is not tried again; all other trouble may pass.
#[derive(Debug, Clone)]
pub struct Callback {
    base: String,
    token: Token,
    http: Client<HttpsConnector<HttpConnector>, Empty<&'static [u8]>>,
}

impl Callback {
    /// The API at this address, such as `https://shop.example.com`, and the tokens that it takes.
    ///
    /// # Errors
    /// The system has no certificates to trust.
    pub fn new(base: &str, token: Token) -> io::Result<Callback> {
        let tls = rustls::crypto::ring::default_provider();
        let tls =
            HttpsConnectorBuilder::new().with_provider_and_native_roots(tls)?.https_or_http().enable_http1().build();
        let http = Client::builder(TokioExecutor::new()).build(tls);
        Ok(Callback { base: base.trim_end_matches('/').to_owned(), token, http })
    }

    /// The order has been seen to.
    ///
    /// # Errors
    /// As [`Callback`] says.
    pub async fn accepted(&self, order_id: &str) -> Result<(), Cause> {
        self.call(Method::POST, &format!("/internal/orders/{order_id}/accepted")).await.map(drop)
    }

    /// The order is paid.
    ///
    /// # Errors
    /// As [`Callback`] says.
    pub async fn paid(&self, order_id: &str) -> Result<(), Cause> {
        self.call(Method::POST, &format!("/internal/orders/{order_id}/paid")).await.map(drop)
    }

    /// How business is.
    ///
    /// # Errors
    /// As [`Callback`] says.
    pub async fn totals(&self) -> Result<Totals, Cause> {
        Ok(serde_json::from_slice(&self.call(Method::GET, "/internal/totals").await?)?)
    }

    async fn call(&self, method: Method, path: &str) -> Result<Vec<u8>, Cause> {
        let request = Request::builder()
            .method(&method)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, self.token.bearer()?)
            .body(Empty::new())?;
        let exchange = async {
            let (head, body) = self.http.request(request).await?.into_parts();
            Ok::<_, Cause>((head.status, body.collect().await?.to_bytes()))
        };
        let late = |_| format!("{method} {path}: no answer within {} s", PATIENCE.as_secs());
        let (status, body) = tokio::time::timeout(PATIENCE, exchange).await.map_err(late)??;
        match status {
            status if status.is_success() => Ok(body.to_vec()),
            StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => {
                Err(Fail::new(format!("{method} {path}: {status}: {}", String::from_utf8_lossy(&body))))?
            }
            status => Err(format!("{method} {path}: {status}"))?,
        }
    }
}
