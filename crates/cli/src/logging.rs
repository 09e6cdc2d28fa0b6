//! Logs go to standard error, so that standard output stays what commands answer with.

use crate::failure::Failure;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Logs what `directives` of `tracing` ask for: a level such as `info`, or `warn,afterward_broker=debug`.
///
/// # Errors
/// The directives make no sense.
pub(crate) fn start(directives: &str) -> Result<(), Failure> {
    let filter = EnvFilter::builder().parse(directives).map_err(|error| {
        Failure::new(format!(
            "the log level `{directives}` makes no sense: {error}. Give error, warn, info, debug or trace."
        ))
    })?;
    let ansi = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(ansi).init();
    Ok(())
}
