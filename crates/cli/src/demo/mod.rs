//! `afterward demo`: the whole way of a job, on a server of its own.
//!
//! Nothing is staged: jobs come in through `POST /jobs` over HTTP, a [`afterward::Worker`] takes them from the queue over
//! HTTP, some fail because their work fails, and every number that is shown at the end is the server's.

mod intake;
mod show;
mod standing;
mod summary;
mod work;
mod world;

use crate::{failure::Failure, output, units};
use afterward_server::Signals;
use clap::Args;
use show::Show;
use standing::{Standing, until};
use std::time::{Duration, Instant};
use work::Fault;
use world::World;

/// How many jobs are taken in, and how many of them fail.
const JOBS: usize = 40;
const BROKEN: usize = 4;
/// Receives that a job gets.
const RECEIVES: u32 = 3;
/// How long each part may take before the demo says that something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// Show the whole way of a job.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  afterward demo --keep   leave the server running, to try things on")]
pub(crate) struct Demo {
    /// Leave the server running and say what to try next
    #[arg(long)]
    keep: bool,
}

pub(crate) async fn run(demo: &Demo) -> Result<(), Failure> {
    let begun = Instant::now();
    // From the first moment on: whoever is tired of it leaves no data behind.
    let mut signals = Signals::new()?;
    let world = World::start().await?;
    let outcome = tokio::select! {
        outcome = told(demo, &world, begun) => outcome,
        () = signals.next() => Err(Failure::new("the demo was stopped before its end; its server and its data are gone")),
    };
    let outcome = match outcome {
        Ok(()) if demo.keep => {
            signals.next().await;
            Ok(())
        }
        outcome => outcome,
    };
    tokio::select! {
        () = world.stop() => outcome,
        () = signals.next() => std::process::exit(130),
    }
}

/// The story, and what to try after it.
async fn told(demo: &Demo, world: &World, begun: Instant) -> Result<(), Failure> {
    story(world, begun).await?;
    match demo.keep {
        true => world.tell_what_to_try(),
        false => Ok(()),
    }
}

async fn story(world: &World, begun: Instant) -> Result<(), Failure> {
    let mut show = Show::new(JOBS as u64);
    show.line(&format!("A server runs on {}, with its data in a temporary directory.", world.url))?;
    show.line(&format!(
        "A job gets {RECEIVES} receives from the queue `{}`; then it goes to `{}`.",
        world::JOBS_QUEUE,
        world::DEAD_QUEUE
    ))?;
    show.line(&format!(
        "\n1. {JOBS} jobs come in by POST /jobs; {BROKEN} of them are broken. A worker works them off."
    ))?;

    let fault = Fault::default();
    let worker = work::start(world, &fault).await?;
    let ids = intake::post(world, JOBS, BROKEN).await?;
    let broken = BROKEN as u64;
    let settled = |standing: &Standing| standing.dead == broken && standing.left() == 0;
    until(world, ids.len() as u64, settled, &mut show, PATIENCE).await?;
    show.done()?;

    show.line(&format!("\n2. The broken ones are in `{}`, each with its last error:", world::DEAD_QUEUE))?;
    for letter in standing::dead_letters(world).await? {
        show.line(&format!("   {}  {}", letter.id, letter.body))?;
        show.line(&format!("      {} receives; {}", letter.receives, letter.last_error))?;
    }

    show.line("\n3. The fault is fixed, and the dead letters are redriven.")?;
    fault.fix();
    let moved = world.redrive().await?;
    show.line(&format!("   A move task took {} back to `{}`.", units::count(moved, "message"), world::JOBS_QUEUE))?;
    until(world, ids.len() as u64, |standing| standing.dead == 0 && standing.left() == 0, &mut show, PATIENCE).await?;
    show.done()?;
    worker.stop().await?;

    let summary = summary::of(world, &ids).await?;
    show.line("\nWhat the server says of it:\n")?;
    show.line(&summary.render())?;
    show.line(&format!(
        "\nAll of it took {}, every step flushed to disk before it was acknowledged.",
        units::took(begun.elapsed())
    ))?;
    match summary.unfinished() {
        0 => Ok(()),
        unfinished => {
            output::complain("");
            Err(Failure::new(format!("{} did not succeed", units::count(unfinished, "job"))))
        }
    }
}
