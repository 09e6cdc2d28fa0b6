//! The grammar of the command line.

use crate::{demo, doctor, forward, issuer, queue, schedule, serve};
use afterward_timetable::Zone;
use clap::{Parser, Subcommand};
use std::sync::LazyLock;

/// Accept work now, do it afterward: a durable queue server that speaks Amazon SQS.
#[derive(Debug, Parser)]
#[command(name = "afterward", version = VERSION.as_str(), after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// With the rules by which the schedules of a server of this version, and the times shown here, are local.
static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{} (time zones: IANA {})", env!("CARGO_PKG_VERSION"), Zone::rules_version()));

const EXAMPLES: &str = "\
Examples:
  afterward demo                        see the whole way of a job in ten seconds
  afterward serve                       serve on http://127.0.0.1:4566
  afterward queue create jobs --dead-letter-queue jobs-dlq
  afterward queue send jobs '{\"task\":\"resize\"}'
  afterward queue ls
  afterward schedule show daily         what it does, and its next ten times

Exit codes: 0 it worked, 1 it did not (standard error says why), 2 the command line is wrong.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server until SIGTERM or Ctrl-C
    Serve(serve::Serve),
    /// Show the whole way of a job: taken in, worked, failed, dead-lettered, redriven
    Demo(demo::Demo),
    /// Work with queues, here or on Amazon
    Queue(queue::QueueArgs),
    /// Work with schedules, here or on Amazon
    Schedule(schedule::ScheduleArgs),
    /// Post a queue's messages to an HTTP endpoint, in batches as a Lambda function gets them
    Forward(forward::Forward),
    /// Make and list the keys that sign access tokens
    Issuer(issuer::IssuerArgs),
    /// Check the data directory of a server that is not running
    Doctor(doctor::Doctor),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_version_says_which_time_zones_are_inside() {
        let told = Cli::command().render_version();
        let release = told.strip_prefix(concat!("afterward ", env!("CARGO_PKG_VERSION"), " (time zones: IANA 20"));
        let release = release.and_then(|rest| rest.strip_suffix(")\n"));
        assert!(release.is_some_and(|release| release.len() == 3 && release.is_ascii()), "{told}");
    }

    #[test]
    fn the_durations_and_rates_that_are_taken_are_in_the_help() {
        let mut cli = Cli::command();
        for (path, option, says) in [
            (&["forward"][..], "timeout", "whole seconds: 1s to 15m"),
            (&["forward"], "retry_delay", "whole seconds: 0 (at once) to 12h"),
            (&["queue", "redrive"], "rate", "1 to 500"),
            (&["queue", "receive"], "wait", "whole seconds: 0 to 20s"),
            (&["queue", "receive"], "visibility_timeout", "whole seconds: 0 to 12h"),
            (&["queue", "send"], "delay", "whole seconds: 0 to 15m"),
        ] {
            let mut command = &mut cli;
            for name in path {
                command = command.find_subcommand_mut(name).unwrap();
            }
            let option = command.get_arguments().find(|argument| argument.get_id() == option).unwrap();
            let help = option.get_help().unwrap().to_string();
            assert!(help.contains(says), "{path:?}: {help}");
        }
    }

    #[test]
    fn the_commands_of_the_documentation_are_understood() {
        for line in [
            "afterward serve",
            "afterward serve --listen 127.0.0.1:0 --ephemeral --durability os --log-level debug",
            "afterward serve --config afterward.toml --jobs-delay-seconds 5 --sqs-cooldowns",
            "afterward demo --keep",
            "afterward queue ls --json",
            "afterward queue ls --url aws --region eu-west-1",
            "afterward queue create jobs --dead-letter-queue jobs-dlq --receives 3 --visibility-timeout 30s",
            "afterward queue rm jobs --force",
            "afterward queue stat jobs",
            "afterward queue send jobs hello --delay 5s --attribute k=v",
            "afterward queue receive jobs --max 10 --wait 20s --delete",
            "afterward queue peek jobs --text broken --state leased",
            "afterward queue purge jobs",
            "afterward queue redrive jobs-dlq --to jobs --rate 10",
            "afterward forward --queue jobs --to http://localhost:3002",
            "afterward forward --queue jobs --to https://a.b/c --batch-size 1 --timeout 5m --header Authorization:x",
            "afterward schedule ls report- --group nightly --state paused --limit 5",
            "afterward schedule show daily --times 3 --json",
            "afterward schedule run-now daily --group reports",
            "afterward schedule pause daily weekly",
            "afterward schedule resume daily --url aws --region eu-west-1",
            "afterward schedule rm daily",
            "afterward serve --clock manual",
            "afterward issuer create --bits 4096 --json",
            "afterward issuer ls --folder keys",
            "afterward issuer rm 66c002b597d34aed --force",
            "afterward issuer jwks 66c002b597d34aed",
            "afterward doctor data",
        ] {
            let parsed = Cli::try_parse_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {}", parsed.err().map(|error| error.to_string()).unwrap_or_default());
        }
        for line in [
            "afterward",
            "afterward serve --data a --nonsense",
            "afterward queue send jobs --delay soon",
            "afterward queue redrive jobs-dlq --rate 0",
            "afterward schedule pause",
            "afterward schedule ls --limit 0",
            "afterward forward --queue jobs --to localhost:3002",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
