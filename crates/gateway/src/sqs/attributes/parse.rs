//! From a request's attributes to changes.
//!
//! Source: SQS API reference, CreateQueue and SetQueueAttributes, `Attributes`.

use super::redrive;
use afterward_aws::{Code, Error};
use afterward_broker::machine::{AttributeChanges, DeduplicationScope, ThroughputLimit};
use afterward_names::limits;
use std::{collections::BTreeMap, ops::RangeInclusive};

/// For how long a data key may be used again: one minute to one day.
const KMS_REUSE_S: RangeInclusive<u64> = 60..=86_400;

/// The changes that a request asks for.
///
/// # Errors
/// `InvalidAttributeName` for what isn't an attribute or can't be set, `InvalidAttributeValue` for what it can't be,
/// `InvalidParameterValue` for redrive policies.
pub(in crate::sqs) fn parse(given: &BTreeMap<String, String>) -> Result<AttributeChanges, Error> {
    let mut changes = AttributeChanges::default();
    for (name, value) in given {
        set(&mut changes, name, value)?;
    }
    Ok(changes)
}

fn set(changes: &mut AttributeChanges, name: &str, value: &str) -> Result<(), Error> {
    match name {
        "DelaySeconds" => changes.delay_ms = Some(1000 * within(name, value, &limits::DELAY_S)?),
        "MaximumMessageSize" => {
            let bytes = within(name, value, &limits::MAXIMUM_MESSAGE_SIZE_BYTES)?;
            changes.maximum_message_bytes = Some(bytes as u32);
        }
        "MessageRetentionPeriod" => changes.retention_ms = Some(1000 * within(name, value, &limits::RETENTION_S)?),
        "ReceiveMessageWaitTimeSeconds" => {
            changes.receive_wait_ms = Some(1000 * within(name, value, &limits::RECEIVE_WAIT_S)?);
        }
        "VisibilityTimeout" => {
            changes.visibility_timeout_ms = Some(1000 * within(name, value, &limits::VISIBILITY_TIMEOUT_S)?);
        }
        "Policy" => changes.policy = Some(policy(value)?),
        "RedrivePolicy" => changes.redrive = Some(redrive::policy(value)?),
        "RedriveAllowPolicy" => changes.redrive_allow = Some(redrive::allow_policy(value)?),
        "SqsManagedSseEnabled" => changes.sqs_managed_sse = Some(boolean(name, value)?),
        "KmsMasterKeyId" => changes.kms_master_key_id = Some(kms_key(value)?),
        "KmsDataKeyReusePeriodSeconds" => {
            changes.kms_data_key_reuse_s = Some(within(name, value, &KMS_REUSE_S)? as u32);
        }
        "FifoQueue" => changes.fifo = Some(boolean(name, value)?),
        "ContentBasedDeduplication" => changes.content_based_deduplication = Some(boolean(name, value)?),
        "DeduplicationScope" => changes.deduplication_scope = Some(scope(value)?),
        "FifoThroughputLimit" => changes.throughput_limit = Some(throughput(value)?),
        _ => return Err(Error::invalid_attribute_name(name)),
    }
    Ok(())
}

fn within(name: &str, value: &str, range: &RangeInclusive<u64>) -> Result<u64, Error> {
    let number = value.trim().parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| Error::invalid_attribute_value(name))
}

fn boolean(name: &str, value: &str) -> Result<bool, Error> {
    if value.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if value.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(Error::invalid_attribute_value(name))
    }
}

/// The empty text takes the policy away.
///
/// Source of the limit: SQS developer guide, "Amazon SQS policy quotas".
fn policy(value: &str) -> Result<Option<Box<str>>, Error> {
    if value.is_empty() {
        return Ok(None);
    }
    if value.len() > limits::POLICY_BYTES {
        let reason = format!("A policy is at most {} bytes long.", limits::POLICY_BYTES);
        return Err(Error::new(
            Code::InvalidAttributeValue,
            format!("Invalid value for the parameter Policy. Reason: {reason}"),
        ));
    }
    match serde_json::from_str(value) {
        Ok(serde_json::Value::Object(_)) => Ok(Some(value.into())),
        _ => Err(Error::invalid_attribute_value("Policy")),
    }
}

fn kms_key(value: &str) -> Result<Option<Box<str>>, Error> {
    if value.len() > 2048 {
        return Err(Error::invalid_attribute_value("KmsMasterKeyId"));
    }
    Ok((!value.is_empty()).then(|| value.into()))
}

fn scope(value: &str) -> Result<DeduplicationScope, Error> {
    match value {
        "queue" => Ok(DeduplicationScope::Queue),
        "messageGroup" => Ok(DeduplicationScope::MessageGroup),
        _ => Err(Error::invalid_attribute_value("DeduplicationScope")),
    }
}

fn throughput(value: &str) -> Result<ThroughputLimit, Error> {
    match value {
        "perQueue" => Ok(ThroughputLimit::PerQueue),
        "perMessageGroupId" => Ok(ThroughputLimit::PerMessageGroup),
        _ => Err(Error::invalid_attribute_value("FifoThroughputLimit")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, value: &str) -> Result<AttributeChanges, Code> {
        parse(&BTreeMap::from([(name.into(), value.into())])).map_err(|error| error.code)
    }

    /// A policy of so many bytes.
    fn policy_of(bytes: usize) -> String {
        format!("{{\"Id\":\"{}\"}}", "x".repeat(bytes - 9))
    }

    #[test]
    fn every_attribute_takes_what_its_range_holds_and_nothing_else() {
        for (name, good, bad) in [
            ("DelaySeconds", vec!["0", "900"], vec!["-1", "901", "", "x", "1.5"]),
            ("MaximumMessageSize", vec!["1024", "1048576"], vec!["1023", "1048577"]),
            ("MessageRetentionPeriod", vec!["60", "1209600"], vec!["59", "1209601"]),
            ("ReceiveMessageWaitTimeSeconds", vec!["0", "20"], vec!["21"]),
            ("VisibilityTimeout", vec!["0", "43200"], vec!["43201"]),
            ("KmsDataKeyReusePeriodSeconds", vec!["60", "86400"], vec!["59", "86401"]),
            ("KmsMasterKeyId", vec!["", "alias/aws/sqs"], vec![]),
            ("SqsManagedSseEnabled", vec!["true", "FALSE"], vec!["yes", ""]),
            ("FifoQueue", vec!["true", "false"], vec!["1"]),
            ("ContentBasedDeduplication", vec!["true", "false"], vec![""]),
            ("DeduplicationScope", vec!["queue", "messageGroup"], vec!["Queue"]),
            ("Policy", vec![&*policy_of(8192)], vec![&*policy_of(8193)]),
            ("FifoThroughputLimit", vec!["perQueue", "perMessageGroupId"], vec!["none"]),
            ("Policy", vec!["", "{\"Version\":\"2012-10-17\"}"], vec!["{", "3", "[]"]),
        ] {
            for value in good {
                assert!(one(name, value).is_ok(), "{name} = {value}");
            }
            for value in bad {
                assert_eq!(one(name, value), Err(Code::InvalidAttributeValue), "{name} = {value}");
            }
        }
        for name in ["QueueArn", "ApproximateNumberOfMessages", "All", "Colour", ""] {
            assert_eq!(one(name, "1"), Err(Code::InvalidAttributeName), "{name}");
        }
        assert_eq!(one("DelaySeconds", "5").unwrap().delay_ms, Some(5_000));
    }
}
