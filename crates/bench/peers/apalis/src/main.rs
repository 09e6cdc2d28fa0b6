//! No-op jobs by apalis on Redis, in the words of the benchmark's own worker: see `working` in `crates/bench/src`.
//!
//! `enqueue` puts in `BATCH` jobs at a time.
//!
//! `work` says `working`, `handled`, `NUMBER NANOSECONDS` for each job, and `done COUNT`. `enqueue` says `began` and
//! `enqueued`. `pace` says `NUMBER NANOSECONDS TOOK` for each job, when it was acknowledged and how long that took, and
//! `enqueued`.
#![allow(clippy::print_stdout)] // printing is what it is for

use apalis::prelude::*;
use apalis_redis::{Config, ConnectionManager, RedisStorage};
use serde::{Deserialize, Serialize};
use std::{
    env,
    error::Error,
    future::ready,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{task::JoinSet, time::sleep_until};

const PRODUCERS: u32 = 4;
/// As ours.
const CONCURRENCY: usize = 80;
/// What the worker fetches at once: as many as it works at, like ours.
const FETCHED: usize = CONCURRENCY;
/// A worker that found nothing looks again after this: what it would take tens of milliseconds for otherwise.
const LOOK_EVERY: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Noop {
    number: u32,
}

type Failure = Box<dyn Error + Send + Sync>;
type Storage = RedisStorage<Noop, ConnectionManager>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [task, redis, queue, jobs, batch] = words.as_slice() else {
        return Err("apalis-noop work|enqueue|pace REDIS QUEUE JOBS BATCH".into());
    };
    let (jobs, batch): (u32, u32) = (jobs.parse()?, batch.parse()?);
    // The fastest that it can be told to be: nothing kept of finished jobs, no events, no locks to renew.
    let config =
        Config::default().queue(queue).batch_size(FETCHED).lock_tasks(false).persist_results(false).emit_events(false);
    let storage = RedisStorage::new(apalis_redis::connect(redis.as_str()).await?).with_config(config);
    match task.as_str() {
        "work" => work(storage, jobs).await,
        "enqueue" => enqueue(storage, jobs, batch).await,
        "pace" => pace(storage, jobs).await,
        other => Err(format!("no task is called {other}").into()),
    }
}

fn now_ns() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

async fn work(storage: Storage, jobs: u32) -> Result<(), Failure> {
    let entered: Arc<Mutex<Vec<(u32, u128)>>> = Arc::default();
    let (notes, count) = (entered.clone(), Arc::new(AtomicU64::new(0)));
    let noop = move |Noop { number }: Noop, worker: WorkerContext| {
        notes.lock().expect("nobody panics with it").push((number, now_ns()));
        if count.fetch_add(1, Ordering::Relaxed) + 1 == u64::from(jobs) {
            println!("handled");
            let _ = worker.stop();
        }
        ready(Ok::<(), Failure>(()))
    };
    let backend = storage.poll_with_interval(LOOK_EVERY);
    println!("working");
    WorkerBuilder::new("bench").backend(backend).concurrency(CONCURRENCY).build(noop).run().await?;
    let entered = entered.lock().expect("nobody panics with it");
    for (number, ns) in &*entered {
        println!("{number} {ns}");
    }
    println!("done {}", entered.len());
    Ok(())
}

async fn enqueue(storage: Storage, jobs: u32, batch: u32) -> Result<(), Failure> {
    println!("began");
    let mut producers: JoinSet<Result<(), Failure>> = JoinSet::new();
    for producer in 0..PRODUCERS {
        let mut storage = storage.clone();
        producers.spawn(async move {
            let batches = (0..jobs).step_by(batch as usize).skip(producer as usize).step_by(PRODUCERS as usize);
            for first in batches {
                let batch = (first..(first + batch).min(jobs)).map(|number| Noop { number }).collect();
                storage.push_bulk(batch).await.map_err(|error| format!("{error:?}"))?;
            }
            Ok(())
        });
    }
    while let Some(ended) = producers.join_next().await {
        ended??;
    }
    println!("enqueued");
    Ok(())
}

async fn pace(storage: Storage, jobs: u32) -> Result<(), Failure> {
    let mut sends: JoinSet<Result<(u32, u128, u128), Failure>> = JoinSet::new();
    let began = tokio::time::Instant::now();
    for number in 0..jobs {
        sleep_until(began + Duration::from_millis(1) * number).await;
        let mut storage = storage.clone();
        sends.spawn(async move {
            let began = Instant::now();
            storage.push(Noop { number }).await.map_err(|error| format!("{error:?}"))?;
            Ok((number, now_ns(), began.elapsed().as_nanos()))
        });
    }
    while let Some(ended) = sends.join_next().await {
        let (number, ns, took) = ended??;
        println!("{number} {ns} {took}");
    }
    println!("enqueued");
    Ok(())
}
