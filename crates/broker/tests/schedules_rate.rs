//! What a million schedules cost a broker on a disk, and a restart of it: `cargo test --release -p afterward-broker --test
//! schedules_rate -- --ignored --nocapture`.

#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use afterward_broker::{Broker, ScheduleRun, Settings, SystemClock, machine::NextRun};
use afterward_log::segment::{Options, SegmentLog};
use afterward_names::{AccountId, Region, ScheduleAddress, ScheduleGroupAddress, ScheduleGroupName};
use bytes::Bytes;
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

const SCHEDULES: u64 = 1_000_000;
const CALLERS: u64 = 64;
const RUNS: u64 = 50_000;

fn open(directory: &Path) -> Broker {
    let (log, _) = SegmentLog::open(directory, &Options::default()).unwrap();
    Broker::open(Arc::new(log), Arc::new(SystemClock), Settings::default()).unwrap()
}

fn address(number: u64) -> ScheduleAddress {
    let (account, region) = (AccountId::DEFAULT, Region::default());
    let name = format!("trip-{:015x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8).parse().unwrap();
    ScheduleAddress { group: ScheduleGroupAddress { account, region, name: ScheduleGroupName::default() }, name }
}

/// The processor time of this process so far, where the system tells it: a busy machine spoils that less.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = after_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok());
    Duration::from_millis(10 * ticks.sum::<u64>())
}

/// The time since it was started, and the processor time.
struct Watch(Instant, Duration);

impl Watch {
    fn start() -> Watch {
        Watch(Instant::now(), cpu())
    }

    fn text(&self) -> String {
        format!("{:.1?} ({:.1?} of processor time)", self.0.elapsed(), cpu() - self.1)
    }
}

/// The definition of a schedule that sends a short message: about so long.
fn definition() -> Bytes {
    Bytes::from(vec![b'x'; 300])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, for release builds"]
async fn a_million_schedules_come_back_within_seconds() {
    let directory = tempfile::tempdir().unwrap();
    let broker = open(directory.path());
    let began = Watch::start();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let broker = broker.clone();
        callers.spawn(async move {
            for number in (caller..SCHEDULES).step_by(CALLERS as usize) {
                broker.create_schedule(address(number), definition(), Some(1 + number % 1000)).await.unwrap();
            }
        });
    }
    callers.join_all().await;
    let created = began.text();
    let metrics = broker.metrics();
    println!(
        "{} schedules made in {created}: {} bytes each in memory, {} in the log",
        metrics.schedules,
        metrics.memory.schedules_bytes / SCHEDULES,
        metrics.definitions_bytes / SCHEDULES
    );
    broker.stop().await;
    drop(broker);

    let began = Watch::start();
    let broker = open(directory.path());
    println!("a restart takes {}", began.text());
    assert_eq!(broker.metrics().schedules, SCHEDULES);

    let began = Watch::start();
    let mut ran = 0;
    while ran < RUNS {
        let due = broker.due_schedules(100).await.unwrap();
        let mut runs = JoinSet::new();
        for of in due {
            let broker = broker.clone();
            runs.spawn(async move {
                let (id, revision, due_ms) = (of.id, of.revision, of.next_ms);
                let next = NextRun::At(broker.now_ms() + 3_600_000);
                broker.run_schedule(ScheduleRun { id, revision, due_ms, next, sends: Vec::new() }).await.unwrap();
            });
        }
        ran += runs.join_all().await.len() as u64;
    }
    println!("{ran} runs, found and stored, in {}", began.text());
    broker.stop().await;
}
