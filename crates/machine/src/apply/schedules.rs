//! Schedules come and change.

use crate::{Location, ScheduleGroupPut, SchedulePut, State};

impl State {
    pub(super) fn schedule_group_put(&mut self, put: &ScheduleGroupPut) {
        self.saw_order(put.group.0);
        self.schedules.put_group(put);
    }

    /// Of a schedule that was written forward, only the place of its definition changes.
    pub(super) fn schedule_put(&mut self, put: &SchedulePut, at: Location) {
        self.saw_order(put.revision);
        self.schedules.put(put, at);
    }
}
