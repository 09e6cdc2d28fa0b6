//! What `/proc` says of processes, the machine and its disks. Linux only: elsewhere everything reads as 0.
//!
//! CPU time per operation is the figure that a busy machine spoils least; `other_cores` says how busy it was.

use std::{collections::BTreeMap, fs, path::Path, time::Instant};

/// A process's CPU time, its descendants' included, in seconds.
pub fn cpu_s(pid: u32) -> f64 {
    tree(pid).iter().filter_map(|pid| stat(*pid)).map(|stat| stat.cpu_s).sum()
}

/// The CPU time of this thread, in nanoseconds.
pub fn thread_cpu_ns() -> u64 {
    // What has been spent since the last tick is added to the account when the thread yields.
    std::thread::yield_now();
    run_ns(Path::new("/proc/thread-self")).unwrap_or(0)
}

/// The CPU time of each of a process's threads, in nanoseconds: of one that is waiting, to the last.
fn threads_ns(pid: u32) -> BTreeMap<u32, u64> {
    let listed = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    listed.filter_map(|task| Some((task.file_name().to_str()?.parse().ok()?, run_ns(&task.path())?))).collect()
}

fn run_ns(task: &Path) -> Option<u64> {
    fs::read_to_string(task.join("schedstat")).ok()?.split_whitespace().next()?.parse().ok()
}

/// What a process, its descendants included, holds in memory, in bytes.
pub fn rss_bytes(pid: u32) -> u64 {
    let of = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    };
    tree(pid).iter().filter_map(of).sum::<u64>() * 1024
}

struct Stat {
    parent: u32,
    cpu_s: f64,
}

fn ticks_per_s() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

fn stat(pid: u32) -> Option<Stat> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    let fields: Vec<&str> = line.rsplit_once(") ")?.1.split(' ').collect();
    let ticks: f64 = fields.get(11..15)?.iter().filter_map(|field| field.parse::<f64>().ok()).sum();
    Some(Stat { parent: fields.get(1)?.parse().ok()?, cpu_s: ticks / ticks_per_s() })
}

/// A process and its descendants.
fn tree(root: u32) -> Vec<u32> {
    let listed = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = listed.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parents: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, stat(pid)?.parent))).collect();
    let mut found = vec![root];
    let mut at = 0;
    while at < found.len() {
        let children = parents.iter().filter(|(pid, parent)| *parent == found[at] && !found.contains(pid));
        let children: Vec<u32> = children.map(|(pid, _)| *pid).collect();
        found.extend(children);
        at += 1;
    }
    found
}

/// Seconds that all cores together have been busy since the machine started.
fn machine_busy_s() -> f64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = first.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    // user, nice, system, (idle, waiting for disks), interrupts, soft interrupts, stolen
    [0, 1, 2, 5, 6, 7].iter().filter_map(|at| ticks.get(*at)).sum::<f64>() / ticks_per_s()
}

/// Flushes that the machine's disks have completed, as far as the kernel counts them.
pub fn disk_flushes() -> u64 {
    let text = fs::read_to_string("/proc/diskstats").unwrap_or_default();
    let flushes = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // A partition's flushes are counted with its disk.
        let whole = Path::new("/sys/block").join(fields.get(2)?).exists();
        fields.get(18).filter(|_| whole)?.parse::<u64>().ok()
    };
    text.lines().filter_map(flushes).sum()
}

/// What was spent between two moments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    /// Time on the wall, in seconds.
    pub wall_s: f64,
    /// The server's CPU time, in seconds; `None` if its process is not known.
    pub server_cpu_s: Option<f64>,
    /// The same, but not in ticks of a hundredth of a second: for what takes no longer than a few of them. What a thread
    /// spent that has ended meanwhile, or a descendant, is not in it.
    pub server_threads_s: Option<f64>,
    /// The generator's CPU time, in seconds.
    pub generator_cpu_s: f64,
    /// The CPU time of the worker at the server, in seconds, where there is one.
    pub worker_cpu_s: f64,
    /// How many cores everybody else kept busy.
    pub other_cores: f64,
    /// Flushes that the disks completed.
    pub flushes: u64,
}

/// Begun at one moment, read at a later one.
#[derive(Debug)]
pub struct Meter {
    server: Option<u32>,
    worker: Option<u32>,
    began: Instant,
    server_cpu_s: f64,
    server_threads_ns: BTreeMap<u32, u64>,
    worker_cpu_s: f64,
    generator_cpu_s: f64,
    busy_s: f64,
    flushes: u64,
}

impl Meter {
    /// Begins now.
    pub fn start(server: Option<u32>) -> Meter {
        Meter::start_with_worker(server, None)
    }

    /// The same where a worker of the server is measured, too.
    pub fn start_with_worker(server: Option<u32>, worker: Option<u32>) -> Meter {
        Meter {
            server,
            worker,
            began: Instant::now(),
            server_cpu_s: server.map_or(0.0, cpu_s),
            server_threads_ns: server.map(threads_ns).unwrap_or_default(),
            worker_cpu_s: worker.map_or(0.0, cpu_s),
            generator_cpu_s: stat(std::process::id()).map_or(0.0, |stat| stat.cpu_s),
            busy_s: machine_busy_s(),
            flushes: disk_flushes(),
        }
    }

    /// What was spent since.
    pub fn read(&self) -> Spent {
        let now = Meter::start_with_worker(self.server, self.worker);
        let wall_s = self.began.elapsed().as_secs_f64();
        let server_cpu_s = now.server_cpu_s - self.server_cpu_s;
        let generator_cpu_s = now.generator_cpu_s - self.generator_cpu_s;
        let worker_cpu_s = now.worker_cpu_s - self.worker_cpu_s;
        let began_ns = |thread: &u32| self.server_threads_ns.get(thread).copied().unwrap_or(0);
        let threads_ns: u64 =
            now.server_threads_ns.iter().map(|(thread, ns)| ns.saturating_sub(began_ns(thread))).sum();
        let others_s = now.busy_s - self.busy_s - server_cpu_s - generator_cpu_s - worker_cpu_s;
        Spent {
            wall_s,
            server_cpu_s: self.server.map(|_| server_cpu_s),
            server_threads_s: self.server.map(|_| threads_ns as f64 / 1e9),
            generator_cpu_s,
            worker_cpu_s,
            other_cores: (others_s / wall_s).max(0.0),
            flushes: now.flushes - self.flushes,
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_computes_is_seen_to() {
        let me = std::process::id();
        let meter = Meter::start(Some(me));
        let began_ns = thread_cpu_ns();
        let mut sum = 0_u64;
        while cpu_s(me) - meter.server_cpu_s < 0.05 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let own_s = (thread_cpu_ns() - began_ns) as f64 / 1e9;
        let spent = meter.read();
        assert!(spent.server_cpu_s.unwrap() >= 0.05 && spent.wall_s > 0.0);
        // Other tests' threads may have spent the most of it.
        assert!(own_s > 0.0 && spent.server_threads_s.unwrap() >= own_s);
        assert!(rss_bytes(me) > 100_000);
    }
}
