//! kill -9 of a worker while it counts a batch, at an endpoint that knows only SQS. The workers are real processes: this test's own
//! program, started again as [`role`]. They see the endpoint through a proxy, which kills each at a moment of its own: when a call
//! has taken effect, and before its caller knows.

use crate::story::{attributes, create};
use afterward::{Context, Message, Queue, Worker, sqs};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, client, server, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    env, fs, io,
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

const URL: &str = "COUNTING_TEST_URL";
const LEDGER: &str = "COUNTING_TEST_LEDGER";
const JOBS: &str = "story-counting";
const TALLIES: &str = "story-counting-tallies.fifo";
const ROWS: u32 = 3;
/// What a dead worker held comes back after it, its tallies too: the proxy asks for no more.
const LEASE_S: u32 = 2;
/// How long to wait for what has to come, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(240);

#[derive(Serialize, Deserialize, Message)]
#[message(type = "import:row")]
struct Row(u32);

#[derive(Serialize, Deserialize, Message)]
#[message(type = "import:done")]
struct ImportDone;

/// When a worker is killed: a call of it, on which queue, and what its request or its reply holds.
struct Moment {
    what: &'static str,
    action: &'static str,
    queue: &'static str,
    holds: &'static str,
}

/// Every batch comes by each of them.
const MOMENTS: [Moment; 5] = [
    Moment { what: "tallies are handed out", action: "ReceiveMessage", queue: TALLIES, holds: "ReceiptHandle" },
    Moment { what: "the end of a job is told", action: "SendMessage", queue: TALLIES, holds: "\\\"ended\\\"" },
    Moment { what: "a merged tally is there", action: "SendMessage", queue: TALLIES, holds: "\\\"merged\\\"" },
    Moment { what: "its parts are deleted", action: "DeleteMessage", queue: TALLIES, holds: "" },
    Moment { what: "the completion is sent", action: "SendMessage", queue: JOBS, holds: "import:done" },
];

impl Moment {
    /// Whether it is this call, or the same in a batch.
    fn is(&self, action: &str, asked: &Value, said: &[u8]) -> bool {
        let queue = asked["QueueUrl"].as_str().unwrap_or_default();
        let holds = || asked.to_string().contains(self.holds) || String::from_utf8_lossy(said).contains(self.holds);
        action.trim_end_matches("Batch") == self.action && queue.ends_with(&format!("/{}", self.queue)) && holds()
    }
}

/// A worker in a process of its own, killed when dropped.
struct Process(Child);

