//! Another library's worker beside ours: the same no-op jobs, enqueued by as many producers in batches of the same size, one
//! worker process on the same cores as its store.
//!
//! apalis keeps its jobs in Redis here. That can flush what it acknowledges, as our server does, or once a second, as it
//! comes: the one is the same promise as ours, the other is how most people run it.

use super::obtain::{self, Started};
use crate::{
    host::{Instance, Lines},
    lab::{Broker, Lab},
    latency::Latency,
    load::Reading,
    report::cell,
    rows::{Burst, Handled, PACE_PER_S, jobs_of, paced, through},
    spread::{Spread, figure},
    trouble::Trouble,
};
use std::{
    collections::BTreeMap,
    fmt::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// What a round of apalis has at most. Jobs lie among those of later times until a worker moves all that are due, and of
/// more than some 8,000 at once Lua says "too many results to unpack": the worker never gets over that.
const MOST_AT_ONCE: u64 = 5000;

/// What a producer enqueues at a time.
const BATCHES: [usize; 2] = [10, 100];

/// How Redis is told to flush.
const POLICIES: [(&str, &str); 2] = [("always", "disk, flushed"), ("everysec", "disk, flushed once a second")];

/// What a round shows: jobs a second for each of [`BATCHES`], and how soon one is begun.
type Shown = ([f64; BATCHES.len()], Latency);

/// One library with its store: how many jobs a second, and how soon one is begun.
#[derive(Default)]
struct Rounds {
    /// For each of [`BATCHES`].
    per_s: [Vec<f64>; BATCHES.len()],
    /// Ours against it, in the same round.
    ahead: [Vec<f64>; BATCHES.len()],
    pick_up_ms: Vec<f64>,
    fault: Option<Trouble>,
}

impl Rounds {
    fn add(
        &mut self,
        ours: Option<[f64; BATCHES.len()]>,
        shown: Result<Shown, Trouble>,
    ) -> Option<[f64; BATCHES.len()]> {
        match shown {
            Ok((jobs, pick_up)) => {
                for (at, per_s) in jobs.into_iter().enumerate() {
                    self.per_s[at].push(per_s);
                    self.ahead[at].extend(ours.map(|ours| ours[at] / per_s));
                }
                self.pick_up_ms.push(pick_up.quantile_ms(0.99));
                Some(jobs)
            }
            Err(trouble) => {
                self.fault.get_or_insert(trouble);
                None
            }
        }
    }

    fn columns(&self) -> String {
        if let Some(trouble) = &self.fault {
            return format!("{} | | | | |", cell(&trouble.to_string()));
        }
        let mut columns = String::new();
        for (per_s, ahead) in self.per_s.iter().zip(&self.ahead) {
            let ahead = if ahead.is_empty() { String::new() } else { format!("{} ×", spread(ahead)) };
            let _ = write!(columns, "{}/s | {ahead} | ", figure(spread(per_s).median));
        }
        format!("{columns}{} ms |", spread(&self.pick_up_ms))
    }
}

fn spread(of: &[f64]) -> Spread {
    Spread::of(of.iter().copied())
}

/// apalis and a Redis of its own.
struct Apalis {
    program: PathBuf,
    redis: Started,
}

/// The table. Builds apalis below `folder`.
///
/// # Errors
/// When our own server does not start.
pub async fn workers(lab: &Lab<'_>, folder: &Path, told: &mut dyn FnMut(&str)) -> Result<String, Trouble> {
    let broker = lab.broker()?;
    told("apalis");
    let program = obtain::apalis(folder);
    let start = |policy: &str| Apalis::start(&program, folder, policy);
    let mut others: Vec<_> = POLICIES.map(|(policy, keeps)| (policy, keeps, start(policy), Rounds::default())).into();
    let mut ours = Rounds::default();
    for round in 0..lab.pace.rounds {
        let per_s = ours.add(None, both(lab, &broker).await);
        for (policy, _, apalis, rounds) in &mut others {
            let Ok(apalis) = apalis else { continue };
            told(policy);
            rounds.add(per_s, apalis.both(lab, round).await);
        }
    }
    let mut text = String::from(
        "| library | store | keeps jobs in | jobs end to end, enqueued by tens | ours against it | by hundreds | ours against it | \
         acknowledged enqueue to handler, p99, at 1,000 a second |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let _ = writeln!(text, "| **Afterward** | its server, as it comes | disk, flushed | {}", ours.columns());
    for (policy, keeps, apalis, rounds) in &others {
        let _ = match apalis {
            Ok(Apalis { redis, .. }) => writeln!(
                text,
                "| apalis {} | Redis {}, `appendfsync {policy}` | {keeps} | {}",
                obtain::APALIS,
                redis.version(),
                rounds.columns()
            ),
            Err(trouble) => {
                writeln!(text, "| apalis | Redis | {keeps} | not here: {} | | | | |", cell(&trouble.to_string()))
            }
        };
    }
    Ok(text)
}

/// How many jobs a round has where it is asked how soon they are begun.
fn paced_jobs(lab: &Lab<'_>) -> u64 {
    (PACE_PER_S * lab.pace.times.counted.as_secs_f64()) as u64
}

async fn both(lab: &Lab<'_>, broker: &Broker) -> Result<Shown, Trouble> {
    let mut per_s = [0.0; BATCHES.len()];
    for (batch, per_s) in BATCHES.into_iter().zip(&mut per_s) {
        *per_s = through(lab, broker.target(), jobs_of(lab), batch).await?.per_s();
    }
    let (pick_up, _) = paced(lab, broker.target(), paced_jobs(lab)).await?;
    Ok((per_s, pick_up))
}

impl Apalis {
    fn start(program: &Result<PathBuf, Trouble>, folder: &Path, policy: &str) -> Result<Apalis, Trouble> {
        let program = program.as_ref().map_err(|trouble| Trouble::new(trouble.to_string()))?.clone();
        Ok(Apalis { program, redis: obtain::redis(folder, policy)? })
    }

    async fn both(&self, lab: &Lab<'_>, round: usize) -> Result<Shown, Trouble> {
        let jobs = jobs_of(lab).min(MOST_AT_ONCE);
        let mut per_s = [0.0; BATCHES.len()];
        for (batch, per_s) in BATCHES.into_iter().zip(&mut per_s) {
            *per_s = self.through(lab, &format!("jobs-{round}-{batch}"), jobs, batch).await?.per_s();
        }
        let pick_up = self.paced(&format!("paced-{round}"), paced_jobs(lab).min(MOST_AT_ONCE)).await?;
        Ok((per_s, pick_up))
    }

    fn lines(&self, task: &str, queue: &str, jobs: u64, batch: usize) -> Result<Lines, Trouble> {
        let mut command = Command::new(&self.program);
        command.args([task, &format!("redis://{}/", self.redis.target().address), queue]);
        command.args([jobs.to_string(), batch.to_string()]);
        Lines::start(command)
    }

    async fn through(&self, lab: &Lab<'_>, queue: &str, jobs: u64, batch: usize) -> Result<Reading, Trouble> {
        let mut worker = self.lines("work", queue, jobs, batch)?;
        worker.until("working").await?;
        let mut burst = Burst::start(self.redis.target().pid, worker.pid());
        let mut producers = self.lines("enqueue", queue, jobs, batch)?;
        producers.until("began").await?;
        burst.begins();
        worker.until("handled").await?;
        let reading = burst.handled(jobs);
        producers.until("enqueued").await?;
        Handled::by(worker, jobs).await?;
        lab.noted(reading)
    }

    async fn paced(&self, queue: &str, jobs: u64) -> Result<Latency, Trouble> {
        let mut worker = self.lines("work", queue, jobs, 1)?;
        worker.until("working").await?;
        let mut sender = self.lines("pace", queue, jobs, 1)?;
        let mut acknowledged = BTreeMap::new();
        loop {
            let line = sender.next().await?;
            if line == "enqueued" {
                break;
            }
            let mut words = line.split(' ');
            let read = (|| Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?)))();
            let (number, ns): (u32, u64) = read.ok_or_else(|| Trouble::new(format!("the sender said {line:?}")))?;
            acknowledged.insert(number, ns);
        }
        worker.until("handled").await?;
        Ok(Handled::by(worker, jobs).await?.after(&acknowledged))
    }
}
