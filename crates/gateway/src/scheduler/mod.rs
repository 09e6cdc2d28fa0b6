//! EventBridge Scheduler: from a typed request to the broker and back, one file per action or small family.
//!
//! What the model says of lengths and patterns was checked as the request was read; whether a schedule makes sense is for
//! the crate `afterward_scheduler` to say. What is left here: whose it is, AWS's codes and words for refusals,
//! pages, and requests that come again.

mod call;
mod create_schedule;
mod definition;
mod delete_schedule;
mod get_schedule;
mod groups;
mod list_schedules;
mod page;
mod refusal;
mod repeats;
mod tags;
mod update_schedule;

pub(crate) use repeats::Repeats;

use crate::{gateway::Exchange, metrics::Outcome};
use afterward_aws::{
    Error,
    scheduler::{self as wire, Request, Response},
};
use bytes::Bytes;
use call::Call;

/// Answers a call of Scheduler's.
pub(crate) async fn serve(exchange: &Exchange<'_>) -> (Outcome, http::Response<Bytes>) {
    let mut action = "Unknown";
    let result = answer(exchange, &mut action).await;
    let code = result.as_ref().err().map_or("200", |error| error.code.shape());
    (Outcome::of("scheduler", action, code), wire::render(exchange.request_id, &result))
}

async fn answer(exchange: &Exchange<'_>, action: &mut &'static str) -> Result<Response, Error> {
    let caller = exchange.gateway.callers.identify(&exchange.incoming, Some(wire::SIGNING_NAME))?;
    let request = wire::parse(&exchange.incoming)?;
    *action = request.action().name();
    perform(&Call::new(exchange.gateway, caller), request).await
}

async fn perform(call: &Call<'_>, request: Request) -> Result<Response, Error> {
    match request {
        Request::CreateSchedule(input) => create_schedule::create(call, input).await,
        Request::CreateScheduleGroup(input) => groups::create(call, input).await,
        Request::DeleteSchedule(input) => delete_schedule::delete(call, input).await,
        Request::DeleteScheduleGroup(input) => groups::delete(call, input).await,
        Request::GetSchedule(input) => get_schedule::get(call, input).await,
        Request::GetScheduleGroup(input) => groups::get(call, input).await,
        Request::ListScheduleGroups(input) => groups::list(call, input).await,
        Request::ListSchedules(input) => list_schedules::list(call, input).await,
        Request::ListTagsForResource(input) => tags::list(call, input).await,
        Request::TagResource(input) => tags::tag(call, input).await,
        Request::UntagResource(input) => tags::untag(call, input).await,
        Request::UpdateSchedule(input) => update_schedule::update(call, input).await,
    }
}
