//! How many files the process may have open: connections and segment files share them.
//!
//! The log must never fail for want of a descriptor that a connection has, so connections get what is left when those are
//! set aside that it may have open at a time, however large it is. Systems give processes a low soft limit for the sake of old programs; a server
//! raises it.

/// The files that are neither connections nor segments: standard streams, the runtime's own, the lock.
const OWN_FILES: u64 = 64;
/// What the log may have open: 64 segments to read from, and those that are being written and made. It gets by with fewer,
/// so of a small number it gets no more than a quarter.
const LOG_FILES: u64 = 80;
/// What the limit is raised to where the system knows none.
#[cfg(unix)]
const ENOUGH: u64 = 1 << 20;

/// Raises the process's limit of open files as far as it may; how many it may then have open.
#[cfg(unix)]
pub(crate) fn raise() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(ENOUGH);
    let Some(current) = current.filter(|current| *current < wanted) else { return current.unwrap_or(ENOUGH) };
    match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::debug!(%error, "the limit of open files stays at {current}");
            current
        }
    }
}

/// Elsewhere there is no such limit to speak of.
#[cfg(not(unix))]
pub(crate) fn raise() -> u64 {
    u64::MAX
}

/// How many connections may be open at a time, when `wanted` are asked for and the process may open `files`.
pub(crate) fn connections(wanted: usize, files: u64) -> usize {
    let left = files.saturating_sub(LOG_FILES.min(files / 4) + OWN_FILES).max(1);
    let fitting = usize::try_from(left).map_or(wanted, |left| left.min(wanted));
    // A tenth of what was asked for, or less, is what somebody will wonder about.
    if fitting < wanted / 10 {
        tracing::warn!(
            "at most {fitting} connections at a time: the system lets this process open {files} files \
             (limits.connections is {wanted}; raise the limit with `ulimit -n`)"
        );
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_the_log_what_it_needs() {
        for (wanted, files, fitting) in [
            (16_384, 1_048_576, 16_384),
            (16_384, 10_000, 9_856),
            (16_384, 1_024, 880),
            (16_384, 200, 86),
            (100, 1_024, 100),
            (100, 10, 1),
            (100, u64::MAX, 100),
        ] {
            assert_eq!(connections(wanted, files), fitting, "{wanted} of {files}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn the_limit_is_raised_as_far_as_it_may_be() {
        use rustix::process::{Resource, getrlimit};
        let files = raise();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current.unwrap_or(ENOUGH), files);
        assert!(limit.maximum.is_none_or(|maximum| files >= maximum));
    }
}
