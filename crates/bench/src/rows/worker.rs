//! What the library's worker makes of the broker: jobs end to end, and how soon one is begun.

use super::{Figure, PICK_UP, WORKER};
use crate::{
    host::Lines,
    lab::{Lab, alternate},
    latency::Latency,
    load::{Extent, Reading},
    meter::Meter,
    rows::Outcome,
    spread::{Spread, figure},
    sqs::BATCH,
    trouble::Trouble,
    working::{self, Noop},
};
use afterward::Queue;
use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Producers of the jobs, as the pipeline has them.
const PRODUCERS: usize = 4;
/// Jobs of one round, for each second of a window.
const JOBS_PER_S: f64 = 20_000.0;
/// Jobs a second where it is asked how soon they are begun.
const PACE_PER_S: f64 = 1000.0;

pub(super) async fn throughput(lab: &Lab<'_>) -> Outcome {
    (WORKER, end_to_end(lab).await)
}

pub(super) async fn pick_up(lab: &Lab<'_>) -> Outcome {
    (PICK_UP, picked_up(lab).await)
}

/// A worker at a new queue, and the way to it.
async fn hired(lab: &Lab<'_>, target: crate::load::Target, jobs: u64) -> Result<(Queue, Lines), Trouble> {
    let load = lab.load(target).await?;
    let queue = working::queue(target.address, load.queue_url()).map_err(|error| Trouble::new(error.to_string()))?;
    let mut lines = lab.worker(target.address, load.queue_url(), jobs)?;
    lines.until("working").await?;
    Ok((queue, lines))
}

/// How each job's handler was entered, in nanoseconds since 1970, of a worker that has handled them all; each once.
async fn entered(mut lines: Lines, jobs: u64) -> Result<BTreeMap<u32, u64>, Trouble> {
    let mut entered = BTreeMap::new();
    loop {
        let line = lines.next().await?;
        let Some((number, ns)) = line.split_once(' ') else { continue };
        if number == "done" {
            let all = entered.len() as u64 == jobs && ns == jobs.to_string();
            return if all { Ok(entered) } else { Err(Trouble::new(format!("not verified: {jobs} jobs, and {line}"))) };
        }
        let read = || Some((number.parse().ok()?, ns.parse().ok()?));
        let (number, ns): (u32, u64) = read().ok_or_else(|| Trouble::new(format!("the worker said {line:?}")))?;
        if entered.insert(number, ns).is_some() {
            return Err(Trouble::new(format!("not verified: job {number} was handled twice")));
        }
    }
}

async fn end_to_end(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let broker = lab.broker()?;
    let times = lab.pace.times;
    let pipeline = async || {
        let load = lab.load(broker.target()).await?;
        let reading = load.pipeline(4, 4, times).await;
        load.prove(Extent::All).await.check()?;
        lab.flushed(reading, 4 * BATCH)
    };
    let jobs = (JOBS_PER_S * times.counted.as_secs_f64()) as u64 / BATCH as u64 * BATCH as u64;
    let ours = async || {
        let (queue, mut lines) = hired(lab, broker.target(), jobs).await?;
        let meter = Meter::start(broker.target().pid);
        let enqueueing = enqueue_batches(&queue, jobs);
        let (enqueued, handled) = tokio::join!(enqueueing, lines.until("handled"));
        enqueued?;
        handled?;
        let reading = Reading { operations: jobs, spent: meter.read(), latency: Latency::default() };
        entered(lines, jobs).await?;
        lab.flushed(reading, PRODUCERS * BATCH)
    };
    let pairs = alternate(lab.pace.rounds, pipeline, ours).await?;
    let median = |of: fn(&(Reading, Reading)) -> f64| figure(Spread::of(pairs.iter().map(of)).median);
    Ok(Figure {
        measured: format!("{} ×", super::ratio(&pairs, Reading::per_s)),
        absolute: format!(
            "{} jobs/s; the pipeline {} messages/s; each handled once",
            median(|(_, ours)| ours.per_s()),
            median(|(pipeline, _)| pipeline.per_s())
        ),
    })
}

