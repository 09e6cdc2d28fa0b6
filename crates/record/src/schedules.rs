//! Schedules and their groups.

use crate::reader::{Reader, Reason};
use crate::writer::Writer;
use afterward_machine::{ScheduleGroupId, ScheduleGroupPut, ScheduleId, SchedulePut};
use afterward_names::{AccountId, ScheduleGroupAddress};

impl Writer<'_> {
    pub(crate) fn schedule(&mut self, schedule: ScheduleId) {
        self.number(u64::from(schedule.slot));
        self.number(u64::from(schedule.generation));
    }

    /// When a schedule is next due, if it is.
    pub(crate) fn next(&mut self, next_ms: Option<u64>) {
        self.byte(u8::from(next_ms.is_some()));
        if let Some(next_ms) = next_ms {
            self.time(next_ms);
        }
    }

    pub(crate) fn schedule_put(&mut self, put: &SchedulePut) {
        let SchedulePut { schedule, revision, group, name, created_ms, modified_ms, next_ms } = put;
        self.schedule(*schedule);
        self.number(*revision);
        self.number(group.0);
        self.text(name.as_str());
        self.time(*created_ms);
        self.time(*modified_ms);
        self.next(*next_ms);
    }

    pub(crate) fn schedule_group_put(&mut self, put: &ScheduleGroupPut) {
        let ScheduleGroupPut { group, address, tags, created_ms, modified_ms, deleting } = put;
        self.number(group.0);
        self.number(address.account.as_u64());
        self.text(address.region.as_str());
        self.text(address.name.as_str());
        self.tags(tags);
        self.time(*created_ms);
        self.time(*modified_ms);
        self.byte(u8::from(*deleting));
    }
}

impl Reader<'_> {
    pub(crate) fn schedule(&mut self) -> Result<ScheduleId, Reason> {
        Ok(ScheduleId { slot: self.narrow()?, generation: self.narrow()? })
    }

    pub(crate) fn next(&mut self) -> Result<Option<u64>, Reason> {
        self.flags(1)?.then(1, || self.time())
    }

    pub(crate) fn schedule_put(&mut self) -> Result<SchedulePut, Reason> {
        Ok(SchedulePut {
            schedule: self.schedule()?,
            revision: self.number()?,
            group: ScheduleGroupId(self.number()?),
            name: self.text()?.parse().map_err(|_| "a schedule's name is not one")?,
            created_ms: self.time()?,
            modified_ms: self.time()?,
            next_ms: self.next()?,
        })
    }

    pub(crate) fn schedule_group_put(&mut self) -> Result<ScheduleGroupPut, Reason> {
        Ok(ScheduleGroupPut {
            group: ScheduleGroupId(self.number()?),
            address: ScheduleGroupAddress {
                account: AccountId::from_u64(self.number()?).ok_or("an account has more than 12 digits")?,
                region: self.text()?.parse().map_err(|_| "a region is not one")?,
                name: self.text()?.parse().map_err(|_| "a schedule group's name is not one")?,
            },
            tags: self.tags()?,
            created_ms: self.time()?,
            modified_ms: self.time()?,
            deleting: self.flags(1)?.has(1),
        })
    }
}
