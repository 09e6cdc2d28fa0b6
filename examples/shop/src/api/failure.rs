//! What a request that can't be served is answered with.

use axum::{
    Json,
    extract::{FromRequest, Request, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::json;

/// A status, and why.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    why: String,
}

impl Failure {
    pub(super) fn bad_request(why: impl ToString) -> Failure {
        Failure { status: StatusCode::BAD_REQUEST, why: why.to_string() }
    }

    pub(super) fn not_found(why: impl ToString) -> Failure {
        Failure { status: StatusCode::NOT_FOUND, why: why.to_string() }
    }
}

/// axum's words for a body that can't be read, in the form of all the others.
impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Failure {
        Failure { status: rejection.status(), why: rejection.body_text() }
    }
}

/// [`Json`], refused as everything else is.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Failure> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Body(body))
    }
}

/// The queue did not take the work: the client may try again, for nothing of it is kept.
impl From<afterward::Error> for Failure {
    fn from(error: afterward::Error) -> Failure {
        tracing::error!(%error, "the queue did not take a message");
        Failure { status: StatusCode::SERVICE_UNAVAILABLE, why: "not now: please try again".to_owned() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.why }))).into_response()
    }
}
