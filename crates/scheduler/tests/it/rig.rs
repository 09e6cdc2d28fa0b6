//! A broker, a runner and a clock in our hand, and short words for what the stories do.

use afterward_broker::{
    AttributeValue, Broker, Clock, ManualClock, Received, Settings, StoredSchedule,
    machine::{AttributeChanges, Command, CreateQueue, Location, Receive, Standing},
};
use afterward_log::memory::{Fencing, MemoryLog};
use afterward_names::{QueueAddress, QueueArn, ScheduleAddress, ScheduleArn};
use afterward_scheduler::{
    AfterCompletion, Definition, HttpTargets, RetryPolicy, Runner, Schedule, SqsParameters, TargetDefinition,
    WindowDefinition,
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// 2026-11-22T05:00:00Z, when the stories begin.
pub(crate) const START_MS: u64 = 1_795_323_600_000;
pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;

/// What a schedule sends in most stories.
pub(crate) const TIME: &str = "<aws.scheduler.scheduled-time>";

pub(crate) struct Rig {
    pub(crate) runner: Runner,
    pub(crate) broker: Broker,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) log: Arc<MemoryLog>,
}

impl Rig {
    pub(crate) fn new() -> Rig {
        Rig::reaching(HttpTargets::Any)
    }

    /// With HTTP targets that reach so far.
    pub(crate) fn reaching(targets: HttpTargets) -> Rig {
        Rig::on(Arc::new(MemoryLog::new(Fencing::ByStore)), Arc::new(ManualClock::at(START_MS)), targets)
    }

    fn on(log: Arc<MemoryLog>, clock: Arc<ManualClock>, targets: HttpTargets) -> Rig {
        let broker = Broker::open(log.clone(), clock.clone(), Settings::default()).unwrap();
        Rig { runner: Runner::start(broker.clone(), targets), broker, clock, log }
    }

    /// Ends everything as a kill would, lets `ms` pass, and starts again on the same log.
    pub(crate) fn kill_and_return_after(self, ms: u64) -> Rig {
        let Rig { runner, broker, clock, log } = self;
        drop((runner, broker));
        // For what is dying, no time passes any more.
        let clock = ManualClock::at(clock.now_ms() + ms);
        Rig::on(Arc::new(log.another()), Arc::new(clock), HttpTargets::Any)
    }

    pub(crate) async fn queue(&self, name: &str) -> QueueAddress {
        self.queue_with(name, AttributeChanges::default()).await
    }

    pub(crate) async fn queue_with(&self, name: &str, attributes: AttributeChanges) -> QueueAddress {
        let queue = address(name);
        let create = CreateQueue { queue: queue.clone(), attributes, tags: BTreeMap::new(), cooldown: false };
        self.broker.execute(Command::CreateQueue(create)).await.unwrap();
        queue
    }

    /// Makes a schedule as CreateSchedule does.
    pub(crate) async fn schedule(&self, name: &str, definition: &Definition) -> ScheduleAddress {
        let address = schedule(name);
        let due_ms = Schedule::of(&address, definition).unwrap().first_due_ms(self.broker.now_ms());
        self.broker.create_schedule(address.clone(), definition.encode(), due_ms).await.unwrap();
        address
    }

    pub(crate) async fn stored(&self, address: &ScheduleAddress) -> Option<StoredSchedule> {
        self.broker.schedule(address).await.unwrap()
    }

    /// When the schedule is next due, from the beginning of the story.
    pub(crate) async fn due(&self, address: &ScheduleAddress) -> Option<u64> {
        self.stored(address).await.unwrap().next_ms.map(|ms| ms - START_MS)
    }

    /// Lets time pass, and everything that is due by then run.
    pub(crate) async fn pass(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
        self.settled().await;
    }

    /// Waits until nothing is due.
    pub(crate) async fn settled(&self) {
        until("everything due has run", async || {
            self.broker.read(|state| state.due_schedules().next().is_none()).await.unwrap()
        })
        .await;
    }

    /// Waits until something is to be received, and takes it off the queue.
    pub(crate) async fn one(&self, queue: &QueueAddress) -> Received {
        let taken = self.take(queue, 1, 20).await.pop();
        taken.expect("a message comes")
    }

    /// Takes all that is in the queue now off it.
    pub(crate) async fn all(&self, queue: &QueueAddress) -> Vec<Received> {
        let mut all = Vec::new();
        loop {
            let some = self.take(queue, 10, 0).await;
            if some.is_empty() {
                return all;
            }
            all.extend(some);
        }
    }

    pub(crate) async fn bodies(&self, queue: &QueueAddress) -> Vec<String> {
        self.all(queue).await.iter().map(body).collect()
    }

