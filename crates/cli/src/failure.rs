//! Why a command did not work, for the person at the terminal, and the exit code that tells a script.
//!
//! 0: it worked. 1: it did not; standard error says what happened, on what, and what to do. 2: the command line itself
//! is wrong (clap says how).

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
        let hint = match error.is_queue_missing() {
            true => {
                "\nSee the queues there are with `afterward queue ls`; make one with `afterward queue create NAME`."
            }
            false => "",
        };
        Failure::new(format!("{error}{hint}"))
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
