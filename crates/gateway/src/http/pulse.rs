//! What a connection is doing, and since when.

use std::{
    sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// How much of a reply is to go out in the time that there is for one: who takes less is slow.
const LEAST_BYTES: u64 = 1 << 20;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Between requests: not a byte of the next one has come.
    Idle = 0,
    /// The head of a request is coming in.
    Head = 1,
    /// The body of a request is coming in.
    Body = 2,
    /// The request is being answered. Long polls stay here.
    Working = 3,
    /// The reply is going out.
    Writing = 4,
}

/// A connection's phase and when it began, shared with the one who watches over all connections. Two relaxed stores
/// per phase are all that a request pays for its time limits: no timer is set or cleared for it.
#[derive(Debug)]
pub(super) struct Pulse {
    began: Instant,
    phase: AtomicU8,
    since_ms: AtomicU64,
}

/// How long each phase may last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) idle: Duration,
    pub(super) head: Duration,
    /// For a body to come in, and for the client to take more of a reply.
    pub(super) body: Duration,
}

impl Pulse {
    pub(super) fn new() -> Pulse {
        Pulse { began: Instant::now(), phase: AtomicU8::new(Phase::Idle as u8), since_ms: AtomicU64::new(0) }
    }

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Relaxed) {
            0 => Phase::Idle,
            1 => Phase::Head,
            2 => Phase::Body,
            3 => Phase::Working,
            _ => Phase::Writing,
        }
    }

    /// A phase begins, or, said of the same phase again, has got on.
    pub(super) fn enter(&self, phase: Phase) {
        self.since_ms.store(self.now_ms(), Relaxed);
        self.phase.store(phase as u8, Relaxed);
    }

    /// So much more of a reply has gone out, in the phase [`Phase::Writing`].
    pub(super) fn wrote(&self, bytes: usize, patience: Duration) {
        // Nobody else stores while a reply goes out.
        let since_ms = later(self.since_ms.load(Relaxed), self.now_ms(), bytes as u64, patience.as_millis() as u64);
        self.since_ms.store(since_ms, Relaxed);
    }

    /// Whether no request has begun: nothing of one has come, or so little for so long that nobody can count on it.
    pub(super) fn is_between_requests(&self) -> bool {
        match self.phase() {
            Phase::Idle => true,
            Phase::Head => self.now_ms().saturating_sub(self.since_ms.load(Relaxed)) > 500,
            Phase::Body | Phase::Working | Phase::Writing => false,
        }
    }

    /// Whether the phase has lasted longer than it may.
    pub(super) fn is_overdue(&self, patience: &Patience) -> bool {
        let limit = match self.phase() {
            Phase::Idle => patience.idle,
            Phase::Head => patience.head,
            Phase::Body | Phase::Writing => patience.body,
            Phase::Working => return false,
        };
        self.now_ms().saturating_sub(self.since_ms.load(Relaxed)) > limit.as_millis() as u64
    }
}

/// The moment that a reply's time counts from, once so much more of it has gone out: later by as much as that is of
/// [`LEAST_BYTES`], so that a client who keeps this pace has time left in whatever lumps the system takes it; and at most
/// a whole patience ahead, so that one who took much at first is not waited for in proportion.
fn later(since_ms: u64, now_ms: u64, bytes: u64, patience_ms: u64) -> u64 {
    (since_ms + bytes * patience_ms / LEAST_BYTES).min(now_ms + patience_ms)
}

impl Patience {
    /// How often to look.
    pub(super) fn interval(&self) -> Duration {
        let shortest = self.idle.min(self.head).min(self.body);
        (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE_MS: u64 = 2000;
    const LONG_MS: u64 = 600_000;

    /// When a reply is overdue of which `lump` bytes go out at a time, `bytes_per_s` on the whole, after `at_once`.
    fn overdue_ms(at_once: u64, lump: u64, bytes_per_s: u64) -> Option<u64> {
        let (mut since_ms, mut taken, mut out) = (later(0, 0, at_once, PATIENCE_MS), 0, 0);
        (1..=LONG_MS).find(|&now_ms| {
            taken += bytes_per_s;
            while (taken / 1000).saturating_sub(out) >= lump {
                out += lump;
                since_ms = later(since_ms, now_ms, lump, PATIENCE_MS);
            }
            now_ms.saturating_sub(since_ms) > PATIENCE_MS
        })
    }

    #[test]
    fn a_reply_is_overdue_by_the_pace_of_its_client_and_not_by_how_the_system_cuts_it() {
        const MIB: u64 = LEAST_BYTES;
        for (what, at_once, lump, bytes_per_s, expected_ms) in [
            ("takes nothing", 0, MIB, 0, Some(2001)),
            ("byte by byte", 0, 1, 10, Some(2001)),
            ("half of what is due", 0, MIB / 16, MIB / 4, Some(3876)),
            ("what is due", 0, MIB / 16, MIB / 2, None),
            ("hardly more, in lumps that are hardly a mebibyte", 0, MIB - 1, MIB * 51 / 100, None),
            ("twice as much, in lumps of more than one", 0, 2 * MIB - 1, MIB, None),
            ("in lumps, after many at once", 4 * MIB, 4 * MIB / 3, MIB, None),
            ("nothing more than a bit", MIB / 16, MIB, 0, Some(2126)),
            ("nothing more than eight mebibytes at once", 8 * MIB, MIB, 0, Some(4001)),
        ] {
            assert_eq!(overdue_ms(at_once, lump, bytes_per_s), expected_ms, "{what}");
        }
    }

    #[test]
    fn the_next_phase_has_its_time_from_its_beginning() {
        let patience = Duration::from_secs(2);
        let pulse = Pulse::new();
        pulse.enter(Phase::Writing);
        pulse.wrote(16 << 20, patience);
        assert!(pulse.since_ms.load(Relaxed) >= 2000);
        pulse.enter(Phase::Idle);
        assert!(pulse.since_ms.load(Relaxed) < 2000);
    }
}
