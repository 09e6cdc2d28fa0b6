//! What the rows share: servers, how long to measure, and how to measure two things in turns.

use crate::{
    body::BODY_BYTES,
    canned::Answers,
    flush::Flusher,
    folder::DataFolder,
    hello::Runtime,
    host::{Host, Instance, Lines},
    load::{Load, Reading, Target, Times},
    meter::Spent,
    spread::Spread,
    sqs::{Expect, Queue, create_queue},
    trouble::Trouble,
};
use afterward_aws::sigv4::Credential;
use std::{
    cell::{Cell, OnceCell, RefCell},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often two things are measured in turns.
    pub rounds: usize,
    /// One window.
    pub times: Times,
    /// How many messages wait in a deep queue.
    pub depth: u64,
    /// How many messages are taken at once to measure receiving.
    pub take: u64,
    /// How many message groups, delayed messages and messages in flight a queue has where that is the question.
    pub crowd: u64,
    /// How many idle queues there are, and how long they are watched.
    pub idle_queues: u64,
    /// How long they are watched.
    pub idle: Duration,
    /// How many bytes of messages are written where disk use is the question.
    pub disk_bytes: u64,
    /// A server that has done nothing for so long is at rest.
    pub calm: Duration,
}

impl Pace {
    /// What the published table is made with.
    pub const FULL: Pace = Pace {
        rounds: 5,
        times: Times { warm: Duration::from_millis(500), counted: Duration::from_secs(2) },
        depth: 1_000_000,
        take: 20_000,
        crowd: 100_000,
        idle_queues: 10_000,
        idle: Duration::from_secs(10),
        disk_bytes: 1536 << 20,
        calm: Duration::from_secs(2),
    };

    /// For a look in between.
    pub const QUICK: Pace = Pace {
        rounds: 3,
        times: Times { warm: Duration::from_millis(250), counted: Duration::from_millis(750) },
        depth: 100_000,
        take: 5000,
        crowd: 20_000,
        idle_queues: 2000,
        idle: Duration::from_secs(2),
        disk_bytes: 512 << 20,
        calm: Duration::from_secs(1),
    };

    /// For a test of the benchmark itself.
    pub const SMOKE: Pace = Pace {
        rounds: 1,
        times: Times { warm: Duration::from_millis(20), counted: Duration::from_millis(250) },
        depth: 400,
        take: 100,
        crowd: 200,
        idle_queues: 20,
        idle: Duration::from_millis(50),
        disk_bytes: 1 << 20,
        calm: Duration::from_millis(5),
    };
}

/// The place where servers are measured.
pub struct Lab<'a> {
    host: &'a dyn Host,
    work: PathBuf,
    /// How much is measured.
    pub pace: Pace,
    counts_flushes: bool,
    runtime: Runtime,
    /// By [`Runtime`], in the order of its variants.
    bare: [OnceCell<Box<dyn Instance>>; Runtime::ALL.len()],
    other_cores: RefCell<Vec<f64>>,
    queues: Cell<u32>,
}

/// A broker with its data, both of which end when this is dropped.
pub struct Broker {
    // The first to be dropped: the server must end before its data goes.
    instance: Option<Box<dyn Instance>>,
    data: DataFolder,
}

impl Broker {
    /// Where it is.
    ///
    /// # Panics
    /// Between [`Broker::kill`] and [`Lab::start`].
    pub fn target(&self) -> Target {
        #[allow(clippy::expect_used)] // the caller's mistake
        self.instance.as_ref().expect("a broker that was killed was started again").target()
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.instance = None;
    }

    /// What its files take of the disk, in bytes.
    pub fn allocated_bytes(&self) -> u64 {
        self.data.allocated_bytes()
    }
}

impl<'a> Lab<'a> {
    /// A lab with servers of `host` and their data in `work`. `counts_flushes`: the kernel counts the flushes of that disk.
    pub fn new(host: &'a dyn Host, work: &Path, pace: Pace, counts_flushes: bool) -> Lab<'a> {
        Lab {
            host,
            work: work.to_owned(),
            pace,
            counts_flushes,
            runtime: BEST,
            bare: [const { OnceCell::new() }; Runtime::ALL.len()],
            other_cores: RefCell::default(),
            queues: Cell::new(0),
        }
    }

    /// The same with a bare server that uses its cores as `runtime` says, and not as is best.
    #[must_use]
    pub fn against(self, runtime: Runtime) -> Lab<'a> {
        Lab { runtime, ..self }
    }

    /// How many cores other programs kept busy while something was measured.
    pub fn other_cores(&self) -> Spread {
        Spread::of(self.other_cores.borrow().iter().copied())
    }

    /// Where servers may keep data.
    pub fn work(&self) -> &Path {
        &self.work
    }

    /// What flushes the disk as the server does.
    ///
    /// # Errors
    /// When no file can be written there.
    pub fn flusher(&self) -> Result<Flusher, Trouble> {
        Flusher::as_the_server(&self.work)
    }

    /// A new broker without any data.
    ///
    /// # Errors
    /// When it does not start.
    pub fn broker(&self) -> Result<Broker, Trouble> {
        let data = DataFolder::new(&self.work)?;
        let instance = self.host.broker(data.path(), None)?;
        Ok(Broker { instance: Some(instance), data })
    }

