//! What a schedule calls.

mod http;
mod queue;
mod queue_url;
mod template;
mod url;

pub(crate) use self::{
    http::{HttpTarget, Request},
    queue::QueueTarget,
    template::MessageTemplate,
};

use crate::{InvalidDefinition, TargetDefinition};
use afterward_names::{QueueArn, ScheduleAddress};

/// The universal target that sends a message.
const SEND_MESSAGE: &str = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";
/// Our own target that makes an HTTP request.
const HTTP: &str = "arn:aws:scheduler:::afterward:http";

/// A target that there is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// A message to a queue, sent as the schedule runs.
    Queue(QueueTarget),
    /// An HTTP request, made after the schedule has run.
    Http(HttpTarget),
}

impl Target {
    /// Understands the target of the schedule at `address`.
    pub(crate) fn of(address: &ScheduleAddress, definition: &TargetDefinition) -> Result<Target, InvalidDefinition> {
        let arn = definition.arn.as_str();
        if let Ok(QueueArn(queue)) = arn.parse() {
            return QueueTarget::templated(queue, address, definition).map(Target::Queue);
        }
        if url::is_web_address(arn) && url::holds_user(arn) {
            return Err(InvalidDefinition::UserInUrl);
        }
        if definition.sqs.is_some() {
            return Err(InvalidDefinition::Parameter("SqsParameters", url::without_user(arn)));
        }
        match arn {
            SEND_MESSAGE => QueueTarget::universal(address, definition).map(Target::Queue),
            HTTP => HttpTarget::described(definition).map(Target::Http),
            _ if url::is_web_address(arn) => HttpTarget::at_url(definition).map(Target::Http),
            _ => Err(InvalidDefinition::Target(url::without_user(arn))),
        }
    }
}

/// The refusal of a target's input.
fn invalid_input(definition: &TargetDefinition, why: impl Into<String>) -> InvalidDefinition {
    // SendMessage's refusals are sentences.
    let why = why.into().trim_end_matches('.').to_owned();
    InvalidDefinition::Input { target: definition.arn.clone(), why }
}
