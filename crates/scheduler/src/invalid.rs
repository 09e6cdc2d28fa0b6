//! Why a definition makes no sense.

use afterward_timetable::Invalid;
use thiserror::Error;

/// What is wrong with a definition, for the person who wrote it. The names of its parts are the API's.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum InvalidDefinition {
    /// The expression is none.
    #[error("Invalid Schedule Expression {expression}. {why}")]
    Expression {
        /// As it was given.
        expression: String,
        /// What is wrong with it.
        why: Invalid,
    },
    /// The zone is none.
    #[error("The value of ScheduleExpressionTimezone is not valid. {0}")]
    Zone(Invalid),
    /// The end comes before the start.
    #[error("The EndDate you specify must come after the StartDate.")]
    Dates,
    /// The flexible window is too small or too large.
    #[error("MaximumWindowInMinutes must be between 1 and 1440, and it is {0}.")]
    Window(u32),
    /// The retry policy is out of its bounds.
    #[error("{field} must be between {least} and {most}, and it is {given}.")]
    Retry {
        /// Which number.
        field: &'static str,
        /// Its lower bound.
        least: u32,
        /// Its upper bound.
        most: u32,
        /// What it is.
        given: u32,
    },
    /// The target is of a kind that does not exist here.
    #[error(
        "The target {0} is not supported. Supported are the ARN of an SQS queue, \
         arn:aws:scheduler:::aws-sdk:sqs:sendMessage, arn:aws:scheduler:::afterward:http, and an http:// or https:// URL."
    )]
    Target(String),
    /// The target is a URL with a user or a password in it, which is not repeated here.
    #[error(
        "A URL that is a target may not hold a user or a password. Put them into the `Headers` of the target \
         arn:aws:scheduler:::afterward:http, whose Input is {{\"Url\": …, \"Headers\": {{\"Authorization\": \"Basic …\"}}}}."
    )]
    UserInUrl,
    /// The target takes no such parameter.
    #[error("{0} does not go with the target {1}.")]
    Parameter(&'static str, String),
    /// The input does not say what the target needs.
    #[error("The Input of the target {target} is not valid: {why}.")]
    Input {
        /// Which target.
        target: String,
        /// What is wrong.
        why: String,
    },
    /// The dead-letter queue is not a standard queue.
    #[error("DeadLetterConfig.Arn must be the ARN of a standard SQS queue, and it is {0}.")]
    DeadLetter(String),
}
