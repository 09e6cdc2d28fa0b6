//! Amazon Resource Names of schedules and of their groups.

use crate::{AccountId, Region, ScheduleAddress, ScheduleGroupAddress};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// `arn:aws:scheduler:REGION:ACCOUNT:schedule/GROUP/NAME`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleArn(pub ScheduleAddress);

/// `arn:aws:scheduler:REGION:ACCOUNT:schedule-group/NAME`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleGroupArn(pub ScheduleGroupAddress);

/// The text is not the ARN of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a schedule's ARN reads arn:aws:scheduler:REGION:ACCOUNT:schedule/GROUP/NAME")]
pub struct NotAScheduleArn;

/// The text is not the ARN of a schedule group.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a schedule group's ARN reads arn:aws:scheduler:REGION:ACCOUNT:schedule-group/NAME")]
pub struct NotAScheduleGroupArn;

/// Account, region and what follows them, of the scheduler's ARN in any partition (`aws`, `aws-cn`, …).
fn parts(text: &str) -> Option<(AccountId, Region, &str)> {
    let mut parts = text.splitn(6, ':');
    let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    if arn != "arn" || !partition.starts_with("aws") || service != "scheduler" {
        return None;
    }
    let region = parts.next()?.parse().ok()?;
    let account = parts.next()?.parse().ok()?;
    Some((account, region, parts.next()?))
}

impl FromStr for ScheduleArn {
    type Err = NotAScheduleArn;

    fn from_str(text: &str) -> Result<Self, NotAScheduleArn> {
        let (account, region, resource) = parts(text).ok_or(NotAScheduleArn)?;
        let names = resource.strip_prefix("schedule/").ok_or(NotAScheduleArn)?;
        let (group, name) = names.split_once('/').ok_or(NotAScheduleArn)?;
        let group = group.parse().map_err(|_| NotAScheduleArn)?;
        let name = name.parse().map_err(|_| NotAScheduleArn)?;
        Ok(ScheduleArn(ScheduleAddress { group: ScheduleGroupAddress { account, region, name: group }, name }))
    }
}

impl FromStr for ScheduleGroupArn {
    type Err = NotAScheduleGroupArn;

    fn from_str(text: &str) -> Result<Self, NotAScheduleGroupArn> {
        let (account, region, resource) = parts(text).ok_or(NotAScheduleGroupArn)?;
        let name = resource.strip_prefix("schedule-group/").ok_or(NotAScheduleGroupArn)?;
        let name = name.parse().map_err(|_| NotAScheduleGroupArn)?;
        Ok(ScheduleGroupArn(ScheduleGroupAddress { account, region, name }))
    }
}

impl fmt::Display for ScheduleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ScheduleAddress { group: ScheduleGroupAddress { account, region, name: group }, name } = &self.0;
        write!(f, "arn:aws:scheduler:{region}:{account}:schedule/{group}/{name}")
    }
}

impl fmt::Display for ScheduleGroupArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ScheduleGroupAddress { account, region, name } = &self.0;
        write!(f, "arn:aws:scheduler:{region}:{account}:schedule-group/{name}")
    }
}

impl fmt::Debug for ScheduleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for ScheduleGroupArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_read_back_as_they_were_written() {
        let text = "arn:aws:scheduler:eu-west-1:123456789012:schedule/reports/nightly.v2";
        let arn: ScheduleArn = text.parse().unwrap();
        assert_eq!(arn.to_string(), text);
        assert_eq!((arn.0.group.name.as_str(), arn.0.name.as_str()), ("reports", "nightly.v2"));
        assert_eq!(arn.0.arn(), arn);
        let text = "arn:aws:scheduler:eu-west-1:123456789012:schedule-group/reports";
        let group: ScheduleGroupArn = text.parse().unwrap();
        assert_eq!(group.to_string(), text);
        assert_eq!(group, arn.0.group.arn());
    }

    #[test]
    fn what_is_not_such_an_arn_is_refused() {
        for bad in [
            "",
            "arn",
            "nightly",
            "arn:aws:sqs:us-east-1:123456789012:nightly",
            "arn:aws:scheduler:us-east-1:123456789012:schedule/nightly",
            "arn:aws:scheduler:us-east-1:123456789012:schedule/default/",
            "arn:aws:scheduler:us-east-1:123456789012:schedule/a/b/c",
            "arn:aws:scheduler:us-east-1:123456789012:schedule/a/b:c",
            "arn:aws:scheduler:us-east-1:1234:schedule/a/b",
            "arn:gcp:scheduler:us-east-1:123456789012:schedule/a/b",
            "arn:aws:scheduler:us-east-1:123456789012:schedule-group/a/b",
        ] {
            assert_eq!(bad.parse::<ScheduleArn>(), Err(NotAScheduleArn), "{bad}");
            assert_eq!(bad.parse::<ScheduleGroupArn>(), Err(NotAScheduleGroupArn), "{bad}");
        }
    }
}
