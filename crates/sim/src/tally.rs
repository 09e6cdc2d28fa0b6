//! How much of what a run did.

use std::fmt;

macro_rules! tally {
    ($($(#[doc = $doc:literal])+ $field:ident,)*) => {
        /// How much of what a run did.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Tally {
            $($(#[doc = $doc])+ pub $field: u64,)*
        }

        impl Tally {
            /// Both together.
            #[must_use]
            pub fn plus(self, other: Tally) -> Tally {
                Tally { $($field: self.$field + other.$field,)* }
            }
        }

        impl fmt::Display for Tally {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(writeln!(f, "{:>12} {}", self.$field, stringify!($field).replace('_', " "))?;)*
                Ok(())
            }
        }
    };
}

tally! {
    /// Steps of the simulation.
    steps,
    /// Calls of clients.
    calls,
    /// Messages that consumers got.
    deliveries,
    /// Of them, those that a repeated receive attempt got again.
    deliveries_again,
    /// Of them, those of messages that a batch had held.
    held_for_batches,
    /// Calls that were told that nobody knows.
    unavailable,
    /// Appends that failed.
    failed_appends,
    /// Times that the disk was full for a while.
    full_disks,
    /// Times that the owner was killed while its log was one in memory, as of a service elsewhere.
    kills_over_memory,
    /// Times that it was killed while its log was files.
    kills_over_files,
    /// Times that the power was cut over files.
    power_cuts,
    /// Of kills and power cuts over files, those where frames went past the page cache.
    ends_past_the_cache,
    /// Of them all, those after which the last batch was found incomplete.
    torn_batches,
    /// Times that an owner was paused and another took over.
    pauses,
    /// Owners that found out that they had lost their log.
    fenced_owners,
    /// Calls that such owners had taken meanwhile.
    calls_in_vain,
    /// Times that the clock was set back.
    clocks_set_back,
    /// Times that it leapt ahead.
    clocks_set_forward,
    /// Consumers that went away while their receive waited.
    waits_left,
    /// Queues that were deleted.
    queues_deleted,
    /// Queues whose attributes were changed.
    queues_set,
    /// Messages that their holders gave up for good.
    dead_lettered,
    /// Times that a holder said how far it is.
    reports,
    /// Times that a holder handed a message back that it had not begun.
    handed_back,
    /// Times that a message was given back of which nobody has seen anything.
    taken_back,
    /// Of them, those that were done though the lease was over.
    taken_back_late,
    /// Times that progress was shown when all was at rest.
    progress_shown,
    /// Runs of schedules that were asked for, of what was read at any time.
    runs,
    /// Schedules that were found due when all was at rest.
    due_schedules,
    /// Times that a replayed state was compared with the one before.
    replays_compared,
    /// Batches that compaction let go, before the run came to its end.
    trimmed,
}