    /// Starts a broker again, with its data, after [`Broker::kill`].
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&self, broker: &mut Broker, credential: Option<&Credential>) -> Result<(), Trouble> {
        broker.instance = Some(self.host.broker(broker.data.path(), credential)?);
        Ok(())
    }

    /// A worker that does nothing with so many jobs of a queue.
    ///
    /// # Errors
    /// When it does not start.
    pub fn worker(&self, address: SocketAddr, queue_url: &str, jobs: u64) -> Result<Lines, Trouble> {
        self.host.worker(address, queue_url, jobs)
    }

    /// The bare HTTP server, the same one every time.
    ///
    /// # Errors
    /// When it does not start.
    fn bare(&self, runtime: Runtime) -> Result<Target, Trouble> {
        let bare = &self.bare[runtime as usize];
        if bare.get().is_none() {
            let _ = bare.set(self.host.bare(runtime, Answers::Sends, &self.work)?);
        }
        bare.get().map(|bare| bare.target()).ok_or_else(|| Trouble::new("the bare server is gone"))
    }

    /// A new queue with its account.
    ///
    /// # Errors
    /// When it can't be created.
    pub async fn load(&self, target: Target) -> Result<Load, Trouble> {
        self.load_with(target, &[], 0, BODY_BYTES).await
    }

    /// The same with attributes, message groups (0: none) and a body size.
    ///
    /// # Errors
    /// When it can't be created.
    pub async fn load_with(
        &self,
        target: Target,
        attributes: &[(&str, &str)],
        groups: u32,
        body_bytes: usize,
    ) -> Result<Load, Trouble> {
        let number = self.queues.replace(self.queues.get() + 1);
        let fifo = [("FifoQueue", "true"), ("ContentBasedDeduplication", "true")];
        let (suffix, fifo) = if groups > 0 { (".fifo", &fifo[..]) } else { ("", &[][..]) };
        let attributes = [attributes, fifo].concat();
        let queue = create_queue(target.address, &format!("bench-{number}{suffix}"), &attributes).await?;
        Ok(Load::new(target, Queue { groups, ..queue }, body_bytes))
    }

    /// R: the requests of SendMessage against the bare server.
    ///
    /// # Errors
    /// When it answers anything else than it should.
    pub async fn bare_sends(&self, connections: usize) -> Result<Reading, Trouble> {
        self.bare_sends_by(self.runtime, connections).await
    }

    /// The same requests against a bare server that uses its cores as `runtime` says.
    ///
    /// # Errors
    /// When it answers anything else than it should.
    pub async fn bare_sends_by(&self, runtime: Runtime, connections: usize) -> Result<Reading, Trouble> {
        let load = Load::new(self.bare(runtime)?, self.no_queue(), BODY_BYTES);
        let reading = load.send(connections, self.pace.times, Expect::Canned).await;
        load.proof(false).check()?;
        self.noted(reading)
    }

    /// A bare server with answers for the pipeline.
    ///
    /// # Errors
    /// When it does not start.
    pub fn bare_pipeline(&self, answers: Answers) -> Result<Box<dyn Instance>, Trouble> {
        self.host.bare(self.runtime, answers, &self.work)
    }

    /// The requests of the pipeline against a bare server.
    ///
    /// # Errors
    /// When it answers anything else than it should.
    pub async fn bare_pipelines(&self, bare: Target) -> Result<Reading, Trouble> {
        let load = Load::unchecked(bare, self.no_queue(), BODY_BYTES);
        let reading = load.pipeline(4, 4, self.pace.times).await;
        load.proof(false).check()?;
        self.noted(reading)
    }

    /// The URL of a queue is as long for a bare server.
    fn no_queue(&self) -> Queue {
        Queue { url: "http://127.0.0.1:4566/000000000000/bench-0".into(), groups: 0 }
    }

    /// Notes what else the machine did meanwhile, and refuses a reading of nothing.
    ///
    /// # Errors
    /// When there was not one operation.
    pub fn noted(&self, reading: Reading) -> Result<Reading, Trouble> {
        let reading = at_work(reading)?;
        self.note_others(&reading.spent);
        Ok(reading)
    }

    /// Notes what else the machine did meanwhile.
    pub fn note_others(&self, spent: &Spent) {
        self.other_cores.borrow_mut().push(spent.other_cores);
    }

    /// The same, for a server that says it flushes before it answers: with `in_flight` operations in the air, its
    /// acknowledgements must have had their flushes.
    ///
    /// # Errors
    /// When there were too few flushes, or no operation.
    pub fn flushed(&self, reading: Reading, in_flight: usize) -> Result<Reading, Trouble> {
        self.noted(self.flushed_slice(reading, in_flight)?)
    }

    /// The same of a reading that is too short to tell what else the machine did.
    ///
    /// # Errors
    /// As those of [`Lab::flushed`].
    pub fn flushed_slice(&self, reading: Reading, in_flight: usize) -> Result<Reading, Trouble> {
        if self.counts_flushes {
            reading.flushed(in_flight).map_err(|what| Trouble::new(format!("not verified: {what}")))?;
        }
        at_work(reading)
    }
}

fn at_work(reading: Reading) -> Result<Reading, Trouble> {
    match reading.operations {
        0 => Err(Trouble::new("not verified: not one operation was finished within the window")),
        _ => Ok(reading),
    }
}

/// Measures two things in turns, changing which goes first from round to round.
///
/// # Errors
/// When one of them can't be measured.
pub async fn alternate<T>(
    rounds: usize,
    mut one: impl AsyncFnMut() -> Result<T, Trouble>,
    mut other: impl AsyncFnMut() -> Result<T, Trouble>,
) -> Result<Vec<(T, T)>, Trouble> {
    let mut pairs = Vec::new();
    for round in 0..rounds {
        if round % 2 == 0 {
            let first = one().await?;
            pairs.push((first, other().await?));
        } else {
            let first = other().await?;
            pairs.push((one().await?, first));
        }
    }
    Ok(pairs)
}

/// Which runtime the bare server is at its best with; see `BENCHMARKS.md`.
pub const BEST: Runtime = Runtime::Single;
