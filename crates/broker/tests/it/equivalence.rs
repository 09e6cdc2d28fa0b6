//! At any moment, what a replay of the log gives is what the partition is: whatever was done, and however far
//! compaction had come with it. The core is driven here step by step, from a seed.

use crate::rig::{START_MS, a_receive, a_send, address, body, content};
use afterward_broker::{
    Counters, Random, Settings,
    machine::{
        AttributeChanges, Command, CreateQueue, Dedup, LeaseRef, MessageView, QueueId, RedrivePolicy, Reply, Send,
        Standing, StartMove, State,
    },
    open::open,
    partition::{Partition, Receiving, compact::Compactor},
};
use afterward_log::{Log, Slice, memory::MemoryLog};
use afterward_names::{MessageId, QueueAddress, QueueArn};
use afterward_record::{Beside, decode_one};
use std::{collections::BTreeMap, sync::Arc};

const SETTINGS: Settings = Settings { compact_at_ratio: 1.5, compact_at_bytes: 2_000 };

struct World {
    log: MemoryLog,
    partition: Partition,
    compactor: Compactor,
    random: Random,
    now_ms: u64,
    queues: Vec<QueueAddress>,
    leases: Vec<(QueueAddress, LeaseRef)>,
    sent: BTreeMap<MessageId, String>,
    trims: usize,
    finished: usize,
}

fn reopen(log: &MemoryLog, now_ms: u64) -> Partition {
    open(log, now_ms, [7; 32], Arc::new(Counters::default())).unwrap()
}

impl World {
    fn new(seed: u8) -> World {
        let log = MemoryLog::default();
        let partition = reopen(&log, START_MS);
        let mut world = World {
            log,
            partition,
            compactor: Compactor::new(SETTINGS).in_steps_of(3),
            random: Random::from_seed([seed; 32]),
            now_ms: START_MS,
            queues: ["dead", "jobs", "dead.fifo", "line.fifo"].map(address).to_vec(),
            leases: Vec::new(),
            sent: BTreeMap::new(),
            trims: 0,
            finished: 0,
        };
        for (at, queue) in world.queues.clone().into_iter().enumerate() {
            let dead = (at % 2 == 1).then(|| QueueArn(world.queues[at - 1].clone()));
            let redrive = dead.map(|dead_letter_queue| Some(RedrivePolicy { dead_letter_queue, max_receive_count: 2 }));
            let fifo = queue.name.is_fifo().then_some(true);
            let attributes = AttributeChanges { redrive, fifo, ..Default::default() };
            let create = CreateQueue { queue, attributes, tags: BTreeMap::new(), cooldown: false };
            world.submit(&Command::CreateQueue(create), Beside::Nothing);
        }
        world
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random.bits() % bound
    }

    fn submit(&mut self, command: &Command, beside: Beside<'_>) -> Option<Reply> {
        let random = self.random.bits();
        let gated = self.partition.submit(self.now_ms, random, command, beside);
        self.flush();
        gated.try_open().unwrap().unwrap().ok()
    }

    fn flush(&mut self) {
        while let Some(outgoing) = self.partition.take_batch() {
            let epoch = self.partition.epoch();
            let position = self.log.append(epoch, outgoing.expected, outgoing.batch).unwrap();
            self.partition.committed(position).unwrap().open();
        }
    }

    fn step(&mut self) {
        let at = self.below(4) as usize;
        let queue = self.queues[at].clone();
        match self.below(30) {
            0..=3 => self.send(queue),
            4..=6 => self.receive(&queue),
            7..=10 => self.delete(),
            11..=12 => self.change_visibility(),
            13 => self.hand_back(),
            14 => self.now_ms += self.random.bits() % 40_000,
            15 if self.below(10) == 0 => self.start_move(),
            16 if self.below(60) == 0 => {
                self.submit(&Command::Purge { queue, cooldown: false }, Beside::Nothing);
            }
            _ => self.compact(),
        }
        self.partition.on_time(self.now_ms);
        self.flush();
    }

    fn send(&mut self, queue: QueueAddress) {
        let n = self.sent.len();
        let text = format!("message {n}");
        let mut send = Send { job: self.below(2) == 0, ..a_send(&queue) };
        if queue.name.is_fifo() {
            send.group = Some(format!("g{}", self.below(3)).parse().unwrap());
            let id = self.random.bits() % 8;
            send.dedup = Some(Dedup::Fifo { id: Some([id as u8; 16]), body: None });
        } else if self.below(3) == 0 {
            send.delay_ms = Some(self.below(60_000));
            let key = [self.below(200) as u8; 16];
            send.dedup = Some(Dedup::Idempotency { key, fingerprint: 1, window_ms: 3_600_000 });
        }
        if let Some(Reply::Sent { id, .. }) = self.submit(&Command::Send(send), Beside::Content(&content(&text))) {
            self.sent.entry(id).or_insert(text);
        }
    }

    fn receive(&mut self, queue: &QueueAddress) {
        let max = 1 + self.below(10) as usize;
        let mut receive = a_receive(queue, max);
        if queue.name.is_fifo() && self.below(2) == 0 {
            receive.attempt = Some([self.below(3) as u8; 16]);
        }
        let receiving = self.partition.receive(self.now_ms, &receive, Some(0));
        self.flush();
        if let Receiving::Answered(answer) = receiving
            && let Ok(deliveries) = answer.try_open().unwrap().unwrap()
        {
            self.leases.extend(deliveries.iter().map(|delivery| (queue.clone(), delivery.lease)));
        }
    }

    fn lease(&mut self) -> Option<(QueueAddress, LeaseRef)> {
        let at = self.below(self.leases.len().max(1) as u64) as usize;
        (at < self.leases.len()).then(|| self.leases.swap_remove(at))
    }

