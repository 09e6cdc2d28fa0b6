//! A client of SQS: any endpoint that speaks it, Amazon's included, by AWS JSON 1.0 over HTTP/1.1 with Signature
//! Version 4.
//!
//! [`Client`] has a method for each of the 23 actions, with AWS's own shapes, and [`Client::get`] and [`Client::post`] for
//! what an Afterward server offers beside SQS. Most programs want [`Queue`](crate::Queue) and
//! [`Worker`](crate::Worker), which stand on it.
//!
//! ```no_run
//! use afterward::sqs::{Client, ListQueuesRequest};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::from_env()?;
//! for url in client.list_queues(ListQueuesRequest::default()).await?.queue_urls {
//!     println!("{url}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where it finds things
//!
//! | | the first of |
//! | --- | --- |
//! | endpoint | [`Builder::endpoint`], `AFTERWARD_URL`, `AWS_ENDPOINT_URL_SQS`, `AWS_ENDPOINT_URL`, `http://127.0.0.1:4566` |
//! | region | what an Amazon endpoint's host name says, [`Builder::region`], `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's `region`, `us-east-1` |
//! | credentials | [`Builder::credentials`], `AWS_ACCESS_KEY_ID` with `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, the keys of the profile (`AWS_PROFILE`, else `default`) in `~/.aws/credentials` or `~/.aws/config`, for a loopback endpoint where none of these gives keys: the key `afterward` |
//!
//! Profiles that get their keys elsewhere (single sign-on, roles, credential processes) need the feature `aws-config`, which
//! asks Amazon's standard chain last; without it, export them with `aws configure export-credentials --format env`.
//!
//! When the service does not know the keys any more, a profile's are read again, and a chain is asked again; where a signature
//! was refused for the time that it names, the service's clock is gone by. The request is then signed once more.
//!
//! # Retries
//!
//! A call that got no connection, no complete reply, a throttle or a 5xx is tried again, three times in all, after 50 ms
//! and more with jitter. That includes sends, as in every SDK: when a connection breaks after the service has stored the
//! message and before it could say so, **a standard queue may get the message twice**. A FIFO queue recognises it by its
//! deduplication id.

mod actions;
mod builder;
#[cfg(feature = "aws-config")]
mod chain;
mod credentials;
mod endpoint;
mod error;
mod hint;
mod keys;
mod plain;
mod pools;
mod profile;
pub(crate) mod retry;
pub(crate) mod service;
mod skew;
mod tls;
pub(crate) mod transport;

#[cfg(test)]
pub(crate) mod tests;

pub use afterward_aws::sigv4::Credential;
pub use afterward_aws::sqs::{
    AddPermissionRequest, BatchResultErrorEntry, Blob, CancelMessageMoveTaskRequest, CancelMessageMoveTaskResult,
    ChangeMessageVisibilityBatchRequest, ChangeMessageVisibilityBatchRequestEntry, ChangeMessageVisibilityBatchResult,
    ChangeMessageVisibilityBatchResultEntry, ChangeMessageVisibilityRequest, CreateQueueRequest, CreateQueueResult,
    DeleteMessageBatchRequest, DeleteMessageBatchRequestEntry, DeleteMessageBatchResult, DeleteMessageBatchResultEntry,
    DeleteMessageRequest, DeleteQueueRequest, GetQueueAttributesRequest, GetQueueAttributesResult, GetQueueUrlRequest,
    GetQueueUrlResult, ListDeadLetterSourceQueuesRequest, ListDeadLetterSourceQueuesResult,
    ListMessageMoveTasksRequest, ListMessageMoveTasksResult, ListMessageMoveTasksResultEntry, ListQueueTagsRequest,
    ListQueueTagsResult, ListQueuesRequest, ListQueuesResult, Message, MessageAttributeValue, PurgeQueueRequest,
    ReceiveMessageRequest, ReceiveMessageResult, RemovePermissionRequest, Request, Response, SendMessageBatchRequest,
    SendMessageBatchRequestEntry, SendMessageBatchResult, SendMessageBatchResultEntry, SendMessageRequest,
    SendMessageResult, SetQueueAttributesRequest, StartMessageMoveTaskRequest, StartMessageMoveTaskResult,
    TagQueueRequest, UntagQueueRequest,
};
pub use builder::Builder;
pub(crate) use credentials::Environment;
pub use endpoint::Endpoint;
pub(crate) use error::bare_code;
pub use error::{Error, ErrorKind, SettingsError};

