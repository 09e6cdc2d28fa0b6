//! kill -9, of the worker and of the server under it, at moments that a seed chooses. Both are real processes: this test's own
//! program, started again as what `CRASH_TEST_ROLE` says.
//!
//! `AFTERWARD_CRASH_ROUNDS=300` makes more kills, `AFTERWARD_CRASH_SEED=N` the same ones again.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // clippy exempts tests, but not the functions they call

use afterward::{
    Backoff, Context, Message, Queue, Worker, handler,
    sqs::{self, Client, Credential},
};
use afterward_server::{Config, Server};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

#[path = "library/port.rs"]
mod port;
use port::Port;

const ROLE: &str = "CRASH_TEST_ROLE";
const PATIENCE: Duration = Duration::from_secs(120);
/// How many jobs there are for each kill: more than are done until then.
const JOBS_PER_KILL: u32 = 25;
/// How many receives a job has.
const MAX_RECEIVES: u32 = 8;
/// How many jobs a worker has in hand at most.
const IN_HAND: usize = 10;
const NEVER: &str = "this one never works";
/// What a dead worker held comes back after it. Extended when half of it has passed: a machine may stop for some seconds, and no
/// job is begun again because of that.
const LEASE_S: u64 = 10;

#[derive(Serialize, Deserialize, Message)]
#[message(type = "entry")]
struct Entry(u32);

/// Writes down that it began and that it ended. Every tenth fails always.
async fn entry(Entry(number): Entry, cx: Context) -> Result<(), String> {
    note(&format!("begun {number} {}", cx.attempt()));
    sleep(Duration::from_millis(20)).await; // the work itself: time enough to be killed in its midst
    if never_works(number) {
        return Err(NEVER.to_owned());
    }
    note(&format!("ended {number} {}", cx.attempt()));
    Ok(())
}

fn never_works(number: u32) -> bool {
    number.is_multiple_of(10)
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
    Worker::new(queue).concurrency(IN_HAND).on(handler(entry).retry(Backoff::fixed(Duration::ZERO)))
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

async fn until(what: &str, mut enough: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !enough().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it never came to this: {what}"));
}

async fn until_ready(client: &Client) {
    until("the server answers", async || client.get("/_afterward/ready").await.is_ok()).await;
}

async fn attributes(queue: &Queue) -> BTreeMap<String, String> {
    let request = sqs::GetQueueAttributesRequest { queue_url: queue.url().into(), attribute_names: vec!["All".into()] };
    queue.client().get_queue_attributes(request).await.unwrap().attributes.into_iter().collect()
}

/// A server with the jobs in it, and their dead-letter queue.
async fn with_jobs(url: &str, count: u32) -> (Queue, Queue) {
    let client = client(url);
    until_ready(&client).await;
    let dead = Queue::named("dead").client(client.clone()).create_if_missing().await.unwrap();
    let arn = attributes(&dead).await["QueueArn"].clone();
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{MAX_RECEIVES}}}"#);
    let attributes = [("VisibilityTimeout", LEASE_S.to_string()), ("RedrivePolicy", policy)];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
    let request = sqs::CreateQueueRequest { queue_name: "ledger".to_owned(), attributes, ..Default::default() };
    client.create_queue(request).await.unwrap();
    let jobs = Queue::named("ledger").client(client).await.unwrap();
    let entries: Vec<Entry> = (0..count).map(Entry).collect();
    jobs.enqueue_all(&entries).await.into_iter().for_each(|sent| drop(sent.unwrap()));
    (jobs, dead)
}

