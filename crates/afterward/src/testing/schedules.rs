//! Messages that wait as one-time schedules until they are due.

use super::{
    Enqueued, Standing,
    contents::{raw, users},
    time,
};
use crate::{
    Attribute, Error, Queue,
    scheduler::{self, GetScheduleInput, GetScheduleOutput, ListSchedulesInput, Request, Response},
    sqs::MessageAttributeValue,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the names of these schedules start with; the message's id follows.
const PREFIX: &str = "afterward-";

/// SendMessage's parameters, as the target's input has them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    queue_url: String,
    message_body: String,
    #[serde(default)]
    message_attributes: BTreeMap<String, MessageAttributeValue>,
    message_group_id: Option<String>,
}

/// Those of a queue, by their time.
pub(super) async fn of(queue: &Queue) -> Result<Vec<Enqueued>, Error> {
    let client = scheduler::Client::beside(queue.client())?;
    let mut found = Vec::new();
    let mut list = ListSchedulesInput { name_prefix: Some(PREFIX.to_owned()), ..ListSchedulesInput::default() };
    loop {
        let Response::ListSchedules(page) = client.call(&Request::ListSchedules(list.clone())).await? else { break };
        for name in page.schedules.into_iter().filter_map(|summary| summary.name) {
            let get = GetScheduleInput { name, ..GetScheduleInput::default() };
            match client.call(&Request::GetSchedule(get)).await {
                Ok(Response::GetSchedule(schedule)) => found.extend(message(queue, schedule)),
                Ok(_) => {}
                // It has run meanwhile.
                Err(error) if error.has_code(&["ResourceNotFoundException"]) => {}
                Err(error) => return Err(error.into()),
            }
        }
        list.next_token = page.next_token;
        if list.next_token.is_none() {
            break;
        }
    }
    found.sort_by_key(Enqueued::delayed_until);
    Ok(found)
}

/// The message that a schedule will send, if it sends one to this queue once.
fn message(queue: &Queue, schedule: GetScheduleOutput) -> Option<Enqueued> {
    let expression = schedule.schedule_expression?;
    let until = time::parse(expression.strip_prefix("at(")?.strip_suffix(')')?)?;
    let input: Input = serde_json::from_str(&schedule.target?.input?).ok()?;
    if input.queue_url != queue.url() {
        return None;
    }
    let attributes = input.message_attributes.into_iter();
    Some(Enqueued {
        message: raw(input.message_body),
        message_id: schedule.name?.strip_prefix(PREFIX)?.to_owned(),
        standing: Standing::Delayed { until },
        attempts: 0,
        group: input.message_group_id,
        batch: None,
        completes: None,
        attributes: users(attributes.filter_map(|(name, value)| Some((name, Attribute::from_wire(value)?)))),
        last_error: None,
    })
}
