//! A record of every kind and version that was ever released. Never change one: add.

use afterward_machine::{
    BatchTie, DeduplicationScope, Encryption, Event, FifoAttributes, KeptDedup, KeptFinished, KeptKey, KeptMessage,
    KeptQueue, LeaseId, LeasedMessage, MessageKey, MessageSent, MoveFailure, MoveOutcome, QueueAttributes, QueueId,
    RedriveAllowPolicy, RedrivePolicy, ScheduleGroupId, ScheduleGroupPut, ScheduleId, SchedulePut, Tags,
    ThroughputLimit,
};
use afterward_names::{BatchId, MessageId, QueueAddress, QueueArn, ScheduleGroupArn};
use afterward_record::{Attribute, AttributeValue, Beside, Content};
use bytes::Bytes;

/// A record and what it says.
pub(crate) struct Sample {
    /// Of its file.
    pub(crate) name: &'static str,
    /// The first line of its file.
    pub(crate) says: &'static str,
    pub(crate) time_ms: u64,
    pub(crate) event: Event,
    pub(crate) content: Option<Content>,
    /// The content's bytes, for `Beside::Kept`.
    kept: Vec<u8>,
    /// Of a schedule.
    pub(crate) definition: Option<&'static str>,
    pub(crate) error: Option<&'static str>,
    /// Whether this release still writes this version.
    pub(crate) written_today: bool,
}

impl Sample {
    pub(crate) fn beside(&self) -> Beside<'_> {
        if let Some(definition) = self.definition {
            return Beside::Definition(definition.as_bytes());
        }
        match (&self.content, self.error) {
            (None, None) => Beside::Nothing,
            (None, Some(error)) => Beside::Error(error),
            (Some(content), None) if self.kept.is_empty() => Beside::Content(content),
            (Some(_), error) => Beside::Kept { content: &self.kept, error },
        }
    }

    fn with(self, content: Content) -> Sample {
        Sample { content: Some(content), ..self }
    }

    /// With the bytes of this content, as compaction copies them from another record.
    fn with_kept(self, content: Content) -> Sample {
        let mut record = Vec::new();
        afterward_record::encode(&mut record, 1, &sent(false), Beside::Content(&content));
        let kept = afterward_record::decode_one(&record).unwrap().content.unwrap().to_vec();
        Sample { content: Some(content), kept, ..self }
    }

    fn with_definition(self, definition: &'static str) -> Sample {
        Sample { definition: Some(definition), ..self }
    }

    fn with_error(self, error: &'static str) -> Sample {
        Sample { error: Some(error), ..self }
    }
}

/// The name of an event's kind. A new kind does not compile until it is here, and in [`KINDS`].
pub(crate) fn kind(event: &Event) -> &'static str {
    match event {
        Event::Founded { .. } => "Founded",
        Event::QueueCreated { .. } => "QueueCreated",
        Event::QueueDeleted { .. } => "QueueDeleted",
        Event::AttributesSet { .. } => "AttributesSet",
        Event::TagsSet { .. } => "TagsSet",
        Event::Purged { .. } => "Purged",
        Event::Sent(_) => "Sent",
        Event::Leased { .. } => "Leased",
        Event::Deleted { .. } => "Deleted",
        Event::Dropped { .. } => "Dropped",
        Event::VisibilityChanged { .. } => "VisibilityChanged",
        Event::HandedBack { .. } => "HandedBack",
        Event::DeadLettered { .. } => "DeadLettered",
        Event::MoveStarted { .. } => "MoveStarted",
        Event::Redriven { .. } => "Redriven",
        Event::MoveEnded { .. } => "MoveEnded",
        Event::Released { .. } => "Released",
        Event::QueueKept(_) => "QueueKept",
        Event::MessageKept(_) => "MessageKept",
        Event::DedupKept(_) => "DedupKept",
        Event::FinishedKept(_) => "FinishedKept",
        Event::AttemptKept { .. } => "AttemptKept",
        Event::MoveKept { .. } => "MoveKept",
        Event::DeletionKept { .. } => "DeletionKept",
        Event::CountersKept { .. } => "CountersKept",
        Event::ScheduleGroupPut(_) => "ScheduleGroupPut",
        Event::ScheduleGroupDeleted { .. } => "ScheduleGroupDeleted",
        Event::SchedulePut(_) => "SchedulePut",
        Event::ScheduleRan { .. } => "ScheduleRan",
        Event::ScheduleDeleted { .. } => "ScheduleDeleted",
    }
}

