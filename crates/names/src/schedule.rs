//! The names of schedules and of their groups, and where they live.

use crate::{AccountId, Region, ScheduleArn, ScheduleGroupArn, word::word};
use std::sync::Arc;
use thiserror::Error;

/// The text is not the name of a schedule or of a group of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the name of a schedule or of a schedule group is 1 to 64 letters, digits, hyphens, underscores and dots")]
pub struct NotAScheduleName;

/// Source: EventBridge Scheduler API reference, CreateSchedule, `Name` and `GroupName`.
fn is_name(text: &str) -> bool {
    let fits = (1..=64).contains(&text.len());
    fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

word! {
    /// A schedule's name, unique within its group. Not shared when it is cloned: there may be a million of them.
    ScheduleName(Box<str>): is_name, else NotAScheduleName
}

word! {
    /// The name of a group of schedules, unique within account and region.
    ScheduleGroupName(Arc<str>): is_name, else NotAScheduleName
}

impl ScheduleGroupName {
    /// The group of the schedules that name none. It always exists.
    pub const DEFAULT: &str = "default";

    /// Whether this is the group that always exists.
    pub fn is_default(&self) -> bool {
        self.as_str() == Self::DEFAULT
    }
}

impl Default for ScheduleGroupName {
    fn default() -> Self {
        ScheduleGroupName(Self::DEFAULT.into())
    }
}

/// Where a group of schedules lives. Ordered by account, region, name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleGroupAddress {
    /// The owner.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// The name, unique within account and region.
    pub name: ScheduleGroupName,
}

impl ScheduleGroupAddress {
    /// The group's ARN, in the `aws` partition.
    pub fn arn(&self) -> ScheduleGroupArn {
        ScheduleGroupArn(self.clone())
    }
}

/// Where a schedule lives. Ordered by account, region, group, name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleAddress {
    /// Its group.
    pub group: ScheduleGroupAddress,
    /// The name, unique within the group.
    pub name: ScheduleName,
}

impl ScheduleAddress {
    /// The schedule's ARN, in the `aws` partition.
    pub fn arn(&self) -> ScheduleArn {
        ScheduleArn(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_create_schedule() {
        let longest = "x".repeat(64);
        for good in ["nightly", "A-b_9.z", ".", &longest] {
            assert_eq!(good.parse::<ScheduleName>().unwrap().as_str(), good);
            assert_eq!(good.parse::<ScheduleGroupName>().unwrap().to_string(), good);
        }
        let too_long = "x".repeat(65);
        for bad in ["", "a b", "a/b", "ä", "a:b", &too_long] {
            assert_eq!(bad.parse::<ScheduleName>(), Err(NotAScheduleName), "{bad}");
            assert_eq!(bad.parse::<ScheduleGroupName>(), Err(NotAScheduleName), "{bad}");
        }
    }

    #[test]
    fn the_default_group_is_known_by_its_name() {
        assert!(ScheduleGroupName::default().is_default());
        assert!("default".parse::<ScheduleGroupName>().unwrap().is_default());
        assert!(!"Default".parse::<ScheduleGroupName>().unwrap().is_default());
    }
}
