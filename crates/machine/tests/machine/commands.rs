//! The steps of a story that are commands, as [`crate::script`] describes them.

use afterward_machine::{
    AttributeChanges, Batched, Command, CreateQueue, Dedup, DeduplicationScope, LeaseRef, Receive, RedriveAllowPolicy,
    RedrivePolicy, Send, SetAttributes, StartMove, ThroughputLimit,
};
use afterward_names::{AccountId, QueueAddress, QueueArn, Region};
use std::collections::BTreeMap;

/// `jobs` in the default account and region; `other/jobs` in account 111111111111; `far:jobs` in another region.
pub(crate) fn address(name: &str) -> QueueAddress {
    let (account, name) = match name.strip_prefix("other/") {
        Some(name) => (AccountId::from_u64(111_111_111_111).unwrap(), name),
        None => (AccountId::DEFAULT, name),
    };
    let (region, name) = match name.strip_prefix("far:") {
        Some(name) => ("eu-central-1".parse().unwrap(), name),
        None => (Region::default(), name),
    };
    QueueAddress { account, region, name: name.parse().unwrap() }
}

fn digest_of(text: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (at, byte) in text.bytes().enumerate() {
        bytes[at % 16] ^= byte;
    }
    bytes
}

pub(crate) fn millis(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_alphabetic()).unwrap());
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => panic!("no unit: {text}"),
    };
    number.parse::<u64>().unwrap() * unit_ms
}

/// The words of a step behind the verb.
pub(crate) struct Words<'a>(pub(crate) Vec<&'a str>);

impl<'a> Words<'a> {
    pub(crate) fn at(&self, index: usize) -> &'a str {
        self.0.get(index).copied().unwrap_or_else(|| panic!("a word is missing"))
    }

    pub(crate) fn value(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    pub(crate) fn flag(&self, word: &str) -> bool {
        self.0.contains(&word)
    }
}

/// The command that a step stands for; `handle` knows the receipt handles by their names.
pub(crate) fn command(verb: &str, words: &Words<'_>, handle: impl Fn(&str) -> LeaseRef) -> Command {
    if verb == "run" {
        return Command::RunMoves;
    }
    if verb == "cancel" {
        return Command::CancelMove { account: AccountId::DEFAULT, task: words.at(0).parse().unwrap() };
    }
    let queue = address(words.at(0));
    match verb {
        "create" => Command::CreateQueue(CreateQueue {
            attributes: changes(words, Some(queue.name.is_fifo())),
            queue,
            tags: BTreeMap::new(),
            cooldown: words.flag("cooldown"),
        }),
        "set" => Command::SetAttributes(SetAttributes {
            queue,
            attributes: changes(words, None),
            expected_policy: words.value("expect").map(|policy| Some(policy.into())),
        }),
        "drop" => Command::DeleteQueue { queue },
        "purge" => Command::Purge { queue, cooldown: words.flag("cooldown") },
        "send" => Command::Send(send(queue, words)),
        "receive" => Command::Receive(Receive {
            queue,
            max: words.value("max").map_or(1, |max| max.parse().unwrap()),
            visibility_timeout_ms: words.value("for").map(millis),
            attempt: words.value("attempt").map(digest_of),
        }),
        "delete" => Command::Delete { queue, lease: handle(words.at(1)) },
        "discard" => Command::Drop { queue, lease: handle(words.at(1)) },
        "change" => Command::ChangeVisibility {
            queue,
            lease: handle(words.at(1)),
            timeout_ms: millis(words.at(2)),
            failure: words.flag("failure"),
        },
        "handback" => Command::HandBack { queue, lease: handle(words.at(1)), timeout_ms: millis(words.at(2)) },
        "takeback" => Command::TakeBack { queue, lease: handle(words.at(1)), timeout_ms: millis(words.at(2)) },
        "bury" => Command::DeadLetter { queue, lease: handle(words.at(1)), failure: words.flag("failure") },
        "move" => Command::StartMove(StartMove {
            source: QueueArn(queue),
            destination: words.value("to").map(|to| QueueArn(address(to))),
            max_per_s: words.value("rate").map(|rate| rate.parse().unwrap()),
        }),
        _ => panic!("no such step: {verb}"),
    }
}

fn send(queue: QueueAddress, words: &Words<'_>) -> Send {
    let fifo = queue.name.is_fifo();
    let dedup = match (words.value("key"), words.value("id")) {
        (Some(key), _) => {
            let (key, body) = key.split_once('/').unwrap();
            let fingerprint = body.parse().unwrap();
            Some(Dedup::Idempotency { key: digest_of(key), fingerprint, window_ms: 86_400_000 })
        }
        (None, Some("none")) => None,
        (None, id) if fifo || id.is_some() => {
            let body = words.value("body").unwrap_or(words.at(1));
            Some(Dedup::Fifo { id: id.map(digest_of), body: id.is_none().then(|| digest_of(body)) })
        }
        _ => None,
    };
    Send {
        queue,
        size_bytes: words.value("size").map_or(100, |size| size.parse().unwrap()),
        delay_ms: words.value("delay").map(millis),
        group: words.value("group").map(|group| group.parse().unwrap()),
        dedup,
        job: words.flag("job"),
        batch: match (words.value("in"), words.value("after")) {
            (Some(id), None) => Some(Batched::In(id.parse().unwrap())),
            (None, Some(id)) => Some(Batched::After(id.parse().unwrap())),
            _ => None,
        },
    }
}

fn changes(words: &Words<'_>, fifo: Option<bool>) -> AttributeChanges {
    AttributeChanges {
        delay_ms: words.value("delay").map(millis),
        maximum_message_bytes: words.value("max_bytes").map(|bytes| bytes.parse().unwrap()),
        retention_ms: words.value("retention").map(millis),
        visibility_timeout_ms: words.value("visibility").map(millis),
        policy: words.value("policy").map(|policy| (policy != "none").then(|| policy.into())),
        redrive: words.value("dlq").map(redrive),
        redrive_allow: words.value("allow").map(allow),
        sqs_managed_sse: words.value("sse").map(|on| on == "on"),
        kms_master_key_id: words.value("kms").map(|key| (key != "none").then(|| key.into())),
        fifo: fifo.filter(|fifo| *fifo),
        content_based_deduplication: words.value("dedup").map(|by| by == "content"),
        deduplication_scope: words.value("scope").map(|scope| match scope {
            "group" => DeduplicationScope::MessageGroup,
            _ => DeduplicationScope::Queue,
        }),
        throughput_limit: words.value("limit").map(|limit| match limit {
            "group" => ThroughputLimit::PerMessageGroup,
            _ => ThroughputLimit::PerQueue,
        }),
        ..AttributeChanges::default()
    }
}

fn redrive(text: &str) -> Option<RedrivePolicy> {
    let (queue, count) = text.rsplit_once(':')?;
    Some(RedrivePolicy { dead_letter_queue: QueueArn(address(queue)), max_receive_count: count.parse().unwrap() })
}

fn allow(text: &str) -> Option<RedriveAllowPolicy> {
    match text {
        "unset" => None,
        "all" => Some(RedriveAllowPolicy::AllowAll),
        "none" => Some(RedriveAllowPolicy::DenyAll),
        names => Some(RedriveAllowPolicy::ByQueue(names.split(',').map(|name| QueueArn(address(name))).collect())),
    }
}