use afterward_aws::{
    RemoteError,
    sqs::{request_json, response_json, result_json},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
pub(crate) use keys::Keys;
use serde::de::DeserializeOwned;
use service::{Call, Service};
use std::{fmt, sync::Arc, time::Duration};

/// The header by which a change of visibility tells an Afterward server why its consumer failed: percent-encoded UTF-8. On the
/// delete of a message it says that its consumer has not handled it, and why.
/// Amazon ignores it.
pub const ERROR_HEADER: http::HeaderName = http::HeaderName::from_static("x-afterward-error");

/// The header by which a change of visibility tells an Afterward server how far its consumer is: percent-encoded UTF-8, a
/// fraction from 0 to 1 and words, such as `0.4 resized`. Amazon ignores it.
pub const PROGRESS_HEADER: http::HeaderName = http::HeaderName::from_static("x-afterward-progress");

/// The header by which a change of visibility tells an Afterward server that its consumer has not begun the message, so that
/// the receive does not count: `true`. Amazon ignores it, and counts.
pub const UNBEGUN_HEADER: http::HeaderName = http::HeaderName::from_static("x-afterward-unbegun");

/// The header by which a request asks an Afterward server to take, or to hand out, more than SQS's ten at once: a whole number.
/// Amazon ignores it, and refuses the request.
pub(crate) const ENTRIES_HEADER: http::HeaderName = http::HeaderName::from_static("x-afterward-entries");

/// What a long poll lasts when the queue's own wait applies, which may be anything up to this.
const LONGEST_POLL: Duration = Duration::from_secs(20);

/// A client of one SQS endpoint in one region. Cheap to clone; clones share their connections.
///
/// It may be used from several tokio runtimes, one after another or at the same time, as from a `static` by tests that each have
/// their own. Each runtime has connections of its own, so a call does not wait for a runtime that stands still between two
/// `block_on`s, and does not break when another one ends. A runtime's connections end with it, or the next time it runs after the
/// last clone is gone.
#[derive(Clone)]
pub struct Client(Arc<Service>);

impl Client {
    /// A client of the endpoint that the environment names, else of the local server.
    ///
    /// # Errors
    /// A setting is missing or makes no sense.
    pub fn from_env() -> Result<Client, SettingsError> {
        Client::builder().build()
    }

    /// Settings for a client.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where calls go.
    pub fn endpoint(&self) -> &Endpoint {
        self.0.endpoint()
    }

    /// The region that calls are signed for.
    pub fn region(&self) -> &str {
        self.0.region()
    }

    /// Any action, with `headers` beside those that every call has. The methods named after the actions are easier.
    ///
    /// # Errors
    /// The service refused, or could not be reached.
    pub async fn call(&self, request: &Request, headers: HeaderMap) -> Result<Response, Error> {
        let (action, body) = request_json(request);
        self.post_action(action, body, headers, poll_of(request), response_json).await
    }

    /// The same, of whose result only what `T` names is kept.
    pub(crate) async fn call_for<T: DeserializeOwned>(
        &self,
        request: &Request,
        headers: HeaderMap,
    ) -> Result<T, Error> {
        let (action, body) = request_json(request);
        self.post_action(action, body, headers, poll_of(request), result_json).await
    }

    /// An action by its JSON, which is answered at once, and of whose result only what `T` names is kept.
    pub(crate) async fn call_json<T: DeserializeOwned>(
        &self,
        action: &'static str,
        body: Vec<u8>,
        headers: HeaderMap,
    ) -> Result<T, Error> {
        self.post_action(action, body, headers, Duration::ZERO, result_json).await
    }

    /// An action by its JSON. `poll`: how long the service may rightly stay silent.
    async fn post_action<T>(
        &self,
        action: &'static str,
        body: Vec<u8>,
        headers: HeaderMap,
        poll: Duration,
        read: impl Fn(&str, u16, &[u8]) -> Result<T, RemoteError>,
    ) -> Result<T, Error> {
        let call = Call {
            name: action,
            method: Method::POST,
            path_and_query: service::ROOT,
            headers: json_headers(action, headers),
            body: Bytes::from(body),
            poll,
        };
        self.0
            .retried(&call, ErrorKind::is_transient, |reply| {
                // What answers everything with 200 is not to look like a service without queues.
                if action == "ListQueues" && reply.status().is_success() && reply.body().is_empty() {
                    let why = "it has no body, where the list of queues belongs; is an SQS server there?";
                    return Err(ErrorKind::BadReply(why.to_owned()));
                }
                read(action, reply.status().as_u16(), reply.body()).map_err(|refusal| {
                    if refusal.status < 300 {
                        return ErrorKind::BadReply(refusal.message);
                    }
                    ErrorKind::Service { status: refusal.status, code: refusal.code, message: refusal.message }
                })
            })
            .await
            .map_err(|error| error.of_queue(queue_of(&call.body)))
    }

    /// Another service of the same account and region, such as `scheduler`.
    pub(crate) fn beside(&self, name: &'static str, endpoint: Endpoint) -> Result<Service, SettingsError> {
        self.0.beside(name, endpoint, None)
    }

    /// Another service of the same region, with keys of its own.
    pub(crate) fn beside_with(
        &self,
        name: &'static str,
        endpoint: Endpoint,
        keys: Keys,
    ) -> Result<Service, SettingsError> {
        self.0.beside(name, endpoint, Some(keys))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", self.endpoint()).field("region", &self.region()).finish()
    }
}

fn json_headers(action: &str, mut headers: HeaderMap) -> HeaderMap {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    if let Ok(target) = HeaderValue::try_from(format!("AmazonSQS.{action}")) {
        headers.insert("x-amz-target", target);
    }
    headers
}

/// How long the service may rightly stay silent: the wait of a receive, else nothing.
fn poll_of(request: &Request) -> Duration {
    let Request::ReceiveMessage(receive) = request else { return Duration::ZERO };
    match receive.wait_time_seconds {
        Some(seconds) => Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).min(LONGEST_POLL),
        None => LONGEST_POLL,
    }
}

/// The name of the queue that a request is about.
fn queue_of(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct About {
        queue_url: Option<String>,
        queue_name: Option<String>,
        source_arn: Option<String>,
    }
    let About { queue_url, queue_name, source_arn } = serde_json::from_slice(body).ok()?;
    let named = queue_name.or(queue_url).or(source_arn)?;
    let name = named.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
    (!name.is_empty()).then(|| name.to_owned())
}
