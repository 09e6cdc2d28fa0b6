//! `afterward serve`.
//!
//! The flags are made from the server's own table of settings, so that every setting is a flag, an environment variable
//! and a key of the file by the same words.

use crate::{failure::Failure, logging, output, units};
use afterward_server::{
    Config, Sources,
    config::{Clock, Data, Durability, KEYS, Kind},
    serve_until_signal,
};
use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};
use std::path::PathBuf;

/// What the command line says about the server.
#[derive(Debug)]
pub(crate) struct Serve {
    file: Option<PathBuf>,
    flags: Vec<(&'static str, String)>,
}

const HELP: &str = "\
Settings come from the file, then the environment, then the flags; later ones win.

Examples:
  afterward serve                                  data in the user's data directory
  afterward serve --ephemeral --listen 127.0.0.1:0 for a test: temporary data, any free port
  afterward serve --config /etc/afterward.toml

When it is ready it prints one line, `listening on http://…`. Logs go to standard error.";

impl Args for Serve {
    fn augment_args(command: clap::Command) -> clap::Command {
        let file = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help("Configuration file (TOML) [env: AFTERWARD_CONFIG]");
        KEYS.iter().fold(command.arg(file).after_help(HELP), |command, key| {
            let arg = Arg::new(key.name).long(key.flag()).help(format!("{} [env: {}]", key.help, key.variable()));
            command.arg(match key.kind {
                Kind::Text => arg.value_name(match key.name {
                    "listen" => "ADDRESS:PORT",
                    "data" => "DIR",
                    "durability" => "flush|os",
                    "clock" => "system|manual|TIME",
                    "log_level" => "LEVEL",
                    _ => "NAME",
                }),
                Kind::Number => arg.value_name("N").allow_negative_numbers(true),
                Kind::List => arg.value_name("A,B,…"),
                Kind::Switch => arg
                    .value_name("true|false")
                    .num_args(0..=1)
                    .require_equals(true)
                    .default_missing_value("true")
                    .action(ArgAction::Set),
            })
        })
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Serve {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |name: &'static str| Some((name, matches.get_one::<String>(name)?.clone()));
        Ok(Serve {
            file: matches.get_one::<PathBuf>("config").cloned(),
            flags: KEYS.iter().filter_map(|key| given(key.name)).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

pub(crate) async fn run(serve: Serve) -> Result<(), Failure> {
    let sources = Sources::of_process(serve.file, serve.flags);
    let config = Config::load(&sources)?;
    logging::start(&config.log_level)?;
    for doubt in sources.doubts() {
        output::complain(&format!("warning: {doubt}"));
    }
    if config.durability == Durability::Os {
        output::complain(
            "warning: --durability os acknowledges before the disk has the data: a power cut can lose acknowledged messages",
        );
    }
    if config.clock != Clock::System {
        output::complain(
            "warning: time stands still (--clock): no delay, visibility timeout or schedule ends until POST /_afterward/clock \
             moves it. This is for tests",
        );
    }
    let ephemeral = config.data == Data::Ephemeral;
    if ephemeral {
        output::complain("The data is in a temporary directory, which is removed at the end (--ephemeral).");
    }
    let stopped = serve_until_signal(config, |running| {
        // Whoever started us may have closed the pipe already; the server serves all the same.
        let _ = output::say(&format!("listening on {}", running.url()));
    })
    .await?;
    let data = if ephemeral { "the temporary data is removed" } else { "everything is on disk" };
    output::complain(&format!("Stopped in {}; {data}.", units::took(stopped.took)));
    Ok(())
}
