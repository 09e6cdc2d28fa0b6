//! What the process takes.

/// Resident memory in bytes, where the system tells it in `/proc`.
pub(super) fn resident_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn a_process_has_at_least_a_hundred_kilobytes() {
        assert!(super::resident_memory_bytes().unwrap() > 100_000);
    }
}
