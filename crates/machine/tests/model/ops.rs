//! What may happen, at random: every command, with every option that changes what it does.

use afterward_machine::{AttributeChanges, DeduplicationScope, RedriveAllowPolicy, RedrivePolicy, ThroughputLimit};
use afterward_names::{AccountId, QueueAddress, Region, ScheduleAddress, ScheduleGroupAddress};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

/// The addresses of a run. The last one is another account's.
const NAMES: [&str; 7] = ["dead", "dead.fifo", "jobs", "jobs.fifo", "more", "more.fifo", "jobs"];
pub(crate) const ADDRESSES: usize = NAMES.len();

/// One of the addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At(pub(crate) usize);

impl At {
    pub(crate) fn address(self) -> QueueAddress {
        let foreign = self.0 == ADDRESSES - 1;
        let account = if foreign { AccountId::from_u64(111_111_111_111).unwrap() } else { AccountId::DEFAULT };
        QueueAddress { account, region: Region::default(), name: NAMES[self.0].parse().unwrap() }
    }

    pub(crate) fn is_fifo(self) -> bool {
        NAMES[self.0].ends_with(".fifo")
    }
}

/// How a send is to be recognised.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Same {
    Not,
    Id(u8),
    Body(u8),
    Key { key: u8, fingerprint: u64, window_ms: u64 },
}

/// What may become of a group of schedules.
#[derive(Debug, Clone, Copy)]
pub(crate) enum GroupChange {
    Create { tags: usize },
    Delete,
    Tag { first: usize, count: usize },
    Untag { first: usize, count: usize },
    Sweep,
}

/// One of the schedules' addresses: a group, and a name in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scheduled {
    pub(crate) group: usize,
    pub(crate) name: usize,
}

/// The groups of a run. The last one is another account's.
pub(crate) const GROUPS: usize = 5;

pub(crate) fn group_address(group: usize) -> ScheduleGroupAddress {
    let foreign = group == GROUPS - 1;
    let account = if foreign { AccountId::from_u64(111_111_111_111).unwrap() } else { AccountId::DEFAULT };
    let name = ["default", "a", "reports", "rest", "default"][group].parse().unwrap();
    ScheduleGroupAddress { account, region: Region::default(), name }
}

