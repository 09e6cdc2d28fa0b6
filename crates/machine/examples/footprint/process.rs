//! What the system knows of this process, where it is Linux.

use std::time::Instant;

/// The resident set, in bytes; 0 where it can't be known.
pub(crate) fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// A stopwatch that counts the processor time of this thread, or, where that can't be known, time.
pub(crate) struct Stopwatch {
    started: Instant,
    cpu_ns: Option<u64>,
}

impl Stopwatch {
    pub(crate) fn start() -> Stopwatch {
        Stopwatch { started: Instant::now(), cpu_ns: cpu_ns() }
    }

    pub(crate) fn elapsed_ns(&self) -> u64 {
        match (self.cpu_ns, cpu_ns()) {
            (Some(from), Some(to)) => to - from,
            _ => self.started.elapsed().as_nanos() as u64,
        }
    }
}

fn cpu_ns() -> Option<u64> {
    // What has been spent since the last tick is added to the account when the thread yields.
    std::thread::yield_now();
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_whitespace().next()?.parse().ok()
}
