//! Plays seeds by command, and one that fails line by line.
#![allow(clippy::print_stdout)] // a program for a terminal

use afterward_sim::{Bug, Outcome, Tally, play_with};
use clap::Parser;
use std::ops::Range;
use std::process::ExitCode;

/// Simulates the broker over a faulty log and checks what its clients saw.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// One seed to play.
    #[arg(long, conflicts_with = "seeds", required_unless_present = "seeds")]
    seed: Option<u64>,
    /// Seeds to play, up to the first that fails: `0..1000`.
    #[arg(long, value_parser = range)]
    seeds: Option<Range<u64>>,
    /// How many steps a run has.
    #[arg(long, default_value_t = 1500)]
    steps: u64,
    /// Print what happens, also where nothing fails.
    #[arg(long)]
    trace: bool,
    /// Plant a deliberate bug, which has to be found: `IgnoreFence`.
    #[arg(long, value_parser = bug)]
    bug: Option<Bug>,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("`{text}` is not a range of seeds such as 0..1000");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let (from, to) = (from.parse().map_err(|_| wrong())?, to.parse().map_err(|_| wrong())?);
    if from < to { Ok(from..to) } else { Err(wrong()) }
}

fn bug(name: &str) -> Result<Bug, String> {
    let found = Bug::ALL.iter().find(|(bug, _)| format!("{bug:?}") == name);
    let names = || Bug::ALL.map(|(bug, what)| format!("{bug:?} ({what})")).join(", ");
    found.map(|(bug, _)| *bug).ok_or_else(|| format!("there are: {}", names()))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seeds = arguments.seeds.clone().or(arguments.seed.map(|seed| seed..seed + 1)).unwrap_or(0..1);
    let mut sum = Tally::default();
    for seed in seeds.clone() {
        let single = seeds.end - seeds.start == 1;
        let Outcome { trace, tally, records, verdict } = play_with(seed, arguments.steps, single, arguments.bug);
        sum = sum.plus(tally);
        if arguments.trace || (single && verdict.is_err()) {
            trace.lines().iter().for_each(|line| println!("{line}"));
            println!("\nthe log at the end:");
            records.iter().for_each(|line| println!("{line}"));
        }
        if single {
            println!("seed {seed}: trace {:016x}", trace.hash());
        }
        if let Err(violation) = verdict {
            println!("seed {seed} fails: {violation}");
            let steps = arguments.steps;
            let bug = arguments.bug.map(|bug| format!(" --bug {bug:?}")).unwrap_or_default();
            println!("again, line by line: cargo run -p afterward-sim -- --seed {seed} --steps {steps}{bug}");
            return ExitCode::FAILURE;
        }
    }
    println!("{sum}{} seeds of {} steps: nothing that may not be", seeds.end - seeds.start, arguments.steps);
    ExitCode::SUCCESS
}
