//! Fair queues: which tenants of a standard queue are noisy neighbours.
//!
//! A tenant is a message group; a message without one is a tenant of its own and never noisy. AWS's measures ("How
//! Amazon SQS fair queues work", SQS developer guide):
//! - concurrency: more than 10 % of the queue's messages in flight, and at least 30 of them;
//! - processing time: more than 10 % of what consumers have recently spent.
//!
//! Taken as "recent" here: the time of each ended lease, halved with every minute that passes. Of this at most
//! [`TENANTS`] tenants are told apart (a frequent-items sketch: when there are more, all shrink by the smallest, so
//! a share is at most 3 % low). AWS also calls a tenant quiet again once it has sent nothing for five minutes, backlog or not;
//! here the two measures alone decide, and they fall by themselves.
//!
//! The processing times are not written forward by compaction: after a restart they count from the retained records.

use afterward_names::GroupId;
use std::collections::{BTreeMap, BTreeSet};

/// From how many messages in flight a tenant can be noisy by concurrency.
const NOISY_IN_FLIGHT: u32 = 30;
/// How many tenants' processing times are told apart.
const TENANTS: usize = 32;
const HALVED_EVERY_MS: u64 = 60_000;

/// The measures of one queue.
#[derive(Debug, Default)]
pub(crate) struct Fair {
    /// (in flight, group) of the groups that have enough in flight to be noisy.
    busy: BTreeSet<(u32, u32)>,
    usage: Usage,
}

impl Fair {
    /// Whether so many in flight are of interest.
    pub(crate) fn counts(in_flight: u32) -> bool {
        in_flight >= NOISY_IN_FLIGHT
    }

    /// A group's messages in flight went from `before` to `after`.
    pub(crate) fn in_flight_changed(&mut self, group: u32, before: u32, after: u32) {
        if before >= NOISY_IN_FLIGHT {
            self.busy.remove(&(before, group));
        }
        if after >= NOISY_IN_FLIGHT {
            self.busy.insert((after, group));
        }
    }

    /// A consumer held a message of `tenant` for `held_ms`, until `at_ms`.
    pub(crate) fn lease_ended(&mut self, tenant: Option<&GroupId>, at_ms: u64, held_ms: u64) {
        self.usage.add(tenant, at_ms, held_ms);
    }

    /// The groups that are noisy by concurrency, of `in_flight` messages of the whole queue.
    pub(crate) fn noisy_by_concurrency(&self, in_flight: u32) -> impl Iterator<Item = u32> {
        self.busy
            .iter()
            .rev()
            .take_while(move |(own, _)| u64::from(*own) * 10 > u64::from(in_flight))
            .map(|(_, group)| *group)
    }

    /// The tenants that are noisy by processing time.
    pub(crate) fn noisy_by_time(&self, now_ms: u64) -> impl Iterator<Item = &GroupId> {
        let total_ms = self.usage.total_at(now_ms);
        let usage = &self.usage;
        usage
            .tenants
            .iter()
            .filter(move |(_, used_ms)| total_ms > 0 && u128::from(**used_ms) * 10 > u128::from(usage.total_ms))
            .map(|(tenant, _)| tenant)
    }
}

/// Processing time, halved every minute.
#[derive(Debug, Default)]
struct Usage {
    /// The minute that the amounts stand at.
    minute: u64,
    total_ms: u64,
    tenants: BTreeMap<GroupId, u64>,
}

fn halved(amount: u64, times: u64) -> u64 {
    amount.checked_shr(u32::try_from(times).unwrap_or(u32::MAX)).unwrap_or(0)
}

impl Usage {
    fn total_at(&self, now_ms: u64) -> u64 {
        halved(self.total_ms, (now_ms / HALVED_EVERY_MS).saturating_sub(self.minute))
    }

    fn add(&mut self, tenant: Option<&GroupId>, at_ms: u64, held_ms: u64) {
        let minutes = (at_ms / HALVED_EVERY_MS).saturating_sub(self.minute);
        if minutes > 0 {
            self.minute += minutes;
            self.total_ms = halved(self.total_ms, minutes);
            self.tenants.retain(|_, used_ms| {
                *used_ms = halved(*used_ms, minutes);
                *used_ms > 0
            });
        }
        self.total_ms = self.total_ms.saturating_add(held_ms);
        let Some(tenant) = tenant.filter(|_| held_ms > 0) else { return };
        match self.tenants.get_mut(tenant) {
            Some(used_ms) => *used_ms = used_ms.saturating_add(held_ms),
            None => {
                self.tenants.insert(tenant.clone(), held_ms);
                self.shrink();
            }
        }
    }

    fn shrink(&mut self) {
        if self.tenants.len() <= TENANTS {
            return;
        }
        let least_ms = self.tenants.values().copied().min().unwrap_or(0);
        self.tenants.retain(|_, used_ms| {
            *used_ms -= least_ms;
            *used_ms > 0
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> GroupId {
        name.parse().unwrap()
    }

    fn noisy(fair: &Fair, now_ms: u64) -> Vec<String> {
        fair.noisy_by_time(now_ms).map(ToString::to_string).collect()
    }

    #[test]
    fn a_tenant_is_noisy_above_a_tenth_of_the_time() {
        let mut fair = Fair::default();
        fair.lease_ended(None, 0, 90);
        fair.lease_ended(Some(&tenant("a")), 0, 10);
        assert!(noisy(&fair, 0).is_empty());
        fair.lease_ended(Some(&tenant("a")), 0, 1);
        assert_eq!(noisy(&fair, 0), ["a"]);
    }

    #[test]
    fn old_time_counts_less_and_at_last_nothing() {
        let mut fair = Fair::default();
        fair.lease_ended(Some(&tenant("a")), 0, 1000);
        fair.lease_ended(None, 4 * HALVED_EVERY_MS, 1000);
        assert!(noisy(&fair, 4 * HALVED_EVERY_MS).is_empty(), "62 of 1062 is below a tenth");
        let mut fair = Fair::default();
        fair.lease_ended(Some(&tenant("a")), 0, 1000);
        assert_eq!(noisy(&fair, 9 * HALVED_EVERY_MS), ["a"]);
        assert!(noisy(&fair, 10 * HALVED_EVERY_MS).is_empty());
        assert!(noisy(&fair, u64::MAX).is_empty());
    }

    #[test]
    fn a_noisy_tenant_is_found_among_thousands() {
        let mut fair = Fair::default();
        for n in 0..5000 {
            fair.lease_ended(Some(&tenant(&format!("t{n}"))), 0, 80);
            fair.lease_ended(Some(&tenant("big")), 0, 20);
            assert!(fair.usage.tenants.len() <= TENANTS);
        }
        assert_eq!(noisy(&fair, 0), ["big"]);
    }
}
