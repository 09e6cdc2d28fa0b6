//! Changes: decided, encoded into the pending payload, and applied, in one go.

use super::Partition;
use afterward_machine::{Command, Event, Location, Refusal, Reply};
use afterward_record::Beside;

/// A definitions batch is written whenever the log has grown by this much: that is how finely it can be trimmed. (Where
/// definitions are large themselves, by so many times their size, so that they stay a small part of the log.)
pub(super) const DEFINITIONS_EVERY_BYTES: u64 = 32 << 20;
const DEFINITIONS_EVERY_TIMES: u64 = 8;

impl Partition {
    /// Decides, logs and applies, at the state's time.
    pub(super) fn act(&mut self, command: &Command, random: u64, beside: Beside<'_>) -> Result<Reply, Refusal> {
        let decision = self.state.decide(command, random)?;
        for event in &decision.events {
            let beside = match event {
                Event::Sent(_)
                | Event::SchedulePut(_)
                | Event::VisibilityChanged { failure: true, .. }
                | Event::Dropped { .. } => beside,
                _ => Beside::Nothing,
            };
            self.log(event, beside);
        }
        Ok(decision.reply)
    }

    pub(super) fn log(&mut self, event: &Event, beside: Beside<'_>) -> Location {
        let at = self.commit.push(self.state.now_ms(), event, beside);
        self.counters.count(event);
        self.state.apply(event, at);
        self.reports.outdated_by(event, self.state.now_ms());
        if let Event::QueueDeleted { queue } = event {
            self.refuse_waiters(*queue);
        }
        at
    }

    /// Writes definitions, if they would be the first records of their batch: a replay may then start there.
    pub(super) fn write_definitions(&mut self) -> bool {
        if self.commit.is_pending() || self.state.secret().is_none() {
            return false;
        }
        let events = self.state.definitions();
        self.definitions.push_back(self.commit.position());
        self.since_definitions_bytes = 0;
        for event in &events {
            self.log(event, Beside::Nothing);
        }
        let (_, bytes) = self.commit.mark();
        debug_assert!(bytes as u64 <= self.state.most_definitions_bytes(), "they take more than is counted");
        self.definitions_every_bytes = DEFINITIONS_EVERY_BYTES.max(DEFINITIONS_EVERY_TIMES * bytes as u64);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::open;
    use afterward_log::memory::MemoryLog;
    use afterward_machine::{
        AttributeChanges, CreateQueue, RedriveAllowPolicy, RedrivePolicy, SetAttributes, StartMove, Tags,
    };
    use afterward_names::{QueueAddress, QueueArn, ScheduleGroupAddress};

    const NOW_MS: u64 = 1_700_000_000_000;

    fn address(name: &str) -> QueueAddress {
        QueueAddress {
            account: "999999999999".parse().unwrap(),
            region: "ap-northeast-1".parse().unwrap(),
            name: name.parse().unwrap(),
        }
    }

    fn tags() -> Tags {
        (0..50).map(|tag| (format!("{tag:0>128}").into(), "ü".repeat(256).into())).collect()
    }

    fn large(name: &str) -> AttributeChanges {
        AttributeChanges {
            policy: Some(Some("x".repeat(8192).into())),
            redrive: Some(Some(RedrivePolicy { dead_letter_queue: QueueArn(address(name)), max_receive_count: 1000 })),
            redrive_allow: Some(Some(RedriveAllowPolicy::ByQueue(vec![QueueArn(address(name)); 10]))),
            kms_master_key_id: Some(Some("k".repeat(2048).into())),
            delay_ms: Some(900_000),
            retention_ms: Some(1_209_600_000),
            visibility_timeout_ms: Some(43_200_000),
            kms_data_key_reuse_s: Some(86_400),
            ..AttributeChanges::default()
        }
    }

    /// What the state counts, so that a batch is never too large, is a little more than what is written.
    #[test]
    fn definitions_take_no_more_than_is_counted_and_not_much_less() {
        let mut partition = open(&MemoryLog::default(), NOW_MS, [7; 32], Default::default()).unwrap();
        let mut run = |command: Command| partition.act(&command, 0, Beside::Nothing).unwrap();
        let name = "q".repeat(75);
        let create = |name: &str, tags: Tags| {
            let attributes = AttributeChanges { fifo: Some(true), ..AttributeChanges::default() };
            Command::CreateQueue(CreateQueue { queue: address(name), attributes, tags, cooldown: false })
        };
        for number in 0..20 {
            run(create(&format!("{number}.fifo"), Tags::new()));
        }
        let dead = format!("{name}.fifo");
        run(create(&dead, tags()));
        for queue in ["1.fifo", &dead] {
            let (queue, attributes) = (address(queue), large(&dead));
            run(Command::SetAttributes(SetAttributes { queue, attributes, expected_policy: None }));
        }
        let group = ScheduleGroupAddress {
            account: address("a").account,
            region: address("a").region,
            name: "g".repeat(64).parse().unwrap(),
        };
        run(Command::CreateScheduleGroup { group, tags: tags() });
        for _ in 0..5 {
            let (source, max_per_s) = (QueueArn(address(&dead)), Some(500));
            let start = StartMove { source: source.clone(), destination: Some(QueueArn(address("2.fifo"))), max_per_s };
            let Reply::MoveStarted { task } = run(Command::StartMove(start)) else { panic!() };
            run(Command::CancelMove { account: source.0.account, task });
        }
        for number in 10..20 {
            run(Command::DeleteQueue { queue: address(&format!("{number}.fifo")) });
        }
        drop(partition.take_batch());
        assert!(partition.write_definitions());
        let (_, bytes) = partition.commit.mark();
        let most = partition.state.most_definitions_bytes();
        assert!(bytes as u64 <= most && most < bytes as u64 * 5 / 4, "{bytes} of {most}");
    }
}
