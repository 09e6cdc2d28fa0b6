//! Any event, and any content.

use afterward_machine::{
    BatchTie, DeduplicationScope, Encryption, Event, FifoAttributes, KeptDedup, KeptFinished, KeptKey, KeptMessage,
    KeptQueue, LeaseId, LeasedMessage, MessageKey, MessageSent, MoveFailure, MoveOutcome, QueueAttributes, QueueId,
    RedriveAllowPolicy, RedrivePolicy, ScheduleGroupId, ScheduleGroupPut, ScheduleId, SchedulePut, Tags,
    ThroughputLimit,
};
use afterward_names::{AccountId, GroupId, MessageId, QueueAddress, QueueArn, ScheduleGroupAddress};
use afterward_record::{Attribute, AttributeValue, Content};
use bytes::Bytes;
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;

/// Small numbers, times of today, and the extremes.
fn numbers() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![0u64..300, 1_751_328_000_000u64..1_751_328_900_000, any::<u64>(), Just(u64::MAX)]
}

fn texts() -> impl Strategy<Value = Box<str>> + Clone {
    ".{0,20}".prop_map(Box::from)
}

fn queues() -> impl Strategy<Value = QueueId> + Clone {
    prop_oneof![0u32..300, any::<u32>()].prop_map(QueueId)
}

fn keys() -> impl Strategy<Value = MessageKey> + Clone {
    (any::<u32>(), any::<u16>()).prop_map(|(slot, generation)| MessageKey { slot, generation })
}

fn ids() -> impl Strategy<Value = MessageId> + Clone {
    any::<[u8; 16]>().prop_map(MessageId::from_bytes)
}

fn groups() -> impl Strategy<Value = GroupId> + Clone {
    "[!-~]{1,128}".prop_map(|text| text.parse().unwrap())
}

fn addresses() -> impl Strategy<Value = QueueAddress> + Clone {
    (0u64..1_000_000_000_000, "[a-z0-9-]{1,63}", "[A-Za-z0-9_-]{1,75}(\\.fifo)?").prop_map(|(account, region, name)| {
        QueueAddress {
            account: AccountId::from_u64(account).unwrap(),
            region: region.parse().unwrap(),
            name: name.parse().unwrap(),
        }
    })
}

fn arns() -> impl Strategy<Value = QueueArn> + Clone {
    addresses().prop_map(QueueArn)
}

fn tags() -> impl Strategy<Value = Tags> + Clone {
    btree_map(texts(), texts(), 0..4)
}

fn fifo() -> impl Strategy<Value = FifoAttributes> + Clone {
    any::<(bool, bool, bool)>().prop_map(|(content_based_deduplication, scope, limit)| FifoAttributes {
        content_based_deduplication,
        deduplication_scope: if scope { DeduplicationScope::MessageGroup } else { DeduplicationScope::Queue },
        throughput_limit: if limit { ThroughputLimit::PerMessageGroup } else { ThroughputLimit::PerQueue },
    })
}

fn redrive_allow() -> impl Strategy<Value = RedriveAllowPolicy> + Clone {
    prop_oneof![
        Just(RedriveAllowPolicy::AllowAll),
        Just(RedriveAllowPolicy::DenyAll),
        vec(arns(), 0..4).prop_map(RedriveAllowPolicy::ByQueue),
    ]
}

fn attributes() -> impl Strategy<Value = QueueAttributes> + Clone {
    let redrive = (arns(), any::<u32>())
        .prop_map(|(dead_letter_queue, max_receive_count)| RedrivePolicy { dead_letter_queue, max_receive_count });
    let encryption = (any::<bool>(), of(texts()), any::<u32>()).prop_map(|(sqs_managed, key, kms_data_key_reuse_s)| {
        Encryption { sqs_managed, kms_master_key_id: key, kms_data_key_reuse_s }
    });
    let times = [numbers(), numbers(), numbers(), numbers()];
    (times, any::<u32>(), of(texts()), of(redrive), of(redrive_allow()), encryption, of(fifo())).prop_map(
        |(times, maximum_message_bytes, policy, redrive, redrive_allow, encryption, fifo)| QueueAttributes {
            delay_ms: times[0],
            maximum_message_bytes,
            retention_ms: times[1],
            receive_wait_ms: times[2],
            visibility_timeout_ms: times[3],
            policy,
            redrive,
            redrive_allow,
            encryption,
            fifo,
        },
    )
}

