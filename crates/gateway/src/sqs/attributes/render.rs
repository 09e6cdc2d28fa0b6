//! A queue's attributes as AWS writes them.

use afterward_aws::Error;
use afterward_broker::machine::{
    DeduplicationScope, FifoAttributes, QueueView, RedriveAllowPolicy, RedrivePolicy, ThroughputLimit,
};
use afterward_names::QueueArn;
use serde_json::json;
use std::collections::BTreeMap;

/// `QueueAttributeName` of the model, but for `All`.
const NAMES: [&str; 21] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "ContentBasedDeduplication",
    "CreatedTimestamp",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "LastModifiedTimestamp",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "Policy",
    "QueueArn",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];

/// The attributes that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sqs) struct Wanted(Vec<&'static str>);

impl Wanted {
    /// Those of these names; `All` is all of them.
    pub(in crate::sqs) fn asked_for(names: &[String]) -> Result<Wanted, Error> {
        let mut wanted = Vec::with_capacity(names.len());
        for name in names {
            match NAMES.iter().find(|known| *known == name) {
                Some(known) => wanted.push(*known),
                None if name == "All" => wanted = NAMES.to_vec(),
                None => return Err(Error::invalid_attribute_name(name)),
            }
        }
        Ok(Wanted(wanted))
    }

    /// Those that the queue has.
    pub(in crate::sqs) fn of(&self, queue: &QueueView<'_>) -> BTreeMap<String, String> {
        self.0.iter().filter_map(|name| Some(((*name).to_string(), value(name, queue)?))).collect()
    }
}

fn value(name: &str, queue: &QueueView<'_>) -> Option<String> {
    let attributes = queue.attributes;
    let seconds = |ms: u64| Some((ms / 1000).to_string());
    let encryption = &attributes.encryption;
    match name {
        "ApproximateNumberOfMessages" => Some(queue.counts.visible.to_string()),
        "ApproximateNumberOfMessagesDelayed" => Some(queue.counts.delayed.to_string()),
        "ApproximateNumberOfMessagesNotVisible" => Some(queue.counts.in_flight.to_string()),
        "CreatedTimestamp" => seconds(queue.created_ms),
        "LastModifiedTimestamp" => seconds(queue.modified_ms),
        "QueueArn" => Some(queue.address.arn().to_string()),
        "DelaySeconds" => seconds(attributes.delay_ms),
        "MaximumMessageSize" => Some(attributes.maximum_message_bytes.to_string()),
        "MessageRetentionPeriod" => seconds(attributes.retention_ms),
        "ReceiveMessageWaitTimeSeconds" => seconds(attributes.receive_wait_ms),
        "VisibilityTimeout" => seconds(attributes.visibility_timeout_ms),
        "Policy" => attributes.policy.as_ref().map(ToString::to_string),
        "RedrivePolicy" => attributes.redrive.as_ref().map(redrive),
        "RedriveAllowPolicy" => attributes.redrive_allow.as_ref().map(redrive_allow),
        "SqsManagedSseEnabled" => Some(encryption.sqs_managed.to_string()),
        "KmsMasterKeyId" => encryption.kms_master_key_id.as_ref().map(ToString::to_string),
        "KmsDataKeyReusePeriodSeconds" => {
            encryption.kms_master_key_id.as_ref().map(|_| encryption.kms_data_key_reuse_s.to_string())
        }
        _ => attributes.fifo.as_ref().and_then(|fifo| fifo_value(name, fifo)),
    }
}

fn fifo_value(name: &str, fifo: &FifoAttributes) -> Option<String> {
    let text = match name {
        "FifoQueue" => "true",
        "ContentBasedDeduplication" if fifo.content_based_deduplication => "true",
        "ContentBasedDeduplication" => "false",
        "DeduplicationScope" => match fifo.deduplication_scope {
            DeduplicationScope::Queue => "queue",
            DeduplicationScope::MessageGroup => "messageGroup",
        },
        "FifoThroughputLimit" => match fifo.throughput_limit {
            ThroughputLimit::PerQueue => "perQueue",
            ThroughputLimit::PerMessageGroup => "perMessageGroupId",
        },
        _ => return None,
    };
    Some(text.into())
}

fn redrive(policy: &RedrivePolicy) -> String {
    let target = policy.dead_letter_queue.to_string();
    json!({"deadLetterTargetArn": target, "maxReceiveCount": policy.max_receive_count}).to_string()
}

fn redrive_allow(policy: &RedriveAllowPolicy) -> String {
    let policy = match policy {
        RedriveAllowPolicy::AllowAll => json!({"redrivePermission": "allowAll"}),
        RedriveAllowPolicy::DenyAll => json!({"redrivePermission": "denyAll"}),
        RedriveAllowPolicy::ByQueue(sources) => {
            let sources: Vec<String> = sources.iter().map(QueueArn::to_string).collect();
            json!({"redrivePermission": "byQueue", "sourceQueueArns": sources})
        }
    };
    policy.to_string()
}
