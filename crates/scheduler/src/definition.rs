//! What a schedule is to do, in its author's words, as it is stored.
//!
//! Everything that GetSchedule has to give back is here as it was given, so that nothing is lost by our understanding
//! of it. The stored form is JSON with a version.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A schedule's definition. [`crate::Schedule::of`] says whether it makes sense.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Definition {
    /// `at(…)`, `rate(…)` or `cron(…)`: ScheduleExpression.
    pub expression: String,
    /// The zone in which it is local: ScheduleExpressionTimezone. UTC unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// StartDate, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<u64>,
    /// EndDate, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<u64>,
    /// When the schedule was made, milliseconds since 1970; a change of the definition keeps it. A rate without a start
    /// counts from here.
    pub anchor_ms: u64,
    /// FlexibleTimeWindow.
    pub window: WindowDefinition,
    /// State: ENABLED.
    pub enabled: bool,
    /// Target.
    pub target: TargetDefinition,
    /// ActionAfterCompletion.
    #[serde(default)]
    pub after_completion: AfterCompletion,
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// KmsKeyArn: kept, and without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    /// ClientToken: by it, CreateSchedule knows a request that comes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
}

/// FlexibleTimeWindow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowDefinition {
    /// It runs when it is due.
    Off,
    /// It runs at some time within so many minutes after it is due: MaximumWindowInMinutes, 1 to 1440.
    Flexible {
        /// How many.
        minutes: u32,
    },
}

/// ActionAfterCompletion.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterCompletion {
    /// NONE.
    #[default]
    Keep,
    /// DELETE.
    Delete,
}

/// Target.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TargetDefinition {
    /// Arn: what is called. A queue's ARN; `arn:aws:scheduler:::aws-sdk:sqs:sendMessage`;
    /// `arn:aws:scheduler:::afterward:http`; or an `http://` or `https://` URL without a user in it.
    pub arn: String,
    /// RoleArn: kept, and without effect.
    pub role_arn: String,
    /// Input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// SqsParameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqs: Option<SqsParameters>,
    /// RetryPolicy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// DeadLetterConfig.Arn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_arn: Option<String>,
}

/// SqsParameters.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SqsParameters {
    /// MessageGroupId.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_group_id: Option<String>,
}

/// RetryPolicy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// MaximumEventAgeInSeconds, 60 to 86400; a day unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_event_age_s: Option<u32>,
    /// MaximumRetryAttempts, 0 to 185; 185 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_retry_attempts: Option<u32>,
}

/// The bytes are not a definition that this release can read.
#[derive(Debug, Error)]
#[error("the schedule's stored definition can't be read, perhaps because a newer release wrote it: {0}")]
pub struct Unreadable(#[from] serde_json::Error);

/// The stored form: the definition's own fields, and `version` beside them.
#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum Stored<D> {
    #[serde(rename = "1")]
    V1(D),
}

impl Definition {
    /// The bytes to store.
    pub fn encode(&self) -> Bytes {
        // A structure of texts, numbers and options always has a JSON form.
        serde_json::to_vec(&Stored::V1(self)).unwrap_or_default().into()
    }

    /// The definition in stored bytes.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn decode(bytes: &[u8]) -> Result<Definition, Unreadable> {
        let Stored::V1(definition) = serde_json::from_slice(bytes)?;
        Ok(definition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Definition {
        Definition {
            expression: "rate(5 minutes)".into(),
            zone: Some("Europe/Vienna".into()),
            start_ms: Some(1),
            end_ms: Some(2),
            anchor_ms: 3,
            window: WindowDefinition::Flexible { minutes: 15 },
            enabled: true,
            target: TargetDefinition {
                arn: "arn:aws:sqs:us-east-1:000000000000:jobs.fifo".into(),
                role_arn: "arn:aws:iam::000000000000:role/any".into(),
                input: Some("{\"a\":1}".into()),
                sqs: Some(SqsParameters { message_group_id: Some("g".into()) }),
                retry: Some(RetryPolicy { maximum_event_age_s: Some(60), maximum_retry_attempts: Some(0) }),
                dead_letter_arn: Some("arn:aws:sqs:us-east-1:000000000000:dead".into()),
            },
            after_completion: AfterCompletion::Delete,
            description: Some("ticks".into()),
            kms_key_arn: Some("arn:aws:kms:us-east-1:000000000000:key/k".into()),
            client_token: Some("t".into()),
        }
    }

    #[test]
    fn the_stored_form_is_this_and_stays_readable() {
        let stored = r#"{"version":"1","expression":"rate(5 minutes)","zone":"Europe/Vienna","start_ms":1,"end_ms":2,"#
            .to_owned()
            + r#""anchor_ms":3,"window":{"flexible":{"minutes":15}},"enabled":true,"target":{"#
            + r#""arn":"arn:aws:sqs:us-east-1:000000000000:jobs.fifo","role_arn":"arn:aws:iam::000000000000:role/any","#
            + r#""input":"{\"a\":1}","sqs":{"message_group_id":"g"},"#
            + r#""retry":{"maximum_event_age_s":60,"maximum_retry_attempts":0},"#
            + r#""dead_letter_arn":"arn:aws:sqs:us-east-1:000000000000:dead"},"after_completion":"delete","#
            + r#""description":"ticks","kms_key_arn":"arn:aws:kms:us-east-1:000000000000:key/k","client_token":"t"}"#;
        assert_eq!(String::from_utf8(full().encode().to_vec()).unwrap(), stored);
        assert_eq!(Definition::decode(stored.as_bytes()).unwrap(), full());
    }

    #[test]
    fn what_is_not_given_takes_no_room() {
        let target = TargetDefinition {
            arn: "a".into(),
            role_arn: "r".into(),
            input: None,
            sqs: None,
            retry: None,
            dead_letter_arn: None,
        };
        let least = Definition {
            expression: "rate(1 day)".into(),
            zone: None,
            start_ms: None,
            end_ms: None,
            window: WindowDefinition::Off,
            target,
            after_completion: AfterCompletion::Keep,
            description: None,
            kms_key_arn: None,
            client_token: None,
            ..full()
        };
        let stored = least.encode();
        assert!(stored.len() < 160, "{stored:?}");
        assert_eq!(Definition::decode(&stored).unwrap(), least);
    }

    #[test]
    fn a_newer_version_is_told_apart_from_what_can_be_read() {
        let newer =
            String::from_utf8(full().encode().to_vec()).unwrap().replace("\"version\":\"1\"", "\"version\":\"2\"");
        assert!(Definition::decode(newer.as_bytes()).unwrap_err().to_string().contains("newer release"));
        assert!(Definition::decode(b"").is_err());
    }
}
