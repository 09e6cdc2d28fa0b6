//! Bytes per waiting message, and per idle queue.

use crate::process::resident_bytes;
use crate::work::{Work, grouped, plain, receiving};
use std::process::ExitCode;

pub(crate) const TITLE: &str = "memory                           count  bytes each (resident)  bytes each (own count)";
pub(crate) const CASES: &[&str] = &[
    "plain",
    "own-group",
    "own-group-later",
    "groups",
    "fair",
    "delayed",
    "in-flight",
    "queues",
    "emptied",
    "refilled",
    "thinned",
];

const MESSAGES: u64 = 1_000_000;
const QUEUES: u64 = 10_000;
const HOUR_MS: u64 = 3_600_000;

pub(crate) fn measure(case: &str) -> ExitCode {
    let mut work = Work::new();
    // What every process needs once is not counted.
    let first = work.create("first");
    work.send(&plain(&first, None));
    let (before, own_before) = (resident_bytes(), own_bytes(&work));
    let (what, count) = match case {
        "plain" => ("waiting in one queue", fill(&mut work, |_, queue| plain(queue, None), "jobs")),
        "own-group" => {
            let own = |n, queue: &_| grouped(queue, n, Some(n));
            ("FIFO, a group each, just sent", fill(&mut work, own, "jobs.fifo"))
        }
        "own-group-later" => {
            let own = |n, queue: &_| grouped(queue, n, Some(n));
            let count = fill(&mut work, own, "jobs.fifo");
            work.pass(301_000);
            ("the same, 5 minutes later", count)
        }
        "groups" => {
            let one = |n, queue: &_| grouped(queue, n % 1000, Some(n));
            ("FIFO, in 1,000 groups", fill(&mut work, one, "jobs.fifo"))
        }
        "fair" => ("standard, in 1,000 groups", fill(&mut work, |n, queue| grouped(queue, n % 1000, None), "jobs")),
        "delayed" => ("delayed by 15 minutes", fill(&mut work, |_, queue| plain(queue, Some(900_000)), "jobs")),
        "in-flight" => ("in flight", in_flight(&mut work)),
        "queues" => ("idle queues", idle_queues(&mut work)),
        "emptied" => ("sent, received, deleted", emptied(&mut work)),
        "refilled" => ("sent, deleted, sent again", refilled(&mut work)),
        "thinned" => ("of which one in 100 is left", thinned(&mut work)),
        _ => return ExitCode::FAILURE,
    };
    let each = |bytes: u64| bytes as f64 / count as f64;
    let resident = each(resident_bytes().saturating_sub(before));
    println!("{what:<30} {count:>9} {resident:>15.1} {:>23.1}", each(own_bytes(&work).saturating_sub(own_before)));
    ExitCode::SUCCESS
}

fn own_bytes(work: &Work) -> u64 {
    work.state.memory().total_bytes()
}

fn fill(
    work: &mut Work,
    command: impl Fn(u64, &afterward_names::QueueAddress) -> afterward_machine::Command,
    name: &str,
) -> u64 {
    let queue = work.create(name);
    for n in 0..MESSAGES {
        work.send(&command(n, &queue));
        if n % 100 == 0 {
            work.pass(1);
        }
    }
    MESSAGES
}

/// At most 120,000 may be in flight in one queue.
fn in_flight(work: &mut Work) -> u64 {
    for n in 0..10 {
        let queue = work.create(&format!("jobs-{n}"));
        for _ in 0..MESSAGES / 10 {
            work.send(&plain(&queue, None));
        }
        for n in 0..MESSAGES / 100 {
            work.receive(&receiving(&queue, 10, HOUR_MS));
            work.pass(n % 2);
        }
    }
    MESSAGES
}

fn idle_queues(work: &mut Work) -> u64 {
    for n in 0..QUEUES {
        work.create(&format!("service-{:03}-queue-{n}", n % 100));
    }
    QUEUES
}

fn emptied(work: &mut Work) -> u64 {
    let count = fill(work, |_, queue| plain(queue, None), "jobs");
    take(work, |_| true);
    count
}

/// The second million finds the memory of the first.
fn refilled(work: &mut Work) -> u64 {
    emptied(work);
    let queue = crate::work::address("jobs");
    for _ in 0..MESSAGES {
        work.send(&plain(&queue, None));
    }
    MESSAGES
}

/// All but one message in a hundred is deleted.
fn thinned(work: &mut Work) -> u64 {
    let count = fill(work, |_, queue| plain(queue, None), "jobs");
    take(work, |n| n % 100 != 0);
    count
}

fn take(work: &mut Work, is_deleted: impl Fn(u64) -> bool) {
    let queue = crate::work::address("jobs");
    let receive = receiving(&queue, 10, 12 * HOUR_MS);
    let mut n = 0;
    loop {
        let deliveries = work.receive(&receive);
        if deliveries.is_empty() {
            return;
        }
        for delivery in deliveries {
            if is_deleted(n) {
                work.delete(&queue, delivery.lease);
            }
            n += 1;
        }
    }
}
