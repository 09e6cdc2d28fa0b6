//! What goes wrong, in AWS's words.

use afterward_aws::{Code, Error};
use afterward_broker::{Failure, Unavailable, machine::Refusal};
use afterward_names::{ScheduleAddress, ScheduleGroupAddress};
use std::fmt;

/// Of a command about a schedule.
pub(super) fn of_schedule(failure: Failure, address: &ScheduleAddress) -> Error {
    match failure {
        Failure::Refused(Refusal::NoSuchSchedule) => no_schedule(address),
        Failure::Refused(Refusal::ScheduleExists) => conflict(format!("Schedule {} already exists.", address.name)),
        Failure::Refused(Refusal::DefinitionTooLong { maximum_bytes }) => {
            invalid(format!("The schedule must not take more than {maximum_bytes} bytes, its Input included."))
        }
        failure => of_group(failure, &address.group),
    }
}

/// Of a command about a group.
pub(super) fn of_group(failure: Failure, address: &ScheduleGroupAddress) -> Error {
    let name = &address.name;
    let refusal = match failure {
        Failure::Refused(refusal) => refusal,
        Failure::Unavailable(reason) => return unavailable(reason),
    };
    match refusal {
        Refusal::NoSuchScheduleGroup => no_group(address),
        Refusal::ScheduleGroupExists => conflict(format!("Schedule group {name} already exists.")),
        Refusal::ScheduleGroupDeleting => conflict(format!("Schedule group {name} is being deleted.")),
        Refusal::DefaultScheduleGroup => invalid("The default schedule group can't be deleted."),
        Refusal::TooManyDefinitions => Error::new(
            Code::ServiceQuotaExceeded,
            "Schedule groups and queues, with their tags and policies, take the 64 MiB that this server has for them. Delete \
             those that are not needed, or tags of others.",
        ),
        Refusal::TooManyScheduleGroupTags => invalid("A schedule group has at most 200 tags."),
        refusal => {
            tracing::error!(?refusal, "the broker's refusal does not fit a schedule");
            Error::internal_failure()
        }
    }
}

pub(super) fn no_schedule(address: &ScheduleAddress) -> Error {
    Error::new(Code::ResourceNotFound, format!("Schedule {} does not exist.", address.name))
}

pub(super) fn no_group(address: &ScheduleGroupAddress) -> Error {
    Error::new(Code::ResourceNotFound, format!("Schedule group {} does not exist.", address.name))
}

/// The request can't be meant so.
pub(super) fn invalid(why: impl fmt::Display) -> Error {
    Error::new(Code::Validation, why.to_string())
}

pub(super) fn conflict(message: String) -> Error {
    Error::new(Code::Conflict, message)
}

/// The broker can't take the call now: 503.
pub(super) fn unavailable(unavailable: Unavailable) -> Error {
    Error::service_unavailable(unavailable.reason)
}
