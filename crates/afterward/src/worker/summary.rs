//! How the attempts of a worker ended.

/// How the attempts of a worker ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Handled and deleted.
    pub succeeded: u64,
    /// Handled, but not deleted in time: they may come again.
    pub undeleted: u64,
    /// Left for another attempt, because the handler failed or there was none.
    pub failed: u64,
    /// Moved to the dead-letter queue.
    pub dead_lettered: u64,
    /// Deleted without having been handled, as their policy says.
    pub dropped: u64,
    /// Given back unfinished, or not begun.
    pub handed_back: u64,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Handled and deleted.
    Succeeded,
    /// Handled, but perhaps not deleted: it may come again.
    Undeleted,
    /// The handler failed.
    Failed,
    DeadLettered,
    Dropped,
    /// Not handled to its end: given back for others.
    HandedBack,
}

impl Ended {
    /// Whether the message is out of the queue.
    pub(super) fn is_gone(self) -> bool {
        matches!(self, Ended::Succeeded | Ended::DeadLettered | Ended::Dropped)
    }
}

impl Summary {
    /// `None`: the attempt itself broke off, and its message comes again.
    pub(super) fn count(&mut self, ended: Option<Ended>) {
        let counter = match ended {
            Some(Ended::Succeeded) => &mut self.succeeded,
            Some(Ended::Undeleted) => &mut self.undeleted,
            Some(Ended::Failed) | None => &mut self.failed,
            Some(Ended::DeadLettered) => &mut self.dead_lettered,
            Some(Ended::Dropped) => &mut self.dropped,
            Some(Ended::HandedBack) => &mut self.handed_back,
        };
        *counter += 1;
    }

    pub(super) fn add(&mut self, other: Summary) {
        self.succeeded += other.succeeded;
        self.undeleted += other.undeleted;
        self.failed += other.failed;
        self.dead_lettered += other.dead_lettered;
        self.dropped += other.dropped;
        self.handed_back += other.handed_back;
    }
}
