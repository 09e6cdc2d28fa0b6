//! A client of EventBridge Scheduler: an Afterward server's, or Amazon's.
//!
//! [`Client::call`] takes any of the 12 actions in AWS's own shapes.
//!
//! ```no_run
//! use afterward::{scheduler, sqs};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = scheduler::Client::beside(&sqs::Client::from_env()?)?;
//! let request = scheduler::Request::ListSchedules(scheduler::ListSchedulesInput::default());
//! if let scheduler::Response::ListSchedules(page) = client.call(&request).await? {
//!     println!("{:?}", page.schedules);
//! }
//! # Ok(())
//! # }
//! ```

pub use afterward_aws::scheduler::{
    Action, ActionAfterCompletion, CreateScheduleGroupInput, CreateScheduleGroupOutput, DeadLetterConfig,
    DeleteScheduleGroupInput, DeleteScheduleInput, FlexibleTimeWindow, FlexibleTimeWindowMode, GetScheduleGroupInput,
    GetScheduleInput, GetScheduleOutput, ListScheduleGroupsInput, ListScheduleGroupsOutput, ListSchedulesInput,
    ListSchedulesOutput, ListTagsForResourceInput, ListTagsForResourceOutput, Request, Response, RetryPolicy,
    ScheduleGroup, ScheduleGroupState, ScheduleInput, ScheduleOutput, ScheduleState, ScheduleSummary, SqsParameters,
    Tag, TagResourceInput, Target, TargetSummary, Timestamp, UntagResourceInput,
};

use crate::sqs::{
    self, Endpoint, Error, ErrorKind, SettingsError,
    service::{Call, Service},
};
use afterward_aws::scheduler::{CONTENT_TYPE, ERROR_TYPE_HEADER, SIGNING_NAME, request_http, response_http};
use http::{HeaderMap, HeaderValue, header};
use std::{fmt, sync::Arc, time::Duration};

/// A client of one endpoint in one region. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client(Arc<Service>);

impl Client {
    /// The scheduler that belongs to the queues of `client`, with the same keys and region: Amazon's beside Amazon SQS, else
    /// at the same address, unless `AWS_ENDPOINT_URL_SCHEDULER` names another.
    ///
    /// # Errors
    /// The address makes no sense.
    pub fn beside(client: &sqs::Client) -> Result<Client, SettingsError> {
        let set = std::env::var("AWS_ENDPOINT_URL_SCHEDULER").ok().filter(|address| !address.is_empty());
        let endpoint = match set {
            Some(address) => address.parse()?,
            None if client.endpoint().is_amazon() => Endpoint::amazon_service(SIGNING_NAME, client.region())?,
            None => client.endpoint().clone(),
        };
        Client::at(client, endpoint)
    }

    /// The scheduler at this address, with the keys and region of `client`.
    pub(crate) fn at(client: &sqs::Client, endpoint: Endpoint) -> Result<Client, SettingsError> {
        Ok(Client(Arc::new(client.beside(SIGNING_NAME, endpoint)?)))
    }

    /// Where calls go.
    pub fn endpoint(&self) -> &Endpoint {
        self.0.endpoint()
    }

    /// Any action. Tried again after transient failures: give what changes something a `client_token`, and it is not done
    /// twice.
    ///
    /// # Errors
    /// The service refused, or could not be reached.
    pub async fn call(&self, request: &Request) -> Result<Response, Error> {
        let action = request.action();
        let (method, path_and_query, body) = request_http(request);
        let call = Call {
            name: action.name(),
            method,
            path_and_query: &path_and_query,
            headers: HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE))]),
            body: body.into(),
            poll: Duration::ZERO,
        };
        let reply = self.0.retried(&call, ErrorKind::is_transient, |reply| {
            let error_type = reply.headers().get(ERROR_TYPE_HEADER).and_then(|value| value.to_str().ok());
            response_http(action, reply.status().as_u16(), error_type, reply.body()).map_err(|refusal| {
                if refusal.status < 300 {
                    return ErrorKind::BadReply(refusal.message);
                }
                ErrorKind::Service { status: refusal.status, code: refusal.code, message: refusal.message }
            })
        });
        reply.await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", self.endpoint()).finish_non_exhaustive()
    }
}
