//! The benchmark itself at work: every row, tiny, against servers in this process. The figures mean nothing; that there
//! is one for each row, and that a server that lies gets none, is what is tested.
#![allow(clippy::unwrap_used)] // a test's helpers panic as the test does

use afterward_aws::sigv4::Credential;
use afterward_bench::{
    canned::{Answers, Canned},
    folder::DataFolder,
    hello,
    host::{Host, Instance, Lines},
    lab::{BEST, Lab, Pace},
    load::{Extent, Load, Target},
    rows::{self, ROWS},
    sqs::{Expect, Queue},
    trouble::Trouble,
    working,
};
use afterward_server::{Config, Running, Server, config::Durability};
use std::{net::SocketAddr, path::Path, sync::mpsc, thread};
use tokio::{net::TcpListener, runtime::Runtime, task::LocalSet};

/// Servers on threads of this process.
struct Here;

struct OnAThread {
    target: Target,
    /// Dropped to end it; the thread is done once the server is.
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl OnAThread {
    fn start<F, S>(serve: F) -> OnAThread
    where
        F: FnOnce(mpsc::Sender<std::net::SocketAddr>, tokio::sync::oneshot::Receiver<()>) -> S + Send + 'static,
        S: Future<Output = ()>,
    {
        let (told, address) = mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = thread::spawn(move || Runtime::new().unwrap().block_on(serve(told, stopped)));
        let target = Target { address: address.recv().unwrap(), pid: Some(std::process::id()) };
        OnAThread { target, stop: Some(stop), thread: Some(thread) }
    }
}

impl Instance for OnAThread {
    fn target(&self) -> Target {
        self.target
    }
}

impl Drop for OnAThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Host for Here {
    fn broker(&self, data: &Path, credential: Option<&Credential>) -> Result<Box<dyn Instance>, Trouble> {
        // Flushing is the server's tests' affair, and slow where tests run.
        let mut config = Config { listen: Config::ephemeral().listen, durability: Durability::Os, ..Config::at(data) };
        config.jobs.create = false;
        config.credentials = credential.iter().map(|credential| server_credential(credential)).collect();
        Ok(Box::new(OnAThread::start(async move |told, stopped| {
            let running: Running = Server::start(config).await.unwrap();
            told.send(running.addr).unwrap();
            let _ = stopped.await;
            running.stop().await;
        })))
    }

    /// On a runtime of its own each time: which one is a matter of speed.
    fn bare(&self, _: hello::Runtime, answers: Answers, work: &Path) -> Result<Box<dyn Instance>, Trouble> {
        let work = work.to_owned();
        Ok(Box::new(OnAThread::start(async move |told, stopped| {
            let canned = Canned::new(answers, &work).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            told.send(listener.local_addr().unwrap()).unwrap();
            tokio::select! {
                _ = hello::serve(listener, canned) => {}
                _ = stopped => {}
            }
        })))
    }

    fn worker(&self, address: SocketAddr, queue_url: &str, jobs: u64) -> Result<Lines, Trouble> {
        let (said, lines) = tokio::sync::mpsc::unbounded_channel();
        let queue_url = queue_url.to_owned();
        thread::spawn(move || {
            // Nobody listens any more where a test has failed.
            let say = move |line| drop(said.send(line));
            Runtime::new().unwrap().block_on(working::run(address, &queue_url, jobs, say)).unwrap();
        });
        Ok(Lines::new(lines))
    }
}

fn server_credential(credential: &Credential) -> afterward_server::config::Credential {
    afterward_server::config::Credential {
        access_key_id: credential.access_key_id.clone(),
        secret_access_key: credential.secret_access_key.clone(),
        account: None,
    }
}

fn locally<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, work)
}

#[test]
fn every_row_gives_a_figure_of_verified_work() {
    let work = tempfile::tempdir().unwrap();
    let lab = Lab::new(&Here, work.path(), Pace::SMOKE, false);
    let outcomes = locally(rows::measure(&lab, &[], &mut |_| {}));
    let named: Vec<&str> = outcomes.iter().map(|(row, _)| row.name).collect();
    assert_eq!(named, ROWS.iter().map(|row| row.name).collect::<Vec<_>>());
    for (row, outcome) in outcomes {
        let figure = outcome.unwrap_or_else(|trouble| panic!("{}: {trouble}", row.name));
        // Where there is no /proc, there is no CPU time; everywhere else each figure is a number.
        let is_number = figure.measured.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
        assert!(is_number && !figure.measured.contains("NaN"), "{}: {}", row.name, figure.measured);
    }
}

