//! What the state costs: bytes per waiting message and per schedule, and processor time per send, receive and delete.
//!
//! ```text
//! cargo run --release -p afterward-machine --example footprint                  everything, each in a process of its own
//! cargo run --release -p afterward-machine --example footprint memory           the memory alone
//! cargo run --release -p afterward-machine --example footprint speed            the times alone
//! cargo run --release -p afterward-machine --example footprint depth            receives from deep queues of many groups
//! cargo run --release -p afterward-machine --example footprint schedules        what a million schedules cost
//! cargo run --release -p afterward-machine --example footprint memory plain     one case
//! ```
//!
//! Memory is the growth of the process (resident set) and what the state itself says; times are the processor time of
//! the thread where the system tells it, so that a busy machine spoils them less.
#![allow(clippy::print_stdout, reason = "a measurement prints its figures")]

mod depth;
mod memory;
mod process;
mod schedules;
mod speed;
mod work;

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => all(&["memory", "speed", "depth", "schedules"]),
        [kind @ ("memory" | "speed" | "depth" | "schedules")] => all(&[kind]),
        ["memory", case] => memory::measure(case),
        ["speed", case] => speed::measure(case),
        ["depth", case] => depth::measure(case),
        ["schedules", case] => schedules::measure(case),
        _ => {
            let cases = [memory::CASES, speed::CASES, depth::CASES, schedules::CASES].map(|cases| cases.join("|"));
            println!(
                "usage: footprint [memory [{}] | speed [{}] | depth [{}] | schedules [{}]]",
                cases[0], cases[1], cases[2], cases[3]
            );
            ExitCode::FAILURE
        }
    }
}

/// Every case in a process of its own, so that none finds memory that another one left.
fn all(kinds: &[&str]) -> ExitCode {
    for kind in kinds {
        let (title, cases) = match *kind {
            "memory" => (memory::TITLE, memory::CASES),
            "depth" => (depth::TITLE, depth::CASES),
            "schedules" => (schedules::TITLE, schedules::CASES),
            _ => (speed::TITLE, speed::CASES),
        };
        println!("{title}");
        for case in cases {
            let ran = std::env::current_exe().and_then(|own| Command::new(own).args([kind, case]).status());
            if !ran.is_ok_and(|status| status.success()) {
                println!("{case} failed");
                return ExitCode::FAILURE;
            }
        }
        println!();
    }
    ExitCode::SUCCESS
}
