//! A whole server: started, spoken to, stopped, started again.
#![allow(clippy::unwrap_used)] // helpers of tests, which clippy does not count as tests

use afterward_server::{
    Config, ConfigError, Running, Server, StartError,
    config::{Credential, Data, Durability},
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::{Duration, Instant},
};

/// A server in that directory, on a free port.
fn config(directory: &Path) -> Config {
    Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::at(directory) }
}

/// One request on a connection of its own; the reply as text.
async fn ask(address: SocketAddr, request: String) -> String {
    let asking = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    };
    tokio::task::spawn_blocking(asking).await.unwrap()
}

async fn sqs(address: SocketAddr, action: &str, body: &str) -> String {
    let head = "content-type: application/x-amz-json-1.0\r\nconnection: close\r\nhost: x";
    let target = format!("x-amz-target: AmazonSQS.{action}");
    ask(address, format!("POST / HTTP/1.1\r\n{head}\r\n{target}\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await
}

async fn get(address: SocketAddr, path: &str) -> String {
    ask(address, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await
}

async fn started(config: Config) -> Running {
    Server::start(config).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let first = started(config(directory.path())).await;
    let job = ask(
        first.addr,
        "POST /jobs HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 11\r\n\r\n{\"n\":12345}".into(),
    )
    .await;
    assert!(job.starts_with("HTTP/1.1 202"), "{job}");
    let id = job.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(first.stop().await.cut, 0);

    let second = started(Config { durability: Durability::Os, ..config(directory.path()) }).await;
    assert_eq!(second.opened.torn, None);
    assert!(second.opened.batches > 0);
    let known = get(second.addr, &format!("/jobs/{id}")).await;
    assert!(known.contains("\"status\":\"waiting\""), "{known}");
    let received = sqs(second.addr, "ReceiveMessage", r#"{"QueueUrl":"jobs"}"#).await;
    assert!(received.contains(r#"{\"n\":12345}"#), "{received}");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_long_polls_and_takes_little_time() {
    let running = started(Config::ephemeral()).await;
    let address = running.addr;
    let waiting =
        tokio::spawn(
            async move { sqs(address, "ReceiveMessage", r#"{"QueueUrl":"jobs","WaitTimeSeconds":20}"#).await },
        );
    let began = Instant::now();
    while running.broker().metrics().waiting_receives == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "the receive never waits");
        // Between two looks at the condition.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let began = Instant::now();
    let stopped = running.stop().await;
    assert!(began.elapsed() < Duration::from_secs(15), "the wait's 20 s were not waited out: {:?}", began.elapsed());
    assert_eq!(stopped.cut, 0);
    let reply = waiting.await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert!(TcpStream::connect(address).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_directory_serves_one_server_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let first = started(config(directory.path())).await;
    let second = Server::start(config(directory.path())).await.unwrap_err().to_string();
    assert!(second.contains("in use"), "{second}");
    first.stop().await;
    started(config(directory.path())).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_can_t_be_had_is_named_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let refused = Server::start(config(&file)).await.unwrap_err().to_string();
    assert!(refused.contains(&file.display().to_string()) && refused.contains("--data"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ephemeral_server_leaves_nothing_behind() {
    let running = started(Config::ephemeral()).await;
    assert!(get(running.addr, "/_afterward/ready").await.starts_with("HTTP/1.1 200"));
    let held = running.directory().to_owned();
    assert!(held.exists());
    running.stop().await;
    assert!(!held.exists(), "{}", held.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_said_and_the_data_is_free_again() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let listen = taken.local_addr().unwrap();
    let error = Server::start(Config { listen, ..config(directory.path()) }).await.unwrap_err();
    assert!(matches!(error, StartError::Listen { .. }), "{error}");
    assert!(error.to_string().contains("--listen"), "it says what to do: {error}");
    drop(taken);
    started(config(directory.path())).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_not_let_in_without_credentials() {
    let open = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = Server::start(Config { listen: open, ..Config::ephemeral() }).await.unwrap_err();
    assert!(matches!(refused, StartError::Config(ConfigError::OpenToOthers { .. })), "{refused}");
    let credentials =
        vec![Credential { access_key_id: "ada".into(), secret_access_key: "lovelace".into(), account: None }];
    let running = started(Config { listen: open, credentials, ..Config::ephemeral() }).await;
    let address = SocketAddr::from(([127, 0, 0, 1], running.addr.port()));
    let unsigned = sqs(address, "ListQueues", "{}").await;
    assert!(unsigned.starts_with("HTTP/1.1 403"), "{unsigned}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_their_consumers_to_have_in_whatever_account() {
    let mut config = Config::ephemeral();
    config.jobs.account = "123456789012".parse().unwrap();
    let running = started(config).await;
    let job =
        ask(running.addr, "POST /jobs HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}".into())
            .await;
    let path = job.split("location: ").nth(1).unwrap().split('\r').next().unwrap();
    assert!(get(running.addr, path).await.contains("\"status\":\"waiting\""), "{job}");
    let received = sqs(running.addr, "ReceiveMessage", r#"{"QueueUrl":"http://x/123456789012/jobs"}"#).await;
    assert!(received.contains(r#""Body":"{}""#), "{received}");
    assert!(get(running.addr, path).await.contains("\"status\":\"active\""), "{job}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_front_doors_queues_are_made_once_and_then_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let running = started(config(directory.path())).await;
    let redrive = sqs(running.addr, "GetQueueAttributes", r#"{"QueueUrl":"jobs","AttributeNames":["All"]}"#).await;
    assert!(redrive.contains("jobs-dlq") && redrive.contains(r#"\"maxReceiveCount\":3"#), "{redrive}");
    sqs(
        running.addr,
        "SetQueueAttributes",
        r#"{"QueueUrl":"jobs","Attributes":{"RedrivePolicy":"","VisibilityTimeout":"7"}}"#,
    )
    .await;
    sqs(running.addr, "DeleteQueue", r#"{"QueueUrl":"jobs-dlq"}"#).await;
    running.stop().await;

    let running = started(config(directory.path())).await;
    let kept = sqs(running.addr, "GetQueueAttributes", r#"{"QueueUrl":"jobs","AttributeNames":["All"]}"#).await;
    assert!(kept.contains(r#""VisibilityTimeout":"7""#) && !kept.contains("RedrivePolicy"), "{kept}");
    let listed = sqs(running.addr, "ListQueues", "{}").await;
    assert!(!listed.contains("jobs-dlq"), "{listed}");
    running.stop().await;

    let mut without = Config { data: Data::Ephemeral, ..config(directory.path()) };
    without.jobs.create = false;
    let running = started(without).await;
    assert!(!sqs(running.addr, "ListQueues", "{}").await.contains("jobs"));
    running.stop().await;
}
