//! The machine that a table was made on, in one line: without it no absolute figure means anything.

use crate::{
    flush::{Flusher, Way},
    meter,
    spread::{Spread, figure},
    trouble::Trouble,
};
use std::{fmt, fs, path::Path, time::Duration};

/// What is measured on.
#[derive(Debug, Clone)]
pub struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    filesystem: String,
    /// Flushes a second of a page past the cache, in a file that was filled with zeros before; `None` if there is no such
    /// way here.
    direct_per_s: Option<Spread>,
    /// Flushes a second of a rewritten page in such a file.
    rewrites_per_s: Spread,
    /// Flushes a second of a page that makes the file longer.
    appends_per_s: Spread,
    /// Whether the kernel counts the flushes of this disk, so that a server can be held to them.
    pub counts_flushes: bool,
}

impl Machine {
    /// Looks at the machine, and flushes pages of files in `work` for `rounds` times `time` each way, in turns.
    ///
    /// # Errors
    /// When no file can be written there.
    pub fn look(work: &Path, rounds: usize, time: Duration) -> Result<Machine, Trouble> {
        const WAYS: [Way; 3] = [Way::Direct, Way::Rewrite, Way::Append];
        let mut flushers = Vec::new();
        for way in WAYS {
            flushers.push((Flusher::new(work, way)?, Vec::new()));
        }
        let before = meter::disk_flushes();
        for _ in 0..rounds {
            for (flusher, rates) in &mut flushers {
                if let Some(flusher) = flusher {
                    rates.push(flusher.per_s(time)?);
                }
            }
        }
        let counts_flushes = meter::disk_flushes() > before;
        let spread = |at: usize| Spread::of(flushers[at].1.iter().copied());
        let cpu = line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
        Ok(Machine {
            cpu,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: kernel(),
            filesystem: filesystem_of(work).unwrap_or_else(|| "unknown filesystem".into()),
            direct_per_s: flushers[0].0.is_some().then(|| spread(0)),
            rewrites_per_s: spread(1),
            appends_per_s: spread(2),
            counts_flushes,
        })
    }
}

fn line_of(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let system = if cfg!(target_os = "linux") { "Linux" } else { std::env::consts::OS };
    format!("{system} {}", release.trim()).trim().to_owned()
}

/// The type of the filesystem that holds `path`: of the longest mount point that it begins with.
fn filesystem_of(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?.to_owned(), fields.next()?.to_owned()))
    });
    let holding = mounts.filter(|(mount, _)| path.starts_with(mount));
    holding.max_by_key(|(mount, _)| mount.len()).map(|(_, kind)| kind)
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { cpu, cores, kernel, filesystem, direct_per_s, rewrites_per_s, appends_per_s, counts_flushes } =
            self;
        write!(
            f,
            "{cpu}, {cores} cores, shared with the generator; {kernel}; {filesystem}. A page of 4 KiB is flushed into a \
             zero-filled file {rewrites_per_s} times a second by `fdatasync`, "
        )?;
        match direct_per_s {
            Some(direct_per_s) => write!(f, "{direct_per_s} times past the cache, as the server does it; ")?,
            None => f.write_str("and not past the cache, which this filesystem has no way for; ")?,
        }
        write!(f, "a page appended {} times.", figure(appends_per_s.median))?;
        if !counts_flushes {
            f.write_str(" The kernel does not count this disk's flushes: servers were not held to them.")?;
        }
        Ok(())
    }
}