    async fn take(&self, queue: &QueueAddress, max: usize, wait_s: u64) -> Vec<Received> {
        let receive = Receive { queue: queue.clone(), max, visibility_timeout_ms: None, attempt: None };
        let receive = self.broker.receive(receive, Some(Duration::from_secs(wait_s)));
        let received = tokio::time::timeout(Duration::from_secs(60), receive).await.expect("a message comes").unwrap();
        for received in &received {
            let lease = received.delivery.lease;
            self.broker.execute(Command::Delete { queue: queue.clone(), lease }).await.unwrap();
        }
        received
    }

    /// Waits until the one call that is pending has failed since `before`, and answers with how long it rests now and where
    /// the failure is.
    pub(crate) async fn failed(&self, before: Option<Location>) -> (u64, Option<Location>) {
        let mut found = None;
        until("the call fails once more", async || {
            let pending = self.pending().await.into_iter().next();
            found = pending.filter(|(_, failure)| failure.is_some() && *failure != before);
            found.is_some()
        })
        .await;
        let (until_ms, failure) = found.unwrap();
        (until_ms - self.broker.now_ms(), failure)
    }

    /// The same, and moves the clock to the next try.
    pub(crate) async fn next_try(&self, before: Option<Location>) -> (u64, Option<Location>) {
        let (wait_ms, failure) = self.failed(before).await;
        self.clock.advance(Duration::from_millis(wait_ms));
        (wait_ms, failure)
    }

    /// The calls that are pending: until when they are invisible, and where their last failure is.
    pub(crate) async fn pending(&self) -> Vec<(u64, Option<Location>)> {
        let queue = address("afterward-invocations");
        let read = self.broker.read(move |state| {
            let Some(queue) = state.queue_at(&queue) else { return Vec::new() };
            let messages = state.messages(queue.id, None).map(|message| match message.standing {
                Standing::Leased { until_ms } | Standing::Delayed { until_ms } => (until_ms, message.failure),
                Standing::Ready | Standing::BehindGroup | Standing::Held => (0, message.failure),
            });
            messages.collect()
        });
        read.await.unwrap()
    }

    /// Waits until no call is pending any more.
    pub(crate) async fn nothing_pending(&self) {
        until("nothing is pending", async || self.pending().await.is_empty()).await;
    }
}

pub(crate) fn address(name: &str) -> QueueAddress {
    let QueueArn(address) = arn(name).parse().unwrap();
    address
}

pub(crate) fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:{queue}")
}

pub(crate) fn schedule(name: &str) -> ScheduleAddress {
    let ScheduleArn(address) =
        format!("arn:aws:scheduler:us-east-1:000000000000:schedule/default/{name}").parse().unwrap();
    address
}

/// A schedule that tells its target the time.
pub(crate) fn definition(expression: &str, target: &str) -> Definition {
    Definition {
        expression: expression.to_owned(),
        zone: None,
        start_ms: None,
        end_ms: None,
        anchor_ms: START_MS,
        window: WindowDefinition::Off,
        enabled: true,
        target: TargetDefinition {
            arn: target.to_owned(),
            role_arn: "arn:aws:iam::000000000000:role/scheduler".to_owned(),
            input: Some(TIME.to_owned()),
            sqs: None,
            retry: None,
            dead_letter_arn: None,
        },
        after_completion: AfterCompletion::Keep,
        description: None,
        kms_key_arn: None,
        client_token: None,
    }
}

/// Changes to a definition, in words.
pub(crate) trait With: Sized {
    fn with(self, change: impl FnOnce(&mut Definition)) -> Self;

    fn input(self, input: &str) -> Self {
        self.with(|definition| definition.target.input = Some(input.to_owned()))
    }

    fn retries(self, retries: u32) -> Self {
        self.with(|definition| {
            definition.target.retry.get_or_insert_with(RetryPolicy::default).maximum_retry_attempts = Some(retries);
        })
    }

    fn dead_letters_to(self, queue: &str) -> Self {
        self.with(|definition| definition.target.dead_letter_arn = Some(arn(queue)))
    }

    fn in_group(self, group: &str) -> Self {
        let sqs = SqsParameters { message_group_id: Some(group.to_owned()) };
        self.with(|definition| definition.target.sqs = Some(sqs))
    }
}

impl With for Definition {
    fn with(mut self, change: impl FnOnce(&mut Definition)) -> Definition {
        change(&mut self);
        self
    }
}

pub(crate) fn body(received: &Received) -> String {
    String::from_utf8(received.message.content.body.to_vec()).unwrap()
}

/// A message's text attributes.
pub(crate) fn attributes(received: &Received) -> BTreeMap<String, String> {
    let texts = received.message.content.attributes.iter().map(|attribute| match &attribute.value {
        AttributeValue::String(text) => (attribute.name.to_string(), text.to_string()),
        AttributeValue::Binary(bytes) => (attribute.name.to_string(), format!("{bytes:?}")),
    });
    texts.collect()
}

/// Waits until `true_now`, or fails with `what` after a while.
pub(crate) async fn until(what: &str, mut true_now: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !true_now().await {
        assert!(began.elapsed() < Duration::from_secs(60), "it never came about that {what}");
        // Only how often the condition is looked at.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
