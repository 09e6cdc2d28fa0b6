//! Why a command did not work, for the person at the terminal, and the exit code that tells a script.
//!
//! 0: it worked. 1: it did not; standard error says what happened, on what, and what to do. 2: the command line itself
//! is wrong (clap says how).

use afterward::sqs::ErrorKind;
use std::{io, process::ExitCode};

/// A command that did not work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What happened and what to do.
    Told(String),
    /// Whoever read our output has gone: nobody to tell, nothing wrong.
    ReaderGone,
}

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Failure {
        Failure::Told(text.into())
    }

    /// Says it on standard error.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Failure::Told(text) => {
                crate::output::complain(&format!("error: {text}"));
                ExitCode::FAILURE
            }
            Failure::ReaderGone => ExitCode::SUCCESS,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::new(error.to_string()),
        }
    }
}

impl From<afterward::sqs::Error> for Failure {
    fn from(error: afterward::sqs::Error) -> Failure {
        let code = match error.kind() {
            ErrorKind::Service { code, .. } => code.as_str(),
            _ => "",
        };
        let hint = if error.is_queue_missing() { QUEUE_MISSING } else { hint(code) };
        Failure::new(format!("{error}{hint}"))
    }
}

const QUEUE_MISSING: &str =
    "\nSee the queues there are with `afterward queue ls`; make one with `afterward queue create NAME`.";

/// What to do about an error that AWS's words leave a person alone with.
fn hint(code: &str) -> &'static str {
    match code {
        "QueueNameExists" | "QueueAlreadyExists" => {
            "\nSee how it is set with `afterward queue stat QUEUE`. Settings of a queue that there is are changed with \
             SetQueueAttributes (`aws sqs set-queue-attributes`), not by creating it again."
        }
        "UnrecognizedClientException" | "InvalidClientTokenId" | "MissingAuthenticationToken" => {
            "\nThe server has credentials configured, and the key that this was signed with is not among them. Set \
             AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile of ~/.aws with --profile."
        }
        "InvalidSignatureException" | "SignatureDoesNotMatch" => {
            "\nThe server knows the access key, but its secret is another one: check AWS_SECRET_ACCESS_KEY, or the profile."
        }
        _ => "",
    }
}

impl From<afterward::sqs::SettingsError> for Failure {
    fn from(error: afterward::sqs::SettingsError) -> Failure {
        Failure::new(error.to_string())
    }
}

impl From<afterward::Error> for Failure {
    fn from(error: afterward::Error) -> Failure {
        match error {
            afterward::Error::Sqs(error) => error.into(),
            other => Failure::new(other.to_string()),
        }
    }
}

impl From<afterward_server::StartError> for Failure {
    fn from(error: afterward_server::StartError) -> Failure {
        Failure::new(error.to_string())
    }
}

impl From<afterward_server::ConfigError> for Failure {
    fn from(error: afterward_server::ConfigError) -> Failure {
        Failure::new(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Failure {
        Failure::new(format!("the JSON can't be read or written: {error}"))
    }
}
