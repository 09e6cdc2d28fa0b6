//! A state and its log: what the broker does, in miniature.

use afterward_machine::{Command, Decision, Event, Forward, Location, Refusal, Reply, State};
use afterward_names::{AccountId, Region};
use std::collections::BTreeSet;

/// Where the stories begin.
pub(crate) const START_MS: u64 = 1_700_000_000_000;

/// A state, with the records that made it.
pub(crate) struct World {
    pub(crate) state: State,
    log: Vec<(u64, Event)>,
    /// The records before this one are trimmed.
    first: usize,
    /// Where the newest definitions begin.
    definitions: usize,
    /// The records before this one have been forwarded, or were trimmed.
    forwarded: usize,
    random: u64,
}

fn location(record: usize) -> Location {
    Location { position: record as u64 + 1, offset_bytes: 8, length_bytes: 16 }
}

impl World {
    pub(crate) fn new() -> World {
        let mut state = State::new();
        state.advance(START_MS);
        let mut world = World { state, log: Vec::new(), first: 0, definitions: 0, forwarded: 0, random: 0 };
        world.run(&Command::Found { secret: [7; 32] }).unwrap();
        world
    }

    pub(crate) fn run(&mut self, command: &Command) -> Result<Reply, Refusal> {
        self.random += 1;
        let decision = self.state.decide(command, self.random)?;
        for event in decision.events {
            self.log(event);
        }
        self.release();
        Ok(decision.reply)
    }

    /// Lets go of what batches held that are over.
    pub(crate) fn release(&mut self) {
        while self.state.has_held_to_release() {
            let Decision { events, .. } = self.state.decide(&Command::ReleaseHeld, 0).unwrap();
            assert!(!events.is_empty());
            events.into_iter().for_each(|event| self.log(event));
        }
    }

    fn log(&mut self, event: Event) {
        let at = location(self.log.len());
        self.state.apply(&event, at);
        self.log.push((self.state.now_ms(), event));
    }

    pub(crate) fn advance(&mut self, by_ms: u64) {
        self.state.advance(self.state.now_ms() + by_ms);
        self.release();
    }

    /// Replays what is retained of the log.
    pub(crate) fn replayed(&self) -> State {
        let mut state = State::new();
        for (record, (time_ms, event)) in self.log.iter().enumerate().skip(self.first) {
            state.advance(*time_ms);
            state.apply(event, location(record));
        }
        state.advance(self.state.now_ms());
        state
    }

    /// Writes definitions, if the last ones are done with.
    pub(crate) fn define(&mut self) {
        if self.first < self.definitions {
            return;
        }
        self.definitions = self.log.len();
        self.forwarded = self.first;
        for event in self.state.definitions() {
            self.log(event);
        }
    }

    /// Forwards the next records before the definitions; trims when there are no more.
    pub(crate) fn forward(&mut self, records: usize) {
        for _ in 0..records {
            if self.forwarded >= self.definitions {
                self.first = self.definitions;
                return;
            }
            let (at, event) = (location(self.forwarded), self.log[self.forwarded].1.clone());
            for Forward { event, content, error } in self.state.forward(&event, at) {
                self.check_content(&event, content, error);
                self.log(event);
            }
            self.forwarded += 1;
        }
    }

    pub(crate) fn compact(&mut self) {
        self.define();
        self.forward(usize::MAX);
    }

    /// What goes along with a forwarded record is still in the log, and is what the event says it is.
    fn check_content(&self, event: &Event, content: Option<Location>, error: Option<Location>) {
        let record = |at: Location| {
            let record = at.position as usize - 1;
            assert!(record >= self.first, "{at:?} is trimmed");
            &self.log[record].1
        };
        if let Event::SchedulePut(kept) = event {
            match content.map(record) {
                Some(Event::SchedulePut(before)) => {
                    assert_eq!((before.schedule, before.revision), (kept.schedule, kept.revision));
                }
                other => panic!("no definition at {content:?}: {other:?}"),
            }
            return;
        }
        if let Event::FinishedKept(kept) = event
            && kept.dropped
        {
            match error.map(record) {
                Some(Event::Dropped { message }) => assert_eq!(message.as_u64(), kept.id.key()),
                Some(Event::FinishedKept(before)) => assert!(before.dropped && before.id == kept.id),
                other => panic!("no reason at {error:?}: {other:?}"),
            }
            return;
        }
        let Event::MessageKept(kept) = event else {
            assert_eq!((content, error), (None, None));
            return;
        };
        match content.map(record) {
            Some(Event::Sent(sent)) => assert_eq!(sent.id, kept.id),
            Some(Event::MessageKept(before)) => assert_eq!(before.id, kept.id),
            other => panic!("no content at {content:?}: {other:?}"),
        }
        match error.map(record) {
            None => assert!(!kept.failure),
            Some(Event::VisibilityChanged { failure: true, message, .. }) => {
                assert_eq!(message.as_u64(), kept.id.key())
            }
            Some(Event::MessageKept(before)) => assert!(before.failure && before.id == kept.id),
            other => panic!("no error at {error:?}: {other:?}"),
        }
    }

