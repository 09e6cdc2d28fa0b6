//! One call: who calls, and what their names mean.

use super::{refusal, repeats::Identity};
use crate::{caller::Caller, gateway::Inner};
use afterward_aws::Error;
use afterward_broker::{Broker, StoredSchedule};
use afterward_names::{AccountId, NotAScheduleName, Region, ScheduleAddress, ScheduleGroupAddress, ScheduleGroupName};
use afterward_scheduler::{Definition, Schedule};

/// One call of Scheduler's.
pub(super) struct Call<'a> {
    gateway: &'a Inner,
    caller: Caller,
}

impl<'a> Call<'a> {
    pub(super) fn new(gateway: &'a Inner, caller: Caller) -> Call<'a> {
        Call { gateway, caller }
    }

    pub(super) fn broker(&self) -> &Broker {
        &self.gateway.broker
    }

    /// Whether this request has succeeded lately, and comes again.
    pub(super) fn has_succeeded(&self, identity: Identity) -> bool {
        self.gateway.repeats.has_succeeded(identity, self.broker().now_ms())
    }

    /// Remembers that this request has succeeded.
    pub(super) fn remember(&self, identity: Identity) {
        self.gateway.repeats.remember(identity, self.broker().now_ms());
    }

    pub(super) fn account(&self) -> AccountId {
        self.caller.account()
    }

    pub(super) fn region(&self) -> Region {
        self.caller.region()
    }

    /// A group of the caller's.
    pub(super) fn group(&self, name: &str) -> Result<ScheduleGroupAddress, Error> {
        Ok(ScheduleGroupAddress { account: self.account(), region: self.region(), name: group_name(name)? })
    }

    /// A schedule of the caller's. `group`: the default one unless given.
    pub(super) fn schedule(&self, group: Option<&str>, name: &str) -> Result<ScheduleAddress, Error> {
        let group = self.group(group.unwrap_or(ScheduleGroupName::DEFAULT))?;
        Ok(ScheduleAddress { group, name: name.parse().map_err(|error: NotAScheduleName| refusal::invalid(error))? })
    }

    /// Refuses a target that this server may not call. Where nothing runs schedules, nothing is called.
    pub(super) fn check_reach(&self, schedule: &Schedule) -> Result<(), Error> {
        let Some(runner) = &self.gateway.settings.runner else { return Ok(()) };
        runner.may_call(schedule).map_err(|why| refusal::invalid(format!("The target can't be called: {why}.")))
    }

    /// A schedule that has to be there.
    pub(super) async fn stored(&self, address: &ScheduleAddress) -> Result<StoredSchedule, Error> {
        let stored = self.broker().schedule(address).await.map_err(refusal::unavailable)?;
        stored.ok_or_else(|| refusal::no_schedule(address))
    }
}

/// The definition of a stored schedule, if this release can read it.
pub(super) fn readable(stored: &StoredSchedule) -> Option<Definition> {
    let definition = Definition::decode(&stored.definition);
    definition
        .inspect_err(|error| tracing::error!(schedule = %stored.address.arn(), %error, "a schedule can't be read"))
        .ok()
}

pub(super) fn group_name(name: &str) -> Result<ScheduleGroupName, Error> {
    name.parse().map_err(|error: NotAScheduleName| refusal::invalid(error))
}
