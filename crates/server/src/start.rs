//! Starting: settings, data directory, replay, queues, and only then the door.

use crate::{
    Config, ConfigError, Running, clock,
    config::{self, Data, Durability},
    jobs, open_files,
    running::DataDirectory,
};
use afterward_broker::{Broker, ManualClock};
use afterward_gateway::{Gateway, Jobs, Limits, Settings};
use afterward_log::{
    disk::LockError,
    segment::{self, OpenReport, Options, SegmentLog},
};
use afterward_scheduler::Runner;
use std::{io, net::SocketAddr, path::Path, sync::Arc};
use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket};

/// The directory of the one partition that there is so far, within the data directory.
const PARTITION: &str = "partition-0";

/// How many connections may wait to be accepted. The system may have a lower limit (Linux: `net.core.somaxconn`).
const BACKLOG: u32 = 4096;

/// A server, not yet started.
#[derive(Debug)]
pub struct Server;

/// Why a server did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The settings can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The temporary data directory can't be made.
    #[error("no temporary directory could be created for the data: {0}")]
    Temporary(io::Error),
    /// The log can't be opened: another process has it, it is damaged, …
    #[error("{}{}", .0, remedy(.0))]
    Log(#[from] segment::OpenError),
    /// What the log holds can't be replayed, or the log not be taken over.
    #[error(transparent)]
    Replay(#[from] afterward_broker::OpenError),
    /// The queue of the front door can't be created.
    #[error("the queue `{queue}` of the front door can't be created: {reason}")]
    JobsQueue {
        /// Which.
        queue: String,
        /// Why.
        reason: String,
    },
    /// The address can't be listened on.
    #[error("can't listen on {listen}: {error}{}", advice(error))]
    Listen {
        /// Which.
        listen: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// Signals can't be listened for.
    #[error("signals can't be handled: {0}")]
    Signals(io::Error),
    /// The thread that opened the log died.
    #[error("opening the data failed unexpectedly: {0}")]
    Panicked(String),
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => ". Another program has that port: choose another one with --listen, or stop it",
        io::ErrorKind::PermissionDenied => ". Choose a port above 1023 with --listen",
        _ => "",
    }
}

/// What to do about a directory that the system does not give us; the log's other errors say it themselves.
fn remedy(error: &segment::OpenError) -> &'static str {
    match error {
        segment::OpenError::Lock(LockError::Io { .. }) => {
            ". Choose a directory that this user may write to with --data, or serve with --ephemeral"
        }
        _ => "",
    }
}

impl Server {
    /// Opens the data directory, replays the log, creates the front door's queues, and listens. Needs a tokio runtime
    /// with IO and time.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(config: Config) -> Result<Running, StartError> {
        config.check()?;
        let data = data_directory(&config.data)?;
        let (directory, durability, clock) = (data.path().join(PARTITION), config.durability, config.clock);
        let opening = tokio::task::spawn_blocking(move || open(&directory, durability, clock));
        let opened = opening.await.map_err(|error| StartError::Panicked(error.to_string()))??;
        let broker = opened.broker.clone();
        let running = listen(opened, &config, data).await;
        if running.is_err() {
            broker.stop().await;
        }
        running
    }
}

fn data_directory(data: &Data) -> Result<DataDirectory, StartError> {
    match data {
        Data::Directory(path) => Ok(DataDirectory::Kept(path.clone())),
        Data::Ephemeral => {
            let temporary = tempfile::Builder::new().prefix("afterward-").tempdir().map_err(StartError::Temporary)?;
            Ok(DataDirectory::Temporary(temporary))
        }
    }
}

/// A broker that has all its state.
struct Opened {
    broker: Broker,
    clock: Option<Arc<ManualClock>>,
    report: OpenReport,
}

/// Locks the directory, reads the log, replays it. Takes as long as there is log.
fn open(directory: &Path, durability: Durability, clock: config::Clock) -> Result<Opened, StartError> {
    let durability = match durability {
        Durability::Flush => segment::Durability::Flush,
        Durability::Os => segment::Durability::Os,
    };
    let (log, report) = SegmentLog::open(directory, &Options { durability, ..Options::default() })?;
    if let Some(torn) = &report.torn {
        tracing::warn!("{torn}");
    }
    tracing::info!(directory = %directory.display(), "opened: {report}");
    let (time, clock) = clock::of(clock, &log)?;
    let broker = Broker::open(Arc::new(log), time, afterward_broker::Settings::default())?;
    Ok(Opened { broker, clock, report })
}

async fn listen(opened: Opened, config: &Config, data: DataDirectory) -> Result<Running, StartError> {
    let Opened { broker, clock, report } = opened;
    if config.jobs.create {
        jobs::create(&broker, &config.jobs).await?;
    }
    jobs::warn_without_consumers(config);
    let failed = |error| StartError::Listen { listen: config.listen, error };
    let listener = bind(config.listen).map_err(failed)?;
    let runner = Runner::start(broker.clone(), config.http_targets());
    let settings = Settings { clock: clock.clone(), runner: Some(runner.clone()), ..settings(config) };
    let listening = Gateway::new(broker.clone(), settings).listen(listener).map_err(failed)?;
    Ok(Running { addr: listening.address(), opened: report, listening, broker, runner, clock, data })
}

/// Listens, with a queue for the crowds that come at once when many clients start together, or start again.
fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that starts again does not wait until its predecessor's connections are forgotten. On Windows, this
    // would let others have the same address.
    if cfg!(not(windows)) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(listen)?;
    socket.listen(BACKLOG)
}

/// How many threads serve connections: one for every two cores. The other half has the flushes, the system's network
/// work and whoever shares the machine; a thread on every core waits for them, and shares its flushes with fewer.
fn serving_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))
}

/// What of the settings is the gateway's.
fn settings(config: &Config) -> Settings {
    let connections = open_files::connections(config.limits.connections, open_files::raise());
    Settings {
        credentials: config.credentials.clone(),
        cooldowns: config.sqs.cooldowns,
        jobs: Jobs {
            queue: jobs::address(&config.jobs),
            delay_ms: config.jobs.delay_s.map(|seconds| seconds * 1000),
            cors_origins: config.jobs.cors_origins.clone(),
            public: config.jobs.public,
        },
        limits: Limits { connections, ..config.limits.clone() },
        threads: serving_threads(),
        clock: None,
        runner: None,
    }
}
