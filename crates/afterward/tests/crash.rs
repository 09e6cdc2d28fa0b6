//! kill -9, of the worker and of the server under it. Both are real processes: this test's own program, started again as what
//! `CRASH_TEST_ROLE` says.
#![allow(clippy::unwrap_used)] // clippy exempts tests, but not the functions they call

use afterward::{
    Backoff, Context, Message, Queue, Worker, handler,
    sqs::{self, Client, Credential},
};
use afterward_server::{Config, Server};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::Write,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::time::{sleep, timeout};

const ROLE: &str = "CRASH_TEST_ROLE";
const PATIENCE: Duration = Duration::from_secs(120);
const JOBS: u32 = 60;
/// Long enough for a machine that has other things to do; what a dead worker held comes back after it.
const LEASE_S: u64 = 3;

#[derive(Serialize, Deserialize, Message)]
#[message(type = "entry")]
struct Entry(u32);

/// Writes down that it began and that it ended. Every tenth fails always.
async fn entry(Entry(number): Entry, cx: Context) -> Result<(), String> {
    note(&format!("begun {number} {}", cx.attempt()));
    sleep(Duration::from_millis(20)).await; // the work itself: time enough to be killed in its midst
    if number % 10 == 0 {
        return Err("this one never works".to_owned());
    }
    note(&format!("ended {number} {}", cx.attempt()));
    Ok(())
}

/// One line, at once: what has been written when a process is killed is in the file.
fn note(line: &str) {
    let path = env::var("CRASH_TEST_LEDGER").unwrap();
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn client(url: &str) -> Client {
    let credential = Credential { access_key_id: "any".into(), secret_access_key: "thing".into(), session_token: None };
    Client::builder().endpoint(url).credentials(credential).build().unwrap()
}

async fn work(url: &str) -> Worker<Queue> {
    let queue = Queue::named("ledger").client(client(url)).await.unwrap();
    Worker::new(queue).on(handler(entry).retry(Backoff::fixed(Duration::ZERO)))
}

/// What the other processes of this test do; nothing in the test's own.
#[tokio::test(flavor = "multi_thread")]
async fn role() {
    let Ok(role) = env::var(ROLE) else { return };
    let url = env::var("CRASH_TEST_URL").unwrap();
    if role == "worker" {
        work(&url).await.run().await.unwrap();
    }
    let listen: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
    let config = Config { listen, ..Config::at(env::var("CRASH_TEST_DATA").unwrap()) };
    let _server = Server::start(config).await.unwrap();
    std::future::pending::<()>().await;
}

/// A process of this test, killed when dropped.
struct Process(Child);

impl Process {
    fn start(role: &str, url: &str, directory: &Path) -> Process {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["role", "--exact", "--nocapture"]).env(ROLE, role).env("CRASH_TEST_URL", url);
        command.env("CRASH_TEST_DATA", directory.join("data")).env("CRASH_TEST_LEDGER", directory.join("ledger"));
        Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_address() -> String {
    format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

async fn until(what: &str, mut enough: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !enough().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it never came to this: {what}"));
}

async fn attribute(queue: &Queue, name: &str) -> String {
    let request = sqs::GetQueueAttributesRequest { queue_url: queue.url().into(), attribute_names: vec!["All".into()] };
    queue.client().get_queue_attributes(request).await.unwrap().attributes[name].clone()
}

/// A server with the jobs in it, and their dead-letter queue.
async fn with_jobs(url: &str, max_receives: u32) -> (Queue, Queue) {
    let client = client(url);
    until("the server answers", async || client.get("/_afterward/ready").await.is_ok()).await;
    let dead = Queue::named("dead").client(client.clone()).create_if_missing().await.unwrap();
    let arn = attribute(&dead, "QueueArn").await;
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{max_receives}}}"#);
    let attributes = [("VisibilityTimeout", LEASE_S.to_string()), ("RedrivePolicy", policy)];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
    let request = sqs::CreateQueueRequest { queue_name: "ledger".to_owned(), attributes, ..Default::default() };
    client.create_queue(request).await.unwrap();
    let jobs = Queue::named("ledger").client(client).await.unwrap();
    for number in 0..JOBS {
        jobs.enqueue(&Entry(number)).await.unwrap();
    }
    (jobs, dead)
}

fn lines(directory: &Path) -> Vec<String> {
    let text = fs::read_to_string(directory.join("ledger")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Every job ended, or is dead; and nothing was begun twice under one number of attempt.
async fn check_ledger(directory: &Path, dead: &Queue) {
    let dead_ones = JOBS / 10;
    until("all jobs are done or dead", async || {
        let ended: BTreeSet<u32> = lines(directory).iter().filter_map(|line| number_of(line, "ended")).collect();
        let dead_now = attribute(dead, "ApproximateNumberOfMessages").await;
        ended.len() == (JOBS - dead_ones) as usize && dead_now == dead_ones.to_string()
    })
    .await;
    let mut attempts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for line in lines(directory) {
        if let Some(number) = number_of(&line, "begun") {
            attempts.entry(number).or_default().push(line.rsplit(' ').next().unwrap().parse().unwrap());
        }
    }
    for (number, attempts) in attempts {
        let counted: BTreeSet<u32> = attempts.iter().copied().collect();
        assert_eq!(counted.len(), attempts.len(), "job {number} was begun twice as the same attempt: {attempts:?}");
    }
}

fn number_of(line: &str, verb: &str) -> Option<u32> {
    let rest = line.strip_prefix(verb)?.trim_start();
    rest.split(' ').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_workers_jobs_run_again_or_are_dead_and_their_attempts_count() {
    let (directory, url) = (tempfile::tempdir().unwrap(), free_address());
    let _server = Process::start("server", &url, directory.path());
    let (_jobs, dead) = with_jobs(&url, 8).await;
    // Three workers are killed in the midst of their work; the fourth ends it.
    for kills in 1..=3 {
        let mut worker = Process::start("worker", &url, directory.path());
        until("some work is done", async || lines(directory.path()).len() >= kills * 25).await;
        worker.kill();
    }
    let _last = Process::start("worker", &url, directory.path());
    check_ledger(directory.path(), &dead).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_goes_on_when_its_server_was_killed_and_no_job_is_lost() {
    let (directory, url) = (tempfile::tempdir().unwrap(), free_address());
    let mut server = Process::start("server", &url, directory.path());
    let (_jobs, dead) = with_jobs(&url, 8).await;
    let mut worker = Process::start("worker", &url, directory.path());
    for kills in 1..=3 {
        until("some work is done", async || lines(directory.path()).len() >= kills * 25).await;
        server.kill();
        server = Process::start("server", &url, directory.path());
    }
    let client = client(&url);
    until("the server is back", async || client.get("/_afterward/ready").await.is_ok()).await;
    check_ledger(directory.path(), &dead).await;
    assert_eq!(worker.0.try_wait().unwrap(), None, "the same worker to the end");
}
