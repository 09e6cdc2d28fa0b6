//! The layer: a request goes on with its token's claims, or is answered here.

use super::{Access, Denied};
use axum_core::response::{IntoResponse, Response};
use http::{HeaderMap, Request, header};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// A service with an [`Access`] before it.
#[derive(Debug, Clone)]
pub struct Guard<S> {
    inner: S,
    access: Arc<Access>,
}

impl<S> Layer<S> for Access {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard { inner, access: Arc::new(self.clone()) }
    }
}

impl<S, B> Service<Request<B>> for Guard<S>
where
    S: Service<Request<B>, Response: IntoResponse, Future: Send> + Clone + Send + 'static,
    B: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that is ready takes the request; its clone is asked again before the next.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let access = self.access.clone();
        Box::pin(async move {
            let claims = match bearer(request.headers()) {
                Some(token) => access.claims(token).await,
                None => Err(Denied::Missing),
            };
            match claims {
                Ok(claims) => {
                    request.extensions_mut().insert(claims);
                    inner.call(request).await.map(IntoResponse::into_response)
                }
                Err(denied) => Ok(denied.into_response()),
            }
        })
    }
}

/// The token in a request's `Authorization` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
