//! Processor time per message of a FIFO queue, by how much waits in it and in how many groups.
//!
//! A round is what `cargo xtask bench depth-groups` does, without a server: a burst is sent, and as many are received, each
//! deleted before the next is asked for. What is asked is what the state's own memory costs when it no longer fits the
//! processor's caches; bodies are not in it.

use crate::process::Stopwatch;
use crate::work::{Work, grouped, receiving};
use afterward_machine::Command;
use std::process::ExitCode;

pub(crate) const TITLE: &str = "FIFO, ns a message: waiting, groups         send   receive + delete";
pub(crate) const CASES: &[&str] = &[
    "10-in-10",
    "20000-in-20000",
    "1000000-in-10",
    "1000000-in-1000",
    "1000000-in-100000",
    "1000000-in-100000-scattered",
    "10000000-in-100000",
    "10000000-in-100000-scattered",
];

const ROUNDS: u64 = 20;
/// Messages of a round.
const BURST: u64 = 5000;

pub(crate) fn measure(case: &str) -> ExitCode {
    let mut words = case.split('-');
    let (Some(Ok(waiting)), Some("in"), Some(Ok(groups))) =
        (words.next().map(str::parse::<u64>), words.next(), words.next().map(str::parse::<u64>))
    else {
        return ExitCode::FAILURE;
    };
    let mut work = Work::new();
    let queue = work.create("jobs.fifo");
    let scattered = words.next().is_some();
    // In turns, as the benchmark has them, or in no order.
    let group = |n: u64| if scattered { n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20 } else { n } % groups;
    for n in 0..waiting {
        work.send(&grouped(&queue, group(n), Some(n)));
        if n % 200 == 0 {
            work.pass(1);
        }
    }
    let receive = receiving(&queue, 1, 30_000);
    let (mut send_ns, mut take_ns) = (0, 0);
    for round in 0..ROUNDS {
        let sends = (0..BURST).map(|n| waiting + round * BURST + n);
        let sends: Vec<Command> = sends.map(|n| grouped(&queue, group(n), Some(n))).collect();
        let watch = Stopwatch::start();
        sends.iter().for_each(|send| work.send(send));
        send_ns += watch.elapsed_ns();
        work.pass(3);
        let watch = Stopwatch::start();
        for _ in 0..BURST {
            let Some(delivery) = work.receive(&receive).pop() else { return ExitCode::FAILURE };
            work.delete(&queue, delivery.lease);
        }
        take_ns += watch.elapsed_ns();
    }
    let each = |ns: u64| ns / (ROUNDS * BURST);
    println!("{case:<40} {:>7} {:>18}", each(send_ns), each(take_ns));
    ExitCode::SUCCESS
}
