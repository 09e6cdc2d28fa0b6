//! A message as a one-time schedule at EventBridge Scheduler, or at an Afterward server.
//!
//! The target is SQS's SendMessage itself (a *universal target*), which takes attributes and a deduplication id, as a plain
//! SQS target does not. The schedule has a name of its own, made from the message's id, and deletes itself when it has run.
//!
//! What can't be sent when it is due goes to the queue's own dead-letter queue, as the request that it would have been sent by.
//! A FIFO queue's is no place for that: a scheduler's dead letters have no group. Nor has every queue one; a call is then
//! tried for as long as schedulers try at all, a day, and is logged and gone after that.

use crate::{
    instant,
    queue::{attributes::Attributes, batch},
    scheduler::{ActionAfterCompletion, Client, DeadLetterConfig, FlexibleTimeWindow, Request, ScheduleInput, Target},
    sqs::{self, Error},
};
use afterward_aws::sqs::request_json;

const SEND_MESSAGE: &str = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";
/// What a schedule's input may be at most, by EventBridge Scheduler's quotas.
const LARGEST_INPUT_BYTES: usize = 256 * 1024;

/// What every placeholder starts with.
const PLACEHOLDER: &str = "<aws.scheduler.";

/// A scheduler, and the role it sends messages in.
pub(in crate::queue) struct Schedules {
    client: Client,
    role: String,
}

/// Why a message was not scheduled.
#[derive(Debug)]
pub(in crate::queue) enum Unscheduled {
    /// There is no scheduler there.
    NoScheduler,
    /// It is too long for a schedule, or for its queue as a schedule writes it, or has an attribute that would not stay as it is.
    Unfit,
    Failed(Error),
}

impl Schedules {
    pub(super) fn new(client: Client, role: String) -> Schedules {
        Schedules { client, role }
    }

    /// Has `request` sent at `due_ms`, rounded up to whole seconds. `id`: what makes this schedule the only one of its name.
    pub(in crate::queue) async fn create(
        &self,
        id: &str,
        request: sqs::SendMessageRequest,
        due_ms: u64,
        settings: &Attributes,
    ) -> Result<(), Unscheduled> {
        let input =
            input(request, settings).filter(|input| input.len() <= LARGEST_INPUT_BYTES).ok_or(Unscheduled::Unfit)?;
        let create = Request::CreateSchedule(ScheduleInput {
            name: format!("afterward-{id}"),
            client_token: Some(id.to_owned()),
            schedule_expression: at(due_ms),
            schedule_expression_timezone: Some("UTC".to_owned()),
            flexible_time_window: FlexibleTimeWindow::default(),
            target: Target {
                arn: SEND_MESSAGE.to_owned(),
                role_arn: self.role.clone(),
                input: Some(input),
                dead_letter_config: dead_letters(settings),
                ..Target::default()
            },
            action_after_completion: Some(ActionAfterCompletion::Delete),
            ..ScheduleInput::default()
        });
        match self.client.call(&create).await {
            Ok(_) => Ok(()),
            // Nobody else makes this name: an attempt of ours whose reply was lost did.
            Err(error) if error.has_code(&["ConflictException"]) => Ok(()),
            Err(error) if is_absent(&error) => Err(Unscheduled::NoScheduler),
            Err(error) => Err(Unscheduled::Failed(error)),
        }
    }
}

/// SendMessage's parameters as a target's input; `None` for what can't be told from a placeholder.
///
/// A scheduler replaces `<aws.scheduler.execution-id>` and its like wherever they stand, in the input's text or in the
/// parameters that it reads from it. A body is JSON, in whose strings the bracket can be written another way.
fn input(mut request: sqs::SendMessageRequest, settings: &Attributes) -> Option<String> {
    request.message_body = request.message_body.replace('<', "\\u003c");
    if settings.known && batch::size_bytes(&request) > settings.maximum_message_bytes {
        return None;
    }
    let (_, json) = request_json(&sqs::Request::SendMessage(request));
    let input = String::from_utf8_lossy(&json).into_owned();
    (!input.contains(PLACEHOLDER)).then_some(input)
}

/// Where a message goes that could not be sent: a scheduler's dead letters go to standard queues.
fn dead_letters(settings: &Attributes) -> Option<DeadLetterConfig> {
    let arn = settings.dead_letter_arn.as_ref().filter(|arn| !arn.ends_with(".fifo"))?;
    Some(DeadLetterConfig { arn: Some(arn.clone()) })
}

/// `at(…)` of the first whole second that is not before `due_ms`.
fn at(due_ms: u64) -> String {
    format!("at({})", instant::in_seconds(due_ms.div_ceil(1000).saturating_mul(1000)))
}

/// Whether the answer is that of something that knows no schedules. A scheduler's own 404 names what it did not find.
fn is_absent(error: &Error) -> bool {
    match error.status() {
        Some(404) => !error.has_code(&["ResourceNotFoundException"]),
        Some(405 | 501) => true,
        _ => error.has_code(&["UnknownOperationException", "InvalidAction"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_rounded_up_to_whole_seconds() {
        for (due_ms, expression) in [
            (0, "at(1970-01-01T00:00:00)"),
            (1, "at(1970-01-01T00:00:01)"),
            (1_709_210_096_000, "at(2024-02-29T12:34:56)"),
            (1_709_210_096_001, "at(2024-02-29T12:34:57)"),
            (4_107_542_399_999, "at(2100-03-01T00:00:00)"),
        ] {
            assert_eq!(at(due_ms), expression);
        }
    }

    #[test]
    fn what_looks_like_a_placeholder_stays_as_it_is() {
        let of = |body: &str, group: &str| sqs::SendMessageRequest {
            message_body: body.to_owned(),
            message_group_id: Some(group.to_owned()),
            ..Default::default()
        };
        let body = r#"{"type":"t","payload":"<aws.scheduler.execution-id> \u003c <b>"}"#;
        let usual = Attributes::default();
        let input = input(of(body, "<g>"), &usual).unwrap();
        let read: serde_json::Value = serde_json::from_str(&input).unwrap();
        assert!(!read["MessageBody"].as_str().unwrap().contains('<'), "{input}");
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(json(read["MessageBody"].as_str().unwrap()), json(body));
        assert_eq!(super::input(of(body, "<aws.scheduler.execution-id>"), &usual), None);
        // Nor does it get larger than its queue takes.
        let small = Attributes { known: true, maximum_message_bytes: body.len() + 2, ..usual };
        assert_eq!(super::input(of(body, "<g>"), &small), None);
        assert!(super::input(of(&body.replace('<', "="), "g"), &small).is_some());
    }
}
