//! Stories: scripts of steps at times, each saying what is to come of it.
//!
//! ```text
//! create jobs visibility=30s delay=0s retention=60s dlq=dead:3 dedup=content scope=group allow=none|q1,q2 cooldown
//! set jobs delay=10s                  drop jobs             purge jobs cooldown
//! send jobs a group=g id=x body=b delay=5s size=100 job key=k/1
//! receive jobs max=10 for=30s attempt=t -> a b(2)           a number in brackets: its receive count
//! delete jobs a                       with the newest handle on a; a#1: with the first
//! change jobs a 10s failure           ChangeMessageVisibility
//! move dead to=other rate=5           run                   cancel 1
//! +30s                                time goes by
//! counts jobs 1 0 2                   visible, delayed, in flight
//! state jobs ready=a,b delayed=c leased=d behind=e          all of the queue's messages
//! due 30s | due never                 when something fires next
//! woken jobs | woken                  queues with something to receive since the last time it was asked
//! moved dead 2/3 running              the newest task of a queue
//! job a active(1) | …                 what became of a job
//! compact                             writes state forward and trims the log
//! ```
//! `-> …` says how it ends, where that isn't plain success: `-> nothing`, `-> refused Reason`, `-> same a`. Names that
//! end in `.fifo` make FIFO queues. After every step counters are recounted; at the end the log is replayed, compacted
//! and replayed again, and each time the state must be the same.

use crate::world::{World, digest};
use afterward_machine::{
    AttributeChanges, Command, CreateQueue, Dedup, DeduplicationScope, Delivery, JobView, LeaseRef, MessageView,
    MoveOutcome, Receive, RedriveAllowPolicy, RedrivePolicy, Refusal, Reply, Send, SetAttributes, Standing, StartMove,
};
use afterward_names::{AccountId, MessageId, QueueAddress, QueueArn, Region};
use std::collections::BTreeMap;

/// Tells a story and checks what it says.
pub(crate) fn check(text: &str) {
    let mut story = Story::new();
    story.tell(text);
    story.end();
}

/// A story in the telling.
pub(crate) struct Story {
    pub(crate) world: World,
    labels: BTreeMap<MessageId, String>,
    handles: BTreeMap<String, Vec<LeaseRef>>,
}

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

fn millis(text: &str) -> u64 {
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
struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    fn at(&self, index: usize) -> &'a str {
        self.0.get(index).copied().unwrap_or_else(|| panic!("a word is missing"))
    }

    fn value(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    fn flag(&self, word: &str) -> bool {
        self.0.contains(&word)
    }
}

impl Story {
    pub(crate) fn new() -> Story {
        Story { world: World::new(), labels: BTreeMap::new(), handles: BTreeMap::new() }
    }

    /// Tells more of the story.
    pub(crate) fn tell(&mut self, text: &str) {
        self.steps(text, true);
    }

    /// The same without a recount and a replay after every step.
    pub(crate) fn tell_quickly(&mut self, text: &str) {
        self.steps(text, false);
        self.world.verify();
    }

