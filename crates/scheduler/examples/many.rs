//! What many schedules cost while few of them, or all of them, are due.
//!
//! ```text
//! cargo run --release -p afterward-scheduler --example many -- 1000 100000 1000000
//! ```
//!
//! For each number: that many schedules are made, each due once a day at a minute of its own, to send a message to a
//! queue; then a minute passes, ten times, and those that are due run; then the rest of the day passes at once, and all
//! others run. Times are of the process's processors, in microseconds for each schedule that was made or run.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // it is a program that prints, and ends where something is wrong

use afterward_broker::{
    Broker, ManualClock, Settings,
    machine::{AttributeChanges, Command, CreateQueue},
};
use afterward_log::memory::{Fencing, MemoryLog};
use afterward_names::{QueueArn, ScheduleArn};
use afterward_scheduler::{
    AfterCompletion, Definition, HttpTargets, Runner, Schedule, TargetDefinition, WindowDefinition,
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// 2026-11-22T00:00:00Z.
const START_MS: u64 = 1_795_305_600_000;
const MINUTE_MS: u64 = 60_000;
const MINUTES: u64 = 10;
const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:ticks";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("schedules  make µs   due in 10 min   run µs   due then   run µs");
    for count in std::env::args().skip(1) {
        let count: u64 = count.parse().unwrap();
        let (broker, clock) = broker().await;
        let (made, _) = timed(make(&broker, count)).await;
        let runner = Runner::start(broker.clone(), HttpTargets::Any);
        settled(&broker).await;
        let (in_minutes, few) = timed(async {
            let before = broker.metrics().messages;
            for _ in 0..MINUTES {
                clock.advance(Duration::from_millis(MINUTE_MS));
                settled(&broker).await;
            }
            broker.metrics().messages - before
        })
        .await;
        let (in_day, rest) = timed(async {
            let before = broker.metrics().messages;
            clock.advance(Duration::from_millis((1440 - MINUTES) * MINUTE_MS - 1));
            settled(&broker).await;
            broker.metrics().messages - before
        })
        .await;
        let per = |took: Duration, of: u64| took.as_secs_f64() * 1e6 / of.max(1) as f64;
        println!(
            "{count:>9}  {:>7.1}   {few:>13}   {:>6.1}   {rest:>8}   {:>6.1}",
            per(made, count),
            per(in_minutes, few),
            per(in_day, rest)
        );
        runner.stop(Duration::from_secs(1)).await;
        broker.stop().await;
    }
}

async fn broker() -> (Broker, Arc<ManualClock>) {
    let (log, clock) = (MemoryLog::new(Fencing::ByStore), Arc::new(ManualClock::at(START_MS)));
    let broker = Broker::open(Arc::new(log), clock.clone(), Settings::default()).unwrap();
    let QueueArn(queue) = QUEUE.parse().unwrap();
    let create = CreateQueue { queue, attributes: AttributeChanges::default(), tags: BTreeMap::new(), cooldown: false };
    broker.execute(Command::CreateQueue(create)).await.unwrap();
    (broker, clock)
}

/// Makes the schedules, several at a time, so that they share flushes.
async fn make(broker: &Broker, count: u64) {
    let mut makers = JoinSet::new();
    for first in 0..64 {
        let broker = broker.clone();
        makers.spawn(async move {
            for number in (first..count).step_by(64) {
                let minute = number % 1440;
                let ScheduleArn(address) =
                    format!("arn:aws:scheduler:us-east-1:000000000000:schedule/default/s{number}").parse().unwrap();
                let definition = definition(format!("cron({} {} * * ? *)", minute % 60, minute / 60));
                // Not those of the first minute, which would be due at once.
                let due_ms = Schedule::of(&address, &definition).unwrap().first_due_ms(START_MS + 1);
                broker.create_schedule(address, definition.encode(), due_ms).await.unwrap();
            }
        });
    }
    while makers.join_next().await.is_some() {}
}

fn definition(expression: String) -> Definition {
    Definition {
        expression,
        zone: Some("Europe/London".to_owned()),
        start_ms: None,
        end_ms: None,
        anchor_ms: START_MS,
        window: WindowDefinition::Off,
        enabled: true,
        target: TargetDefinition {
            arn: QUEUE.to_owned(),
            role_arn: "arn:aws:iam::000000000000:role/scheduler".to_owned(),
            input: Some("{\"at\":\"<aws.scheduler.scheduled-time>\"}".to_owned()),
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

/// Waits until nothing is due.
async fn settled(broker: &Broker) {
    let began = Instant::now();
    while !broker.read(|state| state.due_schedules().next().is_none()).await.unwrap() {
        assert!(began.elapsed() < Duration::from_secs(600), "the schedules were not run");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// What a task took of the processors.
async fn timed<T>(task: impl Future<Output = T>) -> (Duration, T) {
    let before = processor_time();
    let done = task.await;
    (processor_time() - before, done)
}

fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    // The kernel shows them in hundredths of a second.
    Duration::from_millis(ticks * 10)
}