pub(crate) const KINDS: [&str; 30] = [
    "Founded",
    "QueueCreated",
    "QueueDeleted",
    "AttributesSet",
    "TagsSet",
    "Purged",
    "Sent",
    "Leased",
    "Deleted",
    "Dropped",
    "VisibilityChanged",
    "HandedBack",
    "DeadLettered",
    "MoveStarted",
    "Redriven",
    "MoveEnded",
    "Released",
    "QueueKept",
    "MessageKept",
    "DedupKept",
    "FinishedKept",
    "AttemptKept",
    "MoveKept",
    "DeletionKept",
    "CountersKept",
    "ScheduleGroupPut",
    "ScheduleGroupDeleted",
    "SchedulePut",
    "ScheduleRan",
    "ScheduleDeleted",
];

/// 2025-07-01T00:00:00.000Z.
const TIME_MS: u64 = 1_751_328_000_000;
const QUEUE: QueueId = QueueId(3);
const KEY: MessageKey = MessageKey { slot: 70_000, generation: 2 };

fn sample(name: &'static str, says: &'static str, event: Event) -> Sample {
    let (content, kept, definition, error) = (None, Vec::new(), None, None);
    Sample { name, says, time_ms: TIME_MS, event, content, kept, definition, error, written_today: true }
}

fn arn(name: &str) -> QueueArn {
    format!("arn:aws:sqs:eu-central-1:123456789012:{name}").parse().unwrap()
}

fn address(name: &str) -> QueueAddress {
    arn(name).0
}

fn id() -> MessageId {
    MessageId::new(KEY.as_u64(), 0x0123_4567_89ab_cdef)
}

fn tags() -> Tags {
    [("cost-centre", "42"), ("stage", "prüfung")].into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}

