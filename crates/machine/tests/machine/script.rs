//! Stories: scripts of steps at times, each saying what is to come of it.
//!
//! ```text
//! create jobs visibility=30s delay=0s retention=60s dlq=dead:3 dedup=content scope=group allow=none|q1,q2 cooldown
//! set jobs delay=10s                  drop jobs             purge jobs cooldown
//! send jobs a group=g id=x body=b delay=5s size=100 job key=k/1 in=batch after=batch
//! receive jobs max=10 for=30s attempt=t -> a b(2)           a number in brackets: its receive count
//! delete jobs a                       with the newest handle on a; a#1: with the first
//! change jobs a 10s failure           ChangeMessageVisibility
//! handback jobs a 10s                 the same by a holder that has not begun it
//! takeback jobs a 10s                 the same by one who could not give it to anybody
//! move dead to=other rate=5           run                   cancel 1
//! +30s                                time goes by
//! counts jobs 1 0 2                   visible, delayed, in flight
//! state jobs ready=a,b delayed=c leased=d behind=e held=f   all of the queue's messages
//! ties jobs a=in:batch b=held:batch c=after:batch          what its messages have to do with batches
//! due 30s | due never                 when something fires next
//! woken jobs | woken                  queues with something to receive since the last time it was asked
//! moved dead 2/3 running              the newest task of a queue
//! job a active(1) | …                 what became of a job
//! compact                             writes state forward, trims the log and goes on with what a replay gives
//! ```
//! `-> …` says how it ends, where that isn't plain success: `-> nothing`, `-> refused Reason`, `-> same a`. Names that
//! end in `.fifo` make FIFO queues. After every step counters are recounted; at the end the log is replayed, compacted
//! and replayed again, and each time the state must be the same.

pub(crate) use crate::commands::address;
use crate::commands::{Words, command, millis};
use crate::world::{World, digest};
use afterward_machine::{BatchTie, Delivery, JobView, LeaseRef, MessageView, MoveOutcome, Refusal, Reply, Standing};
use afterward_names::{MessageId, QueueArn};
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
            "counts" | "state" | "ties" | "due" | "woken" | "moved" | "job" => {
                let told = self.look(verb, &words);
                assert_eq!(told, words.0.join(" "));
                return;
            }
            "compact" => {
                let before = digest(&self.world.state, false);
                self.world.compact();
                assert_eq!(before, digest(&self.world.state, false));
                self.world.state = self.world.replayed();
                return;
            }
            _ => self.act(verb, &words),
        };
        assert_eq!(told, expected.unwrap_or_default());
    }

    fn act(&mut self, verb: &str, words: &Words<'_>) -> String {
        let command = command(verb, words, |name| self.handle(name));
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
            "ties" => self.ties(words.at(0)),
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
            Some(MoveOutcome::Failed(reason)) => format!("failed {reason:?}"),
        };
        format!("{queue} {}/{} {outcome}", task.moved, task.to_move)
    }

    /// The id of the message with this label.
    pub(crate) fn id(&self, label: &str) -> MessageId {
        *self.labels.iter().find(|(_, of)| *of == label).unwrap().0
    }

    fn job(&self, label: &str) -> String {
        let told = match self.world.state.job(self.id(label)) {
            None => "unknown".to_owned(),
            Some(JobView::Succeeded { receive_count, .. }) => format!("succeeded({receive_count})"),
            Some(JobView::Dropped { receive_count, .. }) => format!("dropped({receive_count})"),
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

    fn ties(&self, queue: &str) -> String {
        let mut told = vec![queue.to_owned()];
        for (label, message) in self.messages(queue) {
            match message.batch {
                None => {}
                Some(BatchTie::In(id)) => told.push(format!("{label}=in:{id}")),
                Some(BatchTie::Held(id)) => told.push(format!("{label}=held:{id}")),
                Some(BatchTie::After(id)) => told.push(format!("{label}=after:{id}")),
            }
        }
        told.join(" ")
    }

    fn standings(&self, queue: &str) -> String {
        let mut told = vec![queue.to_owned()];
        let messages = self.messages(queue);
        for name in ["ready", "delayed", "leased", "behind", "held"] {
            let of_kind = messages.iter().filter(|(_, message)| standing(message) == name);
            let labels: Vec<_> = of_kind.map(|(label, _)| label.as_str()).collect();
            if !labels.is_empty() {
                told.push(format!("{name}={}", labels.join(",")));
            }
        }
        told.join(" ")
    }
}

fn standing(message: &MessageView) -> &'static str {
    match message.standing {
        Standing::Ready => "ready",
        Standing::Delayed { .. } => "delayed",
        Standing::Leased { .. } => "leased",
        Standing::BehindGroup => "behind",
        Standing::Held => "held",
    }
}

fn name_of(refusal: &Refusal) -> String {
    match refusal {
        Refusal::InvalidAttribute { attribute, .. } => format!("InvalidAttribute {attribute}"),
        Refusal::QueueExists { attribute } => format!("QueueExists {attribute}"),
        other => format!("{other:?}").split([' ', '{']).next().unwrap().to_owned(),
    }
}