impl Process {
    fn start(url: &str, ledger: &Path) -> Process {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["counting::role", "--exact", "--nocapture"]).env(URL, url).env(LEDGER, ledger);
        Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the other processes of this test do; nothing in the test's own.
#[tokio::test(flavor = "multi_thread")]
async fn role() {
    let Ok(url) = env::var(URL) else { return };
    let client = sqs::Client::builder().endpoint(url).build().unwrap();
    let jobs = Queue::named(JOBS).client(client).await.unwrap().tally(TALLIES).unwrap();
    let worker = Worker::new(jobs)
        .on(async |Row(number): Row, cx: Context| note(&format!("{} {number}", cx.batch().unwrap_or("none"))))
        .on(async |_: ImportDone, cx: Context| note(&format!("{} done", cx.completes().unwrap_or("none"))));
    worker.run().await.unwrap();
}

/// One line, at once: what has been written when a process is killed is in the file.
fn note(line: &str) {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(env::var(LEDGER).unwrap()).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Who is to be killed, and when.
type Target = Arc<Mutex<Option<(&'static Moment, Process)>>>;

/// What lies between the workers and the endpoint.
struct Proxy {
    url: String,
    target: Target,
}

impl Proxy {
    async fn before(endpoint: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let target = Target::default();
        let (authority, to_kill) =
            (endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned(), target.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (authority, target) = (authority.clone(), to_kill.clone());
                let service = service_fn(move |asked| pass(authority.clone(), target.clone(), asked));
                tokio::spawn(server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Proxy { url, target }
    }

    /// Until a worker has come to its moment, and is dead.
    async fn kill(&self, moment: &'static Moment, worker: Process) {
        *self.target.lock().unwrap() = Some((moment, worker));
        until(moment.what, async || self.target.lock().unwrap().is_none()).await;
    }
}

/// Passes a request on, and its reply back, if its caller is not to be killed.
async fn pass(authority: String, target: Target, asked: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (mut head, body) = asked.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let action = head.headers.get("x-amz-target").and_then(|action| action.to_str().ok()).unwrap_or_default();
    let action = action.trim_start_matches("AmazonSQS.").to_owned();
    let mut asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut sent = body;
    if action == "ReceiveMessage" && asked["QueueUrl"].as_str().is_some_and(|url| url.ends_with(TALLIES)) {
        asked["VisibilityTimeout"] = json!(LEASE_S);
        sent = asked.to_string().into();
        head.headers.insert("content-length", sent.len().into());
    }
    let stream = TcpStream::connect(&authority).await?;
    let (mut sender, connection) =
        client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    let reply = sender.send_request(Request::from_parts(head, Full::new(sent))).await.map_err(io::Error::other)?;
    let (head, body) = reply.into_parts();
    let said = body.collect().await.map_err(io::Error::other)?.to_bytes();
    // Dropped here, it is killed.
    let is_it = |(moment, _): &mut (&Moment, Process)| head.status.is_success() && moment.is(&action, &asked, &said);
    if target.lock().unwrap().take_if(is_it).is_some() {
        return Err(io::Error::other("the caller is dead"));
    }
    Ok(Response::from_parts(head, Full::new(said)))
}

async fn until(what: &str, mut enough: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !enough().await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it never came to this: {what}"));
}

async fn is_empty(queue: &Queue) -> bool {
    let said = attributes(queue).await;
    said["ApproximateNumberOfMessages"] == "0" && said["ApproximateNumberOfMessagesNotVisible"] == "0"
}

/// Whoever is killed, and whenever: the completion comes, and no job of the batch comes for the first time after it.
pub(crate) async fn a_worker_that_is_killed_while_it_counts_loses_no_completion(client: &sqs::Client, url: &str) {
    let directory = tempfile::tempdir().unwrap();
    let ledger = directory.path().join("ledger");
    let lines = || fs::read_to_string(&ledger).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>();
    let jobs = create(client, JOBS, &[("VisibilityTimeout", &LEASE_S.to_string())]).await;
    let tallies = create(client, TALLIES, &[("FifoQueue", "true")]).await;
    let jobs = jobs.tally(tallies.url()).unwrap();
    let proxy = Proxy::before(url).await;
    for (number, moment) in MOMENTS.iter().enumerate() {
        // A batch for each: by then, the ones before may be over.
        let batch = jobs.batch(number.to_string());
        let rows: Vec<Row> = (0..ROWS).map(Row).collect();
        batch.enqueue_all(&rows).await.into_iter().for_each(|sent| drop(sent.unwrap()));
        batch.then(&ImportDone).await.unwrap();
        proxy.kill(moment, Process::start(&proxy.url, &ledger)).await;
    }
    let _last = Process::start(&proxy.url, &ledger);
    let done = |batch: usize| format!("{batch} done");
    // Of the tallies, one may be left that the dead have put there twice: nothing waits for it.
    until("all batches are over", async || {
        let lines = lines();
        (0..MOMENTS.len()).all(|batch| lines.contains(&done(batch))) && is_empty(&jobs).await
    })
    .await;
    let lines = lines();
    for (batch, moment) in MOMENTS.iter().enumerate() {
        let before: Vec<&String> = lines.iter().take_while(|line| **line != done(batch)).collect();
        for row in 0..ROWS {
            let came = before.contains(&&format!("{batch} {row}"));
            assert!(came, "row {row} did not come before its completion ({}): {lines:?}", moment.what);
        }
    }
}
