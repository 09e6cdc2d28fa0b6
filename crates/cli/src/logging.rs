//! Logs go to standard error, so that standard output stays what commands answer with.

use crate::failure::Failure;
use std::io::IsTerminal;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Logs what `directives` ask for: a level such as `info`, or levels by target, `warn,afterward_broker=debug`.
///
/// # Errors
/// The directives make no sense.
pub(crate) fn start(directives: &str) -> Result<(), Failure> {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    tracing_subscriber::registry().with(lines).with(filter(directives)?).init();
    Ok(())
}

// `Targets` rather than `EnvFilter`, whose regular expressions would be a fifth of the first build.
fn filter(directives: &str) -> Result<Targets, Failure> {
    // A word alone would be the name of a target there, and a misspelt level is more likely.
    let misspelt = directives.split(',').find(|word| !word.contains('=') && word.parse::<LevelFilter>().is_err());
    misspelt.map_or_else(|| directives.parse().ok(), |_| None).ok_or_else(|| {
        Failure::new(format!(
            "the log level `{directives}` makes no sense. Give error, warn, info, debug, trace or off, \
             or levels by target: warn,afterward_broker=debug."
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_or_levels_by_target_make_sense_and_a_misspelt_one_does_not() {
        for good in ["info", "WARN", "warn,afterward_broker=debug", "off"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for bad in ["loud", "afterward_broker=loud"] {
            assert!(filter(bad).is_err(), "{bad}");
        }
    }
}
