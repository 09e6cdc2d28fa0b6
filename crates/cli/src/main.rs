//! `afterward`: the server, the demo, and tools for queues, in one binary.
//!
//! The grammar is in [`args`]; each command is a module with one `run`. Everything that a command does to a queue goes
//! through HTTP, as it does for anybody else: the command line has no private door.

mod args;
mod demo;
mod doctor;
mod failure;
mod forward;
mod issuer;
mod logging;
mod output;
mod queue;
mod schedule;
mod serve;
mod table;
mod target;
mod units;

use args::{Cli, Command};
use clap::Parser;
use failure::Failure;
use std::process::ExitCode;

/// A fifth of the server's time went into the system's allocator (BENCHMARKS.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::new(format!("the runtime can't be started: {error}")).report(),
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Serve(serve) => serve::run(serve).await,
            Command::Demo(demo) => demo::run(&demo).await,
            Command::Queue(queue) => queue::run(queue).await,
            Command::Schedule(schedule) => schedule::run(schedule).await,
            Command::Forward(forward) => forward::run(forward).await,
            Command::Issuer(issuer) => issuer::run(issuer),
            Command::Doctor(doctor) => doctor::run(&doctor),
        }
    });
    // Whatever still runs (a long poll, a connection) ends with the process.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
