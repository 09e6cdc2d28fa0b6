//! What a dead-letter queue is told of a call that failed for good.
//!
//! Source: EventBridge Scheduler User Guide, "Configuring a schedule's dead-letter queue".

use crate::{execution::Execution, message, problem::Problem};
use afterward_broker::{Attribute, AttributeValue, Content, machine::Send};
use afterward_names::{QueueAddress, limits};

/// Which bound of its retry policy ended a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exhausted {
    Attempts,
    Age,
}

/// A call that has failed for good.
pub(crate) struct DeadLetter<'a> {
    pub(crate) execution: &'a Execution,
    pub(crate) target_arn: &'a str,
    /// What it was called with.
    pub(crate) input: Option<&'a str>,
    /// How often it was tried, the first time included.
    pub(crate) attempts: u32,
    pub(crate) problem: &'a Problem,
    pub(crate) exhausted: Option<Exhausted>,
}

/// An error's text is cut there.
const LONGEST_ERROR_BYTES: usize = 1024;

impl DeadLetter<'_> {
    /// The message for the dead-letter queue.
    pub(crate) fn message(&self, queue: &QueueAddress) -> (Send, Content) {
        let execution = self.execution;
        let input = self.input.filter(|input| !input.is_empty());
        let mut body = match input {
            Some(input) => execution.placeholders(self.attempts).fill(input),
            None => execution.notification(),
        };
        let mut attributes = self.attributes();
        let room = limits::MESSAGE_BYTES
            .saturating_sub(attributes.iter().map(|(name, value)| name.len() + value.len() + 6).sum());
        let is_cut = body.len() > room;
        body.truncate(body.floor_char_boundary(room));
        attributes.push(("IS_PAYLOAD_TRUNCATED", is_cut.to_string()));
        attributes.sort_unstable();
        let (mut send, mut content) = message::plain(queue, body, &execution.schedule.group.account.to_string());
        content.attributes = attributes.into_iter().map(text).collect();
        send.size_bytes += message::attributes_bytes(&content);
        let mut message = (send, content);
        message::only_once(&mut message, execution, "dead letter");
        message
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        let Problem { code, message, .. } = self.problem;
        let message = &message[..message.floor_char_boundary(LONGEST_ERROR_BYTES)];
        let mut attributes = vec![
            ("ERROR_CODE", code.clone()),
            ("ERROR_MESSAGE", message.to_owned()),
            ("EXECUTION_ID", self.execution.id.clone()),
            ("RETRY_ATTEMPTS", self.attempts.saturating_sub(1).to_string()),
            ("SCHEDULED_TIME", self.execution.scheduled_time()),
            ("SCHEDULE_ARN", self.execution.schedule.arn().to_string()),
            ("TARGET_ARN", self.target_arn.to_owned()),
        ];
        attributes.extend(self.exhausted.map(|exhausted| {
            let condition = match exhausted {
                Exhausted::Attempts => "MaximumRetryAttempts",
                Exhausted::Age => "MaximumEventAgeInSeconds",
            };
            ("EXHAUSTED_RETRY_CONDITION", condition.to_owned())
        }));
        attributes
    }
}

fn text((name, value): (&'static str, String)) -> Attribute {
    // An attribute's value is never empty, and has none of the characters that messages don't take.
    let allowed = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let value: String = value.chars().filter(allowed).collect();
    let value = if value.is_empty() { "-".to_owned() } else { value };
    Attribute { name: name.into(), data_type: "String".into(), value: AttributeValue::String(value.into()) }
}