    fn steps(&mut self, text: &str, verified: bool) {
        for (number, line) in text.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let step = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                self.step(line);
                if verified {
                    self.world.verify();
                }
            }));
            if let Err(panic) = step {
                eprintln!("in line {number} of the story: {line}");
                std::panic::resume_unwind(panic);
            }
        }
    }

    pub(crate) fn end(mut self) {
        let before = digest(&self.world.state, false);
        for _ in 0..2 {
            self.world.compact();
            assert_eq!(before, digest(&self.world.state, false), "compaction changes the state");
            assert_eq!(before, digest(&self.world.replayed(), false), "a replay of compacted records differs");
        }
    }

    fn step(&mut self, line: &str) {
        let (step, expected) = line.split_once("->").map_or((line, None), |(step, ends)| (step, Some(ends.trim())));
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        let words = Words(rest.split_whitespace().collect());
        if let Some(time) = verb.strip_prefix('+') {
            self.world.advance(millis(time));
            return;
        }
        let told = match verb {
            "counts" | "state" | "due" | "woken" | "moved" | "job" => {
                let told = self.look(verb, &words);
                assert_eq!(told, words.0.join(" "));
                return;
            }
            "compact" => {
                let before = digest(&self.world.state, false);
                self.world.compact();
                assert_eq!(before, digest(&self.world.state, false));
                return;
            }
            _ => self.act(verb, &words),
        };
        assert_eq!(told, expected.unwrap_or_default());
    }

    fn act(&mut self, verb: &str, words: &Words<'_>) -> String {
        let command = self.command(verb, words);
        match self.world.run(&command) {
            Err(refusal) => format!("refused {}", name_of(&refusal)),
            Ok(Reply::Sent { id, .. }) => {
                if let Some(first) = self.labels.get(&id.after_redrives(0)) {
                    return format!("same {first}");
                }
                self.labels.insert(id, words.at(1).to_owned());
                String::new()
            }
            Ok(Reply::Received { deliveries, more }) => {
                assert!(!more);
                self.received(&deliveries)
            }
            Ok(_) => String::new(),
        }
    }

    fn received(&mut self, deliveries: &[Delivery]) -> String {
        let mut told = Vec::new();
        for delivery in deliveries {
            let label = self.labels[&delivery.id.after_redrives(0)].clone();
            let handles = self.handles.entry(label.clone()).or_default();
            if handles.last() != Some(&delivery.lease) {
                handles.push(delivery.lease);
            }
            let count = delivery.receive_count;
            told.push(if count == 1 { label } else { format!("{label}({count})") });
        }
        if told.is_empty() { "nothing".to_owned() } else { told.join(" ") }
    }

    /// The handle `a` or `a#1`.
    pub(crate) fn handle(&self, name: &str) -> LeaseRef {
        let (label, number) = name.split_once('#').map_or((name, None), |(label, number)| (label, Some(number)));
        let handles = &self.handles[label];
        match number {
            Some(number) => handles[number.parse::<usize>().unwrap() - 1],
            None => *handles.last().unwrap(),
        }
    }

    fn command(&self, verb: &str, words: &Words<'_>) -> Command {
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
            "delete" => Command::Delete { queue, lease: self.handle(words.at(1)) },
            "change" => Command::ChangeVisibility {
                queue,
                lease: self.handle(words.at(1)),
                timeout_ms: millis(words.at(2)),
                failure: words.flag("failure"),
            },
            "move" => Command::StartMove(StartMove {
                source: QueueArn(queue),
                destination: words.value("to").map(|to| QueueArn(address(to))),
                max_per_s: words.value("rate").map(|rate| rate.parse().unwrap()),
            }),
            _ => panic!("no such step: {verb}"),
        }
    }

    fn look(&mut self, verb: &str, words: &Words<'_>) -> String {
        match verb {
            "woken" => self.woken(),
            "due" => match self.world.state.next_due_ms() {
                Some(at_ms) if words.at(0).ends_with("ms") => format!("{}ms", at_ms - self.world.state.now_ms()),
                Some(at_ms) => format!("{}s", (at_ms - self.world.state.now_ms()) / 1000),
                None => "never".to_owned(),
            },
            "job" => self.job(words.at(0)),
            "counts" => {
                let counts = self.world.state.queue_at(&address(words.at(0))).unwrap().counts;
                format!("{} {} {} {}", words.at(0), counts.visible, counts.delayed, counts.in_flight)
            }
            "moved" => self.moved(words.at(0)),
            _ => self.standings(words.at(0)),
        }
    }

    fn woken(&mut self) -> String {
        let woken = self.world.state.take_woken();
        let name = |id| self.world.state.queue(id).unwrap().address.name.to_string();
        woken.into_iter().map(name).collect::<Vec<_>>().join(" ")
    }

    fn moved(&self, queue: &str) -> String {
        let moves = self.world.state.moves(&QueueArn(address(queue)));
        let task = moves.first().unwrap();
        let outcome = match &task.outcome {
            None => "running".to_owned(),
            Some(MoveOutcome::Completed) => "completed".to_owned(),
            Some(MoveOutcome::Cancelled) => "cancelled".to_owned(),
            Some(MoveOutcome::Failed(reason)) => format!("failed {}", reason.split(':').next().unwrap()),
        };
        format!("{queue} {}/{} {outcome}", task.moved, task.to_move)
    }

    fn job(&self, label: &str) -> String {
        let (id, _) = self.labels.iter().find(|(_, of)| *of == label).unwrap();
        let told = match self.world.state.job(*id) {
            None => "unknown".to_owned(),
            Some(JobView::Succeeded { receive_count, .. }) => format!("succeeded({receive_count})"),
            Some(JobView::Present(message)) => {
                let failed = if message.failure.is_some() { " failed" } else { "" };
                let count = message.receive_count;
                match (message.source.is_some(), message.standing) {
                    (true, _) => format!("dead({count}){failed}"),
                    (_, Standing::Leased { .. }) => format!("active({count}){failed}"),
                    (_, Standing::Delayed { .. }) => format!("delayed({count}){failed}"),
                    _ => format!("waiting({count}){failed}"),
                }
            }
        };
        format!("{label} {told}")
    }

    /// The messages of a queue, in the order of their places in line.
    pub(crate) fn messages(&self, queue: &str) -> Vec<(String, MessageView)> {
        let queue = self.world.state.queue_at(&address(queue)).unwrap();
        let mut messages: Vec<_> = self.world.state.messages(queue.id, None).collect();
        messages.sort_by_key(|message| message.order);
        messages.into_iter().map(|message| (self.labels[&message.id.after_redrives(0)].clone(), message)).collect()
    }

    fn standings(&self, queue: &str) -> String {
        let mut told = vec![queue.to_owned()];
        let messages = self.messages(queue);
        let kinds: [(&str, fn(&Standing) -> bool); 4] = [
            ("ready", |s| matches!(s, Standing::Ready)),
            ("delayed", |s| matches!(s, Standing::Delayed { .. })),
            ("leased", |s| matches!(s, Standing::Leased { .. })),
            ("behind", |s| matches!(s, Standing::BehindGroup)),
        ];
        for (name, is) in kinds {
            let labels: Vec<_> =
                messages.iter().filter(|(_, m)| is(&m.standing)).map(|(label, _)| label.as_str()).collect();
            if !labels.is_empty() {
                told.push(format!("{name}={}", labels.join(",")));
            }
        }
        told.join(" ")
    }
}

fn name_of(refusal: &Refusal) -> String {
    match refusal {
        Refusal::InvalidAttribute { attribute, .. } => format!("InvalidAttribute {attribute}"),
        Refusal::QueueExists { attribute } => format!("QueueExists {attribute}"),
        other => format!("{other:?}").split([' ', '{']).next().unwrap().to_owned(),
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
            "group" => afterward_machine::ThroughputLimit::PerMessageGroup,
            _ => afterward_machine::ThroughputLimit::PerQueue,
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
