//! What the library's worker makes of the broker: jobs end to end, and how soon one is begun.

use super::{Figure, PICK_UP, WORKER};
use crate::{
    host::Lines,
    lab::{Lab, alternate},
    latency::Latency,
    load::{Extent, Reading, Target},
    meter::{Meter, Spent},
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
pub(crate) const PACE_PER_S: f64 = 1000.0;

pub(super) async fn throughput(lab: &Lab<'_>) -> Outcome {
    (WORKER, end_to_end(lab).await)
}

pub(super) async fn pick_up(lab: &Lab<'_>) -> Outcome {
    (PICK_UP, picked_up(lab).await)
}

/// A new queue on the server, for the library.
async fn queue(lab: &Lab<'_>, target: Target) -> Result<Queue, Trouble> {
    let load = lab.load(target).await?;
    working::queue(target.address, load.queue_url()).map_err(|error| Trouble::new(error.to_string()))
}

/// A worker at a new queue, and the way to it.
async fn hired(lab: &Lab<'_>, target: Target, jobs: u64) -> Result<(Queue, Lines), Trouble> {
    let queue = queue(lab, target).await?;
    let mut lines = lab.worker(target.address, queue.url(), jobs)?;
    lines.until("working").await?;
    Ok((queue, lines))
}

/// When each job's handler was entered, in nanoseconds since 1970, by the jobs' numbers.
pub(crate) struct Handled(BTreeMap<u32, u64>);

impl Handled {
    /// What a worker says that has handled all jobs; each once.
    pub(crate) async fn by(mut lines: Lines, jobs: u64) -> Result<Handled, Trouble> {
        let mut entered = BTreeMap::new();
        loop {
            let line = lines.next().await?;
            let Some((number, ns)) = line.split_once(' ') else { continue };
            if number == "done" {
                let all = entered.len() as u64 == jobs && ns == jobs.to_string();
                let missing = || {
                    Trouble::new(format!("not verified: {jobs} jobs, {} of them entered, and {line}", entered.len()))
                };
                return if all { Ok(Handled(entered)) } else { Err(missing()) };
            }
            let read = || Some((number.parse().ok()?, ns.parse().ok()?));
            let (number, ns): (u32, u64) = read().ok_or_else(|| Trouble::new(format!("the worker said {line:?}")))?;
            if entered.insert(number, ns).is_some() {
                return Err(Trouble::new(format!("not verified: job {number} was handled twice")));
            }
        }
    }

    /// How long after their acknowledgements the handlers were entered. One that is entered before the sender has its
    /// acknowledgement waited for nothing.
    pub(crate) fn after(&self, acknowledged: &BTreeMap<u32, u64>) -> Latency {
        let mut latency = Latency::default();
        for (number, entered_ns) in &self.0 {
            let since = acknowledged.get(number).map_or(0, |at_ns| entered_ns.saturating_sub(*at_ns));
            latency.add(Duration::from_nanos(since));
        }
        latency
    }
}

/// Jobs under way, from the first enqueue to the last handler.
pub(crate) struct Burst {
    meter: Meter,
    began: Instant,
}

impl Burst {
    /// Begins now. The meter looks at all processes first and last, which takes milliseconds: they would weigh more in a short
    /// burst than in a long one.
    pub(crate) fn start(server: Option<u32>, worker: Option<u32>) -> Burst {
        let meter = Meter::start_with_worker(server, worker);
        Burst { meter, began: Instant::now() }
    }

    /// It is only now that it begins.
    pub(crate) fn begins(&mut self) {
        self.began = Instant::now();
    }

    /// So many jobs have been handled.
    pub(crate) fn handled(&self, jobs: u64) -> Reading {
        let wall_s = self.began.elapsed().as_secs_f64();
        let spent = Spent { wall_s, ..self.meter.read() };
        Reading { operations: jobs, spent, latency: Latency::default() }
    }
}

/// How many jobs one round has.
pub(crate) fn jobs_of(lab: &Lab<'_>) -> u64 {
    (JOBS_PER_S * lab.pace.times.counted.as_secs_f64()) as u64 / BATCH as u64 * BATCH as u64
}

/// Jobs through one worker, from the first enqueue to the last handler; each producer enqueues `batch` at a time.
pub(crate) async fn through(lab: &Lab<'_>, target: Target, jobs: u64, batch: usize) -> Result<Reading, Trouble> {
    let (queue, mut lines) = hired(lab, target, jobs).await?;
    let burst = Burst::start(target.pid, lines.pid());
    let (enqueued, handled) = tokio::join!(enqueue_batches(&queue, jobs, batch), lines.until("handled"));
    enqueued?;
    handled?;
    let reading = burst.handled(jobs);
    Handled::by(lines, jobs).await?;
    lab.flushed(reading, PRODUCERS * batch)
}

async fn end_to_end(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let broker = lab.broker()?;
    let pipeline = async || {
        let load = lab.load(broker.target()).await?;
        let reading = load.pipeline(PRODUCERS, PRODUCERS, lab.pace.times).await;
        load.prove(Extent::All).await.check()?;
        lab.flushed(reading, PRODUCERS * BATCH)
    };
    let jobs = jobs_of(lab);
    let ours = async || through(lab, broker.target(), jobs, BATCH).await;
    let pairs = alternate(lab.pace.rounds, pipeline, ours).await?;
    let median = |of: &dyn Fn(&(Reading, Reading)) -> f64| figure(Spread::of(pairs.iter().map(of)).median);
    let a_job = |cpu_s: f64| cpu_s * 1e6 / jobs as f64;
    Ok(Figure {
        measured: format!("{} ×", super::ratio(&pairs, Reading::per_s)),
        absolute: format!(
            "{} jobs/s; the pipeline {} messages/s; CPU a job: worker {} µs, producers {} µs, server {} µs; each handled once",
            median(&|(_, ours)| ours.per_s()),
            median(&|(pipeline, _)| pipeline.per_s()),
            median(&|(_, ours)| a_job(ours.spent.worker_cpu_s)),
            median(&|(_, ours)| a_job(ours.spent.generator_cpu_s)),
            median(&|(_, ours)| a_job(ours.spent.server_cpu_s.unwrap_or_default())),
        ),
    })
}

/// Enqueues so many jobs, `batch` at a time, by several producers at once.
async fn enqueue_batches(queue: &Queue, jobs: u64, batch: usize) -> Result<(), Trouble> {
    let jobs = u32::try_from(jobs).unwrap_or(u32::MAX);
    let batches = Rc::new(RefCell::new((0..jobs).step_by(batch)));
    let mut producers: JoinSet<Result<(), Trouble>> = JoinSet::new();
    for _ in 0..PRODUCERS {
        let (queue, batches) = (queue.clone(), batches.clone());
        producers.spawn_local(async move {
            loop {
                let Some(first) = batches.borrow_mut().next() else { return Ok(()) };
                let batch: Vec<Noop> = (first..jobs.min(first + batch as u32)).map(|number| Noop { number }).collect();
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

/// One round: sends where nobody works, sends beside a worker, and from their acknowledgement to the handler.
struct Round {
    alone: Latency,
    beside: Latency,
    pick_up: Latency,
}

async fn picked_up(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let broker = lab.broker()?;
    let jobs = (PACE_PER_S * lab.pace.times.counted.as_secs_f64()) as u64;
    let alone = async || {
        let queue = queue(lab, broker.target()).await?;
        Ok((Latency::default(), send_paced(&queue, jobs).await?.0))
    };
    let worked = async || paced(lab, broker.target(), jobs).await;
    let rounds: Vec<Round> = alternate(lab.pace.rounds, alone, worked).await?.into_iter().map(Round::of).collect();
    let p99 = |latency: &Latency| latency.quantile_ms(0.99);
    let median = |of: fn(&Round) -> f64| figure(Spread::of(rounds.iter().map(of)).median);
    Ok(Figure {
        measured: format!("{} ×", Spread::of(rounds.iter().map(|round| p99(&round.pick_up) / p99(&round.alone)))),
        absolute: format!(
            "{} ms after the acknowledgement (p50 {} ms); a send {} ms (p50 {} ms), beside the worker {} ms (p50 {} ms)",
            median(|round| round.pick_up.quantile_ms(0.99)),
            median(|round| round.pick_up.quantile_ms(0.5)),
            median(|round| round.alone.quantile_ms(0.99)),
            median(|round| round.alone.quantile_ms(0.5)),
            median(|round| round.beside.quantile_ms(0.99)),
            median(|round| round.beside.quantile_ms(0.5)),
        ),
    })
}

impl Round {
    fn of(((_, alone), (pick_up, beside)): ((Latency, Latency), (Latency, Latency))) -> Round {
        Round { alone, beside, pick_up }
    }
}

/// How soon jobs are begun that are enqueued one by one, each at its time; and how long their sends took.
pub(crate) async fn paced(lab: &Lab<'_>, target: Target, jobs: u64) -> Result<(Latency, Latency), Trouble> {
    let (queue, mut lines) = hired(lab, target, jobs).await?;
    let (sends, acknowledged) = send_paced(&queue, jobs).await?;
    lines.until("handled").await?;
    let handled = Handled::by(lines, jobs).await?;
    Ok((handled.after(&acknowledged), sends))
}

/// Sends each job at its time, whether or not the one before has been acknowledged: how long that took, and when each was
/// acknowledged, in nanoseconds since 1970.
async fn send_paced(queue: &Queue, jobs: u64) -> Result<(Latency, BTreeMap<u32, u64>), Trouble> {
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
    let (mut took, mut acknowledged) = (Latency::default(), BTreeMap::new());
    while let Some(ended) = sends.join_next().await {
        let sent = ended.map_err(|error| Trouble::new(format!("a send died: {error}")))?;
        let (number, send, at_ns) = sent.map_err(|error| Trouble::new(error.to_string()))?;
        took.add(send);
        acknowledged.insert(number, at_ns);
    }
    Ok((took, acknowledged))
}
