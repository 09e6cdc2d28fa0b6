//! The machine that a table was made on, in one line: without it no absolute figure means anything.

use crate::{
    host::DataFolder,
    meter,
    spread::{Spread, figure},
    trouble::Trouble,
};
use std::{
    fmt, fs,
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::Path,
    time::{Duration, Instant},
};

/// What is measured on.
#[derive(Debug, Clone)]
pub struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    filesystem: String,
    /// Flushes a second of a rewritten page in a file that was filled with zeros before.
    rewrites_per_s: Spread,
    /// Flushes a second of a page that makes the file longer.
    appends_per_s: Spread,
    /// Whether the kernel counts the flushes of this disk, so that a server can be held to them.
    pub counts_flushes: bool,
}

const PAGE: usize = 4096;
/// The file that is rewritten, in pages.
const PAGES: u64 = 4096;

impl Machine {
    /// Looks at the machine, and flushes pages in a file in `work` for `rounds` times `time` each way, in turns.
    ///
    /// # Errors
    /// When no file can be written there.
    pub fn look(work: &Path, rounds: usize, time: Duration) -> Result<Machine, Trouble> {
        let folder = DataFolder::new(work)?;
        let failed = || Trouble::because(format!("{} can't be written", folder.path().display()));
        let mut zeros = File::create(folder.path().join("zeros")).map_err(failed())?;
        for _ in 0..PAGES {
            zeros.write_all(&[0; PAGE]).map_err(failed())?;
        }
        zeros.sync_all().map_err(failed())?;
        let mut growing = File::create(folder.path().join("growing")).map_err(failed())?;
        let (mut rewrites, mut appends) = (Vec::new(), Vec::new());
        let before = meter::disk_flushes();
        for _ in 0..rounds {
            rewrites.push(flushes_per_s(&mut zeros, time, Some(PAGES)).map_err(failed())?);
            appends.push(flushes_per_s(&mut growing, time, None).map_err(failed())?);
        }
        let cpu = line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
        Ok(Machine {
            cpu,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: kernel(),
            filesystem: filesystem_of(folder.path()).unwrap_or_else(|| "unknown filesystem".into()),
            rewrites_per_s: Spread::of(rewrites),
            appends_per_s: Spread::of(appends),
            counts_flushes: meter::disk_flushes() > before,
        })
    }
}

/// How often a second a page can be written and flushed. Within `pages` it goes round and round.
fn flushes_per_s(file: &mut File, time: Duration, pages: Option<u64>) -> std::io::Result<f64> {
    let began = Instant::now();
    let mut flushes = 0_u64;
    while began.elapsed() < time {
        if let Some(pages) = pages {
            file.seek(SeekFrom::Start(flushes % pages * PAGE as u64))?;
        }
        file.write_all(&[flushes as u8 | 1; PAGE])?;
        file.sync_data()?;
        flushes += 1;
    }
    Ok(flushes as f64 / began.elapsed().as_secs_f64())
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
        let Machine { cpu, cores, kernel, filesystem, rewrites_per_s, appends_per_s, counts_flushes } = self;
        write!(
            f,
            "{cpu}, {cores} cores, shared with the generator; {kernel}; {filesystem}. `fdatasync` of a page rewritten in \
             a zero-filled file: {rewrites_per_s} a second; of a page appended: {} a second.",
            figure(appends_per_s.median)
        )?;
        if !counts_flushes {
            f.write_str(" The kernel does not count this disk's flushes: servers were not held to them.")?;
        }
        Ok(())
    }
}
