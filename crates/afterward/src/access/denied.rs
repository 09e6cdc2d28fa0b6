//! Why a request was not admitted, and how it is told.

use axum_core::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use thiserror::Error;

/// Why a request was not admitted. As a response it is what RFC 6750 asks for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Denied {
    /// It had no token: 401.
    #[error("an access token is needed: Authorization: Bearer …")]
    Missing,
    /// Its token is not good: 401.
    #[error("the access token is not good: {0}")]
    Invalid(&'static str),
    /// Its token is good, and somebody else's than those who may: 403.
    #[error("the access token's subject may not do this")]
    Subject,
    /// Its token is good, and lacks one of these scopes: 403.
    #[error("the access token lacks a scope: {0}")]
    Scope(String),
    /// The issuer's keys can't be fetched, so it is not known whether the token is good: 503.
    #[error("the issuer's keys can't be fetched now")]
    Unavailable,
}

impl Denied {
    /// 401, 403 or 503.
    pub fn status(&self) -> StatusCode {
        match self {
            Denied::Missing | Denied::Invalid(_) => StatusCode::UNAUTHORIZED,
            Denied::Subject | Denied::Scope(_) => StatusCode::FORBIDDEN,
            Denied::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The code of RFC 6750.
    fn code(&self) -> Option<&'static str> {
        match self {
            Denied::Invalid(_) => Some("invalid_token"),
            Denied::Subject | Denied::Scope(_) => Some("insufficient_scope"),
            // Who did not even try is told of no error.
            Denied::Missing | Denied::Unavailable => None,
        }
    }

    fn challenge(&self) -> Option<HeaderValue> {
        let scope = match self {
            Denied::Scope(scope) => format!(", scope=\"{}\"", scope.replace(['"', '\\'], "")),
            _ => String::new(),
        };
        let challenge = match (self, self.code()) {
            (Denied::Unavailable, _) => return None,
            (_, None) => "Bearer".to_owned(),
            (Denied::Scope(_), Some(code)) => format!("Bearer error=\"{code}\"{scope}"),
            (_, Some(code)) => format!("Bearer error=\"{code}\", error_description=\"{self}\""),
        };
        HeaderValue::try_from(challenge).ok()
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let code =
            self.code().unwrap_or(if self == Denied::Unavailable { "temporarily_unavailable" } else { "no_token" });
        let body = serde_json::json!({"error": {"code": code, "message": self.to_string()}});
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match self.challenge() {
            Some(challenge) => headers.insert(header::WWW_AUTHENTICATE, challenge),
            None => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("30")),
        };
        response
    }
}
