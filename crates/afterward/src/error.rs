//! What can go wrong in this library's own calls.

use crate::{SourceError, sqs};
use thiserror::Error;

/// Why a queue could not be opened, a message not be sent, or a worker not run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is missing or makes no sense.
    #[error(transparent)]
    Settings(#[from] sqs::SettingsError),
    /// The service refused, or could not be reached.
    #[error(transparent)]
    Sqs(#[from] sqs::Error),
    /// What was asked for can't be done; nothing was sent.
    #[error("{0}")]
    Refused(String),
    /// The payload can't be written as JSON.
    #[error("a message of type `{message_type}` can't be written as JSON: {source}")]
    Payload {
        /// The message's type.
        message_type: &'static str,
        /// serde's reason.
        source: serde_json::Error,
    },
    /// A worker's source of messages refused for good.
    #[error(transparent)]
    Source(#[from] SourceError),
}
