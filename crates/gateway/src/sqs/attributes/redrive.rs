//! `RedrivePolicy` and `RedriveAllowPolicy`: JSON texts.

use crate::pending_calls::clients_own;
use afterward_aws::Error;
use afterward_broker::machine::{RedriveAllowPolicy, RedrivePolicy};
use afterward_names::{QueueArn, limits};
use serde_json::{Map, Value};

/// What AWS says of a policy that is no good.
fn invalid(text: &str, attribute: &str, reason: &str) -> Error {
    Error::invalid_value(text, attribute, reason)
}

/// `{"deadLetterTargetArn":"arn:…","maxReceiveCount":3}`; the count may be a text, as consoles and tools write it. The
/// empty text takes the policy away.
pub(super) fn policy(text: &str) -> Result<Option<RedrivePolicy>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let bad = |reason: &str| invalid(text, "RedrivePolicy", reason);
    let map = object(text).ok_or_else(|| bad("Redrive policy is not a valid JSON map."))?;
    if map.keys().any(|key| key != "deadLetterTargetArn" && key != "maxReceiveCount") {
        return Err(bad("Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount]."));
    }
    let missing = |name: &str| bad(&format!("Redrive policy does not contain mandatory attribute: {name}."));
    let target = map.get("deadLetterTargetArn").ok_or_else(|| missing("deadLetterTargetArn"))?;
    let count = map.get("maxReceiveCount").ok_or_else(|| missing("maxReceiveCount"))?;
    let dead_letter_queue: Option<QueueArn> = target.as_str().and_then(|arn| arn.parse().ok());
    let dead_letter_queue = dead_letter_queue.ok_or_else(|| bad("Invalid value for deadLetterTargetArn."))?;
    let dead_letter_queue = clients_own(dead_letter_queue.0).map_err(|own| bad(&own.to_string()))?;
    let max_receive_count = match count {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let max_receive_count = max_receive_count.filter(|count| limits::MAX_RECEIVE_COUNT.contains(count));
    Ok(Some(RedrivePolicy {
        dead_letter_queue: QueueArn(dead_letter_queue),
        max_receive_count: max_receive_count.ok_or_else(|| {
            let given = count.as_str().map_or_else(|| count.to_string(), String::from);
            bad(&format!("Invalid value for maxReceiveCount: {given}, valid values are from 1 to 1000 both inclusive."))
        })? as u32,
    }))
}

/// `{"redrivePermission":"byQueue","sourceQueueArns":["arn:…"]}`. The empty text takes the policy away.
pub(super) fn allow_policy(text: &str) -> Result<Option<RedriveAllowPolicy>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let bad = |reason: &str| invalid(text, "RedriveAllowPolicy", reason);
    let map = object(text).ok_or_else(|| bad("Redrive allow policy is not a valid JSON map."))?;
    if map.keys().any(|key| key != "redrivePermission" && key != "sourceQueueArns") {
        return Err(bad("Only following attributes are supported: [redrivePermission, sourceQueueArns]."));
    }
    let permission = map.get("redrivePermission").and_then(Value::as_str);
    let sources = map.get("sourceQueueArns");
    match (permission, sources) {
        (Some("allowAll"), None) => Ok(Some(RedriveAllowPolicy::AllowAll)),
        (Some("denyAll"), None) => Ok(Some(RedriveAllowPolicy::DenyAll)),
        (Some("allowAll" | "denyAll"), Some(_)) => {
            Err(bad("sourceQueueArns can be specified only when redrivePermission is byQueue."))
        }
        (Some("byQueue"), Some(Value::Array(arns))) => {
            let arns: Option<Vec<QueueArn>> = arns.iter().map(|arn| arn.as_str()?.parse().ok()).collect();
            let arns = arns.ok_or_else(|| bad("Invalid value for sourceQueueArns."))?;
            if !(1..=limits::REDRIVE_ALLOW_SOURCES).contains(&arns.len()) {
                return Err(bad("sourceQueueArns has 1 to 10 queues; allow more of them with allowAll."));
            }
            Ok(Some(RedriveAllowPolicy::ByQueue(arns)))
        }
        (Some("byQueue"), _) => Err(bad("sourceQueueArns is required when redrivePermission is byQueue.")),
        _ => Err(bad("redrivePermission is one of allowAll, denyAll and byQueue.")),
    }
}

fn object(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Some(map),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redrive_policy_is_read_or_refused_with_the_reason() {
        let target = "\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:dead\"";
        for (text, count) in [
            (format!("{{{target},\"maxReceiveCount\":3}}"), 3),
            (format!("{{{target},\"maxReceiveCount\":\"1000\"}}"), 1000),
        ] {
            assert_eq!(policy(&text).unwrap().unwrap().max_receive_count, count);
        }
        assert_eq!(policy("").unwrap(), None);
        for (text, reason) in [
            ("nonsense".into(), "not a valid JSON map"),
            ("[]".into(), "not a valid JSON map"),
            (format!("{{{target}}}"), "mandatory attribute: maxReceiveCount"),
            ("{\"maxReceiveCount\":3}".into(), "mandatory attribute: deadLetterTargetArn"),
            (format!("{{{target},\"maxReceiveCount\":0}}"), "Invalid value for maxReceiveCount: 0,"),
            (format!("{{{target},\"maxReceiveCount\":\"1001\"}}"), "Invalid value for maxReceiveCount: 1001,"),
            (format!("{{{target},\"maxReceiveCount\":1.5}}"), "Invalid value for maxReceiveCount"),
            (format!("{{{target},\"maxReceiveCount\":3,\"x\":1}}"), "Only following attributes"),
            ("{\"deadLetterTargetArn\":\"dead\",\"maxReceiveCount\":3}".into(), "deadLetterTargetArn"),
        ] {
            let error = policy(&text).unwrap_err();
            assert!(error.message.contains(reason), "{text}: {error}");
            assert!(error.message.starts_with(&format!("Value {text} for parameter RedrivePolicy is invalid.")));
        }
    }

    #[test]
    fn a_redrive_allow_policy_is_read_or_refused_with_the_reason() {
        let arn = "\"arn:aws:sqs:us-east-1:000000000000:jobs\"";
        let by_queue = |arns: &str| format!("{{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":{arns}}}");
        assert_eq!(allow_policy("{\"redrivePermission\":\"denyAll\"}").unwrap(), Some(RedriveAllowPolicy::DenyAll));
        let ten = format!("[{}]", [arn; 10].join(","));
        assert!(
            matches!(allow_policy(&by_queue(&ten)), Ok(Some(RedriveAllowPolicy::ByQueue(arns))) if arns.len() == 10)
        );
        let eleven = format!("[{}]", [arn; 11].join(","));
        for (text, reason) in [
            (by_queue("[]"), "1 to 10"),
            (by_queue(&eleven), "1 to 10"),
            (by_queue("[1]"), "Invalid value for sourceQueueArns"),
            ("{\"redrivePermission\":\"byQueue\"}".into(), "is required"),
            (format!("{{\"redrivePermission\":\"allowAll\",\"sourceQueueArns\":[{arn}]}}"), "only when"),
            ("{\"redrivePermission\":\"some\"}".into(), "one of"),
            ("{}".into(), "one of"),
            ("{\"x\":1}".into(), "Only following attributes"),
            ("x".into(), "not a valid JSON map"),
        ] {
            let error = allow_policy(&text).unwrap_err();
            assert!(error.message.contains(reason), "{text}: {error}");
        }
    }
}