    /// What must hold at any time.
    pub(crate) fn verify(&self) {
        recount(&self.state);
        assert_eq!(digest(&self.state, true), digest(&self.replayed(), true), "a replay gives another state");
    }
}

/// The counters are those of the messages, and a queue is receivable if and only if one of its messages is ready.
fn recount(state: &State) {
    use afterward_machine::Standing;
    let mut all = 0;
    for queue in state.all_queues() {
        let messages: Vec<_> = state.messages(queue.id, None).collect();
        let count = |wanted: fn(&Standing) -> bool| messages.iter().filter(|m| wanted(&m.standing)).count() as u64;
        let ready = count(|s| matches!(s, Standing::Ready));
        assert_eq!(queue.counts.visible, ready + count(|s| matches!(s, Standing::BehindGroup)));
        assert_eq!(queue.counts.delayed, count(|s| matches!(s, Standing::Delayed { .. } | Standing::Held)));
        assert_eq!(queue.counts.in_flight, count(|s| matches!(s, Standing::Leased { .. })));
        assert_eq!(
            queue.counts.oldest_sent_ms,
            messages.iter().filter(|m| m.standing != Standing::Held).map(|m| m.sent_ms).min()
        );
        assert_eq!(state.is_receivable(queue.id), ready > 0, "{}", queue.address.name);
        all += messages.len() as u64;
        let paged: Vec<_> = std::iter::successors(state.messages(queue.id, None).next(), |last| {
            state.messages(queue.id, Some(last.cursor())).next()
        })
        .collect();
        assert_eq!(paged, messages);
        let due = |s: &Standing| match s {
            Standing::Delayed { until_ms } | Standing::Leased { until_ms } => Some(*until_ms),
            Standing::Ready | Standing::BehindGroup | Standing::Held => None,
        };
        let dues = messages.iter().flat_map(|m| due(&m.standing).into_iter().chain(m.expires_ms));
        assert!(dues.min().is_none_or(|at_ms| at_ms > state.now_ms() && state.next_due_ms() <= Some(at_ms)));
    }
    assert_eq!(state.message_count(), all);
}

/// All that can be observed of a state, line by line; `locations` can be left out, for compaction changes them.
pub(crate) fn digest(state: &State, locations: bool) -> Vec<String> {
    let mut lines = vec![format!("{} {:?} {:?}", state.now_ms(), state.secret(), state.next_due_ms())];
    let mut sources = BTreeSet::new();
    for queue in state.all_queues() {
        lines.push(format!("{queue:?} {}", state.is_receivable(queue.id)));
        lines.extend(state.moves(&queue.address.arn()).iter().map(|of| format!("{of:?}")));
        sources.insert(queue.address.arn());
        for mut message in state.messages(queue.id, None) {
            if !locations {
                message.location = location(0);
                message.failure = message.failure.map(|_| location(0));
            }
            lines.push(format!("{message:?}"));
        }
    }
    let (account, region) = (AccountId::DEFAULT, Region::default());
    lines.extend(state.schedule_groups(account, &region, "", None, usize::MAX).iter().map(|of| format!("{of:?}")));
    for mut schedule in state.schedules(account, &region, None, "", None) {
        if !locations {
            schedule.location = location(0);
        }
        lines.push(format!("{schedule:?}"));
    }
    lines.extend(state.due_schedules().map(|schedule| format!("{:?}", schedule.id)));
    lines
}
