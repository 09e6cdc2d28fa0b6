//! Processor time per send, receive and delete, at several depths and with much of everything.

use crate::process::Stopwatch;
use crate::work::{Work, grouped, plain, receiving};
use afterward_machine::{Command, LeaseRef};
use afterward_names::QueueAddress;
use std::process::ExitCode;

pub(crate) const TITLE: &str = "decide and apply, ns a message              send  receive 1  receive 10  delete";
pub(crate) const CASES: &[&str] = &[
    "10",
    "1000000",
    "10000000",
    "fifo-10",
    "fifo-groups-100000",
    "fair-groups-100000",
    "in-flight-100000",
    "delayed-100000",
    "mixed-delays-1000000",
    "queues-10000",
    "restart-1000000",
];

const ROUNDS: u64 = 40;
/// Messages of a round.
const BURST: u64 = 5000;

/// What stands in the queue before, and what is sent while it is measured.
struct Case {
    work: Work,
    queue: QueueAddress,
    send: Box<dyn Fn(u64) -> Command>,
}

pub(crate) fn measure(name: &str) -> ExitCode {
    if name == "restart-1000000" {
        println!("{name:<40} {:>7} to apply what was sent", restart_ns(1_000_000));
        return ExitCode::SUCCESS;
    }
    let Some(mut case) = prepare(name) else { return ExitCode::FAILURE };
    let mut spent = Spent::default();
    for round in 0..ROUNDS {
        case.round(round, &mut spent);
    }
    let each = |ns: u64, share: u64| ns / (ROUNDS * BURST / share);
    println!(
        "{name:<40} {:>7} {:>10} {:>11} {:>7}",
        each(spent.send_ns, 1),
        each(spent.receive_one_ns, 2),
        each(spent.receive_ten_ns, 2),
        each(spent.delete_ns, 1)
    );
    ExitCode::SUCCESS
}

#[derive(Default)]
struct Spent {
    send_ns: u64,
    receive_one_ns: u64,
    receive_ten_ns: u64,
    delete_ns: u64,
}

impl Case {
    /// Sends a burst, receives as many, half of them one by one, and deletes those.
    fn round(&mut self, round: u64, spent: &mut Spent) {
        let sends: Vec<Command> = (0..BURST).map(|n| (self.send)(round * BURST + n)).collect();
        let watch = Stopwatch::start();
        for send in &sends {
            self.work.send(send);
        }
        spent.send_ns += watch.elapsed_ns();
        self.work.pass(3);
        let mut leases = Vec::with_capacity(BURST as usize);
        spent.receive_one_ns += self.receive(1, &mut leases);
        spent.receive_ten_ns += self.receive(10, &mut leases);
        assert_eq!(leases.len() as u64, BURST);
        self.work.pass(3);
        let watch = Stopwatch::start();
        for lease in leases {
            self.work.delete(&self.queue, lease);
        }
        spent.delete_ns += watch.elapsed_ns();
    }

    fn receive(&mut self, max: usize, leases: &mut Vec<LeaseRef>) -> u64 {
        let receive = receiving(&self.queue, max, 30_000);
        let watch = Stopwatch::start();
        for _ in 0..BURST / 2 / max as u64 {
            leases.extend(self.work.receive(&receive).iter().map(|delivery| delivery.lease));
        }
        watch.elapsed_ns()
    }
}

fn prepare(name: &str) -> Option<Case> {
    let mut work = Work::new();
    let fifo = name.starts_with("fifo");
    let queue = work.create(if fifo { "jobs.fifo" } else { "jobs" });
    let to = queue.clone();
    let send: Box<dyn Fn(u64) -> Command> = match name {
        "fifo-10" => Box::new(move |n| grouped(&to, n, Some(n))),
        "fifo-groups-100000" => Box::new(move |n| grouped(&to, n, Some(n))),
        "fair-groups-100000" => Box::new(move |n| grouped(&to, n, None)),
        _ => Box::new(move |_| plain(&to, None)),
    };
    let later = 1 << 40;
    match name {
        "10" | "1000000" | "10000000" => fill(&mut work, name.parse().ok()?, |_| plain(&queue, None)),
        "fifo-10" => fill(&mut work, 10, |n| grouped(&queue, later + n, Some(later + n))),
        "fifo-groups-100000" => fill(&mut work, 100_000, |n| grouped(&queue, later + n, Some(later + n))),
        "fair-groups-100000" => fill(&mut work, 100_000, |n| grouped(&queue, later + n, None)),
        "in-flight-100000" => {
            fill(&mut work, 100_000, |_| plain(&queue, None));
            for _ in 0..10_000 {
                work.receive(&receiving(&queue, 10, 3_600_000));
            }
        }
        "delayed-100000" => fill(&mut work, 100_000, |_| plain(&queue, Some(900_000))),
        "mixed-delays-1000000" => fill(&mut work, 1_000_000, |n| plain(&queue, Some(100_000 + n * 7919 % 800_000))),
        "queues-10000" => {
            for n in 0..10_000 {
                let queue = work.create(&format!("service-{:03}-queue-{n}", n % 100));
                work.send(&plain(&queue, None));
            }
        }
        _ => return None,
    }
    Some(Case { work, queue, send })
}

/// What a message costs a replay, reading aside.
fn restart_ns(count: u64) -> u64 {
    let mut work = Work::logged();
    let queue = work.create("jobs");
    fill(&mut work, count, |_| plain(&queue, None));
    let (state, took_ns) = work.replay();
    assert_eq!(state.message_count(), count);
    took_ns / count
}

fn fill(work: &mut Work, count: u64, command: impl Fn(u64) -> Command) {
    for n in 0..count {
        work.send(&command(n));
        if n % 200 == 0 {
            work.pass(1);
        }
    }
}