fn kept_keys() -> impl Strategy<Value = KeptKey> + Clone {
    (any::<[u8; 16]>(), numbers(), prop_oneof![Just(0), any::<u64>()])
        .prop_map(|(key, expires_ms, fingerprint)| KeptKey { key, expires_ms, fingerprint })
}

fn leased() -> impl Strategy<Value = Vec<LeasedMessage>> + Clone {
    vec((keys(), numbers()).prop_map(|(message, lease)| LeasedMessage { message, lease: LeaseId(lease) }), 0..11)
}

fn outcomes() -> impl Strategy<Value = MoveOutcome> + Clone {
    prop_oneof![
        Just(MoveOutcome::Completed),
        Just(MoveOutcome::Cancelled),
        Just(MoveOutcome::Failed(MoveFailure::QueueGone)),
        Just(MoveOutcome::Failed(MoveFailure::SourceUnknown)),
    ]
}

fn ties() -> impl Strategy<Value = BatchTie> + Clone {
    ("[A-Za-z0-9_.:-]{1,128}", 0..3).prop_map(|(id, part)| {
        let id = id.parse().unwrap();
        match part {
            0 => BatchTie::In(id),
            1 => BatchTie::Held(id),
            _ => BatchTie::After(id),
        }
    })
}

fn sent() -> impl Strategy<Value = Event> + Clone {
    (queues(), ids(), numbers(), numbers(), of(groups()), of(kept_keys()), any::<bool>(), of(ties())).prop_map(
        |(queue, id, order, visible_ms, group, dedup, job, batch)| {
            Event::Sent(MessageSent { queue, id, order, visible_ms, group, dedup, job, batch })
        },
    )
}

fn kept_messages() -> impl Strategy<Value = Event> + Clone {
    let first = (queues(), ids(), of(groups()), of(arns()), any::<[bool; 3]>(), of(ties()));
    let second = ([numbers(), numbers(), numbers(), numbers(), numbers(), numbers()], any::<[u32; 2]>(), any::<u16>());
    (first, second).prop_map(|((queue, id, group, source, is, batch), (numbers, counts, redrives))| {
        Event::MessageKept(KeptMessage {
            queue,
            id,
            order: numbers[0],
            sent_ms: numbers[1],
            group,
            job: is[0],
            receive_count: counts[0],
            received_elsewhere: counts[1],
            first_received_ms: numbers[2],
            lease: LeaseId(numbers[3]),
            visible_ms: numbers[4],
            received_ms: numbers[5],
            leased: is[1],
            source,
            redrives,
            failure: is[2],
            batch,
        })
    })
}

fn kept() -> impl Strategy<Value = Event> {
    let queue = (queues(), addresses(), attributes(), tags(), [numbers(), numbers(), numbers()]);
    let task = (numbers(), arns(), of(arns()), of(any::<u32>()), [numbers(), numbers(), numbers()], of(outcomes()));
    prop_oneof![
        queue.prop_map(|(queue, address, attributes, tags, [created_ms, modified_ms, purged_ms])| {
            Event::QueueKept(KeptQueue { queue, address, attributes, tags, created_ms, modified_ms, purged_ms })
        }),
        kept_messages(),
        (kept_keys(), ids(), numbers()).prop_map(|(key, id, order)| Event::DedupKept(KeptDedup { key, id, order })),
        (ids(), any::<u32>(), numbers(), queues(), of(addresses()), any::<bool>()).prop_map(
            |(id, receive_count, finished_ms, queue, gone, dropped)| {
                Event::FinishedKept(KeptFinished { id, receive_count, finished_ms, queue, gone, dropped })
            }
        ),
        (queues(), any::<[u8; 16]>(), numbers(), leased()).prop_map(|(queue, attempt, expires_ms, messages)| {
            Event::AttemptKept { queue, attempt, expires_ms, messages }
        }),
        task.prop_map(|(task, source, destination, max_per_s, [to_move, moved, started_ms], outcome)| {
            Event::MoveKept { task, source, destination, max_per_s, to_move, moved, started_ms, outcome }
        }),
        (addresses(), numbers()).prop_map(|(address, deleted_ms)| Event::DeletionKept { address, deleted_ms }),
        (any::<u32>(), [numbers(), numbers(), numbers()])
            .prop_map(|(queue, [order, lease, task])| Event::CountersKept { queue, order, lease, task }),
    ]
}

