//! Plain HTTP calls to an Afterward server: its admin API (`/_afterward/…`) and its front door (`/jobs`), signed like all
//! others.

use super::{Client, Error, ErrorKind, service::Call};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use std::time::Duration;

impl Client {
    /// Gets what `path_and_query` names, such as `/_afterward/queues/jobs/messages?limit=10`, percent-encoded by the
    /// caller.
    ///
    /// # Errors
    /// Any status but 2xx, with the code and message of the server's error where it has one; no connection. Tried again
    /// like any other call.
    pub async fn get(&self, path_and_query: &str) -> Result<http::Response<Bytes>, Error> {
        self.plain(Method::GET, path_and_query, HeaderMap::new(), Bytes::new(), ErrorKind::is_transient).await
    }

    /// Posts `body` to what `path_and_query` names, with `headers` such as `content-type`.
    ///
    /// Tried again only where that can't do it twice: where no connection was made or the server says it did nothing
    /// (429, 503), and after any transient failure where the headers hold an `idempotency-key`.
    ///
    /// # Errors
    /// Any status but 2xx, with the code and message of the server's error where it has one; no connection.
    pub async fn post(
        &self,
        path_and_query: &str,
        headers: HeaderMap,
        body: impl Into<Bytes>,
    ) -> Result<http::Response<Bytes>, Error> {
        let idempotent = headers.contains_key("idempotency-key");
        let may_retry = |kind: &ErrorKind| match kind {
            ErrorKind::Unreachable(_) | ErrorKind::Service { status: 429 | 503, .. } => true,
            other => idempotent && other.is_transient(),
        };
        self.plain(Method::POST, path_and_query, headers, body.into(), may_retry).await
    }

    async fn plain(
        &self,
        method: Method,
        path_and_query: &str,
        headers: HeaderMap,
        body: Bytes,
        may_retry: impl Fn(&ErrorKind) -> bool,
    ) -> Result<http::Response<Bytes>, Error> {
        let path = path_and_query.split('?').next().unwrap_or(path_and_query);
        let name = format!("{method} {path}");
        let call = Call { name: &name, method, path_and_query, headers, body, poll: Duration::ZERO };
        self.0
            .retried(
                &call,
                may_retry,
                |reply| {
                    if reply.status().is_success() { Ok(reply) } else { Err(refusal_of(&reply)) }
                },
            )
            .await
    }
}

/// The shape of our own APIs' errors: `{"error":{"code":…,"message":…}}`.
#[derive(Deserialize)]
struct Refusal {
    error: RefusalError,
}

#[derive(Deserialize)]
struct RefusalError {
    code: String,
    message: String,
}

fn refusal_of(reply: &http::Response<Bytes>) -> ErrorKind {
    let status = reply.status();
    match serde_json::from_slice::<Refusal>(reply.body()) {
        Ok(Refusal { error }) => {
            ErrorKind::Service { status: status.as_u16(), code: error.code, message: error.message }
        }
        Err(_) => ErrorKind::Service { status: status.as_u16(), code: reason(status), message: excerpt(reply.body()) },
    }
}

fn reason(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or("unknown status").to_owned()
}

/// The start of a body that is not one of our errors: enough to see who answered.
fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(200).collect::<String>().trim().to_owned()
}