/// Enqueues so many jobs, in batches of ten, by several producers at once.
async fn enqueue_batches(queue: &Queue, jobs: u64) -> Result<(), Trouble> {
    let batches = Rc::new(RefCell::new((0..u32::try_from(jobs).unwrap_or(u32::MAX)).step_by(BATCH)));
    let mut producers: JoinSet<Result<(), Trouble>> = JoinSet::new();
    for _ in 0..PRODUCERS {
        let (queue, batches) = (queue.clone(), batches.clone());
        producers.spawn_local(async move {
            loop {
                let Some(first) = batches.borrow_mut().next() else { return Ok(()) };
                let batch: Vec<Noop> = (first..first + BATCH as u32).map(|number| Noop { number }).collect();
                for outcome in queue.enqueue_all(&batch).await {
                    outcome.map_err(|error| Trouble::new(error.to_string()))?;
                }
            }
        });
    }
    while let Some(ended) = producers.join_next().await {
        ended.map_err(|error| Trouble::new(format!("a producer died: {error}")))??;
    }
    Ok(())
}

/// One round: the sends' latencies, and from acknowledgement to handler.
type Round = (Latency, Latency);

async fn picked_up(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let broker = lab.broker()?;
    let mut rounds: Vec<Round> = Vec::new();
    for _ in 0..lab.pace.rounds {
        rounds.push(paced(lab, broker.target()).await?);
    }
    let p99 = |latency: &Latency| latency.quantile_ms(0.99);
    let median = |of: fn(&Round) -> f64| figure(Spread::of(rounds.iter().map(of)).median);
    Ok(Figure {
        measured: format!("{} ×", Spread::of(rounds.iter().map(|(send, pick_up)| p99(pick_up) / p99(send)))),
        absolute: format!(
            "{} ms after the acknowledgement (p50 {} ms); a send {} ms (p50 {} ms), at 1,000 a second",
            median(|(_, pick_up)| pick_up.quantile_ms(0.99)),
            median(|(_, pick_up)| pick_up.quantile_ms(0.5)),
            median(|(send, _)| send.quantile_ms(0.99)),
            median(|(send, _)| send.quantile_ms(0.5)),
        ),
    })
}

/// Jobs one by one, each at its time, whether or not the one before has been acknowledged.
async fn paced(lab: &Lab<'_>, target: crate::load::Target) -> Result<Round, Trouble> {
    let jobs = (PACE_PER_S * lab.pace.times.counted.as_secs_f64()) as u64;
    let (queue, mut lines) = hired(lab, target, jobs).await?;
    let mut sends = JoinSet::new();
    let began = tokio::time::Instant::now();
    for number in 0..u32::try_from(jobs).unwrap_or(u32::MAX) {
        tokio::time::sleep_until(began + Duration::from_secs_f64(f64::from(number) / PACE_PER_S)).await;
        let queue = queue.clone();
        sends.spawn_local(async move {
            let began = Instant::now();
            let sent = queue.enqueue(&Noop { number }).await;
            sent.map(|_| (number, began.elapsed(), working::now_ns()))
        });
    }
    let (mut send, mut pick_up, mut acknowledged) = (Latency::default(), Latency::default(), BTreeMap::new());
    while let Some(ended) = sends.join_next().await {
        let sent = ended.map_err(|error| Trouble::new(format!("a send died: {error}")))?;
        let (number, took, at_ns) = sent.map_err(|error| Trouble::new(error.to_string()))?;
        send.add(took);
        acknowledged.insert(number, at_ns);
    }
    lines.until("handled").await?;
    for (number, entered_ns) in entered(lines, jobs).await? {
        // A handler that is entered before the sender has its acknowledgement waited for nothing.
        let since = acknowledged.get(&number).map_or(0, |at_ns| entered_ns.saturating_sub(*at_ns));
        pick_up.add(Duration::from_nanos(since));
    }
    Ok((send, pick_up))
}
