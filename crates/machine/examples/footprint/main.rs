//! What the state costs: bytes per waiting message and per schedule, and processor time per send, receive and delete.
//!
//! ```text
//! cargo run --release -p afterward-machine --example footprint                  everything, each in a process of its own
//! cargo run --release -p afterward-machine --example footprint memory           the memory alone
//! cargo run --release -p afterward-machine --example footprint speed            the times alone
//! cargo run --release -p afterward-machine --example footprint schedules        what a million schedules cost
//! cargo run --release -p afterward-machine --example footprint memory plain     one case
//! ```
//!
//! Memory is the growth of the process (resident set) and what the state itself says; times are the processor time of
//! the thread where the system tells it, so that a busy machine spoils them less.
#![allow(clippy::print_stdout, reason = "a measurement prints its figures")]

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
        [] => all(&["memory", "speed", "schedules"]),
        [kind @ ("memory" | "speed" | "schedules")] => all(&[kind]),
        ["memory", case] => memory::measure(case),
        ["speed", case] => speed::measure(case),
        ["schedules", case] => schedules::measure(case),
        _ => {
            let cases = [memory::CASES, speed::CASES, schedules::CASES].map(|cases| cases.join("|"));
            println!("usage: footprint [memory [{}] | speed [{}] | schedules [{}]]", cases[0], cases[1], cases[2]);
            ExitCode::FAILURE
        }
    }
}

/// Every case in a process of its own, so that none finds memory that another one left.
fn all(kinds: &[&str]) -> ExitCode {
    for kind in kinds {
        let (title, cases) = match *kind {
            "memory" => (memory::TITLE, memory::CASES),
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
