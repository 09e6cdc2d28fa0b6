//! One run of a schedule: what is known of it, to its targets and to dead-letter queues.

use crate::{hash::hash, placeholders::Placeholders};
use afterward_names::{AccountId, Region, ScheduleAddress};
use serde_json::json;
use std::hash::{BuildHasher, RandomState};

/// One run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Execution {
    pub(crate) schedule: ScheduleAddress,
    /// For which of the schedule's times, milliseconds since 1970.
    pub(crate) time_ms: u64,
    /// 16 hexadecimal digits, the same however often the run is tried.
    pub(crate) id: String,
}

impl Execution {
    /// The run of a schedule's `revision` that was due at `due_ms`, for its time `time_ms`.
    pub(crate) fn new(schedule: ScheduleAddress, revision: u64, due_ms: u64, time_ms: u64) -> Execution {
        let arn = schedule.arn().to_string();
        let id = hash(&[arn.as_bytes(), &revision.to_le_bytes(), &due_ms.to_le_bytes()]);
        Execution { schedule, time_ms, id: format!("{id:016x}") }
    }

    /// A run at somebody's word. Its id is drawn, for there may be two in one millisecond; whoever tries it again keeps it.
    pub(crate) fn by_hand(schedule: ScheduleAddress, now_ms: u64) -> Execution {
        // The keys of a hasher of the standard library are the system's random bits.
        let drawn = RandomState::new().hash_one(now_ms);
        Execution { schedule, time_ms: now_ms, id: format!("{drawn:016x}") }
    }

    /// What keywords stand for in its `attempt`, the first being 1.
    pub(crate) fn placeholders(&self, attempt: u32) -> Placeholders {
        Placeholders {
            schedule_arn: self.schedule.arn().to_string(),
            scheduled_time: self.scheduled_time(),
            execution_id: self.id.clone(),
            attempt,
        }
    }

    /// The schedule's time, to the second.
    pub(crate) fn scheduled_time(&self) -> String {
        let seconds = i64::try_from(self.time_ms / 1000).unwrap_or(i64::MAX);
        jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX).to_string()
    }

    /// What a target is told that has no input: the event that EventBridge Scheduler sends then.
    pub(crate) fn notification(&self) -> String {
        let (account, region): (AccountId, &Region) = (self.schedule.group.account, &self.schedule.group.region);
        json!({
            "version": "0",
            "id": self.uuid(),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": account.to_string(),
            "time": self.scheduled_time(),
            "region": region.as_str(),
            "resources": [self.schedule.arn().to_string()],
            "detail": "{}",
        })
        .to_string()
    }

    /// A UUID of version 8 made from the id.
    fn uuid(&self) -> String {
        let (high, low) = (hash(&[b"high", self.id.as_bytes()]), hash(&[b"low", self.id.as_bytes()]));
        let high = high & !0xf000 | 0x8000;
        let low = low >> 2 | 1 << 63;
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xffff,
            low >> 48,
            low << 16 >> 16
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use afterward_names::ScheduleArn;

    #[test]
    fn a_target_without_input_is_told_what_ran_when() {
        let ScheduleArn(schedule) = "arn:aws:scheduler:eu-west-1:000000000007:schedule/g/s".parse().unwrap();
        let execution = Execution::new(schedule, 1, 1_647_975_583_999, 1_647_975_583_999);
        let told: serde_json::Value = serde_json::from_str(&execution.notification()).unwrap();
        assert_eq!(told["time"], "2022-03-22T18:59:43Z");
        assert_eq!(told["resources"][0], "arn:aws:scheduler:eu-west-1:000000000007:schedule/g/s");
        assert_eq!((&told["account"], &told["region"]), (&json!("000000000007"), &json!("eu-west-1")));
        let id = told["id"].as_str().unwrap();
        assert_eq!((id.len(), &id[14..15]), (36, "8"), "{id}");
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
    }

    #[test]
    fn each_run_has_an_id_of_its_own_and_keeps_it() {
        let ScheduleArn(schedule) = "arn:aws:scheduler:eu-west-1:000000000007:schedule/g/s".parse().unwrap();
        let id = |revision, due_ms| Execution::new(schedule.clone(), revision, due_ms, 0).id;
        assert_eq!(id(1, 2), id(1, 2));
        assert_ne!(id(1, 2), id(2, 2));
        assert_ne!(id(1, 2), id(1, 3));
        assert_eq!(id(1, 2).len(), 16);
    }
}