fn lines(directory: &Path) -> Vec<String> {
    let text = fs::read_to_string(directory.join("ledger")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// What a dead job has been through, as the server shows it.
#[derive(Deserialize)]
struct Dead {
    body: String,
    receive_count: u32,
    source_queue: String,
    last_error: Option<String>,
}

/// The dead-letter queue's messages, all of them, and by their numbers.
async fn dead_jobs(dead: &Queue) -> BTreeMap<u32, Dead> {
    #[derive(Deserialize)]
    struct Page {
        messages: Vec<Dead>,
        next_cursor: Option<String>,
    }
    let (mut all, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let path = format!("/_afterward/queues/dead/messages?limit=100{cursor}");
        let page: Page = serde_json::from_slice(dead.client().get(&path).await.unwrap().body()).unwrap();
        for message in page.messages {
            let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
            let Entry(number) = serde_json::from_value(body["payload"].clone()).unwrap();
            assert!(all.insert(number, message).is_none(), "job {number} is in the dead-letter queue twice");
        }
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// The attempts that the ledger has of each job, in the order of its lines.
fn attempts(directory: &Path, verb: &str) -> BTreeMap<u32, Vec<u32>> {
    let mut attempts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for line in lines(directory) {
        let words: Vec<&str> = line.split(' ').collect();
        if let [of, number, attempt] = words[..]
            && of == verb
        {
            attempts.entry(number.parse().unwrap()).or_default().push(attempt.parse().unwrap());
        }
    }
    attempts
}

/// In the end: every job has ended, or is in the dead-letter queue, once, with what it has been through; and its attempts were
/// numbered as they came. What was said of it, for people to read.
async fn check_books(directory: &Path, jobs: &Queue, dead: &Queue, kills: usize, count: u32) -> String {
    until("the queue is empty", async || {
        // Both of one moment: what fails goes from the one to the other and back.
        let said = attributes(jobs).await;
        said["ApproximateNumberOfMessages"] == "0" && said["ApproximateNumberOfMessagesNotVisible"] == "0"
    })
    .await;
    let (begun, ended, dead) = (attempts(directory, "begun"), attempts(directory, "ended"), dead_jobs(dead).await);
    let arn = attributes(jobs).await["QueueArn"].clone();
    for number in 0..count {
        assert!(ended.contains_key(&number) || dead.contains_key(&number), "job {number} is lost");
        assert!(!never_works(number) || !ended.contains_key(&number), "job {number} has worked");
    }
    for (number, job) in &dead {
        let told = (job.receive_count, job.source_queue.as_str());
        assert_eq!(told, (MAX_RECEIVES, arn.as_str()), "job {number} is dead without having had its receives");
        let error = never_works(*number).then_some(NEVER);
        assert_eq!(job.last_error.as_deref(), error, "what job {number} failed with last");
    }
    // A receive that no handler has begun was in hand when something was killed, as was one that ended twice.
    let (mut unbegun, in_hand) = (0, kills * IN_HAND);
    for (number, attempts) in &begun {
        assert!(attempts.is_sorted_by(|one, other| one < other), "job {number} was begun as these: {attempts:?}");
        let last = *attempts.last().unwrap();
        let given = dead.get(number).map_or(last, |job| job.receive_count);
        assert!(last <= given, "job {number} was begun {last} times, and received {given} times");
        unbegun += given as usize - attempts.len();
    }
    assert!(
        unbegun <= in_hand,
        "{unbegun} receives were counted and never begun, with {in_hand} in hand at {kills} kills"
    );
    let twice: usize = ended.values().map(|attempts| attempts.len() - 1).sum();
    assert!(twice <= in_hand, "{twice} jobs ended twice, with {in_hand} in hand at {kills} kills");
    let starts: usize = begun.values().map(Vec::len).sum();
    let (finished, dead) = (ended.len(), dead.len());
    format!(
        "{count} jobs, {starts} attempts, {finished} jobs ended ({twice} twice), {dead} dead, {unbegun} receives not begun"
    )
}

/// How many kills a test makes, and what they are drawn from.
struct Kills {
    rounds: usize,
    seed: u64,
    state: u64,
    lines: usize,
}

impl Kills {
    fn planned() -> Kills {
        let set = |name: &str| env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
        let by_time = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = set("AFTERWARD_CRASH_SEED").unwrap_or_else(by_time);
        let rounds = set("AFTERWARD_CRASH_ROUNDS").unwrap_or(3) as usize;
        println!("AFTERWARD_CRASH_SEED={seed}");
        Kills { rounds, seed, state: seed, lines: 0 }
    }

    fn jobs(&self) -> u32 {
        JOBS_PER_KILL * (self.rounds as u32 + 1)
    }

    /// By Steele, Lea and Flood's SplitMix64.
    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// Waits for the moment of the next one: a few lines of the ledger later, and up to a job's length after that.
    async fn moment(&mut self, directory: &Path) {
        self.lines += 1 + self.below(40) as usize;
        until("some work is done", async || lines(directory).len() >= self.lines).await;
        self.lines = self.lines.max(lines(directory).len());
        sleep(Duration::from_millis(self.below(25))).await; // the moment itself: nothing is waited for
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_workers_jobs_run_again_or_are_dead_and_their_attempts_count() {
    let (directory, port, mut kills) = (tempfile::tempdir().unwrap(), Port::held(), Kills::planned());
    let url = port.url();
    let _server = Process::start("server", &url, directory.path());
    let (jobs, dead) = with_jobs(&url, kills.jobs()).await;
    // Workers are killed in the midst of their work; the last one ends it.
    for _ in 0..kills.rounds {
        let mut worker = Process::start("worker", &url, directory.path());
        kills.moment(directory.path()).await;
        worker.kill();
    }
    let _last = Process::start("worker", &url, directory.path());
    let books = check_books(directory.path(), &jobs, &dead, kills.rounds, kills.jobs()).await;
    println!("{} kills of workers: {books}; seed {}", kills.rounds, kills.seed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_goes_on_when_its_server_was_killed_and_no_job_is_lost() {
    let (directory, port, mut kills) = (tempfile::tempdir().unwrap(), Port::held(), Kills::planned());
    let url = port.url();
    let mut server = Process::start("server", &url, directory.path());
    let (jobs, dead) = with_jobs(&url, kills.jobs()).await;
    let mut worker = Process::start("worker", &url, directory.path());
    for _ in 0..kills.rounds {
        kills.moment(directory.path()).await;
        server.kill();
        sleep(Duration::from_millis(kills.below(500))).await; // for so long there is no server: nothing is waited for
        server = Process::start("server", &url, directory.path());
    }
    until_ready(&client(&url)).await;
    let books = check_books(directory.path(), &jobs, &dead, kills.rounds, kills.jobs()).await;
    assert_eq!(worker.0.try_wait().unwrap(), None, "the same worker to the end");
    println!("{} kills of the server under a worker: {books}; seed {}", kills.rounds, kills.seed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_knocks_at_longer_and_longer_intervals_while_its_server_is_away() {
    let (directory, port) = (tempfile::tempdir().unwrap(), Port::held());
    let url = port.url();
    let mut server = Process::start("server", &url, directory.path());
    let (jobs, dead) = with_jobs(&url, JOBS_PER_KILL).await;
    let _worker = Process::start("worker", &url, directory.path());
    until("some work is done", async || !lines(directory.path()).is_empty()).await;
    server.kill();
    let knocks = knocks(&port, 70).await;
    let _server = Process::start("server", &url, directory.path());
    until_ready(&client(&url)).await;
    check_books(directory.path(), &jobs, &dead, 1, JOBS_PER_KILL).await;
    let within = |tenths: std::ops::Range<u32>| knocks.iter().filter(|tenth| tenths.contains(tenth)).count();
    let (early, late) = (within(0..20), within(50..70));
    assert!(
        late > 0,
        "the worker has given up: it knocked {early} times in two seconds, and three seconds later no more"
    );
    assert!(
        late < early,
        "it knocked {early} times in the first two seconds, and {late} times three seconds after them"
    );
    println!("{early} connections were tried in the first two seconds, {late} in two seconds that were three later");
}

/// When connections were tried within so many tenths of a second from now, to a server that is away: each is cut at once. The
/// tenths are those in which this process ran: however long the machine stops, that is one of them.
async fn knocks(port: &Port, tenths: u32) -> Vec<u32> {
    let listener = tokio::net::TcpListener::bind(port.address).await.unwrap();
    let mut tenth = interval(Duration::from_millis(100));
    tenth.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tenth.tick().await;
    let (mut passed, mut knocks) = (0, Vec::new());
    while passed < tenths {
        tokio::select! {
            _ = tenth.tick() => passed += 1,
            accepted = listener.accept() => {
                drop(accepted.unwrap());
                knocks.push(passed);
            }
        }
    }
    knocks
}