#[test]
fn the_pipeline_is_measured_beside_servers_that_only_answer() {
    let work = tempfile::tempdir().unwrap();
    let lab = Lab::new(&Here, work.path(), Pace::SMOKE, false);
    let bounds = locally(rows::ceiling(&lab)).unwrap();
    let lines = rows::ceiling_lines(&bounds);
    assert_eq!(lines.len(), 4);
    for [server, rate, ..] in lines {
        assert!(rate.starts_with(|c: char| c.is_ascii_digit()), "{server}: {rate}");
    }
}

#[test]
fn disk_use_is_measured_under_every_order_of_deletes() {
    let work = tempfile::tempdir().unwrap();
    let lab = Lab::new(&Here, work.path(), Pace::SMOKE, false);
    for (order, shrinking) in locally(rows::disk_use(&lab, &mut |_| {})) {
        let shrinking = shrinking.unwrap_or_else(|trouble| panic!("{}: {trouble}", order.name));
        assert!(shrinking.written_bytes >= Pace::SMOKE.disk_bytes);
        assert_eq!(shrinking.steps.len(), rows::LEFT.len());
        assert_eq!(shrinking.steps.first().map(|step| step.live_bytes), Some(shrinking.written_bytes));
        assert_eq!(shrinking.steps.last().map(|step| step.live_bytes), Some(0));
        assert!(shrinking.steps.iter().all(|step| step.allocated_bytes > 0), "{}", order.name);
        let counts = |step: &&rows::Use| step.live_bytes >= shrinking.written_bytes / rows::AT_LEAST_LIVE;
        let resting = shrinking.steps.iter().filter(counts).map(rows::Use::multiple).fold(0.0, f64::max);
        assert!(counts(&&shrinking.worst) && shrinking.worst.multiple() >= resting, "{}", order.name);
    }
}

#[test]
fn a_server_that_only_says_yes_gets_no_figure() {
    let work = tempfile::tempdir().unwrap();
    let bare = Here.bare(BEST, Answers::Sends, work.path()).unwrap();
    let queue = Queue { url: "http://localhost/000000000000/q".into(), groups: 0 };
    let load = Load::new(bare.target(), queue, 256);
    let proof = locally(async {
        load.send(4, Pace::SMOKE.times, Expect::Broker).await;
        load.prove(Extent::All).await
    });
    let told = proof.check().unwrap_err().to_string();
    for fault in ["never received", "wrong MD5s", "message ids given out twice"] {
        assert!(told.contains(fault), "{told}");
    }
}

#[test]
fn acknowledgements_without_flushes_get_no_figure() {
    let work = tempfile::tempdir().unwrap();
    let lab = Lab::new(&Here, work.path(), Pace::SMOKE, true);
    let mut reading = locally(async { lab.bare_sends(1).await }).unwrap();
    reading.spent.flushes = 10;
    reading.operations = 12 * 64;
    assert!(lab.flushed(reading.clone(), 64).is_ok());
    reading.operations += 1;
    let told = lab.flushed(reading, 64).unwrap_err().to_string();
    assert!(told.contains("769 operations acknowledged, 64 in the air, and only 10 flushes"), "{told}");
}

#[test]
fn a_server_that_is_not_there_gets_no_figure() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let queue = Queue { url: "http://localhost/000000000000/q".into(), groups: 0 };
    let load = Load::new(Target { address: free, pid: None }, queue, 256);
    let reading = locally(load.send(2, Pace::SMOKE.times, Expect::Broker));
    assert_eq!(reading.operations, 0);
    assert!(load.proof(false).check().is_err());
}

/// Where servers keep their data is removed with them.
#[test]
fn nothing_is_left_behind() {
    let work = tempfile::tempdir().unwrap();
    let folder = DataFolder::new(work.path()).unwrap();
    std::fs::write(folder.path().join("x"), [7; 10_000]).unwrap();
    assert!(cfg!(not(unix)) || folder.allocated_bytes() >= 8192);
    drop(folder);
    assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 0);
}
