//! A million schedules: bytes each, and processor time per create, run and delete, and per record of a replay.

use crate::process::{Stopwatch, resident_bytes};
use crate::work::{Work, plain};
use afterward_machine::{Command, NewMessage, NextRun, RunSchedule};
use afterward_names::{AccountId, Region, ScheduleAddress, ScheduleGroupAddress, ScheduleGroupName};
use std::process::ExitCode;

pub(crate) const TITLE: &str =
    "schedules, ns each          create     run  delete  replay  bytes (resident)  bytes (own count)";
pub(crate) const CASES: &[&str] = &["1000000", "10000"];

/// The schedules are due over this time.
const DAY_MS: u64 = 86_400_000;

pub(crate) fn measure(case: &str) -> ExitCode {
    let Ok(count) = case.parse::<u64>() else { return ExitCode::FAILURE };
    let mut work = Work::new();
    work.run(&create(&work, u64::MAX));
    let (before, own_before) = (resident_bytes(), work.state.memory().schedules_bytes);
    let watch = Stopwatch::start();
    for number in 0..count {
        work.run(&create(&work, number));
    }
    let create_ns = watch.elapsed_ns() / count;
    let resident = resident_bytes().saturating_sub(before) as f64 / count as f64;
    let own = (work.state.memory().schedules_bytes - own_before) as f64 / count as f64;
    let run_ns = run(&mut work, count.min(100_000));
    let delete_ns = delete(&mut work, count.min(100_000));
    println!(
        "{case:<24} {create_ns:>9} {run_ns:>7} {delete_ns:>7} {:>7} {resident:>17.1} {own:>18.1}",
        replay_ns(count)
    );
    ExitCode::SUCCESS
}

/// Names of 20 characters; due at any time of the day, in no order.
fn create(work: &Work, number: u64) -> Command {
    let next_ms = work.state.now_ms() + number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % DAY_MS;
    Command::CreateSchedule { schedule: address(number), definition_bytes: 300, next_ms: Some(next_ms) }
}

fn address(number: u64) -> ScheduleAddress {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8;
    let Ok(name) = format!("trip-{mixed:015x}").parse() else { panic!("a schedule's name") };
    let (account, region) = (AccountId::DEFAULT, Region::default());
    ScheduleAddress { group: ScheduleGroupAddress { account, region, name: ScheduleGroupName::default() }, name }
}

/// Runs what is due first, as its runner does: it looks at what is due, sends a message and says when it is due again.
fn run(work: &mut Work, count: u64) -> u64 {
    let queue = work.create("jobs");
    let Command::Send(send) = plain(&queue, None) else { panic!("a send") };
    work.pass(DAY_MS);
    let (mut spent_ns, mut ran) = (0, 0);
    while ran < count {
        let watch = Stopwatch::start();
        let due: Vec<_> = work.state.due_schedules().take(100).collect();
        for of in &due {
            work.run(&Command::RunSchedule(RunSchedule {
                schedule: of.id,
                revision: of.revision,
                due_ms: of.next_ms,
                next: NextRun::At(work.state.now_ms() + 3_600_000),
                sends: vec![NewMessage { send: send.clone(), random: ran }],
            }));
        }
        spent_ns += watch.elapsed_ns();
        ran += due.len() as u64;
    }
    spent_ns / ran
}

fn delete(work: &mut Work, count: u64) -> u64 {
    let watch = Stopwatch::start();
    for number in 0..count {
        work.run(&Command::DeleteSchedule { schedule: address(number) });
    }
    watch.elapsed_ns() / count
}

/// What one record costs a replay, reading aside.
fn replay_ns(count: u64) -> u64 {
    let mut work = Work::logged();
    for number in 0..count {
        work.run(&create(&work, number));
    }
    let (state, took_ns) = work.replay();
    assert_eq!(state.schedule_count(), count);
    took_ns / count
}
