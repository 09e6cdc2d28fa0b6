//! What a connection is doing, and since when.

use std::{
    sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

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

impl Patience {
    /// How often to look.
    pub(super) fn interval(&self) -> Duration {
        let shortest = self.idle.min(self.head).min(self.body);
        (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1))
    }
}