impl Scheduled {
    pub(crate) fn address(self) -> ScheduleAddress {
        let name = ["tick", "tick.2", "a", "z-1", "Z"][self.name].parse().unwrap();
        ScheduleAddress { group: group_address(self.group), name }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Op {
    Advance(u64),
    Create {
        at: At,
        changes: AttributeChanges,
        tags: usize,
        cooldown: bool,
    },
    DeleteQueue {
        at: At,
    },
    Set {
        at: At,
        changes: AttributeChanges,
        expected_policy: Option<Option<u8>>,
    },
    Tag {
        at: At,
        first: usize,
        count: usize,
    },
    Untag {
        at: At,
        first: usize,
        count: usize,
    },
    Purge {
        at: At,
        cooldown: bool,
    },
    Send {
        at: At,
        count: usize,
        group: Option<u8>,
        delay_ms: Option<u64>,
        same: Same,
        size_bytes: u32,
        job: bool,
        batch: u8,
    },
    Receive {
        at: At,
        max: usize,
        timeout_ms: Option<u64>,
        attempt: Option<u8>,
    },
    Delete {
        pick: usize,
        at: Option<At>,
        undone: bool,
    },
    Change {
        pick: usize,
        at: Option<At>,
        timeout_ms: u64,
        failure: bool,
    },
    HandBack {
        pick: usize,
        at: Option<At>,
        timeout_ms: u64,
        /// By one who could not give the message to anybody.
        undelivered: bool,
    },
    DeadLetter {
        pick: usize,
        at: Option<At>,
        failure: bool,
    },
    StartMove {
        source: At,
        destination: Option<At>,
        max_per_s: Option<u32>,
    },
    CancelMove {
        pick: u64,
        foreign: bool,
    },
    RunMoves,
    Group {
        group: usize,
        change: GroupChange,
    },
    CreateSchedule {
        of: Scheduled,
        bytes: usize,
        next_ms: Option<u64>,
    },
    /// `read`: only if it is as it was when one of what was read lately was read.
    UpdateSchedule {
        of: Scheduled,
        bytes: usize,
        next_ms: Option<u64>,
        read: Option<usize>,
    },
    DeleteSchedule {
        of: Scheduled,
    },
    /// Reads what is due, and runs one of what was read lately. `next_ms`: `None` deletes it.
    RunSchedule {
        pick: usize,
        next_ms: Option<Option<u64>>,
        sends: Vec<(At, Option<u8>, Same)>,
    },
    Found,
    /// The state is replayed from its log.
    Restart,
    /// Steps of compaction, in runs that compact.
    Define,
    Forward(usize),
}

fn at() -> impl Strategy<Value = At> {
    let weights = [(2, 0), (2, 1), (6, 2), (6, 3), (2, 4), (1, 5), (1, 6)];
    proptest::strategy::Union::new_weighted(weights.map(|(weight, at)| (weight, Just(At(at)))).to_vec())
}

/// Mostly short, now and then long enough for retention, windows and cool-downs to end.
fn time_ms() -> impl Strategy<Value = u64> {
    prop_oneof![5 => 0..3000_u64, 3 => 3000..30_000_u64, 2 => 30_000..400_000_u64, 1 => 400_000..50_000_000_u64]
}

fn timeout_ms() -> impl Strategy<Value = u64> {
    prop_oneof![1 => Just(0), 6 => 1..8000_u64, 2 => 8000..100_000_u64, 1 => 100_000..43_200_000_u64]
}

fn same() -> impl Strategy<Value = Same> {
    let key = (0..5_u8, 0..2_u64, prop_oneof![Just(1_000), Just(86_400_000)]);
    prop_oneof![
        4 => Just(Same::Not),
        6 => (0..20_u8).prop_map(Same::Id),
        2 => (0..5_u8).prop_map(Same::Body),
        2 => key.prop_map(|(key, fingerprint, window_ms)| Same::Key { key, fingerprint, window_ms }),
    ]
}

fn changes() -> impl Strategy<Value = AttributeChanges> {
    vec(change(), 0..4).prop_map(|all| {
        let mut changes = AttributeChanges::default();
        all.into_iter().for_each(|change| merge(&mut changes, change));
        changes
    })
}

fn merge(into: &mut AttributeChanges, from: AttributeChanges) {
    macro_rules! take {
        ($($field:ident),*) => { $(into.$field = from.$field.or(into.$field.take());)* };
    }
    take!(delay_ms, maximum_message_bytes, retention_ms, receive_wait_ms, visibility_timeout_ms, policy, redrive);
    take!(redrive_allow, sqs_managed_sse, kms_master_key_id, kms_data_key_reuse_s, fifo);
    take!(content_based_deduplication, deduplication_scope, throughput_limit);
}

/// One attribute.
fn change() -> impl Strategy<Value = AttributeChanges> {
    let none = AttributeChanges::default;
    prop_oneof![
        3 => prop_oneof![Just(0), 1..20_000_u64].prop_map(move |ms| AttributeChanges { delay_ms: Some(ms), ..none() }),
        1 => Just(AttributeChanges { maximum_message_bytes: Some(1024), ..none() }),
        3 => prop_oneof![Just(60_000), Just(120_000), Just(345_600_000)]
            .prop_map(move |ms| AttributeChanges { retention_ms: Some(ms), ..none() }),
        1 => Just(AttributeChanges { receive_wait_ms: Some(20_000), ..none() }),
        2 => timeout_ms().prop_map(move |ms| AttributeChanges { visibility_timeout_ms: Some(ms), ..none() }),
        1 => of(0..2_u8).prop_map(move |policy| AttributeChanges { policy: Some(policy.map(text)), ..none() }),
        4 => of((at(), 1..4_u32)).prop_map(move |redrive| AttributeChanges { redrive: Some(policy(redrive)), ..none() }),
        1 => allow().prop_map(move |allow| AttributeChanges { redrive_allow: Some(allow), ..none() }),
        1 => any::<bool>().prop_map(move |on| AttributeChanges { sqs_managed_sse: Some(on), ..none() }),
        1 => of(0..2_u8).prop_map(move |key| AttributeChanges { kms_master_key_id: Some(key.map(text)), ..none() }),
        1 => Just(AttributeChanges { kms_data_key_reuse_s: Some(60), ..none() }),
        2 => any::<bool>().prop_map(move |fifo| AttributeChanges { fifo: Some(fifo), ..none() }),
        2 => any::<bool>().prop_map(move |on| AttributeChanges { content_based_deduplication: Some(on), ..none() }),
        2 => prop_oneof![Just(DeduplicationScope::Queue), Just(DeduplicationScope::MessageGroup)]
            .prop_map(move |scope| AttributeChanges { deduplication_scope: Some(scope), ..none() }),
        1 => prop_oneof![Just(ThroughputLimit::PerQueue), Just(ThroughputLimit::PerMessageGroup)]
            .prop_map(move |limit| AttributeChanges { throughput_limit: Some(limit), ..none() }),
    ]
}

pub(crate) fn text(number: u8) -> Box<str> {
    format!("text {number}").into()
}

fn policy(redrive: Option<(At, u32)>) -> Option<RedrivePolicy> {
    let (at, max_receive_count) = redrive?;
    Some(RedrivePolicy { dead_letter_queue: at.address().arn(), max_receive_count })
}

fn allow() -> impl Strategy<Value = Option<RedriveAllowPolicy>> {
    prop_oneof![
        Just(None),
        Just(Some(RedriveAllowPolicy::AllowAll)),
        Just(Some(RedriveAllowPolicy::DenyAll)),
        vec(at(), 1..3).prop_map(|sources| {
            Some(RedriveAllowPolicy::ByQueue(sources.into_iter().map(|at| at.address().arn()).collect()))
        }),
    ]
}

fn queue_op() -> impl Strategy<Value = Op> {
    let create = (at(), changes(), prop_oneof![9 => 0..3_usize, 1 => Just(51)], any::<bool>());
    let set = (at(), changes(), of(of(0..2_u8)));
    // Retroactive on FIFO queues.
    let delay = (prop_oneof![Just(At(3)), at()], prop_oneof![Just(0), 1..30_000_u64]);
    let tags = || (at(), 0..60_usize, prop_oneof![4 => 0..4_usize, 1 => Just(45)]);
    prop_oneof![
        6 => create.prop_map(|(at, changes, tags, cooldown)| Op::Create { at, changes, tags, cooldown }),
        2 => at().prop_map(|at| Op::DeleteQueue { at }),
        6 => set.prop_map(|(at, changes, expected_policy)| Op::Set { at, changes, expected_policy }),
        2 => delay.prop_map(|(at, delay_ms)| {
            let changes = AttributeChanges { delay_ms: Some(delay_ms), ..AttributeChanges::default() };
            Op::Set { at, changes, expected_policy: None }
        }),
        2 => tags().prop_map(|(at, first, count)| Op::Tag { at, first, count }),
        1 => tags().prop_map(|(at, first, count)| Op::Untag { at, first, count }),
        2 => (at(), any::<bool>()).prop_map(|(at, cooldown)| Op::Purge { at, cooldown }),
    ]
}

fn message_op() -> impl Strategy<Value = Op> {
    let delay_ms = prop_oneof![5 => Just(None), 1 => Just(Some(0)), 2 => (0..10_000_u64).prop_map(Some),
        1 => prop_oneof![Just(900_000), Just(901_000), Just(345_600_000)].prop_map(Some)];
    let size_bytes = prop_oneof![20 => Just(100), 1 => Just(5000)];
    let count = prop_oneof![30 => Just(1), 1 => Just(35_usize)];
    let send = (at(), count, of(0..4_u8), delay_ms, same(), size_bytes, any::<bool>(), 0..15_u8);
    let max = prop_oneof![9 => 1..=10_usize, 1 => 11..=100_usize];
    let receive = (at(), max, of(timeout_ms()), of(0..3_u8));
    let used_at = || prop_oneof![15 => Just(None), 1 => at().prop_map(Some)];
    prop_oneof![
        10 => send.prop_map(|(at, count, group, delay_ms, same, size_bytes, job, batch)| {
            Op::Send { at, count, group, delay_ms, same, size_bytes, job, batch }
        }),
        9 => receive.prop_map(|(at, max, timeout_ms, attempt)| Op::Receive { at, max, timeout_ms, attempt }),
        5 => (0..12_usize, used_at(), any::<bool>())
            .prop_map(|(pick, at, undone)| Op::Delete { pick, at, undone }),
        4 => (0..12_usize, used_at(), timeout_ms(), any::<bool>())
            .prop_map(|(pick, at, timeout_ms, failure)| Op::Change { pick, at, timeout_ms, failure }),
        3 => (0..12_usize, used_at(), timeout_ms(), any::<bool>())
            .prop_map(|(pick, at, timeout_ms, undelivered)| Op::HandBack { pick, at, timeout_ms, undelivered }),
        2 => (0..12_usize, used_at(), any::<bool>())
            .prop_map(|(pick, at, failure)| Op::DeadLetter { pick, at, failure }),
    ]
}

fn schedule_op() -> impl Strategy<Value = Op> {
    let group = || prop_oneof![3 => Just(0), 3 => 1..GROUPS];
    let scheduled = move || (group(), 0..5_usize).prop_map(|(group, name)| Scheduled { group, name });
    // From now, or before, or never.
    let next_ms = || prop_oneof![1 => Just(None), 6 => (0..20_000_u64).prop_map(Some)];
    let bytes = || prop_oneof![30 => Just(100), 1 => Just((1 << 20) + 1)];
    let tags = || (0..300_usize, prop_oneof![4 => 0..4_usize, 1 => Just(150)]);
    let change = prop_oneof![
        6 => prop_oneof![9 => 0..3_usize, 1 => Just(201)].prop_map(|tags| GroupChange::Create { tags }),
        2 => Just(GroupChange::Delete),
        2 => tags().prop_map(|(first, count)| GroupChange::Tag { first, count }),
        2 => tags().prop_map(|(first, count)| GroupChange::Untag { first, count }),
        1 => Just(GroupChange::Sweep),
    ];
    let send = (at(), of(0..4_u8), same());
    let run = (0..6_usize, of(next_ms()), vec(send, 0..4));
    prop_oneof![
        2 => (0..GROUPS, change).prop_map(|(group, change)| Op::Group { group, change }),
        4 => (scheduled(), bytes(), next_ms())
            .prop_map(|(of, bytes, next_ms)| Op::CreateSchedule { of, bytes, next_ms }),
        3 => (scheduled(), bytes(), next_ms(), proptest::option::of(0..8_usize))
            .prop_map(|(of, bytes, next_ms, read)| Op::UpdateSchedule { of, bytes, next_ms, read }),
        1 => scheduled().prop_map(|of| Op::DeleteSchedule { of }),
        6 => run.prop_map(|(pick, next_ms, sends)| Op::RunSchedule { pick, next_ms, sends }),
    ]
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let max_per_s = || prop_oneof![3 => Just(None), 3 => (1..5_u32).prop_map(Some), 1 => Just(Some(5000))];
    let source = prop_oneof![2 => Just(At(0)), 1 => at()];
    let start = (source, prop_oneof![3 => Just(None), 1 => at().prop_map(Some)], max_per_s());
    let start = start.prop_map(|(source, destination, max_per_s)| Op::StartMove { source, destination, max_per_s });
    prop_oneof![
        28 => message_op(),
        10 => schedule_op(),
        6 => time_ms().prop_map(Op::Advance),
        3 => queue_op(),
        5 => start,
        1 => (0..4_u64, any::<bool>()).prop_map(|(pick, foreign)| Op::CancelMove { pick, foreign }),
        4 => Just(Op::RunMoves),
        1 => prop_oneof![Just(Op::Restart), Just(Op::Found)],
        1 => Just(Op::Define),
        2 => (1..8_usize).prop_map(Op::Forward),
    ]
}