fn every_attribute() -> QueueAttributes {
    QueueAttributes {
        delay_ms: 5_000,
        maximum_message_bytes: 262_144,
        retention_ms: 86_400_000,
        receive_wait_ms: 20_000,
        visibility_timeout_ms: 120_000,
        policy: Some(r#"{"Version":"2012-10-17","Statement":[]}"#.into()),
        redrive: Some(RedrivePolicy { dead_letter_queue: arn("orders-dlq.fifo"), max_receive_count: 3 }),
        redrive_allow: Some(RedriveAllowPolicy::ByQueue(vec![arn("a.fifo"), arn("b.fifo")])),
        encryption: Encryption {
            sqs_managed: false,
            kms_master_key_id: Some("alias/orders".into()),
            kms_data_key_reuse_s: 600,
        },
        fifo: Some(FifoAttributes {
            content_based_deduplication: true,
            deduplication_scope: DeduplicationScope::MessageGroup,
            throughput_limit: ThroughputLimit::PerMessageGroup,
        }),
    }
}

fn sent(full: bool) -> Event {
    Event::Sent(MessageSent {
        queue: QUEUE,
        id: id(),
        order: 1_000_001,
        visible_ms: if full { TIME_MS + 900_000 } else { TIME_MS },
        group: full.then(|| "tenant-7".parse().unwrap()),
        dedup: full.then_some(KeptKey { key: [7; 16], expires_ms: TIME_MS + 300_000, fingerprint: u64::MAX - 1 }),
        job: full,
        batch: None,
    })
}

fn tied(event: Event, tie: fn(BatchId) -> BatchTie) -> Event {
    let batch = Some(tie("import-42".parse().unwrap()));
    match event {
        Event::Sent(sent) => Event::Sent(MessageSent { batch, ..sent }),
        Event::MessageKept(kept) => Event::MessageKept(KeptMessage { batch, ..kept }),
        other => other,
    }
}

fn content(full: bool) -> Content {
    let attribute =
        |name: &str, data_type: &str, value| Attribute { name: name.into(), data_type: data_type.into(), value };
    let attributes = vec![
        attribute("amount", "Number.eur", AttributeValue::String("12.50".into())),
        attribute("seal", "Binary", AttributeValue::Binary(Bytes::from_static(&[0, 255, 1]))),
    ];
    Content {
        body: Bytes::from_static(r#"{"task":"say","what":"grüße"}"#.as_bytes()),
        body_md5: [0xa5; 16],
        attributes: if full { attributes } else { Vec::new() },
        sender: "AIDAEXAMPLE".into(),
        deduplication_id: full.then(|| "order-1".into()),
        trace_header: full.then(|| "Root=1-5759e988-bd862e3fe1be46a994272793".into()),
    }
}

fn leased() -> Vec<LeasedMessage> {
    vec![
        LeasedMessage { message: KEY, lease: LeaseId(500) },
        LeasedMessage { message: MessageKey { slot: 1, generation: 0 }, lease: LeaseId(501) },
        LeasedMessage { message: MessageKey { slot: u32::MAX, generation: u16::MAX }, lease: LeaseId(499) },
    ]
}

fn kept_message(full: bool) -> Event {
    Event::MessageKept(KeptMessage {
        queue: QUEUE,
        id: id(),
        order: 1_000_001,
        sent_ms: TIME_MS - 7_200_000,
        group: full.then(|| "tenant-7".parse().unwrap()),
        job: full,
        receive_count: if full { 4 } else { 0 },
        received_elsewhere: if full { 3 } else { 0 },
        first_received_ms: if full { TIME_MS - 3_600_000 } else { 0 },
        received_ms: if full { TIME_MS - 60_000 } else { 0 },
        lease: LeaseId(if full { 500 } else { 0 }),
        visible_ms: TIME_MS + 30_000,
        leased: full,
        source: full.then(|| arn("orders.fifo")),
        redrives: if full { 4_095 } else { 0 },
        failure: full,
        batch: None,
    })
}

fn move_kept(outcome: Option<MoveOutcome>, full: bool) -> Event {
    Event::MoveKept {
        task: 9,
        source: arn("jobs-dlq"),
        destination: full.then(|| arn("jobs")),
        max_per_s: full.then_some(500),
        to_move: 1_000,
        moved: 300,
        started_ms: TIME_MS - 600,
        outcome,
    }
}

pub(crate) fn samples() -> Vec<Sample> {
    definitions().into_iter().chain(travels()).chain(kept()).chain(schedules()).collect()
}

fn definitions() -> Vec<Sample> {
    let (full, plain) = (every_attribute(), QueueAttributes::defaults(false));
    let allow = |redrive_allow| QueueAttributes { redrive_allow: Some(redrive_allow), ..plain.clone() };
    let started = |destination, max_per_s| Event::MoveStarted {
        task: 9,
        source: arn("jobs-dlq"),
        destination,
        max_per_s,
        to_move: 1_000,
    };
    vec![
        sample("founded-1", "Founded: the partition's secret", Event::Founded { secret: [0x5e; 32] }),
        sample(
            "queue-created-1",
            "QueueCreated: a FIFO queue with every attribute set, and tags",
            Event::QueueCreated { queue: QUEUE, address: address("orders.fifo"), attributes: full, tags: tags() },
        ),
        sample(
            "queue-created-1-plain",
            "QueueCreated: a standard queue with the defaults",
            Event::QueueCreated {
                queue: QUEUE,
                address: address("jobs"),
                attributes: plain.clone(),
                tags: Tags::new(),
            },
        ),
        sample("queue-deleted-1", "QueueDeleted", Event::QueueDeleted { queue: QUEUE }),
        sample(
            "attributes-set-1-allow",
            "AttributesSet: every queue may name this one as its dead-letter queue",
            Event::AttributesSet { queue: QUEUE, attributes: allow(RedriveAllowPolicy::AllowAll) },
        ),
        sample(
            "attributes-set-1-deny",
            "AttributesSet: no queue may name this one as its dead-letter queue",
            Event::AttributesSet { queue: QUEUE, attributes: allow(RedriveAllowPolicy::DenyAll) },
        ),
        sample("tags-set-1", "TagsSet", Event::TagsSet { queue: QUEUE, tags: tags() }),
        sample("purged-1", "Purged", Event::Purged { queue: QUEUE }),
        sample("move-started-1", "MoveStarted: to one queue, slowly", started(Some(arn("jobs")), Some(500))),
        sample("move-started-1-back", "MoveStarted: back to the sources, as fast as it goes", started(None, None)),
        sample(
            "move-ended-1-completed",
            "MoveEnded: nothing is left",
            Event::MoveEnded { task: 9, outcome: MoveOutcome::Completed },
        ),
        sample(
            "move-ended-1-cancelled",
            "MoveEnded: cancelled",
            Event::MoveEnded { task: 9, outcome: MoveOutcome::Cancelled },
        ),
        sample(
            "move-ended-1-queue-gone",
            "MoveEnded: failed, for a queue is gone",
            Event::MoveEnded { task: 9, outcome: MoveOutcome::Failed(MoveFailure::QueueGone) },
        ),
        sample(
            "move-ended-1-source-unknown",
            "MoveEnded: failed, for a message's source is unknown",
            Event::MoveEnded { task: 9, outcome: MoveOutcome::Failed(MoveFailure::SourceUnknown) },
        ),
    ]
}

fn travels() -> Vec<Sample> {
    let lease = |attempt| Event::Leased { queue: QUEUE, until_ms: TIME_MS + 30_000, messages: leased(), attempt };
    let change = |until_ms, failure| Event::VisibilityChanged { message: KEY, until_ms, failure };
    vec![
        sample("sent-1", "Sent: a delayed job of a group, with an idempotency key and attributes", sent(true))
            .with(content(true)),
        sample("sent-1-plain", "Sent: a body and nothing else", sent(false)).with(content(false)),
        sample("sent-2-in", "Sent: a job of a batch, with all else", tied(sent(true), BatchTie::In))
            .with(content(true)),
        sample("sent-2-held", "Sent: after a batch, which holds it", tied(sent(false), BatchTie::Held))
            .with(content(false)),
        sample("sent-2-after", "Sent: after a batch that was over", tied(sent(false), BatchTie::After))
            .with(content(false)),
        sample("leased-1", "Leased: three messages", lease(None)),
        sample("leased-1-attempt", "Leased: three messages, by a receive attempt with an id", lease(Some([9; 16]))),
        sample("deleted-1", "Deleted", Event::Deleted { message: KEY }),
        sample("dropped-1", "Dropped", Event::Dropped { message: KEY }).with_error("no such customer"),
        sample("dropped-1-plain", "Dropped: nobody said why", Event::Dropped { message: KEY }),
        sample("visibility-changed-1", "VisibilityChanged: given back", change(TIME_MS, false)),
        sample(
            "visibility-changed-1-failure",
            "VisibilityChanged: in a minute, after an error",
            change(TIME_MS + 60_000, true),
        )
        .with_error("timeout: connecting to größe.example"),
        sample(
            "handed-back-1",
            "HandedBack: in a minute",
            Event::HandedBack { message: KEY, until_ms: TIME_MS + 60_000 },
        ),
        sample(
            "dead-lettered-1",
            "DeadLettered",
            Event::DeadLettered { message: KEY, to: QueueId(4), order: 1_000_002 },
        ),
        sample("released-1", "Released", Event::Released { message: KEY, order: 1_000_008 }),
        sample("redriven-1", "Redriven", Event::Redriven { task: 9, message: KEY, to: QUEUE, order: 1_000_003 }),
    ]
}

fn kept() -> Vec<Sample> {
    let key = KeptKey { key: [7; 16], expires_ms: TIME_MS + 1_000, fingerprint: 0xfeed };
    let queue = KeptQueue {
        queue: QUEUE,
        address: address("orders.fifo"),
        attributes: every_attribute(),
        tags: tags(),
        created_ms: TIME_MS - 3_000_000,
        modified_ms: TIME_MS - 2_000_000,
        purged_ms: 0,
    };
    let finished = KeptFinished {
        id: id(),
        receive_count: 2,
        finished_ms: TIME_MS - 60_000,
        queue: QUEUE,
        gone: None,
        dropped: false,
    };
    let dropped = KeptFinished { dropped: true, ..finished.clone() };
    let dropped_of_a_gone_queue = KeptFinished { gone: Some(address("jobs")), ..dropped.clone() };
    let of_a_gone_queue = KeptFinished { gone: Some(address("jobs")), ..finished.clone() };
    vec![
        sample("queue-kept-1", "QueueKept", Event::QueueKept(queue)),
        sample(
            "message-kept-1",
            "MessageKept: a leased message in a dead-letter queue, with its error",
            kept_message(true),
        )
        .with_kept(content(true))
        .with_error("no such customer"),
        sample("message-kept-1-plain", "MessageKept: never received", kept_message(false)).with_kept(content(false)),
        sample("message-kept-2-in", "MessageKept: a leased job of a batch", tied(kept_message(true), BatchTie::In))
            .with_kept(content(true))
            .with_error("no such customer"),
        sample("message-kept-2-held", "MessageKept: a batch holds it", tied(kept_message(false), BatchTie::Held))
            .with_kept(content(false)),
        sample("message-kept-2-after", "MessageKept: its batch is over", tied(kept_message(false), BatchTie::After))
            .with_kept(content(false)),
        sample("dedup-kept-1", "DedupKept", Event::DedupKept(KeptDedup { key, id: id(), order: 1_000_001 })),
        sample("finished-kept-1", "FinishedKept", Event::FinishedKept(finished)),
        sample("finished-kept-2", "FinishedKept: its queue is gone", Event::FinishedKept(of_a_gone_queue)),
        sample("finished-kept-3", "FinishedKept: it was dropped", Event::FinishedKept(dropped))
            .with_error("no such customer"),
        sample(
            "finished-kept-3-gone",
            "FinishedKept: it was dropped, and its queue is gone",
            Event::FinishedKept(dropped_of_a_gone_queue),
        ),
        sample(
            "attempt-kept-1",
            "AttemptKept",
            Event::AttemptKept { queue: QUEUE, attempt: [9; 16], expires_ms: TIME_MS + 250_000, messages: leased() },
        ),
        sample("move-kept-1", "MoveKept: still running", move_kept(None, true)),
        sample("move-kept-1-ended", "MoveKept: completed", move_kept(Some(MoveOutcome::Completed), false)),
        sample(
            "deletion-kept-1",
            "DeletionKept",
            Event::DeletionKept { address: address("jobs"), deleted_ms: TIME_MS - 59_000 },
        ),
        sample(
            "counters-kept-1",
            "CountersKept",
            Event::CountersKept { queue: 4, order: 1_000_004, lease: 502, task: 10 },
        ),
    ]
}

fn schedules() -> Vec<Sample> {
    let schedule = ScheduleId { slot: 70_000, generation: 1_000_006 };
    let group = |tags, deleting| {
        Event::ScheduleGroupPut(ScheduleGroupPut {
            group: ScheduleGroupId(1_000_005),
            address: "arn:aws:scheduler:eu-central-1:123456789012:schedule-group/reports"
                .parse()
                .map(|arn: ScheduleGroupArn| arn.0)
                .unwrap(),
            tags,
            created_ms: TIME_MS - 3_000_000,
            modified_ms: TIME_MS,
            deleting,
        })
    };
    let put = |next_ms| {
        Event::SchedulePut(SchedulePut {
            schedule,
            revision: 1_000_007,
            group: ScheduleGroupId(1_000_005),
            name: "nightly.v2".parse().unwrap(),
            created_ms: TIME_MS - 60_000,
            modified_ms: TIME_MS,
            next_ms,
        })
    };
    vec![
        sample("schedule-group-put-1", "ScheduleGroupPut: with tags", group(tags(), false)),
        sample("schedule-group-put-1-deleting", "ScheduleGroupPut: it is being deleted", group(Tags::new(), true)),
        sample(
            "schedule-group-deleted-1",
            "ScheduleGroupDeleted",
            Event::ScheduleGroupDeleted { group: ScheduleGroupId(1_000_005) },
        ),
        sample("schedule-put-1", "SchedulePut: due in an hour", put(Some(TIME_MS + 3_600_000)))
            .with_definition(r#"{"ScheduleExpression":"rate(1 hour)"}"#),
        sample("schedule-put-1-never", "SchedulePut: not due any more", put(None))
            .with_definition(r#"{"ScheduleExpression":"rate(1 hour)","State":"DISABLED"}"#),
        sample(
            "schedule-ran-1",
            "ScheduleRan: due again in a day",
            Event::ScheduleRan { schedule, next_ms: Some(TIME_MS + 86_400_000) },
        ),
        sample("schedule-ran-1-last", "ScheduleRan: for the last time", Event::ScheduleRan { schedule, next_ms: None }),
        sample("schedule-deleted-1", "ScheduleDeleted", Event::ScheduleDeleted { schedule }),
    ]
}
