//! The worker's calls back to the API, each with an access token.

use crate::api::Totals;
use afterward::{Cause, Fail, Token};
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

/// The API, as the worker knows it. Cheap to clone.
///
/// What the API will never take is a [`Fail`], so that the job is not tried again; all other trouble may pass.
#[derive(Debug, Clone)]
pub struct Callback {
    base: String,
    token: Token,
    http: Client<HttpConnector, Empty<&'static [u8]>>,
}

impl Callback {
    /// The API at this address, such as `http://127.0.0.1:3000`, and the tokens that it takes.
    pub fn new(base: &str, token: Token) -> Callback {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Callback { base: base.trim_end_matches('/').to_owned(), token, http }
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
        let reply = self.http.request(request).await?;
        let status = reply.status();
        let body = reply.into_body().collect().await?.to_bytes();
        match status {
            status if status.is_success() => Ok(body.to_vec()),
            StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => {
                Err(Fail::new(format!("{method} {path}: {status}: {}", String::from_utf8_lossy(&body))))?
            }
            status => Err(format!("{method} {path}: {status}"))?,
        }
    }
}