    fn delete(&mut self) {
        if let Some((queue, lease)) = self.lease() {
            match self.below(4) {
                0 => self.submit(&Command::Drop { queue, lease }, Beside::Error("no paper")),
                _ => self.submit(&Command::Delete { queue, lease }, Beside::Nothing),
            };
        }
    }

    fn change_visibility(&mut self) {
        let Some((queue, lease)) = self.lease() else { return };
        let text = format!("failure {}", self.below(1000));
        let failure = self.below(2) == 0;
        let timeout_ms = if self.below(2) == 0 { 0 } else { self.below(60_000) };
        let beside = if failure { Beside::Error(&text) } else { Beside::Nothing };
        let command = Command::ChangeVisibility { queue: queue.clone(), lease, timeout_ms, failure };
        self.submit(&command, beside);
        self.leases.push((queue, lease));
    }

    fn hand_back(&mut self) {
        if let Some((queue, lease)) = self.lease() {
            let timeout_ms = if self.below(2) == 0 { 0 } else { self.below(60_000) };
            self.submit(&Command::HandBack { queue, lease, timeout_ms }, Beside::Nothing);
        }
    }

    fn start_move(&mut self) {
        let dead = self.below(2) as usize * 2;
        let source = QueueArn(self.queues[dead].clone());
        let max_per_s = (self.below(2) == 0).then_some(1);
        self.submit(&Command::StartMove(StartMove { source, destination: None, max_per_s }), Beside::Nothing);
    }

    /// One step of compaction, however small.
    fn compact(&mut self) {
        self.compactor.start_if_due(&mut self.partition, &self.log);
        self.flush();
        let was_running = self.compactor.is_running();
        self.compactor.prepare(&self.log).unwrap();
        self.compactor.forward(&mut self.partition, self.now_ms).unwrap();
        if self.below(2) == 0 {
            self.flush();
        }
        if let Some(up_to) = self.compactor.trim(&mut self.partition) {
            self.log.trim(self.partition.epoch(), up_to).unwrap();
            self.trims += 1;
        }
        self.compactor.finish(&self.partition, &self.log);
        self.finished += usize::from(was_running && !self.compactor.is_running());
    }

    /// Replays the log, compares, and goes on with what was replayed.
    fn compare(&mut self, context: &str) {
        self.flush();
        let log = self.log.another();
        let replayed = reopen(&log, self.now_ms);
        // Also the one that lives has to have come to this moment.
        self.partition.on_time(self.now_ms);
        let [live, again] = [self.partition.state(), replayed.state()].map(|state| picture(state, &self.sent));
        for (live, again) in live.iter().zip(&again) {
            assert_eq!(live, again, "{context}: a replay gives something else");
        }
        assert_eq!(live.len(), again.len(), "{context}");
        for queue in replayed.state().all_queues() {
            for message in replayed.state().messages(queue.id, None) {
                let first_id = message.id.after_redrives(0);
                assert_eq!(&self.text(&log, &message), &self.sent[&first_id], "{context}");
            }
        }
        self.log = log;
        self.partition = replayed;
        self.compactor = Compactor::new(SETTINGS).in_steps_of(3);
    }

    /// The body of a message, from the log.
    fn text(&self, log: &MemoryLog, message: &MessageView) -> String {
        let at = message.location;
        let bytes = at.offset_bytes..at.offset_bytes + at.length_bytes;
        let record = log.fetch(&[Slice { position: at.position, bytes }]).unwrap().remove(0);
        let content = decode_one(&record).unwrap().content.unwrap().to_vec();
        let content = afterward_broker::Content::decode(&content).unwrap();
        body(&afterward_broker::StoredMessage { content, group: None })
    }
}

/// All that anybody can see of a state, where records lie aside.
fn picture(state: &State, sent: &BTreeMap<MessageId, String>) -> Vec<String> {
    let mut picture = vec![format!("{} messages at {}", state.message_count(), state.now_ms())];
    let queues: Vec<QueueId> = state.all_queues().map(|queue| queue.id).collect();
    for queue in state.all_queues() {
        picture.push(format!("{queue:?}"));
        picture.extend(state.moves(&queue.address.arn()).iter().map(|task| format!("{task:?}")));
    }
    for queue in queues {
        picture.extend(state.messages(queue, None).map(|message| seen(&message)));
    }
    picture.extend(sent.keys().map(|id| match state.job(*id) {
        Some(afterward_broker::machine::JobView::Present(message)) => format!("{id} is present: {}", seen(&message)),
        other => format!("{id} is {other:?}"),
    }));
    picture
}

fn seen(message: &MessageView) -> String {
    let location = afterward_broker::machine::Location { position: 0, offset_bytes: 0, length_bytes: 0 };
    let failure = message.failure.map(|_| location);
    // What a message behind its group or ready waits for is the same.
    let standing: Standing = message.standing;
    format!("{:?}", MessageView { location, failure, standing, ..message.clone() })
}

#[test]
fn a_replay_gives_what_the_partition_is_however_far_compaction_has_come() {
    let (mut trims, mut passes) = (0, 0);
    for seed in 0..20 {
        let mut world = World::new(seed);
        for step in 0..3_000 {
            world.step();
            if world.below(200) == 0 {
                world.compare(&format!("seed {seed}, step {step}"));
            }
        }
        world.compare(&format!("seed {seed}, at its end"));
        (trims, passes) = (trims + world.trims, passes + world.finished);
    }
    assert!(trims > 100 && passes > 30, "compaction hardly ran: {trims} trims, {passes} passes");
}