fn schedules() -> impl Strategy<Value = Event> {
    let ids = any::<(u32, u32)>().prop_map(|(slot, generation)| ScheduleId { slot, generation });
    let groups = numbers().prop_map(ScheduleGroupId);
    let address =
        (0u64..1_000_000_000_000, "[a-z0-9-]{1,63}", "[A-Za-z0-9_.-]{1,64}").prop_map(|(account, region, name)| {
            ScheduleGroupAddress {
                account: AccountId::from_u64(account).unwrap(),
                region: region.parse().unwrap(),
                name: name.parse().unwrap(),
            }
        });
    let times = || [numbers(), numbers()];
    prop_oneof![
        (groups.clone(), address, tags(), times(), any::<bool>()).prop_map(
            |(group, address, tags, [created_ms, modified_ms], deleting)| {
                Event::ScheduleGroupPut(ScheduleGroupPut { group, address, tags, created_ms, modified_ms, deleting })
            }
        ),
        groups.clone().prop_map(|group| Event::ScheduleGroupDeleted { group }),
        (ids.clone(), numbers(), groups, "[A-Za-z0-9_.-]{1,64}", times(), of(numbers())).prop_map(
            |(schedule, revision, group, name, [created_ms, modified_ms], next_ms)| {
                let name = name.parse().unwrap();
                Event::SchedulePut(SchedulePut { schedule, revision, group, name, created_ms, modified_ms, next_ms })
            }
        ),
        (ids.clone(), of(numbers())).prop_map(|(schedule, next_ms)| Event::ScheduleRan { schedule, next_ms }),
        ids.prop_map(|schedule| Event::ScheduleDeleted { schedule }),
    ]
}

/// Any event, each kind about as often.
pub(crate) fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => any::<[u8; 32]>().prop_map(|secret| Event::Founded { secret }),
        1 => (queues(), addresses(), attributes(), tags()).prop_map(|(queue, address, attributes, tags)| {
            Event::QueueCreated { queue, address, attributes, tags }
        }),
        1 => queues().prop_map(|queue| Event::QueueDeleted { queue }),
        1 => (queues(), attributes()).prop_map(|(queue, attributes)| Event::AttributesSet { queue, attributes }),
        1 => (queues(), tags()).prop_map(|(queue, tags)| Event::TagsSet { queue, tags }),
        1 => queues().prop_map(|queue| Event::Purged { queue }),
        2 => sent(),
        2 => (queues(), numbers(), leased(), of(any::<[u8; 16]>())).prop_map(|(queue, until_ms, messages, attempt)| {
            Event::Leased { queue, until_ms, messages, attempt }
        }),
        1 => keys().prop_map(|message| Event::Deleted { message }),
        1 => keys().prop_map(|message| Event::Dropped { message }),
        1 => (keys(), numbers(), any::<bool>()).prop_map(|(message, until_ms, failure)| {
            Event::VisibilityChanged { message, until_ms, failure }
        }),
        1 => (keys(), numbers()).prop_map(|(message, until_ms)| Event::HandedBack { message, until_ms }),
        1 => (keys(), queues(), numbers()).prop_map(|(message, to, order)| Event::DeadLettered { message, to, order }),
        1 => (numbers(), arns(), of(arns()), of(any::<u32>()), numbers()).prop_map(
            |(task, source, destination, max_per_s, to_move)| {
                Event::MoveStarted { task, source, destination, max_per_s, to_move }
            },
        ),
        1 => (numbers(), keys(), queues(), numbers())
            .prop_map(|(task, message, to, order)| Event::Redriven { task, message, to, order }),
        1 => (numbers(), outcomes()).prop_map(|(task, outcome)| Event::MoveEnded { task, outcome }),
        1 => (keys(), numbers()).prop_map(|(message, order)| Event::Released { message, order }),
        8 => kept(),
        5 => schedules(),
    ]
}

/// Any content.
pub(crate) fn contents() -> impl Strategy<Value = Content> {
    let value = prop_oneof![
        texts().prop_map(AttributeValue::String),
        vec(any::<u8>(), 0..20).prop_map(|bytes| AttributeValue::Binary(Bytes::from(bytes))),
    ];
    let attribute = (texts(), texts(), value).prop_map(|(name, data_type, value)| Attribute { name, data_type, value });
    let attributes = prop_oneof![Just(Vec::new()), vec(attribute, 0..11)];
    (".{0,300}", any::<[u8; 16]>(), attributes, texts(), of(texts()), of(texts())).prop_map(
        |(body, body_md5, attributes, sender, deduplication_id, trace_header)| Content {
            body: Bytes::from(body),
            body_md5,
            attributes,
            sender,
            deduplication_id,
            trace_header,
        },
    )
}
